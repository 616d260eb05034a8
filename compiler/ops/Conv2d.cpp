//===- Conv2d.cpp - nn.conv2d -------------------------------------------------------------------------------------===//
//
// conv(c,x,y,n) = bias(c) + sum over rc, rx, ry of weight(c, rc, rx, ry) * input(rc, x*stride + rx, y*stride + ry, n),
// the input counted from the first pixel of its zero halo.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

static std::vector<Value> conv2d(OpContext &context) {
  const Value &input = context.operand(0), &weight = context.operand(1);
  const Vars &v = vars();
  Value result = startContraction(context, "conv");
  RDom r(0, int(weight.extents[1]), 0, int(weight.extents[2]), 0, int(weight.extents[3]), "r");
  result.func(v.c, v.x, v.y, v.n) += weight.func(v.c, r.x, r.y, r.z) * pixel(input, r.x, v.x, r.y, v.y, r.z, v.n);
  context.nameRVars(result.func, {"rc", "rx", "ry"});
  context.nameGradientRVars(0, {"rc", "rx", "ry"}); // over filters and taps
  context.nameGradientRVars(1, {"rx", "ry", "rn"}); // over pixels and samples
  context.nameGradientRVars(2, {"rx", "ry", "rn"});
  return {result};
}
static Register registered("nn.conv2d", conv2d);

} // namespace sylvite::ops
