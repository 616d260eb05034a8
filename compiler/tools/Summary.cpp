//===- Summary.cpp - sylvite summary: a table of layers -----------------------------------------------------------===//
//
// Counts on the graph as the file describes it; what the backward pass keeps comes from the planned training program.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/tools/Summary.h"

#include "compiler/transforms/Passes.h"

#include "mlir/Pass/PassManager.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace sylvite {
namespace {

std::string grouped(int64_t number) {
  std::string digits = std::to_string(number), text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i && (digits.size() - i) % 3 == 0)
      text += ',';
    text += digits[i];
  }
  return text;
}

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

int64_t product(ArrayRef<int64_t> shape) {
  int64_t result = 1;
  for (int64_t extent : shape)
    result *= extent;
  return result;
}

/// Elements of one sample.
int64_t sampleElements(Value value) { return product(typeOf(value).getShape().drop_front()); }

std::string layerOf(Operation *op) {
  auto named = dyn_cast<NameLoc>(op->getLoc());
  return named ? named.getName().str() : "-";
}

/// Multiply-adds of a sample's forward pass: each weight of an output's filter is used once for each output; the
/// weights of a transposed convolution, [in, out, …], once for each input.
int64_t multiplyAdds(Operation *op) {
  if (!op->hasTrait<nn::Contraction>() || op->getNumOperands() < 2)
    return 0;
  auto variable = op->getOperand(1).getDefiningOp<nn::VariableOp>();
  if (!variable) { // attention: queries times keys, then times values
    auto query = typeOf(op->getOperand(0)).getShape(), key = typeOf(op->getOperand(1)).getShape();
    return query.size() == 3 && key.size() == 3 ? 2 * query[1] * key[1] * query[2] : 0;
  }
  bool transposed = op->getName().stripDialect().contains("transpose");
  int64_t each = product(typeOf(variable).getShape().drop_front());
  return each * sampleElements(transposed ? op->getOperand(0) : op->getResult(0));
}

/// What one row of the table counts.
struct Row {
  std::string layer, kind, output;
  int64_t parameters = 0, frozen = 0, products = 0;
  bool shared = false; ///< some parameters are an earlier layer's
};

Row rowOf(Operation &op, llvm::StringSet<> &seen) {
  Row row{layerOf(&op), op.getName().stripDialect().str(), nn::sampleShape(typeOf(op.getResult(0)))};
  for (Value operand : op.getOperands()) {
    auto variable = operand.getDefiningOp<nn::VariableOp>();
    if (!variable || variable.getKind() != "parameter")
      continue;
    if (!seen.insert(variable.getName()).second) {
      row.shared = true;
      continue;
    }
    int64_t count = product(typeOf(variable).getShape());
    row.parameters += count;
    row.frozen += variable.getFrozen() ? count : 0;
  }
  row.products = multiplyAdds(&op);
  return row;
}

/// Whether a region belongs to the backward pass or to the update.
bool isBackward(nn::RegionOp region) {
  bool found = region.getUpdates() != 0;
  region.getBody().walk([&](nn::VjpOp) { found = true; });
  return found || region.getKernel().contains(".grad");
}

/// Bytes of the scratch block that hold a forward value of each layer until the backward pass reads it.
llvm::StringMap<int64_t> savedBytes(ModuleOp planned) {
  llvm::StringMap<int64_t> saved;
  for (nn::ProgramOp program : planned.getOps<nn::ProgramOp>()) {
    if (program.getSymName() != "train")
      continue;
    for (nn::RegionOp region : program.getBody().front().getOps<nn::RegionOp>()) {
      auto buffer = region->getAttrOfType<DictionaryAttr>("buffer");
      auto base = buffer ? dyn_cast_or_null<StringAttr>(buffer.get("base")) : StringAttr();
      if (!base || base != "scratch" || isBackward(region))
        continue;
      bool kept = llvm::any_of(region->getUsers(), [](Operation *user) {
        auto reader = dyn_cast<nn::RegionOp>(user);
        return reader && isBackward(reader);
      });
      if (kept)
        saved[layerOf(region)] += cast<IntegerAttr>(buffer.get("bytes")).getInt();
    }
  }
  return saved;
}

std::string mark(const Row &row) {
  std::string text = row.frozen == 0 ? "" : row.frozen == row.parameters ? "frozen" : "partly frozen";
  if (row.shared)
    text += text.empty() ? "shared" : ", shared";
  return text;
}

} // namespace

std::string summaryText(ModuleOp module) {
  auto network = *module.getOps<nn::NetworkOp>().begin();
  OwningOpRef<ModuleOp> planned = module.clone();
  PassManager manager(module.getContext());
  nn::buildPipeline(manager, {});
  const bool isPlanned = succeeded(manager.run(*planned));
  llvm::StringMap<int64_t> saved = isPlanned ? savedBytes(*planned) : llvm::StringMap<int64_t>();

  llvm::StringSet<> seen;
  std::vector<Row> rows;
  size_t width = 12;
  for (Operation &op : network.getBody().front())
    if (isa<nn::LayerOpInterface>(op) || isa<nn::InputOp>(op)) {
      rows.push_back(rowOf(op, seen));
      width = std::max(width, rows.back().layer.size());
    }
  std::string text;
  llvm::raw_string_ostream out(text);
  auto print = [&](StringRef layer, StringRef kind, StringRef output, const std::string &parameters,
                   const std::string &products, const std::string &bytes, StringRef note) {
    std::string line = llvm::formatv("{0} {1,-16} {2,-14} {3,12} {4,14} {5,14}  {6}",
                                     layer.str() + std::string(width - layer.size(), ' '), kind, output, parameters,
                                     products, bytes, note);
    out << StringRef(line).rtrim() << "\n";
  };
  auto number = [](int64_t count) { return count ? grouped(count) : std::string("-"); };
  print("layer", "kind", "output", "parameters", "multiply-adds", "saved bytes", "");
  Row total;
  int64_t totalSaved = 0;
  llvm::StringSet<> attributed; // a layer of several ops has its bytes in the first row
  for (const Row &row : rows) {
    int64_t bytes = attributed.insert(row.layer).second ? saved.lookup(row.layer) : 0;
    print(row.layer, row.kind, row.output, number(row.parameters), number(row.products), number(bytes), mark(row));
    total.parameters += row.parameters;
    total.frozen += row.frozen;
    total.products += row.products;
    totalSaved += bytes;
  }
  print("total", "", "", grouped(total.parameters), grouped(total.products), grouped(totalSaved), "");
  if (total.frozen)
    print("  trained", "", "", grouped(total.parameters - total.frozen), "", "", "");
  out << llvm::formatv(
      "\nmultiply-adds are of one sample's forward pass; saved bytes are what the backward pass keeps of "
      "a layer, for a batch of {0}\n",
      network.getBatch());
  if (!isPlanned)
    return text;
  auto bytes = [&](const char *name) { return grouped(cast<IntegerAttr>((*planned)->getAttr(name)).getInt()); };
  out << llvm::formatv(
      "batch {0}: state {1} bytes (parameters, statistics, optimizer), scratch {2} bytes, {3} bytes a thread\n",
      network.getBatch(), bytes("nn.state_bytes"), bytes("nn.scratch_bytes"), bytes("nn.local_bytes"));
  return text;
}

} // namespace sylvite
