//===- Relu.cpp - nn.relu: max(input, 0), with gradient 0 at 0 ----------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

static std::vector<Value> relu(OpContext &context) {
  return {mapElements(context, context.operand(0), "relu",
                      [&](Expr value, Expr) { return select(value > 0, value, context.constant(0)); })};
}
static Register registered("nn.relu", relu);

} // namespace sylvite::ops
