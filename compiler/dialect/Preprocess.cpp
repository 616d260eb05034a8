//===- Preprocess.cpp - plans of preprocessing, augmentation and dropout ------------------------------------------===//
//
// plan() and expand() of what NnPreprocess.td declares.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/LayerPlans.h"

#include <cmath>

using namespace mlir;

namespace sylvite::nn {

// ---- what the plans share

/// Whether the input is an image [H, W, C]; if not, the plan has an error.
static bool isImage(RankedTensorType input, LayerPlan &plan) {
  if (input.getRank() == 4)
    return true;
  plan.error("", "needs an image [H, W, C], found " + sampleShape(input));
  return false;
}

/// Refuses what is no probability.
static void requireShare(StringRef key, double otherwise, DictionaryAttr attributes, LayerPlan &plan) {
  double p = real(attributes, key, otherwise);
  if (!(p >= 0 && p <= 1))
    plan.error(key, key + " must be from 0 to 1");
}

static void requireFinite(StringRef key, DictionaryAttr attributes, LayerPlan &plan) {
  if (!std::isfinite(real(attributes, key, 0)))
    plan.error(key, key + " must be finite");
}

/// The list under `key`, if there is one.
static ArrayRef<int64_t> list(DictionaryAttr attributes, StringRef key) {
  auto found = dyn_cast_or_null<DenseI64ArrayAttr>(attributes.get(key));
  return found ? found.asArrayRef() : ArrayRef<int64_t>();
}

/// Sets `size` and the output, an image of this height and width.
static void setImage(RankedTensorType input, int64_t height, int64_t width, LayerPlan &plan) {
  plan.attributes.set("size", DenseI64ArrayAttr::get(input.getContext(), {height, width}));
  setOutput(plan, input, {height, width, input.getShape().back()}, input.getElementType());
}

// ---- dropout

static void planDropout(RankedTensorType input, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  requireShare("p", 0.5, attributes, plan);
  plan.output = input;
}
void DropoutOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planDropout(inputs[0], attributes, plan);
}
void SpatialDropoutOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  if (inputs[0].getRank() < 3)
    plan.error("", "needs a sequence, an image or a video, found a vector " + sampleShape(inputs[0]), "use dropout");
  planDropout(inputs[0], attributes, plan);
}

// ---- preprocessing

void ResizeOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  if (!isImage(inputs[0], plan))
    return;
  int64_t height = inputs[0].getDimSize(1), width = inputs[0].getDimSize(2);
  int64_t shorter = number(attributes, "short_side"), toHeight, toWidth;
  ArrayRef<int64_t> size = list(attributes, "size");
  bool resolved = shorter && size.size() == 2; // both stand in an op whose plan was made
  if (shorter) {
    toHeight = height <= width ? shorter : shorter * height / width;
    toWidth = height <= width ? shorter * width / height : shorter;
    if (resolved && (size[0] != toHeight || size[1] != toWidth)) {
      plan.error("short_side", "there are both size and short_side", "leave one of them out");
      return;
    }
  } else if (size.size() == 2) {
    toHeight = size[0];
    toWidth = size[1];
  } else {
    plan.error("", "needs a size", "size: [32, 32], or short_side: 32");
    return;
  }
  for (auto [from, to, key] : {std::tuple(height, toHeight, "height"), {width, toWidth, "width"}})
    if (to > maxElements || from > maxDimension / (4 * to)) { // coordinates are computed in 32 bits
      plan.error(shorter ? "short_side" : "size",
                 Twine(key) + " " + Twine(from) + " to " + Twine(to) + " is more than can be resized");
      return;
    }
  setImage(inputs[0], toHeight, toWidth, plan);
}

void ResizeOp::expand(OpBuilder &builder, ProgramKind, int64_t) {
  auto type = cast<RankedTensorType>(getResult().getType());
  if (type == getInput().getType())
    getResult().replaceAllUsesWith(getInput());
  else if (getMode() == "area")
    getResult().replaceAllUsesWith(
        AdaptiveAvgPoolOp::create(builder, getLoc(), type, getInput(), builder.getDenseI64ArrayAttr(*getSize()))
            .getResult());
}

void CenterCropOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  ArrayRef<int64_t> size = list(attributes, "size");
  if (isImage(inputs[0], plan))
    setImage(inputs[0], size[0], size[1], plan);
}

void PadToOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  requireFinite("value", attributes, plan);
  if (!isImage(inputs[0], plan))
    return;
  int64_t height = inputs[0].getDimSize(1), width = inputs[0].getDimSize(2);
  ArrayRef<int64_t> size = list(attributes, "size");
  int64_t toHeight = height, toWidth = width;
  if (attributes.contains("aspect")) {
    double aspect = real(attributes, "aspect", 1);
    if (!(aspect > 0 && std::isfinite(aspect))) {
      plan.error("aspect", "aspect must be positive", "width / height: 1 is a square");
      return;
    }
    double sides[2] = {std::ceil(double(width) / aspect - 1e-9), std::ceil(double(height) * aspect - 1e-9)};
    toHeight = std::max(height, int64_t(std::min(sides[0], double(maxElements))));
    toWidth = std::max(width, int64_t(std::min(sides[1], double(maxElements))));
    if (size.size() == 2 && (size[0] != toHeight || size[1] != toWidth)) {
      plan.error("aspect", "there are both size and aspect", "leave one of them out");
      return;
    }
  } else if (size.size() == 2) {
    toHeight = size[0];
    toWidth = size[1];
  } else {
    plan.error("", "needs a size", "size: [32, 32], or aspect: 1 for a square");
    return;
  }
  if (toHeight < height || toWidth < width) {
    plan.error("size",
               "size " + Twine(toHeight) + "x" + Twine(toWidth) + " is smaller than the image, " + Twine(height) + "x" +
                   Twine(width),
               "resize or center_crop makes images smaller");
    return;
  }
  setImage(inputs[0], toHeight, toWidth, plan);
}

/// The plan of a step from images of `from` to images of `to` channels.
static void planChannels(RankedTensorType input, int64_t from, int64_t to, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  if (!isImage(input, plan))
    return;
  ArrayRef<int64_t> shape = input.getShape();
  if (shape[3] != from)
    plan.error("", "needs an image of " + Twine(from) + Twine(from == 1 ? " channel" : " channels") + ", found " +
                       Twine(shape[3]));
  else
    setOutput(plan, input, {shape[1], shape[2], to}, input.getElementType());
}
void GrayscaleOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planChannels(inputs[0], 3, 1, attributes, plan);
}
void RgbOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planChannels(inputs[0], 1, 3, attributes, plan);
}

// ---- augmentation

void RandomCropOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  requireFinite("value", attributes, plan);
  if (!isImage(inputs[0], plan))
    return;
  ArrayRef<int64_t> given = list(attributes, "padding"), size = list(attributes, "size");
  SmallVector<int64_t> padding(4, given.empty() ? 0 : given[0]);
  if (given.size() == 2)
    padding = {given[0], given[0], given[1], given[1]};
  else if (given.size() == 4)
    padding.assign(given.begin(), given.end());
  else if (given.size() > 1) {
    plan.error("padding", "padding has " + Twine(given.size()) + " numbers",
               "one number, [vertical, horizontal], or [top, bottom, left, right]");
    return;
  }
  int64_t sides[2] = {inputs[0].getDimSize(1), inputs[0].getDimSize(2)};
  int64_t part[2] = {size.empty() ? sides[0] : size[0], size.empty() ? sides[1] : size[1]};
  for (int axis = 0; axis < 2; ++axis) {
    for (int64_t side : {padding[2 * axis], padding[2 * axis + 1]})
      if (side < 0 || side > maxElements) {
        plan.error("padding", "padding " + Twine(side) + " is out of range", "0 or more pixels");
        return;
      }
    int64_t padded = sides[axis] + padding[2 * axis] + padding[2 * axis + 1];
    if (part[axis] > padded) {
      plan.error("size", "a part of " + Twine(part[axis]) + " pixels exceeds the padded image's " + Twine(padded),
                 "use a larger padding");
      return;
    }
  }
  plan.attributes.set("padding", DenseI64ArrayAttr::get(inputs[0].getContext(), padding));
  setImage(inputs[0], part[0], part[1], plan);
}

static void planFlip(RankedTensorType input, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  requireShare("p", 0.5, attributes, plan);
  if (isImage(input, plan))
    plan.output = input;
}
void HorizontalFlipOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planFlip(inputs[0], attributes, plan);
}
void VerticalFlipOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planFlip(inputs[0], attributes, plan);
}

void ColorJitterOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  for (StringRef key : {"brightness", "contrast"})
    if (double value = real(attributes, key, 0); !(value >= 0 && std::isfinite(value)))
      plan.error(key, key + " must not be negative");
  if (double maximum = real(attributes, "maximum", 255); !(maximum > 0 && std::isfinite(maximum)))
    plan.error("maximum", "maximum must be positive");
  if (!isImage(inputs[0], plan))
    return;
  if (int64_t channels = inputs[0].getDimSize(3); channels != 1 && channels != 3)
    plan.error("", "needs an image of 1 or 3 channels, found " + Twine(channels));
  plan.output = inputs[0];
}

void CutoutOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  requireFinite("value", attributes, plan);
  if (isImage(inputs[0], plan))
    plan.output = inputs[0];
}

// ---- training and the rest

/// Out of training, or where it does nothing, the layer is its input.
static void keepInTraining(Operation *op, ProgramKind kind, bool idle) {
  if (kind != ProgramKind::Train || idle)
    op->getResult(0).replaceAllUsesWith(op->getOperand(0));
}

void DropoutOp::expand(OpBuilder &, ProgramKind kind, int64_t) {
  keepInTraining(*this, kind, getP().convertToDouble() == 0);
}
void SpatialDropoutOp::expand(OpBuilder &, ProgramKind kind, int64_t) {
  keepInTraining(*this, kind, getP().convertToDouble() == 0);
}
void HorizontalFlipOp::expand(OpBuilder &, ProgramKind kind, int64_t) {
  keepInTraining(*this, kind, getP().convertToDouble() == 0);
}
void VerticalFlipOp::expand(OpBuilder &, ProgramKind kind, int64_t) {
  keepInTraining(*this, kind, getP().convertToDouble() == 0);
}
void ColorJitterOp::expand(OpBuilder &, ProgramKind kind, int64_t) {
  keepInTraining(*this, kind, getBrightness().isZero() && getContrast().isZero());
}
void CutoutOp::expand(OpBuilder &, ProgramKind kind, int64_t) { keepInTraining(*this, kind, false); }

void RandomCropOp::expand(OpBuilder &builder, ProgramKind kind, int64_t) {
  if (kind == ProgramKind::Train)
    return;
  Value middle = getInput();
  if (middle.getType() != getResult().getType())
    middle = CenterCropOp::create(builder, getLoc(), getResult().getType(), middle,
                                  builder.getDenseI64ArrayAttr(*getSize()));
  getResult().replaceAllUsesWith(middle);
}

} // namespace sylvite::nn
