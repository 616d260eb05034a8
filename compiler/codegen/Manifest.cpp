//===- Manifest.cpp - <net>.json and --explain --------------------------------------------------------------------===//
#include "compiler/codegen/Files.h"
#include "compiler/transforms/Regions.h"

#include "llvm/Support/FormatVariadic.h"

#include <nlohmann/json.hpp>

using nlohmann::ordered_json;

namespace sylvite::codegen {
namespace {

const char *dtypeName(int dtype) {
  static constexpr const char *names[] = {"uint8", "int32", "int64", "float32", "float64"};
  return names[dtype];
}

const char *kindName(int kind) {
  static constexpr const char *names[] = {"parameter", "buffer", "slot", "gradient", "value"};
  return names[kind];
}

/// Whether the backward pass computes here what the forward pass has computed before.
bool isAgain(const Call &call) { return const_cast<Call &>(call).region->hasAttr(nn::againName); }

/// A buffer that a program writes, with its life in phases.
struct BufferRow {
  std::string name, base;
  int64_t offset, bytes, first, last;
};

std::vector<BufferRow> buffersOf(const Program &program) {
  std::vector<BufferRow> rows;
  for (const auto &phase : program.phases)
    for (const Call &call : phase) {
      auto region = const_cast<Call &>(call).region;
      auto buffer = region->getAttrOfType<mlir::DictionaryAttr>("buffer");
      if (!buffer)
        continue;
      auto number = [&](const char *key, int64_t otherwise) {
        auto attribute = mlir::dyn_cast_or_null<mlir::IntegerAttr>(buffer.get(key));
        return attribute ? attribute.getInt() : otherwise;
      };
      int64_t here = *region.getPhase();
      rows.push_back({(call.layer.empty() ? "" : call.layer + ":") + call.signature.kernel,
                      mlir::cast<mlir::StringAttr>(buffer.get("base")).getValue().str(), number("offset", 0),
                      number("bytes", 0), number("first", here), number("last", here)});
    }
  return rows;
}

/// Other buffers at the same bytes of the same block, at other times.
std::vector<std::string> sharers(const BufferRow &row, const std::vector<BufferRow> &all) {
  std::vector<std::string> names;
  for (const BufferRow &other : all)
    if (&other != &row && other.base == row.base && other.offset < row.offset + row.bytes &&
        row.offset < other.offset + other.bytes)
      names.push_back(other.name);
  return names;
}

} // namespace

static ordered_json manifestOf(const Plan &plan) {
  ordered_json json;
  json["net"] = plan.net;
  json["compiler"] = plan.compiler;
  json["target"] = plan.target->name;
  json["batch"] = plan.batch;
  auto arrays = [](const std::vector<ArrayRow> &rows) {
    ordered_json list = ordered_json::array();
    for (const ArrayRow &row : rows) {
      list.push_back({{"name", row.name}, {"shape", row.shape}, {"dtype", dtypeName(row.dtype)}});
      if (row.classes)
        list.back()["classes"] = row.classes;
      if (!row.kind.empty())
        list.back()["kind"] = row.kind;
    }
    return list;
  };
  json["inputs"] = arrays(plan.inputs);
  json["targets"] = arrays(plan.targets);
  json["outputs"] = arrays(plan.outputs);
  json["memory"] = {{"state_bytes", plan.stateBytes},
                    {"scratch_bytes", plan.scratchBytes},
                    {"bytes_per_thread", plan.localBytes + plan.heapBytes}};
  for (const TensorRow &row : plan.tensors) {
    ordered_json factors = ordered_json::array();
    for (const Factor &factor : row.factors)
      factors.push_back(
          {{"axis", factor.axis}, {"divisor", factor.divisor}, {"extent", factor.extent}, {"stride", factor.stride}});
    json["tensors"].push_back({{"name", row.name},
                               {"kind", kindName(row.kind)},
                               {"dtype", dtypeName(row.dtype)},
                               {"shape", row.shape},
                               {"offset", row.offset},
                               {"layout", factors}});
  }
  for (const CompiledKernel &kernel : plan.kernels)
    json["kernels"].push_back({{"name", kernel.name},
                               {"symbol", kernel.symbol},
                               {"key", kernel.key},
                               {"rule", kernel.rule},
                               {"heap_bytes", kernel.heapBytes},
                               {"schedule", kernel.explanation}});
  for (const Program &program : plan.programs) {
    if (program.phases.empty())
      continue;
    ordered_json phases = ordered_json::array();
    for (const auto &phase : program.phases) {
      ordered_json calls = ordered_json::array();
      for (const Call &call : phase)
        calls.push_back({{"layer", call.layer},
                         {"kernel", call.kernel},
                         {"name", call.signature.kernel},
                         {"tasks", call.signature.tasks},
                         {"again", isAgain(call)}});
      phases.push_back(calls);
    }
    ordered_json buffers = ordered_json::array();
    std::vector<BufferRow> rows = buffersOf(program);
    for (const BufferRow &row : rows)
      buffers.push_back({{"name", row.name},
                         {"block", row.base},
                         {"offset", row.offset},
                         {"bytes", row.bytes},
                         {"first_phase", row.first},
                         {"last_phase", row.last},
                         {"shares_with", sharers(row, rows)}});
    json["programs"][program.name] = {{"phases", phases}, {"buffers", buffers}};
  }
  return json;
}

std::string manifestText(llvm::ArrayRef<Plan> versions, const std::string &target) {
  if (versions.size() == 1)
    return manifestOf(versions.front()).dump(1) + "\n";
  const Plan &first = versions.front();
  ordered_json json{{"net", first.net}, {"compiler", first.compiler}, {"target", target}, {"batch", first.batch}};
  for (const Plan &plan : versions)
    json["versions"].push_back(manifestOf(plan));
  return json.dump(1) + "\n";
}

std::string explain(const Plan &plan) {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << llvm::formatv("{0} for {1}, batch {2}: state {3} bytes, scratch {4} bytes, {5} bytes a thread\n", plan.net,
                       plan.target->name, plan.batch, plan.stateBytes, plan.scratchBytes,
                       plan.localBytes + plan.heapBytes);
  out << "\nKernels\n";
  for (const CompiledKernel &kernel : plan.kernels)
    out << "\n"
        << kernel.name << " (" << kernel.symbol << ", key " << kernel.key << ", "
        << (kernel.cached ? "from the cache" : llvm::formatv("compiled in {0:f2} s", kernel.seconds).str()) << ")\n"
        << kernel.explanation;
  for (const Program &program : plan.programs) {
    if (program.phases.empty())
      continue;
    out << "\nProgram " << program.name << "\n";
    for (auto [number, phase] : llvm::enumerate(program.phases)) {
      out << "  phase " << number << "\n";
      for (const Call &call : phase)
        out << llvm::formatv("    {0,-44} {1,3} tasks, {2}{3}\n",
                             (call.layer.empty() ? "" : call.layer + ":") + call.signature.kernel, call.signature.tasks,
                             plan.kernels[call.kernel].rule, isAgain(call) ? ", computed again" : "");
    }
    out << "  buffers (block, offset, bytes, phases; shares its bytes with)\n";
    std::vector<BufferRow> rows = buffersOf(program);
    for (const BufferRow &row : rows) {
      std::string others;
      for (const std::string &name : sharers(row, rows))
        others += (others.empty() ? "" : ", ") + name;
      out << llvm::formatv("    {0,-44} {1,-7} {2,10} {3,10}  {4}..{5}  {6}\n", row.name, row.base, row.offset,
                           row.bytes, row.first, row.last, others.empty() ? "-" : others);
    }
  }
  return text;
}

} // namespace sylvite::codegen
