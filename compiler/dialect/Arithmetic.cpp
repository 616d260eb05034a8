//===- Arithmetic.cpp - plans of the layers that join values element by element -----------------------------------===//
//
// plan() of what NnArithmetic.td declares.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/LayerPlans.h"

using namespace mlir;

namespace sylvite::nn {

/// The shape of all inputs, extents of 1 broadcast.
static void planJoining(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  if (inputs.size() < 2) {
    plan.error("from", "needs two or more inputs, found 1", "from: [a, b]");
    return;
  }
  SmallVector<int64_t> sample(inputs[0].getShape().drop_front());
  for (RankedTensorType input : inputs.drop_front()) {
    SmallVector<int64_t> other(input.getShape().drop_front());
    // A vector of channels goes beside images of any rank.
    while (sample.size() < other.size() && sample.size() == 1)
      sample.insert(sample.begin(), other.size() - 1, 1);
    while (other.size() < sample.size() && other.size() == 1)
      other.insert(other.begin(), sample.size() - 1, 1);
    bool fits = sample.size() == other.size();
    for (size_t axis = 0; fits && axis < sample.size(); ++axis) {
      fits = sample[axis] == other[axis] || sample[axis] == 1 || other[axis] == 1;
      sample[axis] = std::max(sample[axis], other[axis]);
    }
    if (!fits) {
      plan.error("from", "its inputs do not go together: " + sampleShape(inputs[0]) + " and " + sampleShape(input),
                 "extents must be equal, or 1, which stands for all");
      return;
    }
  }
  setOutput(plan, inputs[0], sample, inputs[0].getElementType());
}

void AddOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planJoining(inputs, attributes, plan);
}
void MultiplyOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planJoining(inputs, attributes, plan);
}
void SubtractOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planJoining(inputs, attributes, plan);
}

} // namespace sylvite::nn
