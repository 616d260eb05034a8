//===- Layers.cpp - shapes, parameters and constraints of every layer ---------------------------------------------===//
//
// LayerOpInterface::plan of each layer. Texts are what a user reads after `layer kind 'name': `. Parameters and initial
// distributions are PyTorch's.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/LayerPlans.h"

#include <cmath>

using namespace mlir;

namespace sylvite::nn {

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

void LinearOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  MLIRContext *context = inputs[0].getContext();
  plan.attributes = NamedAttrList(attributes);
  bool flat = attributes.contains("flatten_input"), sequence = inputs[0].getRank() == 3 && !flat;
  if (inputs[0].getRank() != 2 && !flat && !sequence) {
    plan.error("", "needs a vector, found an image " + sampleShape(inputs[0]), "put `- flatten` before it");
    return;
  }
  int64_t units = number(attributes, "units"), features = 1;
  for (int64_t extent : inputs[0].getShape().drop_front(sequence ? 2 : 1))
    features *= extent;
  bool bias = flag(attributes, "bias", true);
  if (!weightFits(plan, {units, features}, "units"))
    return;
  plan.attributes.set("bias", BoolAttr::get(context, bias));
  double bound = 1 / std::sqrt(double(features));
  plan.parameters.push_back({"weight", {units, features}, true, "uniform", -bound, bound});
  if (sequence) // a convolution with one tap: see canonicalization
    plan.parameters.back().dims = {
        {"o", 0, 1, units, paddedChannels(units)}, {"c", 1, 1, features, paddedChannels(features)}, {"kx", 1, 1, 1, 1}};
  if (bias)
    plan.parameters.push_back({"bias", {units}, true, "uniform", -bound, bound});
  SmallVector<int64_t> sample{units};
  if (sequence)
    sample.insert(sample.begin(), inputs[0].getDimSize(1));
  setOutput(plan, inputs[0], sample, inputs[0].getElementType());
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

void FlattenOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  int64_t features = 1;
  for (int64_t extent : inputs[0].getShape().drop_front())
    features *= extent;
  setOutput(plan, inputs[0], {features}, inputs[0].getElementType());
}

} // namespace sylvite::nn
