//===- Expand.cpp - what layers are made of in training, evaluation and prediction --------------------------------===//
#include "compiler/dialect/LayerPlans.h"

using namespace mlir;

namespace sylvite::nn {

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// In training: per-slice sums, then scale and shift, then the running statistics after this batch. Else scale and
/// shift come from the running statistics.
void BatchNormOp::expand(OpBuilder &builder, ProgramKind kind, int64_t slices) {
  Location loc = getLoc();
  RankedTensorType type = typeOf(getInput());
  Type element = type.getElementType();
  int64_t channels = type.getShape().back(), pixels = 1;
  for (int64_t extent : type.getShape().drop_front().drop_back())
    pixels *= extent;
  auto scalars = tensorOf(Kind::Whole, {channels, 2}, element);
  Value scaleShift;
  if (kind == ProgramKind::Train) {
    IntegerAttr count = builder.getI64IntegerAttr(pixels);
    Value sums =
        ChannelSumsOp::create(builder, loc, tensorOf(Kind::Slices, {slices, channels, 3}, element), getInput());
    scaleShift =
        BatchNormScalarsOp::create(builder, loc, scalars, sums, getWeight(), getBiasValue(), getEpsAttr(), count);
    BatchNormRunningOp::create(builder, loc, getRunningMean().getType(), getRunningVar().getType(), getRunningMean(),
                               getRunningVar(), sums, getMomentumAttr(), count);
  } else {
    scaleShift = BatchNormInferenceScalarsOp::create(builder, loc, scalars, getRunningMean(), getRunningVar(),
                                                     getWeight(), getBiasValue(), getEpsAttr());
  }
  getResult().replaceAllUsesWith(ScaleShiftOp::create(builder, loc, type, getInput(), scaleShift).getResult());
}

void SoftmaxOp::expand(OpBuilder &builder, ProgramKind, int64_t) {
  getRowMaxMutable().assign(rowMaxOf(builder, getLogits(), getAxis()));
}

void LogSoftmaxOp::expand(OpBuilder &builder, ProgramKind, int64_t) {
  getRowMaxMutable().assign(rowMaxOf(builder, getLogits(), getAxis()));
}

/// What the numbers of rows come from takes no gradient.
void EmbeddingOp::expand(OpBuilder &builder, ProgramKind, int64_t) {
  getInputMutable().assign(StopGradientOp::create(builder, getLoc(), getInput().getType(), getInput()));
}

void AttentionOp::expand(OpBuilder &builder, ProgramKind, int64_t) {
  RankedTensorType query = typeOf(getInputs()[0]);
  auto largest =
      tensorOf(Kind::Batch, {query.getDimSize(0), query.getDimSize(1), int64_t(getHeads())}, query.getElementType());
  Value scoreMax = AttentionMaxOp::create(builder, getLoc(), largest, getInputs(), getHeadsAttr(), getCausalAttr());
  Value output = AttentionValuesOp::create(builder, getLoc(), getResult().getType(), getInputs(), scoreMax,
                                           getHeadsAttr(), getCausalAttr());
  getResult().replaceAllUsesWith(output);
}

} // namespace sylvite::nn
