//===- Add.cpp - nn.add: sum of the operands, in order ------------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

static std::vector<Value> add(OpContext &context) {
  Value result = context.operand(0);
  result.detached = nullptr;
  result.func = context.func("add");
  std::vector<Var> dims = context.operand(0).dims();
  Expr sum = context.operand(0).here();
  for (unsigned i = 1; i < context.operandCount(); ++i)
    sum = sum + context.operand(i).func(std::vector<Expr>(dims.begin(), dims.end()));
  result.func(dims) = sum;
  return {result};
}
static Register registered("nn.add", add);

} // namespace sylvite::ops
