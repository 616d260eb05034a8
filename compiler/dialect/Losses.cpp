//===- Losses.cpp - shapes and constraints of the losses, and what they are made of -------------------------------===//
//
// plan() and expand() of what NnLosses.td declares. A plan sees the value that the loss takes, and says what its target
// is; the mean over a batch of weighted targets needs the sum of their weights before the loss, a constant of the
// backward pass.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/LayerPlans.h"

#include <cmath>

using namespace mlir;

namespace sylvite::nn {

/// One number a sample.
static void planLoss(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  setOutput(plan, inputs[0], {}, inputs[0].getElementType());
}

/// Refuses a number that is not finite, or less than `least`, or `least` itself unless `isIncluded`.
static void checkNumber(DictionaryAttr attributes, StringRef key, double least, bool isIncluded, LayerPlan &plan) {
  auto value = dyn_cast_or_null<FloatAttr>(attributes.get(key));
  if (!value)
    return;
  double number = value.getValueAsDouble();
  if (!std::isfinite(number) || number < least || (number == least && !isIncluded))
    plan.error(key, key + Twine(isIncluded ? " must be 0 or more" : " must be more than 0"));
}

/// A number for each channel, none of them negative; one number stands for all.
static void checkNumbers(DictionaryAttr attributes, StringRef key, int64_t channels, StringRef noun, LayerPlan &plan) {
  auto list = dyn_cast_or_null<DenseF64ArrayAttr>(attributes.get(key));
  if (!list)
    return;
  SmallVector<double> values(list.asArrayRef());
  if (values.size() == 1)
    values.assign(channels, values[0]);
  if (int64_t(values.size()) != channels)
    return plan.error(key, key + Twine(" has ") + Twine(values.size()) + " numbers, the network ends with " +
                               Twine(channels) + " " + noun);
  if (llvm::any_of(values, [](double value) { return !(value >= 0 && std::isfinite(value)); }))
    return plan.error(key, key + Twine(" must be 0 or more"));
  plan.attributes.set(key, DenseF64ArrayAttr::get(attributes.getContext(), values));
}

/// Targets are class numbers, one for each pixel.
static void planClassLoss(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planLoss(inputs, attributes, plan);
  RankedTensorType input = inputs[0];
  plan.classes = input.getShape().back();
  plan.target = tensorOf(Kind::Batch, input.getShape().drop_back(), IntegerType::get(input.getContext(), 32));
  if (input.getRank() < 2 || plan.classes < 2)
    plan.error("", "needs at least 2 classes, the network ends with 1 output", "end it with one unit a class");
  checkNumbers(attributes, "class_weights", plan.classes, "classes", plan);
}

/// Targets are as the value that the loss takes.
static void planElementLoss(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planLoss(inputs, attributes, plan);
  plan.target = inputs[0];
}

void CrossEntropyOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planClassLoss(inputs, attributes, plan);
  double smoothing = real(attributes, "label_smoothing", 0);
  if (!(smoothing >= 0 && smoothing <= 1))
    plan.error("label_smoothing", "label_smoothing must be from 0 to 1");
}

void NllOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planClassLoss(inputs, attributes, plan);
}

void HingeOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planClassLoss(inputs, attributes, plan);
  if (inputs[0].getRank() != 2)
    plan.error("", "needs one vector a sample, the network ends with " + sampleShape(inputs[0]),
               "end the network with `- flatten` and `- linear: {units: CLASSES}`");
  if (number(attributes, "p", 1) > 2)
    plan.error("p", "p must be 1 or 2");
  checkNumber(attributes, "margin", -HUGE_VAL, false, plan);
}

void BinaryCrossEntropyOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planElementLoss(inputs, attributes, plan);
  checkNumbers(attributes, "pos_weight", inputs[0].getShape().back(), "outputs", plan);
}

void MseOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planElementLoss(inputs, attributes, plan);
}

void L1Op::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planElementLoss(inputs, attributes, plan);
}

void HuberOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planElementLoss(inputs, attributes, plan);
  checkNumber(attributes, "delta", 0, false, plan);
}

void SmoothL1Op::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planElementLoss(inputs, attributes, plan);
  checkNumber(attributes, "beta", 0, true, plan);
}

void KlDivergenceOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planElementLoss(inputs, attributes, plan);
}

// ---- what they are made of

Value rowMaxOf(OpBuilder &builder, Value logits, int64_t axis) {
  RankedTensorType type = cast<RankedTensorType>(logits.getType());
  int64_t rank = type.getRank() - 1, place = axis < 0 ? axis + rank : axis;
  SmallVector<int64_t> shape(type.getShape());
  if (rank > 1)
    shape[place + 1] = 1;
  else
    shape.pop_back();
  auto attribute = place == rank - 1 ? IntegerAttr() : builder.getI64IntegerAttr(place);
  return RowMaxOp::create(builder, logits.getLoc(), tensorOf(Kind::Batch, shape, type.getElementType()), logits,
                          attribute);
}

/// The sum of the weights of the batch's targets, where they are not all 1.
template <typename Loss> static void addTotalWeight(Loss op, OpBuilder &builder) {
  if (!op.getClassWeights() && !op.getIgnoreIndex())
    return;
  auto loss = cast<RankedTensorType>(op.getType());
  Value weights = LossWeightsOp::create(builder, op.getLoc(), loss, op.getTarget(), op.getClassWeightsAttr(),
                                        op.getIgnoreIndexAttr());
  auto total = tensorOf(Kind::Whole, {1}, loss.getElementType());
  op.getTotalWeightMutable().assign(WeightTotalOp::create(builder, op.getLoc(), total, weights).getResult());
}

void CrossEntropyOp::expand(OpBuilder &builder, ProgramKind, int64_t) {
  getRowMaxMutable().assign(rowMaxOf(builder, getLogits()));
  addTotalWeight(*this, builder);
}

void NllOp::expand(OpBuilder &builder, ProgramKind, int64_t) { addTotalWeight(*this, builder); }

} // namespace sylvite::nn
