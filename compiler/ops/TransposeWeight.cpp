//===- TransposeWeight.cpp - nn.transpose_weight: a copy whose layout differs, not its coordinates ----------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

static std::vector<Value> transposeWeight(OpContext &context) {
  Value result = context.operand(0);
  result.detached = nullptr;
  result.func = context.func("transpose_weight");
  result.func(context.operand(0).dims()) = context.operand(0).here();
  return {result};
}
static Register registered("nn.transpose_weight", transposeWeight);

} // namespace sylvite::ops
