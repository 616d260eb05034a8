//===- LossSum.cpp - nn.loss_sum: losses of a sample, each times its weight, added in order -----------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

static std::vector<Value> lossSum(OpContext &context) {
  llvm::ArrayRef<double> weights = mlir::cast<nn::LossSumOp>(context.op).getWeights();
  Value result = context.operand(0);
  result.detached = nullptr;
  result.func = context.func("loss_sum");
  std::vector<Var> dims = context.operand(0).dims();
  std::vector<Expr> here(dims.begin(), dims.end());
  Expr sum;
  for (unsigned i = 0; i < context.operandCount(); ++i) {
    Expr term = context.constant(weights[i]) * context.operand(i).func(here);
    sum = sum.defined() ? sum + term : term;
  }
  result.func(dims) = sum;
  return {result};
}
static Register registered("nn.loss_sum", lossSum);

} // namespace sylvite::ops
