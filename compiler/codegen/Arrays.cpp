//===- Arrays.cpp - inputs, targets, outputs and losses as the descriptor tells them ------------------------------===//
//
// Reads the network as the frontend made it, before it becomes programs. The settings of the training loop are handed
// on as JSON; runtime/train/Policies.h says what they may be. Layer: codegen.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/codegen/Program.h"

#include <nlohmann/json.hpp>

using namespace mlir;
using namespace sylvite::nn;
using nlohmann::ordered_json;

namespace sylvite::codegen {
namespace {

std::string nameOf(Operation *op, StringRef otherwise) {
  auto name = op->getAttrOfType<StringAttr>("nn.name");
  return (name ? name.getValue() : otherwise).str();
}

ArrayRow arrayOf(Value value, const std::string &name) {
  auto type = cast<RankedTensorType>(value.getType());
  ArrayRow row;
  row.name = name;
  row.dtype = dtypeOf(type.getElementType());
  row.shape.assign(type.getShape().begin() + 1, type.getShape().end());
  return row;
}

/// Rows of the smallest embedding that reads a value, itself or converted; 0 where none does.
int64_t embeddingRows(Value value) {
  int64_t rows = 0;
  for (Operation *user : value.getUsers()) {
    int64_t here = 0;
    if (isa<IdentityOp>(user))
      here = embeddingRows(user->getResult(0));
    else if (auto count = user->getAttrOfType<IntegerAttr>("count");
             count && user->getName().stripDialect() == "embedding")
      here = count.getInt();
    if (here && (!rows || here < rows))
      rows = here;
  }
  return rows;
}

/// Whether an op may be a loss: a layer of two operands or more, of which one is a target.
bool isLoss(Operation *op) { return isa<LayerOpInterface>(op) && op->getNumOperands() >= 2; }

/// The target that an op compares with, or null.
TargetOp targetOf(Operation *op) {
  for (Value operand : op->getOperands())
    if (auto target = operand.getDefiningOp<TargetOp>())
      return target;
  return nullptr;
}

/// The weight of a loss in the sum of losses.
double weightOf(Operation *loss) {
  for (OpOperand &use : loss->getResult(0).getUses())
    if (auto weights = use.getOwner()->getAttrOfType<DenseF64ArrayAttr>("weights");
        weights && use.getOperandNumber() < weights.size())
      return weights[use.getOperandNumber()];
  return 1;
}

ordered_json jsonOf(Attribute attribute) {
  if (auto text = dyn_cast<StringAttr>(attribute))
    return text.getValue().str();
  if (auto flag = dyn_cast<BoolAttr>(attribute))
    return flag.getValue();
  if (isa<UnitAttr>(attribute))
    return true;
  if (auto whole = dyn_cast<IntegerAttr>(attribute))
    return whole.getInt();
  if (auto real = dyn_cast<FloatAttr>(attribute))
    return real.getValueAsDouble();
  ordered_json json;
  if (auto list = dyn_cast<ArrayAttr>(attribute)) {
    json = ordered_json::array();
    for (Attribute item : list)
      json.push_back(jsonOf(item));
  } else if (auto numbers = dyn_cast<DenseF64ArrayAttr>(attribute)) {
    json = std::vector<double>(numbers.asArrayRef().begin(), numbers.asArrayRef().end());
  } else if (auto map = dyn_cast<DictionaryAttr>(attribute)) {
    json = ordered_json::object();
    for (NamedAttribute item : map)
      json[item.getName().str()] = jsonOf(item.getValue());
  }
  return json;
}

/// Whether an input goes into a resize, itself or after steps that keep its size.
bool isResized(Value value) {
  for (Operation *user : value.getUsers()) {
    StringRef kind = user->getName().stripDialect();
    if (kind == "resize" || (kind == "identity" && isResized(user->getResult(0))))
      return true;
  }
  return false;
}

/// metrics, weights and early_stopping of the network, a schedule that follows a metric, and the inputs that the
/// network resizes: images of any size may be read for those.
std::string trainingOf(NetworkOp network) {
  ordered_json json = ordered_json::object();
  for (const char *key : {"metrics", "weights", "early_stopping"})
    if (Attribute attribute = network->getAttr(std::string("nn.") + key))
      json[key] = jsonOf(attribute);
  if (auto rate = dyn_cast_or_null<FloatAttr>(network.getOptimizer().get("learning_rate")))
    json["learning_rate"] = rate.getValueAsDouble();
  if (auto schedule = dyn_cast_or_null<DictionaryAttr>(network.getOptimizer().get("schedule")))
    if (auto kind = dyn_cast_or_null<StringAttr>(schedule.get("kind")); kind && kind == "reduce_on_plateau")
      json["reduce_on_plateau"] = jsonOf(schedule);
  for (InputOp input : network.getBody().front().getOps<InputOp>())
    if (isResized(input))
      json["resizes"].push_back(nameOf(input, "input"));
  return json.dump();
}

} // namespace

void describeArrays(Plan &plan, NetworkOp network) {
  Block &block = network.getBody().front();
  for (InputOp input : block.getOps<InputOp>()) {
    ArrayRow row = arrayOf(input, nameOf(input, "input"));
    if (auto layout = input->getAttrOfType<StringAttr>("nn.layout"); layout && layout == "chw")
      std::rotate(row.shape.begin(), row.shape.end() - 1, row.shape.end());
    row.classes = embeddingRows(input);
    plan.inputs.push_back(row);
  }
  if (auto shape = network->getAttrOfType<DenseI64ArrayAttr>("nn.input_shape"))
    if (plan.inputs.size() == 1 && size_t(shape.size()) != plan.inputs[0].shape.size())
      plan.inputs[0].shape.assign(shape.asArrayRef().begin(), shape.asArrayRef().end());
  llvm::DenseMap<Operation *, int64_t> targets;
  for (TargetOp target : block.getOps<TargetOp>()) {
    targets[target] = plan.targets.size();
    plan.targets.push_back(arrayOf(target, nameOf(target, "target")));
  }

  auto last = cast<ReturnOp>(block.getTerminator());
  auto names = network->getAttrOfType<ArrayAttr>("nn.output_names");
  auto kinds = network->getAttrOfType<ArrayAttr>("nn.output_kinds");
  llvm::DenseSet<Operation *> taken;
  for (auto [index, logits] : llvm::enumerate(last.getLogits())) {
    HeadRow head;
    for (Operation &op : block) // in the file's order: one value may go into several losses
      if (isLoss(&op) && targetOf(&op) && llvm::is_contained(op.getOperands(), logits) && taken.insert(&op).second) {
        TargetOp target = targetOf(&op);
        head.loss = op.getName().stripDialect().str();
        head.weight = weightOf(&op);
        head.target = targets.lookup(target);
        ArrayRow &row = plan.targets[head.target];
        if (auto classes = target->getAttrOfType<IntegerAttr>("nn.classes"))
          row.classes = classes.getInt();
        else if (isa<IntegerType>(cast<RankedTensorType>(target.getType()).getElementType()))
          row.classes = cast<RankedTensorType>(logits.getType()).getShape().back();
        if (auto ignored = op.getAttrOfType<IntegerAttr>("ignore_index"))
          row.ignoreIndex = ignored.getInt();
        break;
      }
    plan.heads.push_back(head);
    Value prediction = last.getPrediction()[std::min<size_t>(index, last.getPrediction().size() - 1)];
    ArrayRow row = arrayOf(prediction, names ? cast<StringAttr>(names[index]).getValue().str() : "output");
    row.kind = kinds ? cast<StringAttr>(kinds[index]).getValue().str() : network.getOutputKind().str();
    plan.outputs.push_back(row);
  }
  plan.training = trainingOf(network);
}

} // namespace sylvite::codegen
