//===- Dropout.cpp - nn.dropout, nn.spatial_dropout: zeros at random places, in training --------------------------===//
#include "compiler/ops/Philox.h"
#include "compiler/ops/Places.h"

using namespace Halide;

namespace sylvite::ops {

/// The input divided by 1 - p, or 0 with probability p, which `element` decides.
static std::vector<Value> dropped(OpContext &context, const std::string &role, double p, Expr element) {
  if (p >= 1)
    return {
        mapElements(context, context.operand(0), role, [&](Expr value, Expr) { return value * context.constant(0); })};
  Expr drop = happens(randomWords(context, element)[0], p), scale = context.constant(1 / (1 - p));
  return {mapElements(context, context.operand(0), role,
                      [&](Expr value, Expr) { return select(drop, context.constant(0), value * scale); })};
}

static std::vector<Value> dropout(OpContext &context) {
  return dropped(context, "dropout", mlir::cast<nn::DropoutOp>(context.op).getP().convertToDouble(),
                 elementOf(context.operand(0).view));
}
static Register registeredDropout("nn.dropout", dropout);

static std::vector<Value> spatialDropout(OpContext &context) {
  return dropped(context, "spatial_dropout", mlir::cast<nn::SpatialDropoutOp>(context.op).getP().convertToDouble(),
                 channelOf(context.operand(0).view));
}
static Register registeredSpatialDropout("nn.spatial_dropout", spatialDropout);

} // namespace sylvite::ops
