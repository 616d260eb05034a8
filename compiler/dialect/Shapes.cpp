//===- Shapes.cpp - plans of the layers that move elements --------------------------------------------------------===//
//
// plan() of what NnShapes.td declares.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/LayerPlans.h"

#include <cmath>

using namespace mlir;

namespace sylvite::nn {

/// The list under `key` as [before, after] of each axis of the input, outermost first, also set in the plan; problems
/// go to the plan.
static std::optional<SmallVector<int64_t>> sidesOf(StringRef key, RankedTensorType input, DictionaryAttr attributes,
                                                   LayerPlan &plan) {
  int64_t axes = input.getRank() - 2;
  if (axes < 1) {
    plan.error("", "needs a sequence, an image or a video, found a vector " + sampleShape(input),
               "[W, C], [H, W, C] or [D, H, W, C]");
    return std::nullopt;
  }
  auto given = cast<DenseI64ArrayAttr>(attributes.get(key));
  int64_t count = given.size();
  if (count != 1 && count != axes && count != 2 * axes) {
    plan.error(key, key + " has " + Twine(count) + " numbers, the input has " + Twine(axes) + " axes",
               "one number for all sides, one an axis, or two an axis");
    return std::nullopt;
  }
  SmallVector<int64_t> sides;
  for (int64_t side = 0; side < 2 * axes; ++side) {
    int64_t value = given[count == 1 ? 0 : count == axes ? side / 2 : side];
    if (value < 0 || value > maxDimension) {
      plan.error(key, key + " " + Twine(value) + " is out of range", "0 or more pixels");
      return std::nullopt;
    }
    sides.push_back(value);
  }
  plan.attributes.set(key, DenseI64ArrayAttr::get(input.getContext(), sides));
  return sides;
}

void PadOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  auto sides = sidesOf("padding", inputs[0], attributes, plan);
  if (!std::isfinite(real(attributes, "value", 0)))
    plan.error("value", "value must be finite");
  if (!sides)
    return;
  auto word = dyn_cast_or_null<StringAttr>(attributes.get("mode"));
  StringRef mode = word ? word.getValue() : "constant";
  SmallVector<int64_t> sample(inputs[0].getShape().drop_front());
  for (size_t axis = 0; axis + 1 < sample.size(); ++axis) {
    int64_t size = sample[axis], most = mode == "reflect" ? size - 1 : mode == "circular" ? size : maxDimension;
    for (int64_t side : {(*sides)[2 * axis], (*sides)[2 * axis + 1]})
      if (side > most)
        plan.error("padding", "padding " + Twine(side) + " exceeds what mode " + mode + " can take from " + Twine(size) +
                                  " pixels: " + Twine(most));
    sample[axis] += (*sides)[2 * axis] + (*sides)[2 * axis + 1];
  }
  if (plan.errors.empty())
    setOutput(plan, inputs[0], sample, inputs[0].getElementType());
}

void CropOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  auto sides = sidesOf("margin", inputs[0], attributes, plan);
  if (!sides)
    return;
  SmallVector<int64_t> sample(inputs[0].getShape().drop_front());
  for (size_t axis = 0; axis + 1 < sample.size(); ++axis) {
    int64_t cut = (*sides)[2 * axis] + (*sides)[2 * axis + 1];
    if (cut >= sample[axis]) {
      plan.error("margin", "margin " + Twine((*sides)[2 * axis]) + " and " + Twine((*sides)[2 * axis + 1]) +
                               " leave nothing of " + Twine(sample[axis]) + " pixels");
      return;
    }
    sample[axis] -= cut;
  }
  setOutput(plan, inputs[0], sample, inputs[0].getElementType());
}

} // namespace sylvite::nn
