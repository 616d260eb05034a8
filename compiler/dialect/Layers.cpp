//===- Layers.cpp - shapes, parameters and constraints of every layer ---------------------------------------------===//
//
// LayerOpInterface::plan of each layer. Texts are what a user reads after `layer kind 'name': `. Parameters and initial
// distributions are PyTorch's.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/LayerPlans.h"

#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;

namespace sylvite::nn {

namespace {

constexpr const char *imageHint = "an image has height, width and channels: [H, W, C]";

/// The pair under `key`, or `otherwise`.
std::array<int64_t, 2> pair(DictionaryAttr attributes, StringRef key, std::array<int64_t, 2> otherwise) {
  auto attribute = dyn_cast_or_null<DenseI64ArrayAttr>(attributes.get(key));
  if (!attribute || attribute.size() != 2)
    return otherwise;
  return {attribute[0], attribute[1]};
}

std::string times(int64_t a, int64_t b) { return std::to_string(a) + "x" + std::to_string(b); }

bool needsImage(ArrayRef<RankedTensorType> inputs, LayerPlan &plan) {
  if (inputs[0].getRank() == 4)
    return true;
  plan.error("", "needs an image [H, W, C], found " + sampleShape(inputs[0]), imageHint);
  return false;
}

/// Padding as [top, bottom, left, right]; `same` and `valid` are resolved against input, window and stride.
std::optional<std::array<int64_t, 4>> resolvePadding(DictionaryAttr attributes, RankedTensorType input,
                                                     std::array<int64_t, 2> window, std::array<int64_t, 2> stride,
                                                     LayerPlan &plan) {
  std::array<int64_t, 4> padding{0, 0, 0, 0};
  Attribute attribute = attributes.get("padding");
  if (auto word = dyn_cast_or_null<StringAttr>(attribute)) {
    if (word.getValue() == "same") {
      for (int axis = 0; axis < 2; ++axis) {
        int64_t size = input.getDimSize(1 + axis), outputs = (size + stride[axis] - 1) / stride[axis];
        int64_t total = std::max<int64_t>(0, (outputs - 1) * stride[axis] + window[axis] - size);
        padding[2 * axis] = total / 2;
        padding[2 * axis + 1] = total - total / 2;
      }
    } else if (word.getValue() != "valid") {
      plan.error("padding", "padding '" + word.getValue() + "' is unknown", "a number, a pair [H, W], same or valid");
      return std::nullopt;
    }
  } else if (auto numbers = dyn_cast_or_null<DenseI64ArrayAttr>(attribute)) {
    for (int64_t value : numbers.asArrayRef())
      if (value < 0 || value > maxDimension) {
        plan.error("padding", "padding " + Twine(value) + " is out of range", "padding is 0 or more");
        return std::nullopt;
      }
    if (numbers.size() == 1)
      padding.fill(numbers[0]);
    else if (numbers.size() == 2)
      padding = {numbers[0], numbers[0], numbers[1], numbers[1]};
    else if (numbers.size() == 4)
      padding = {numbers[0], numbers[1], numbers[2], numbers[3]};
  }
  return padding;
}

/// Output height and width of a window that slides over the padded input.
std::optional<std::array<int64_t, 2>> slide(RankedTensorType input, std::array<int64_t, 2> window,
                                            std::array<int64_t, 2> stride, std::array<int64_t, 4> padding,
                                            StringRef key, LayerPlan &plan) {
  int64_t height = input.getDimSize(1) + padding[0] + padding[1];
  int64_t width = input.getDimSize(2) + padding[2] + padding[3];
  if (window[0] > height || window[1] > width) {
    plan.error(key, key + " " + times(window[0], window[1]) + " exceeds padded input " + times(height, width),
               "use a smaller " + key.str() + " or more padding");
    return std::nullopt;
  }
  return std::array<int64_t, 2>{(height - window[0]) / stride[0] + 1, (width - window[1]) / stride[1] + 1};
}

DenseI64ArrayAttr array(MLIRContext *context, ArrayRef<int64_t> values) {
  return DenseI64ArrayAttr::get(context, values);
}

/// Refuses weights of more than maxElements elements. `extents` are all positive.
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

} // namespace

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

LogicalResult verifyPlan(Operation *op, unsigned inputs, PlanFunction planOf) {
  SmallVector<RankedTensorType> types;
  for (Value operand : op->getOperands().take_front(inputs))
    types.push_back(cast<RankedTensorType>(operand.getType()));
  LayerPlan plan;
  planOf(types, op->getAttrDictionary(), plan);
  if (!plan.errors.empty())
    return op->emitOpError() << plan.errors.front().text;
  if (plan.output != op->getResult(0).getType())
    return op->emitOpError() << "output is " << op->getResult(0).getType() << ", expected " << plan.output;
  unsigned given = op->getNumOperands() - inputs;
  if (given != plan.parameters.size())
    return op->emitOpError() << "has " << given << " variables, expected " << plan.parameters.size();
  for (auto [index, spec] : llvm::enumerate(plan.parameters)) {
    auto type = cast<RankedTensorType>(op->getOperand(inputs + index).getType());
    ArrayRef<int64_t> shape = spec.shape;
    if (type.getShape() != shape)
      return op->emitOpError() << "variable '" << spec.suffix << "' is " << type << ", expected the shape "
                               << llvm::formatv("[{0:$[, ]}]", llvm::make_range(shape.begin(), shape.end())).str();
  }
  return success();
}

void NormalizeOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  MLIRContext *context = inputs[0].getContext();
  int64_t channels = inputs[0].getShape().back();
  plan.attributes = NamedAttrList(attributes);
  auto divide = dyn_cast_or_null<FloatAttr>(attributes.get("divide"));
  if (divide && !(std::isfinite(divide.getValueAsDouble()) && divide.getValueAsDouble() != 0))
    plan.error("divide", "divide must be a finite number other than 0");
  if (!divide)
    plan.attributes.set("divide", FloatAttr::get(Float64Type::get(context), 1.0));
  for (auto [key, otherwise] : {std::pair<StringRef, double>{"mean", 0.0}, {"std", 1.0}}) {
    auto list = dyn_cast_or_null<DenseF64ArrayAttr>(attributes.get(key));
    SmallVector<double> values = list ? SmallVector<double>(list.asArrayRef()) : SmallVector<double>{otherwise};
    if (values.size() == 1)
      values.assign(channels, values[0]);
    if (int64_t(values.size()) != channels)
      plan.error(key, key + Twine(" has ") + Twine(values.size()) + " numbers, the input has " + Twine(channels) +
                          " channels");
    for (double value : values)
      if (!std::isfinite(value) || (key == "std" && value <= 0)) {
        plan.error(key, key + Twine(key == "std" ? " must be positive" : " must be finite"));
        break;
      }
    plan.attributes.set(key, DenseF64ArrayAttr::get(context, values));
  }
  setOutput(plan, inputs[0], inputs[0].getShape().drop_front(), inputs[0].getElementType());
}

void Conv2dOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  MLIRContext *context = inputs[0].getContext();
  plan.attributes = NamedAttrList(attributes);
  if (!needsImage(inputs, plan))
    return;
  int64_t filters = number(attributes, "filters"), channels = inputs[0].getDimSize(3);
  auto kernel = pair(attributes, "kernel", {0, 0}), stride = pair(attributes, "stride", {1, 1});
  bool bias = flag(attributes, "bias", true);
  auto padding = resolvePadding(attributes, inputs[0], kernel, stride, plan);
  if (!padding)
    return;
  auto size = slide(inputs[0], kernel, stride, *padding, "kernel", plan);
  if (!size || !weightFits(plan, {filters, channels, kernel[0], kernel[1]}, "filters"))
    return;
  plan.attributes.set("stride", array(context, stride));
  plan.attributes.set("padding", array(context, *padding));
  plan.attributes.set("bias", BoolAttr::get(context, bias));
  double bound = 1 / std::sqrt(double(channels * kernel[0] * kernel[1]));
  plan.parameters.push_back({"weight", {filters, channels, kernel[0], kernel[1]}, true, "uniform", -bound, bound});
  if (bias)
    plan.parameters.push_back({"bias", {filters}, true, "uniform", -bound, bound});
  setOutput(plan, inputs[0], {(*size)[0], (*size)[1], filters}, inputs[0].getElementType());
}

void LinearOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  MLIRContext *context = inputs[0].getContext();
  plan.attributes = NamedAttrList(attributes);
  if (inputs[0].getRank() != 2 && !attributes.get("flatten_input")) {
    plan.error("", "needs a vector, found an image " + sampleShape(inputs[0]), "put `- flatten` before it");
    return;
  }
  int64_t units = number(attributes, "units"), features = 1;
  for (int64_t extent : inputs[0].getShape().drop_front())
    features *= extent;
  bool bias = flag(attributes, "bias", true);
  if (!weightFits(plan, {units, features}, "units"))
    return;
  plan.attributes.set("bias", BoolAttr::get(context, bias));
  double bound = 1 / std::sqrt(double(features));
  plan.parameters.push_back({"weight", {units, features}, true, "uniform", -bound, bound});
  if (bias)
    plan.parameters.push_back({"bias", {units}, true, "uniform", -bound, bound});
  setOutput(plan, inputs[0], {units}, inputs[0].getElementType());
}

void BatchNormOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  MLIRContext *context = inputs[0].getContext();
  plan.attributes = NamedAttrList(attributes);
  int64_t channels = inputs[0].getShape().back();
  auto f64 = Float64Type::get(context);
  for (auto [key, otherwise] : {std::pair<StringRef, double>{"momentum", 0.1}, {"eps", 1e-5}}) {
    auto given = dyn_cast_or_null<FloatAttr>(attributes.get(key));
    double value = given ? given.getValueAsDouble() : otherwise;
    if (key == "momentum" ? !(value >= 0 && value <= 1) : !(value >= 0 && std::isfinite(value)))
      plan.error(key, key + Twine(key == "momentum" ? " must be between 0 and 1" : " must be 0 or more"));
    plan.attributes.set(key, FloatAttr::get(f64, value));
  }
  bool affine = flag(attributes, "affine", true);
  plan.attributes.set("affine", BoolAttr::get(context, affine));
  if (affine) {
    plan.parameters.push_back({"weight", {channels}, true, "constant", 1, 0});
    plan.parameters.push_back({"bias", {channels}, true, "constant", 0, 0});
  }
  plan.parameters.push_back({"running_mean", {channels}, false, "constant", 0, 0});
  plan.parameters.push_back({"running_var", {channels}, false, "constant", 1, 0});
  setOutput(plan, inputs[0], inputs[0].getShape().drop_front(), inputs[0].getElementType());
}

void ReluOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  plan.output = inputs[0];
}

void MaxPool2dOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  MLIRContext *context = inputs[0].getContext();
  plan.attributes = NamedAttrList(attributes);
  if (!needsImage(inputs, plan))
    return;
  auto window = pair(attributes, "window", {0, 0}), stride = pair(attributes, "stride", window);
  auto padding = resolvePadding(attributes, inputs[0], window, stride, plan);
  if (!padding)
    return;
  for (int side = 0; side < 4; ++side)
    if ((*padding)[side] > window[side / 2] / 2) {
      plan.error("padding",
                 "padding " + Twine((*padding)[side]) + " is more than half of the window " + Twine(window[side / 2]),
                 "a window must not lie in the padding alone");
      return;
    }
  auto size = slide(inputs[0], window, stride, *padding, "window", plan);
  if (!size)
    return;
  plan.attributes.set("stride", array(context, stride));
  plan.attributes.set("padding", array(context, *padding));
  setOutput(plan, inputs[0], {(*size)[0], (*size)[1], inputs[0].getDimSize(3)}, inputs[0].getElementType());
}

void FlattenOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  int64_t features = 1;
  for (int64_t extent : inputs[0].getShape().drop_front())
    features *= extent;
  setOutput(plan, inputs[0], {features}, inputs[0].getElementType());
}

void CrossEntropyOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  if (inputs[0].getRank() != 2) {
    plan.error("", "needs one vector of logits a sample, the network ends with an image " + sampleShape(inputs[0]),
               "end the network with `- flatten` and `- linear: {units: CLASSES}`");
    return;
  }
  if (inputs[0].getDimSize(1) < 2) {
    plan.error("", "needs at least 2 classes, the network ends with 1 output", "end it with one unit a class");
    return;
  }
  plan.classes = inputs[0].getDimSize(1);
  plan.target = tensorOf(Kind::Batch, {inputs[0].getDimSize(0)}, IntegerType::get(inputs[0].getContext(), 32));
  setOutput(plan, inputs[0], {}, inputs[0].getElementType());
}

} // namespace sylvite::nn
