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
        plan.error("padding", "padding " + Twine(side) + " exceeds what mode " + mode + " can take from " +
                                  Twine(size) + " pixels: " + Twine(most));
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

void ConcatOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  int64_t axis = axisOf(inputs[0], attributes, plan);
  if (axis < 0)
    return;
  SmallVector<int64_t> sample(inputs[0].getShape().drop_front());
  for (RankedTensorType input : inputs.drop_front()) {
    SmallVector<int64_t> other(input.getShape().drop_front()), expected = sample;
    if (other.size() == sample.size()) {
      expected[axis] = other[axis];
      if (other == expected) {
        sample[axis] = sample[axis] > maxDimension - other[axis] ? maxDimension : sample[axis] + other[axis];
        continue;
      }
    }
    plan.error("from", "its inputs do not go together: " + sampleShape(inputs[0]) + " and " + sampleShape(input),
               "all extents but that of axis " + std::to_string(axis) + " must be equal");
    return;
  }
  setOutput(plan, inputs[0], sample, inputs[0].getElementType());
}

void SliceOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  int64_t axis = axisOf(inputs[0], attributes, plan);
  if (axis < 0)
    return;
  SmallVector<int64_t> sample(inputs[0].getShape().drop_front());
  int64_t size = sample[axis], begin = number(attributes, "begin", 0), end = number(attributes, "end", size);
  int64_t from = begin < 0 ? begin + size : begin, to = end < 0 ? end + size : end;
  if (from < 0 || from >= size || to <= from || to > size) {
    plan.error(attributes.contains("end") ? "end" : "begin",
               "indices " + Twine(begin) + " to " + Twine(end) + " take nothing, or too much, of " + Twine(size),
               "0 <= begin < end <= " + std::to_string(size) + "; negative numbers count from the end");
    return;
  }
  auto i64 = IntegerType::get(inputs[0].getContext(), 64);
  plan.attributes.set("begin", IntegerAttr::get(i64, from));
  plan.attributes.set("end", IntegerAttr::get(i64, to));
  sample[axis] = to - from;
  setOutput(plan, inputs[0], sample, inputs[0].getElementType());
}

void PermuteOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  ArrayRef<int64_t> sample = inputs[0].getShape().drop_front();
  ArrayRef<int64_t> axes = cast<DenseI64ArrayAttr>(attributes.get("axes")).asArrayRef();
  SmallVector<int64_t> sorted(axes), shape;
  llvm::sort(sorted);
  bool valid = axes.size() == sample.size();
  for (size_t axis = 0; valid && axis < sorted.size(); ++axis)
    valid = sorted[axis] == int64_t(axis);
  if (!valid) {
    plan.error("axes", "axes must name each of the " + Twine(sample.size()) + " axes of the input once, from 0");
    return;
  }
  for (int64_t axis : axes)
    shape.push_back(sample[axis]);
  setOutput(plan, inputs[0], shape, inputs[0].getElementType());
}

void ReshapeOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  int64_t elements = 1, known = 1, open = -1;
  for (int64_t extent : inputs[0].getShape().drop_front())
    elements *= extent;
  SmallVector<int64_t> shape(cast<DenseI64ArrayAttr>(attributes.get("shape")).asArrayRef());
  for (auto [axis, extent] : llvm::enumerate(shape)) {
    bool isOpen = extent == -1 && open < 0;
    if ((extent < 1 && !isOpen) || (!isOpen && extent > elements)) {
      plan.error("shape", "extent " + Twine(extent) + " does not fit " + Twine(elements) + " elements",
                 "positive numbers, of which one may be -1: what remains");
      return;
    }
    if (isOpen)
      open = int64_t(axis);
    else
      known = std::min(known * extent, maxElements);
  }
  if (shape.empty() || shape.size() > 4) {
    plan.error("shape", "shape must have 1 to 4 numbers, found " + Twine(shape.size()));
    return;
  }
  if (open >= 0 && elements % known == 0)
    shape[open] = elements / known;
  else if (open >= 0 || known != elements) {
    plan.error("shape",
               "shape does not hold the input's " + Twine(elements) + " elements (" + sampleShape(inputs[0]) + ")");
    return;
  }
  plan.attributes.set("shape", DenseI64ArrayAttr::get(inputs[0].getContext(), shape));
  setOutput(plan, inputs[0], shape, inputs[0].getElementType());
}

void PixelShuffleOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  int64_t factor = number(attributes, "factor");
  if (inputs[0].getRank() != 4) {
    plan.error("", "needs an image [H, W, C], found " + sampleShape(inputs[0]));
    return;
  }
  ArrayRef<int64_t> shape = inputs[0].getShape();
  if (factor > maxElements / factor || shape[3] % (factor * factor)) {
    plan.error("factor",
               "factor " + Twine(factor) + ": its square does not divide the input's " + Twine(shape[3]) + " channels");
    return;
  }
  setOutput(plan, inputs[0], {shape[1] * factor, shape[2] * factor, shape[3] / (factor * factor)},
            inputs[0].getElementType());
}

/// The list under `key`, one number an axis of the input, also set in the plan.
static std::optional<SmallVector<int64_t>> axesList(StringRef key, RankedTensorType input, DictionaryAttr attributes,
                                                    LayerPlan &plan) {
  int64_t axes = input.getRank() - 2;
  if (axes < 1) {
    plan.error("", "needs a sequence, an image or a video, found a vector " + sampleShape(input),
               "[W, C], [H, W, C] or [D, H, W, C]");
    return std::nullopt;
  }
  ArrayRef<int64_t> given = cast<DenseI64ArrayAttr>(attributes.get(key)).asArrayRef();
  if (given.size() != 1 && int64_t(given.size()) != axes) {
    plan.error(key, key + " has " + Twine(given.size()) + " numbers, the input has " + Twine(axes) + " axes",
               "one number, or one an axis");
    return std::nullopt;
  }
  SmallVector<int64_t> values(given);
  values.resize(axes, given[0]);
  plan.attributes.set(key, DenseI64ArrayAttr::get(input.getContext(), values));
  return values;
}

void UpsampleOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  auto scale = axesList("scale", inputs[0], attributes, plan);
  if (!scale)
    return;
  SmallVector<int64_t> sample(inputs[0].getShape().drop_front());
  for (auto [axis, factor] : llvm::enumerate(*scale))
    sample[axis] = factor > maxElements / sample[axis] ? maxElements + 1 : sample[axis] * factor;
  setOutput(plan, inputs[0], sample, inputs[0].getElementType());
}

void AdaptiveAvgPoolOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  auto size = axesList("size", inputs[0], attributes, plan);
  if (!size)
    return;
  size->push_back(inputs[0].getShape().back());
  setOutput(plan, inputs[0], *size, inputs[0].getElementType());
}

static void planGlobalPool(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  if (inputs[0].getRank() < 3)
    plan.error("", "needs a sequence, an image or a video, found a vector " + sampleShape(inputs[0]));
  else
    setOutput(plan, inputs[0], inputs[0].getShape().back(), inputs[0].getElementType());
}
void GlobalAvgPoolOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planGlobalPool(inputs, attributes, plan);
}
void GlobalMaxPoolOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planGlobalPool(inputs, attributes, plan);
}

} // namespace sylvite::nn
