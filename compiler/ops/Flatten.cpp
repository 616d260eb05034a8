//===- Flatten.cpp - nn.flatten: [N, H, W, C] to [N, C*H*W] in the order C, H, W ------------------------------------===//
//
// Only where no linear layer takes the flatten in (see Canonicalize.cpp). The result is a vector whose element
// f = (c*H + y)*W + x. Written as a sum over pixels of a select, so that the derivative stays a gather by f.
//
//===----------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

static std::vector<Value> flatten(OpContext &context) {
  const Value &input = context.operand(0);
  const Vars &v = vars();
  Value result;
  result.kind = nn::Kind::Batch;
  result.view = nn::viewOf(context.op->getResult(0));
  result.func = context.func("flatten");
  int width = int(input.view.width), height = int(input.view.height), channels = int(input.view.realChannels);
  if (!input.view.image) {
    result.func(v.c, v.n) = input.func(v.c, v.n);
    return {result};
  }
  // f = x + W*(y + H*c): one-hot in x and y, with c = f / (H*W) clamped for padded features
  RDom r(0, channels, 0, width, 0, height, "r");
  result.func(v.c, v.n) = context.constant(0);
  result.func(v.c, v.n) +=
      select(v.c == r.y + width * (r.z + height * r.x), input.func(r.x, r.y, r.z, v.n), context.constant(0));
  context.nameRVars(result.func, {"rc", "rx", "ry"});
  context.nameGradientRVars(0, {"rf"});
  return {result};
}
static Register registered("nn.flatten", flatten);

} // namespace sylvite::ops
