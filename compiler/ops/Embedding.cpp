//===- Embedding.cpp - nn.embedding, nn.stop_gradient, nn.learned_position ----------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

static std::vector<Value> embedding(OpContext &context) {
  auto op = mlir::cast<nn::EmbeddingOp>(context.op);
  const Vars &v = vars();
  Value result = imageResult(context, "embedding");
  Expr row = clamp(cast<int32_t>(context.operand(0).func(v.x, v.n)), 0, int(op.getCount()) - 1);
  Expr value = context.operand(1).func(v.c, row);
  if (auto padding = op.getPaddingIdx())
    value = select(row == int(*padding), context.constant(0), value);
  result.func(v.c, v.x, v.n) = value;
  return {result};
}
static Register registeredEmbedding("nn.embedding", embedding);

static std::vector<Value> stopGradient(OpContext &context) {
  return {mapElements(context, context.operand(0), "stop_gradient", [](Expr value, Expr) { return value; })};
}
static Register registeredStop("nn.stop_gradient", stopGradient);

static std::vector<Value> learnedPosition(OpContext &context) {
  const Vars &v = vars();
  Value result = imageResult(context, "learned_position");
  result.func(v.c, v.x, v.n) = context.operand(0).func(v.c, v.x, v.n) + context.operand(1).func(v.c, v.x);
  return {result};
}
static Register registeredPosition("nn.learned_position", learnedPosition);

} // namespace sylvite::ops
