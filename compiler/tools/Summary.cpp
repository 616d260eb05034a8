//===- Summary.cpp - sylvite summary: a table of layers -----------------------------------------------------------===//
#include "compiler/tools/Summary.h"

#include "compiler/transforms/Passes.h"

#include "mlir/Pass/PassManager.h"

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

int64_t elements(Value value, bool perSample) {
  auto shape = cast<RankedTensorType>(value.getType()).getShape();
  int64_t product = 1;
  for (int64_t extent : perSample ? shape.drop_front() : shape)
    product *= extent;
  return product;
}

} // namespace

std::string summaryText(ModuleOp module) {
  auto network = *module.getOps<nn::NetworkOp>().begin();
  std::string text;
  llvm::raw_string_ostream out(text);
  const char *row = "{0,-20} {1,-14} {2,-14} {3,12} {4,14} {5,12}\n";
  out << llvm::formatv(row, "layer", "kind", "output", "parameters", "multiply-adds", "bytes");
  int64_t parameters = 0, products = 0, bytes = 0;
  for (Operation &op : network.getBody().front()) {
    if (!isa<nn::LayerOpInterface>(op) && !isa<nn::InputOp>(op))
      continue;
    int64_t own = 0, work = 0;
    for (Value operand : op.getOperands())
      if (auto variable = operand.getDefiningOp<nn::VariableOp>(); variable && variable.getKind() == "parameter")
        own += elements(variable, false);
    Value output = op.getResult(0);
    auto type = cast<RankedTensorType>(output.getType());
    if (op.hasTrait<nn::Contraction>())
      work = elements(op.getOperand(1), false) / cast<RankedTensorType>(op.getOperand(1).getType()).getDimSize(0) *
             elements(output, true);
    int64_t size = elements(output, true) * std::max(1u, type.getElementTypeBitWidth() / 8);
    std::string name = "-";
    if (auto named = dyn_cast<NameLoc>(op.getLoc()))
      name = named.getName().str();
    out << llvm::formatv(row, name, op.getName().stripDialect(), nn::sampleShape(type), own ? grouped(own) : "-",
                         work ? grouped(work) : "-", grouped(size));
    parameters += own;
    products += work;
    bytes += size;
  }
  out << llvm::formatv(row, "total", "", "", grouped(parameters), grouped(products), grouped(bytes));

  OwningOpRef<ModuleOp> planned = module.clone();
  PassManager manager(module.getContext());
  nn::buildPipeline(manager, false);
  if (failed(manager.run(*planned)))
    return text;
  auto number = [&](const char *name) { return cast<IntegerAttr>((*planned)->getAttr(name)).getInt(); };
  out << "\nbytes and multiply-adds are of one sample's forward pass\n";
  out << llvm::formatv(
      "batch {0}: state {1} bytes (parameters, statistics, optimizer), scratch {2} bytes, {3} bytes a thread\n",
      network.getBatch(), grouped(number("nn.state_bytes")), grouped(number("nn.scratch_bytes")),
      grouped(number("nn.local_bytes")));
  return text;
}

} // namespace sylvite
