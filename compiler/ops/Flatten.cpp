//===- Flatten.cpp - nn.flatten: [N, H, W, C] to [N, C*H*W] in the order C, H, W ----------------------------------===//
//
// Only where no linear layer takes the flatten in (see Canonicalize.cpp). The coordinates stay those of the image; the
// buffer of the result has the strides that make the element (c*H + y)*W + x of it (see Signature.cpp).
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

static std::vector<Value> flatten(OpContext &context) {
  Value result = context.operand(0);
  result.detached = nullptr;
  result.func = context.func("flatten");
  if (result.view.image()) // padded channels have no place in the vector
    result.view.channels = result.view.realChannels;
  result.func(context.operand(0).dims()) = context.operand(0).here();
  return {result};
}
static Register registered("nn.flatten", flatten);

} // namespace sylvite::ops
