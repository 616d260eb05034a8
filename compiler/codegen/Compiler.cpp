//===- Compiler.cpp - from a network to an object, stage by stage -------------------------------------------------===//
#include "compiler/codegen/Compiler.h"

#include "compiler/codegen/Algorithms.h"
#include "compiler/codegen/Driver.h"
#include "compiler/codegen/Files.h"
#include "compiler/schedule/Rules.h"
#include "compiler/support/Files.h"
#include "compiler/support/Hash.h"
#include "compiler/transforms/Budget.h"

#include "mlir/Pass/PassManager.h"

using namespace mlir;
namespace fs = std::filesystem;

namespace sylvite::codegen {
namespace {

std::string printed(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  return text;
}

bool writeText(const fs::path &path, const std::string &text, Diagnostics &diagnostics) {
  std::string error;
  if (writeFileAtomically(path, text, error))
    return true;
  diagnostics.error({path.string(), 0, 0}, "cannot be written: " + error);
  return false;
}

nn::PipelineOptions pipelineOptions(const CompileOptions &options) {
  nn::PipelineOptions pipeline;
  pipeline.keepGradients = options.keepGradients;
  pipeline.only = options.phases;
  return pipeline;
}

/// Graph passes; MLIR's own messages become diagnostics.
bool runPasses(ModuleOp module, const nn::PipelineOptions &options, Diagnostics &diagnostics) {
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &message) {
    diagnostics.error({}, "internal error: " + message.str(), "report the network file");
    return success();
  });
  PassManager manager(module.getContext());
  nn::buildPipeline(manager, options);
  return succeeded(manager.run(module));
}

std::vector<const Target *> requireTargets(const std::string &name, Diagnostics &diagnostics) {
  std::vector<const Target *> found = findTargets(name);
  if (found.empty()) {
    std::string names;
    for (const Target &known : targets())
      names += ", " + known.name;
    diagnostics.error({}, "target '" + name + "' is unknown or cannot run here",
                      "known: host" + names + ", x86-64 for all of these");
  }
  return found;
}

/// What rules' `cpu` tests: an object for a named target does not depend on where it is compiled.
std::string cpuOf(const std::string &target) { return target == "host" ? hostCpu() : "generic"; }

std::string labelOf(const Call &call) { return call.layer + (call.layer.empty() ? "" : ":") + call.signature.kernel; }

/// Bytes of the scratch block for one thread, as <net>_scratch_bytes(0, 1) tells.
int64_t scratchOf(const Plan &plan) {
  return plan.scratchBytes + plan.localBytes + plan.heapBytes; // each a multiple of SYL_ALIGNMENT
}

/// Of a scratch block; far more than a machine has.
constexpr int64_t mostScratch = int64_t(1) << 44;

/// Passes and kernels of a network for one target. `module` must outlive the plan's regions; `rows`, if not null, gets
/// the descriptor's table of kernels. The names of stages have `suffix`.
bool compileVersion(ModuleOp module, const Target &target, const ScheduleSet &schedules, const CompileOptions &options,
                    const nn::PipelineOptions &pipeline, const std::string &suffix, Plan &plan,
                    std::vector<CompileResult::Row> *rows, Diagnostics &diagnostics) {
  auto emits = [&](const char *what) { return options.emit.count(what) != 0; };

  // 1. graph
  if (!runPasses(module, pipeline, diagnostics))
    return false;
  std::string net = (*module.getOps<nn::NetworkOp>().begin()).getSymName().str();
  if (emits("regions") && !writeText(options.output / (net + suffix + ".regions.mlir"), printed(module), diagnostics))
    return false;

  // 2. kernels
  auto planned = [&](StringRef name) { return cast<IntegerAttr>(module->getAttr(name)).getInt(); };
  if (planned("nn.scratch_bytes") + planned("nn.local_bytes") > mostScratch) { // strides might not fit 64 bits
    diagnostics.error({}, "the network needs more than " + std::to_string(mostScratch >> 40) + " TiB of memory",
                      "look for an input, a padding or a dilation that is far too large");
    return false;
  }
  plan = makePlan(module, options.keepGradients);
  plan.target = &target;
  plan.compiler = options.version;
  plan.yaml = options.networkText;
  KernelOptions kernelOptions;
  kernelOptions.target = &target;
  kernelOptions.schedules = &schedules;
  kernelOptions.cpu = cpuOf(options.target);
  kernelOptions.compilerVersion = options.cacheSalt;
  kernelOptions.emitHalide = emits("halide");
  kernelOptions.emitAssembly = emits("asm");
  kernelOptions.emitFolder = options.output;
  kernelOptions.jobs = options.jobs;
  kernelOptions.choices = options.choices;
  kernelOptions.failures = options.failures;
  kernelOptions.secondsPerKernel = options.secondsPerKernel;
  kernelOptions.progress = options.progress;
  std::vector<nn::RegionOp> regions;
  for (Program &program : plan.programs)
    for (auto &phase : program.phases)
      for (Call &call : phase)
        regions.push_back(call.region);
  std::map<Operation *, size_t> kernelOf;
  plan.kernels = compileKernels(regions, kernelOptions, kernelOf, diagnostics);
  if (diagnostics.hasErrors() || (options.failures && !options.failures->empty()))
    return false;
  for (auto [index, program] : llvm::enumerate(plan.programs))
    for (auto &phase : program.phases)
      for (Call &call : phase) {
        call.kernel = kernelOf.at(call.region.getOperation());
        if (rows)
          rows->push_back({labelOf(call), call.kernel, index});
      }
  for (const CompiledKernel &kernel : plan.kernels)
    plan.heapBytes = std::max(plan.heapBytes, kernel.heapBytes);
  plan.heapBytes = (plan.heapBytes + 127) / 128 * 128;
  return true;
}

/// compileVersion within options.maxScratch, if there is such: values that need not wait for the backward pass are
/// computed again until the plan fits. What kernels take beyond the stack is known when they are compiled; then the
/// plan may have to be smaller still.
bool compileWithin(ModuleOp network, OwningOpRef<ModuleOp> &module, const Target &target, const ScheduleSet &schedules,
                   const CompileOptions &options, const std::string &suffix, Plan &plan,
                   std::vector<CompileResult::Row> *rows, Diagnostics &diagnostics) {
  OwningOpRef<ModuleOp> chosen(network.clone());
  if (!options.exact && !chooseAlgorithms(*chosen, schedules, target, diagnostics))
    return false;
  nn::PipelineOptions pipeline = pipelineOptions(options);
  nn::Budget budget;
  int64_t heapBytes = 0, most = options.maxScratch;
  for (bool fits = false; !fits;) {
    if (most)
      budget = nn::fitBudget(*chosen, pipeline, most - heapBytes);
    nn::PipelineOptions with = pipeline;
    with.recomputed = budget.recomputed;
    with.directForward = budget.directForward;
    module = OwningOpRef<ModuleOp>(chosen->clone());
    plan = {};
    if (rows)
      rows->clear();
    if (!compileVersion(*module, target, schedules, options, with, suffix, plan, rows, diagnostics))
      return false;
    fits = !most || scratchOf(plan) <= most;
    if (!fits && heapBytes >= plan.heapBytes) { // no smaller plan is to be had
      diagnostics.error(
          {},
          "--max-scratch: found " + std::to_string(most) + ", expected at least " + std::to_string(scratchOf(plan)) +
              " bytes, the least possible for batch " + std::to_string(plan.batch) +
              " with one thread: " + std::to_string(plan.localBytes + plan.heapBytes) + " of them for each thread",
          "a smaller --batch takes less; --explain prints each buffer's place and life");
      return false;
    }
    heapBytes = plan.heapBytes;
  }
  return true;
}

/// Drivers of all versions, and what they share, joined with the kernels. Returns an empty text, or what went wrong.
std::string writeObject(const std::vector<Plan> &versions, MLIRContext &context, const CompileOptions &options,
                        const CompileResult &result, Diagnostics &diagnostics) {
  const std::string &net = versions.front().net;
  bool several = versions.size() > 1, emits = options.emit.count("llvm") != 0;
  std::vector<fs::path> drivers; // in the cache, as kernels are
  std::string error;
  auto emit = [&](OwningOpRef<ModuleOp> driver, const std::string &suffix) {
    std::string text, object, llvmIr;
    llvm::raw_string_ostream(text) << *driver;
    drivers.push_back(cacheDirectory() / "drivers" / (sha256Hex({text, options.cacheSalt}) + ".o"));
    std::error_code code;
    if (!error.empty() || (!emits && fs::exists(drivers.back(), code)))
      return;
    error = emitDriverObject(*driver, object, emits ? &llvmIr : nullptr);
    if (error.empty() && !writeFileAtomically(drivers.back(), object, error))
      error = drivers.back().string() + ": " + error;
    if (error.empty() && emits)
      writeText(options.output / (net + suffix + ".ll"), llvmIr, diagnostics);
  };
  std::vector<std::string> names;
  for (const Plan &plan : versions) {
    names.push_back(several ? "sylvite_version_" + std::to_string(names.size()) : "");
    emit(buildDriver(plan, context, names.back()), several ? "." + plan.target->name : "");
  }
  if (several)
    emit(buildDispatcher(versions.front(), names, context), "");
  if (error.empty())
    error = joinObject(versions, drivers, result.object);
  return error.empty() ? writeArchive(result.object, result.archive) : error;
}

} // namespace

bool compileNetwork(ModuleOp module, const CompileOptions &options, CompileResult &result, Diagnostics &diagnostics) {
  std::vector<const Target *> targets = requireTargets(options.target, diagnostics);
  if (targets.empty())
    return false;
  std::error_code code;
  fs::create_directories(options.output, code);
  if (code) {
    diagnostics.error({options.output.string(), 0, 0}, "cannot be made: " + code.message());
    return false;
  }
  std::string net = (*module.getOps<nn::NetworkOp>().begin()).getSymName().str();
  if (options.emit.count("nn") && !writeText(options.output / (net + ".nn.mlir"), printed(module), diagnostics))
    return false;
  std::optional<ScheduleSet> schedules = ScheduleSet::parse(options.schedules, diagnostics, kernelDimNames());
  if (!schedules)
    return false;

  // 1. and 2. graph and kernels, of each version
  std::vector<OwningOpRef<ModuleOp>> modules;
  for (const Target *target : targets) {
    modules.emplace_back();
    std::string suffix = targets.size() > 1 ? "." + target->name : "";
    bool isFirst = result.versions.empty();
    Plan &plan = result.versions.emplace_back();
    if (!compileWithin(module, modules.back(), *target, *schedules, options, suffix, plan,
                       isFirst ? &result.rows : nullptr, diagnostics))
      return false;
    assert(plan.layoutHash == result.versions.front().layoutHash &&
           plan.stateBytes == result.versions.front().stateBytes && "the versions of a network share its state");
  }

  // 3. drivers and object
  result.object = options.output / (net + ".o");
  result.archive = options.output / ("lib" + net + ".a");
  result.header = options.output / (net + ".h");
  result.manifest = options.output / (net + ".json");
  std::string error = writeObject(result.versions, *module.getContext(), options, result, diagnostics);
  if (!error.empty())
    diagnostics.error({result.object.string(), 0, 0}, error);
  if (diagnostics.hasErrors())
    return false;

  // 4. header and manifest
  const std::string &target = targets.size() > 1 ? options.target : targets.front()->name;
  for (const Plan &plan : result.versions)
    result.explanation += (result.explanation.empty() ? "" : "\n") + explain(plan);
  bool written = writeText(result.header, headerText(result.versions.front(), target), diagnostics) &&
                 writeText(result.manifest, manifestText(result.versions, target), diagnostics);
  for (Plan &plan : result.versions) // regions end with the modules
    for (Program &program : plan.programs)
      program.phases.clear();
  return written;
}

bool listKernels(ModuleOp module, const ScheduleSet &schedules, const CompileOptions &options,
                 std::vector<ListedKernel> &kernels, Diagnostics &diagnostics) {
  std::vector<const Target *> targets = requireTargets(options.target, diagnostics);
  if (targets.empty())
    return false;
  if (!options.exact && !chooseAlgorithms(module, schedules, *targets.front(), diagnostics))
    return false;
  if (!runPasses(module, pipelineOptions(options), diagnostics))
    return false;
  std::map<std::string, size_t> places;
  Plan plan = makePlan(module, options.keepGradients);
  for (Program &program : plan.programs)
    for (auto &phase : program.phases)
      for (Call &call : phase) {
        std::string text = kernelText(call.region, call.signature);
        auto [place, added] = places.try_emplace(text, kernels.size());
        if (added) {
          ListedKernel kernel{
              call.signature.kernel, kernelKey(text), {}, scheduleDims(call.region, call.signature, *targets.front())};
          kernel.dims.words["key"] = kernel.key;
          kernel.dims.words["cpu"] = cpuOf(options.target);
          kernels.push_back(kernel);
        }
        kernels[place->second].labels.push_back(labelOf(call));
      }
  return true;
}

} // namespace sylvite::codegen
