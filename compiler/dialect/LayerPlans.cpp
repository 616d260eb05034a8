//===- LayerPlans.cpp - what the layers' plan() functions share ---------------------------------------------------===//
#include "compiler/dialect/LayerPlans.h"

using namespace mlir;

namespace sylvite::nn {

void setOutput(LayerPlan &plan, RankedTensorType input, ArrayRef<int64_t> sample, Type element) {
  SmallVector<int64_t> shape{input.getDimSize(0)};
  int64_t elements = shape[0];
  for (int64_t extent : sample) {
    if (extent > maxElements / std::max<int64_t>(elements, 1)) {
      plan.error("",
                 "the output has more than " + Twine(maxElements) + " elements for a batch of " +
                     Twine(input.getDimSize(0)),
                 "a tensor must stay below 1 GiB: use a smaller batch or fewer channels");
      return;
    }
    elements *= extent;
    shape.push_back(extent);
  }
  plan.output = tensorOf(Kind::Batch, shape, element);
}

bool weightFits(LayerPlan &plan, ArrayRef<int64_t> extents, StringRef key) {
  int64_t elements = 1;
  for (int64_t extent : extents) {
    if (extent > maxElements / elements) {
      plan.error(key, "the weights have more than " + Twine(maxElements) + " elements",
                 "a tensor must stay below 1 GiB");
      return false;
    }
    elements *= extent;
  }
  return true;
}

int64_t axisOf(RankedTensorType input, DictionaryAttr attributes, LayerPlan &plan) {
  int64_t axis = number(attributes, "axis", -1), rank = input.getRank() - 1;
  if (axis < -rank || axis >= rank) {
    plan.error("axis", "axis " + Twine(axis) + " is out of range: the input is " + sampleShape(input),
               "axes count from 0, or from -1, the channels");
    return -1;
  }
  axis = axis < 0 ? axis + rank : axis;
  plan.attributes.set("axis", IntegerAttr::get(IntegerType::get(input.getContext(), 64), axis));
  return axis;
}

} // namespace sylvite::nn
