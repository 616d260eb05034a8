//===- Norms.cpp - plans of the layers that normalize a sample ----------------------------------------------------===//
//
// plan() of what NnNorms.td declares.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/LayerPlans.h"

#include <cmath>

using namespace mlir;

namespace sylvite::nn {

static void planSoftmax(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  if (axisOf(inputs[0], attributes, plan) >= 0)
    plan.output = inputs[0];
}
void SoftmaxOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planSoftmax(inputs, attributes, plan);
}
void LogSoftmaxOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planSoftmax(inputs, attributes, plan);
}

/// Options that normalizations share, the output, and weight and bias where `affine`; weights lie as `dims` says.
static void planNormalization(RankedTensorType input, DictionaryAttr attributes, LayerPlan &plan, bool affineDefault,
                              ArrayRef<int64_t> weightShape, ArrayRef<VariableDim> dims = {}) {
  MLIRContext *context = input.getContext();
  double eps = real(attributes, "eps", 1e-5);
  if (!(eps >= 0 && std::isfinite(eps)))
    plan.error("eps", "eps must be 0 or more");
  plan.attributes.set("eps", FloatAttr::get(Float64Type::get(context), eps));
  bool affine = flag(attributes, "affine", affineDefault), bias = flag(attributes, "bias", true);
  plan.attributes.set("affine", BoolAttr::get(context, affine));
  if (affine) {
    plan.parameters.push_back({"weight", SmallVector<int64_t>(weightShape), true, "constant", 1, 0});
    if (bias)
      plan.parameters.push_back({"bias", SmallVector<int64_t>(weightShape), true, "constant", 0, 0});
  }
  for (ParameterSpec &parameter : plan.parameters)
    parameter.dims.assign(dims.begin(), dims.end());
  plan.output = input;
}

void LayerNormOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  plan.attributes.set("bias", BoolAttr::get(inputs[0].getContext(), flag(attributes, "bias", true)));
  ArrayRef<int64_t> sample = inputs[0].getShape().drop_front();
  int64_t channels = sample.back();
  if (sample.size() <= 2) {
    planNormalization(inputs[0], attributes, plan, true, channels);
    return;
  }
  // [C, H, W], which lies as the image does: c, x, y.
  SmallVector<int64_t> shape{channels};
  shape.append(sample.begin(), sample.end() - 1);
  SmallVector<VariableDim> dims{{"c", 0, 1, channels, paddedChannels(channels)}};
  static constexpr const char *names[] = {"x", "y", "z"};
  for (size_t axis = 0; axis + 1 < sample.size(); ++axis) {
    int64_t place = int64_t(sample.size()) - 1 - int64_t(axis);
    dims.push_back({names[axis], place, 1, shape[place], shape[place]});
  }
  planNormalization(inputs[0], attributes, plan, true, shape, dims);
}

void GroupNormOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  int64_t channels = inputs[0].getShape().back(), groups = number(attributes, "groups", 1);
  if (groups > channels || channels % groups) {
    plan.error("groups", "groups " + Twine(groups) + " does not divide the input's " + Twine(channels) + " channels");
    return;
  }
  planNormalization(inputs[0], attributes, plan, true, channels);
}

void InstanceNormOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  int64_t pixels = 1;
  for (int64_t extent : inputs[0].getShape().drop_front().drop_back())
    pixels *= extent;
  if (pixels < 2) {
    plan.error("", "needs more than one pixel to normalize over, found " + sampleShape(inputs[0]),
               "layer_norm normalizes a vector");
    return;
  }
  planNormalization(inputs[0], attributes, plan, false, inputs[0].getShape().back());
}

} // namespace sylvite::nn
