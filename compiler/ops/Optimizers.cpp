//===- Optimizers.cpp - nn.optimizer_scalars, nn.sgd_update, nn.adam_update ---------------------------------------===//
//
// Updates see their tensors flat, (i): the layout of a parameter does not matter to them.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

/// (rate, rate / (1 - beta1^step), 1 / sqrt(1 - beta2^step), 0), computed in double and rounded once.
static std::vector<Value> optimizerScalars(OpContext &context) {
  auto op = mlir::cast<nn::OptimizerScalarsOp>(context.op);
  const Vars &v = vars();
  Expr rate = Expr(op.getLearningRate().convertToDouble()) * context.learningRateScale();
  auto correction = [&](double beta) { return Expr(1.0) - pow(Expr(beta), context.step()); };
  Value result;
  result.extents = {4};
  result.func = context.func("optimizer_scalars");
  result.func(v.c) =
      cast(context.type(), mux(v.c, {rate, rate / correction(op.getBeta1().convertToDouble()),
                                     Expr(1.0) / sqrt(correction(op.getBeta2().convertToDouble())), Expr(0.0)}));
  return {result};
}
static Register registeredScalars("nn.optimizer_scalars", optimizerScalars);

static Expr decayed(OpContext &context, Expr gradient, Expr parameter, double decay) {
  return decay == 0 ? gradient : gradient + context.constant(decay) * parameter;
}

/// A result that replaces operand `index`.
static Value replacing(OpContext &context, unsigned index, const std::string &role, Expr value) {
  Value result = context.operand(index);
  result.detached = nullptr;
  result.func = context.func(role);
  result.func(context.operand(index).dims()) = value;
  return result;
}

static std::vector<Value> sgdUpdate(OpContext &context) {
  auto op = mlir::cast<nn::SgdUpdateOp>(context.op);
  unsigned replaced = op.getVariables().size();
  Expr parameter = context.operand(0).here(), gradient = context.operand(replaced).here();
  Expr rate = context.operand(replaced + 1).func(0);
  Expr step = decayed(context, gradient, parameter, op.getWeightDecay().convertToDouble());
  if (replaced == 1)
    return {replacing(context, 0, "parameter", parameter - rate * step)};
  Expr velocity = context.constant(op.getMomentum().convertToDouble()) * context.operand(1).here() + step;
  return {replacing(context, 0, "parameter", parameter - rate * velocity),
          replacing(context, 1, "momentum_buffer", velocity)};
}
static Register registeredSgd("nn.sgd_update", sgdUpdate);

static std::vector<Value> adamUpdate(OpContext &context) {
  auto op = mlir::cast<nn::AdamUpdateOp>(context.op);
  Expr parameter = context.operand(0).here(), average = context.operand(1).here(), square = context.operand(2).here();
  const Value &scalars = context.operand(4);
  Expr gradient = decayed(context, context.operand(3).here(), parameter, op.getWeightDecay().convertToDouble());
  double beta1 = op.getBeta1().convertToDouble(), beta2 = op.getBeta2().convertToDouble();
  Expr newAverage = context.constant(beta1) * average + context.constant(1 - beta1) * gradient;
  Expr newSquare = context.constant(beta2) * square + context.constant(1 - beta2) * gradient * gradient;
  Expr denominator = sqrt(newSquare) * scalars.func(2) + context.constant(op.getEps().convertToDouble());
  return {replacing(context, 0, "parameter", parameter - scalars.func(1) * newAverage / denominator),
          replacing(context, 1, "exp_avg", newAverage), replacing(context, 2, "exp_avg_sq", newSquare)};
}
static Register registeredAdam("nn.adam_update", adamUpdate);

} // namespace sylvite::ops
