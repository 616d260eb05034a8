//===- ScaleShift.cpp - nn.scale_shift: input * scale[c] + shift[c] -----------------------------------------------===//
//
// Scale and shift are one tensor ss(c, j) contracted with (input, 1): its gradient is then one update with j pure, both
// sums in one pass over the data.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

static std::vector<Value> scaleShift(OpContext &context) {
  const Value &input = context.operand(0), &scaleShift = context.operand(1);
  Value result = input;
  result.detached = nullptr;
  result.func = context.func("scale_shift");
  std::vector<Var> dims = input.dims();
  RDom r(0, 2, "rj");
  result.func(dims) = context.constant(0);
  result.func(dims) += scaleShift.func(dims[0], r) * select(r == 0, input.here(), context.constant(1));
  context.nameRVars(result.func, {"rj"});
  context.nameGradientRVars(0, {"rj"});
  if (!input.view.image)
    context.nameGradientRVars(1, {"rn"});
  else if (input.view.phased())
    context.nameGradientRVars(1, {"rxi", "rx", "ryi", "ry", "rn"});
  else
    context.nameGradientRVars(1, {"rx", "ry", "rn"});
  return {result};
}
static Register registered("nn.scale_shift", scaleShift);

} // namespace sylvite::ops
