//===- Gradients.cpp - gradients accumulated and clipped; nn.square_sum, nn.clip_scale ----------------------------===//
//
// A sum of squares is taken for each place of the innermost dimension first, so that it vectorizes and has one order.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Gradients.h"

#include "compiler/dialect/Optimizers.h"

using namespace Halide;

namespace sylvite::ops {

/// The gradient `at` these coordinates.
static Expr totalAt(OpContext &context, const OptimizerSettings &settings, unsigned gradient, int accumulated,
                    unsigned scalars, const std::vector<Expr> &at) {
  Expr value = context.operand(gradient).func(at);
  double count = settings.number("accumulate");
  if (count <= 1)
    return value;
  return context.operand(scalars).func(int(scalarKeep)) * context.operand(accumulated).func(at) +
         value * context.constant(1 / count);
}

Expr totalGradient(OpContext &context, const OptimizerSettings &settings, unsigned gradient, int accumulated,
                   unsigned scalars) {
  std::vector<Var> dims = context.operand(gradient).dims();
  return totalAt(context, settings, gradient, accumulated, scalars, std::vector<Expr>(dims.begin(), dims.end()));
}

Expr clippedByValue(OpContext &context, const OptimizerSettings &settings, Expr gradient) {
  if (!settings.number("clip_value"))
    return gradient;
  Expr most = context.constant(settings.number("clip_value"));
  return Halide::max(Halide::min(gradient, most), -most);
}

static std::vector<Value> squareSum(OpContext &context) {
  auto op = mlir::cast<nn::SquareSumOp>(context.op);
  OptimizerSettings settings(op.getOptimizer());
  const Value &gradient = context.operand(0);
  const Vars &v = vars();
  std::vector<Range> outer;
  for (size_t d = 1; d < gradient.extents.size(); ++d)
    outer.emplace_back(0, int(gradient.extents[d]));
  std::vector<Expr> at{v.c};
  Func squares = context.func("squares");
  if (outer.empty()) {
    Expr value = clippedByValue(context, settings, totalAt(context, settings, 0, 2, 1, at));
    squares(v.c) = value * value;
  } else {
    RDom r(outer, "r");
    for (int d = 0; d < r.dimensions(); ++d)
      at.push_back(r[d]);
    Expr value = clippedByValue(context, settings, totalAt(context, settings, 0, 2, 1, at));
    squares(v.c) = context.constant(0);
    squares(v.c) += value * value;
  }
  Func sum = context.func("square_sum");
  RDom q(0, int(gradient.extents[0]), "rc");
  sum(v.c) = context.constant(0);
  sum(v.c) += squares(q);
  context.nameRVars(sum, {"rc"});
  Value result;
  result.extents = {1};
  result.func = sum;
  return {result};
}
static Register registeredSquareSum("nn.square_sum", squareSum);

static std::vector<Value> clipScale(OpContext &context) {
  Expr sum = context.constant(0), one = context.constant(1);
  for (unsigned i = 0; i < context.operandCount(); ++i)
    sum = sum + context.operand(i).func(0);
  Expr most = context.constant(mlir::cast<nn::ClipScaleOp>(context.op).getClipNorm().convertToDouble());
  Expr scale = most / (sqrt(sum) + context.constant(1e-6));
  Value result;
  result.extents = {1};
  result.func = context.func("clip_scale");
  result.func(vars().c) = select(scale < one, scale, one);
  return {result};
}
static Register registeredClipScale("nn.clip_scale", clipScale);

} // namespace sylvite::ops
