//===- Linear.cpp - nn.linear -------------------------------------------------------------------------------------===//
//
// linear(c,n) = bias(c) + sum over rk of weight(c, rk) * input(rk, n). An image input is read as one vector of features
// in the order of memory; its weights lie accordingly.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

static std::vector<Value> linear(OpContext &context) {
  const Value &input = context.operand(0), &weight = context.operand(1);
  const Vars &v = vars();
  Value result = startContraction(context, "linear");
  RDom r(0, int(weight.extents[1]), "rk");
  result.func(v.c, v.n) += weight.func(v.c, r) * input.func(r, v.n);
  context.nameRVars(result.func, {"rk"});
  context.nameGradientRVars(0, {"rk"}); // over units
  context.nameGradientRVars(1, {"rn"});
  context.nameGradientRVars(2, {"rn"});
  return {result};
}
static Register registered("nn.linear", linear);

} // namespace sylvite::ops
