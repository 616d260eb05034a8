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

} // namespace sylvite::nn
