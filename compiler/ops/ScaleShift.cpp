//===- ScaleShift.cpp - nn.scale_shift: input * scale[c] + shift[c] -----------------------------------------------===//
//
// Scale and shift are one tensor ss(c, j) contracted with (input, 1): its gradient is then one update with j pure, both
// sums in one pass over the data. Where there is none, the two terms are written out.
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
  if (!context.differentiated()) {
    result.func(dims) = scaleShift.func(dims[0], 0) * input.here() + scaleShift.func(dims[0], 1);
    return {result};
  }
  RDom r(0, 2, "rj");
  result.func(dims) = context.constant(0);
  result.func(dims) += scaleShift.func(dims[0], r) * select(r == 0, input.here(), context.constant(1));
  context.nameRVars(result.func, {"rj"});
  context.nameGradientRVars(0, {"rj"});
  std::vector<std::string> pixels;
  for (unsigned axis = 0; axis < input.view.rank; ++axis) {
    std::string name = std::string("r") + "xyz"[axis];
    if (input.view.phased())
      pixels.push_back(name + "i");
    pixels.push_back(name);
  }
  pixels.push_back("rn");
  context.nameGradientRVars(1, pixels);
  return {result};
}
static Register registered("nn.scale_shift", scaleShift);

} // namespace sylvite::ops
