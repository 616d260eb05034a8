//===- Activations.cpp - constraints of the layers that map each element ------------------------------------------===//
//
// plan() of what NnActivations.td declares.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/LayerPlans.h"

#include <cmath>

using namespace mlir;

namespace sylvite::nn {

/// The output is as the input.
static void planActivation(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  plan.output = inputs[0];
  for (NamedAttribute attribute : attributes)
    if (auto value = dyn_cast<FloatAttr>(attribute.getValue()); value && !std::isfinite(value.getValueAsDouble()))
      plan.error(attribute.getName(), attribute.getName().strref() + " must be finite");
}

#define SYLVITE_PLAIN_ACTIVATION(OP)                                                                                   \
  void OP::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {                       \
    planActivation(inputs, attributes, plan);                                                                          \
  }

SYLVITE_PLAIN_ACTIVATION(EluOp)
SYLVITE_PLAIN_ACTIVATION(GeluOp)
SYLVITE_PLAIN_ACTIVATION(HardsigmoidOp)
SYLVITE_PLAIN_ACTIVATION(HardswishOp)
SYLVITE_PLAIN_ACTIVATION(LeakyReluOp)
SYLVITE_PLAIN_ACTIVATION(MishOp)
SYLVITE_PLAIN_ACTIVATION(Relu6Op)
SYLVITE_PLAIN_ACTIVATION(SeluOp)
SYLVITE_PLAIN_ACTIVATION(SigmoidOp)
SYLVITE_PLAIN_ACTIVATION(SiluOp)
SYLVITE_PLAIN_ACTIVATION(TanhOp)
#undef SYLVITE_PLAIN_ACTIVATION

void PreluOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planActivation(inputs, attributes, plan);
  int64_t count = number(attributes, "num_parameters", 1), channels = inputs[0].getShape().back();
  if (count != 1 && count != channels)
    plan.error("num_parameters",
               "num_parameters is " + Twine(count) + ", the input has " + Twine(channels) + " channels",
               "1, or the number of channels");
  plan.parameters.push_back({"weight", {count}, true, "constant", 0.25, 0});
}

void SoftplusOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  planActivation(inputs, attributes, plan);
  if (!(real(attributes, "beta", 1) > 0))
    plan.error("beta", "beta must be positive");
}

} // namespace sylvite::nn
