//===- TransposeWeight.cpp - nn.transpose_weight: a copy whose input channels lie innermost, in whole vectors -----===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

static std::vector<Value> transposeWeight(OpContext &context) {
  Value result = context.operand(0);
  result.detached = nullptr;
  result.func = context.func("transpose_weight");
  const std::vector<Var> dims = context.operand(0).dims();
  std::vector<Expr> at(dims.begin(), dims.end());
  const int inputs = int(result.extents[1]), padded = int(nn::paddedChannels(inputs));
  if (dims.size() > 2 && padded > inputs) { // a gradient by the input has whole vectors of channels
    result.extents[1] = padded;
    at[1] = min(dims[1], inputs - 1);
    result.func(dims) = select(dims[1] < inputs, context.operand(0).func(at), context.constant(0));
  } else {
    result.func(dims) = context.operand(0).func(at);
  }
  return {result};
}
static Register registered("nn.transpose_weight", transposeWeight);

} // namespace sylvite::ops
