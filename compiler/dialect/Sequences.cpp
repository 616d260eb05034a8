//===- Sequences.cpp - plans of the layers on sequences -----------------------------------------------------------===//
//
// plan() of what NnSequences.td declares.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/LayerPlans.h"

using namespace mlir;

namespace sylvite::nn {

void EmbeddingOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  int64_t count = number(attributes, "count"), size = number(attributes, "size");
  if (inputs[0].getRank() != 2) {
    plan.error("", "needs a vector of whole numbers [T], found " + sampleShape(inputs[0]));
    return;
  }
  if (auto index = dyn_cast_or_null<IntegerAttr>(attributes.get("padding_idx")))
    if (index.getInt() < 0 || index.getInt() >= count) {
      plan.error("padding_idx", "padding_idx " + Twine(index.getInt()) + " is out of range: 0 to " + Twine(count - 1));
      return;
    }
  if (!weightFits(plan, {count, size}, "count"))
    return;
  plan.parameters.push_back({"weight", {count, size}, true, "normal", 0, 1});
  plan.parameters.back().dims = {{"c", 1, 1, size, paddedChannels(size)}, {"k", 0, 1, count, count}};
  if (auto index = dyn_cast_or_null<IntegerAttr>(attributes.get("padding_idx"))) {
    plan.parameters.back().init = "normal_zero_row";
    plan.parameters.back().initC = double(index.getInt());
  }
  setOutput(plan, inputs[0], {inputs[0].getDimSize(1), size}, inputs[0].getElementType());
}

void LearnedPositionOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  plan.attributes = NamedAttrList(attributes);
  if (inputs[0].getRank() != 3) {
    plan.error("", "needs a sequence [T, C], found " + sampleShape(inputs[0]), "put `- reshape: [T, C]` before it");
    return;
  }
  int64_t steps = inputs[0].getDimSize(1), channels = inputs[0].getDimSize(2);
  plan.parameters.push_back({"weight", {steps, channels}, true, "normal", 0, 0.02});
  plan.parameters.back().dims = {{"c", 1, 1, channels, paddedChannels(channels)}, {"x", 0, 1, steps, steps}};
  plan.output = inputs[0];
}

void AttentionOp::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  MLIRContext *context = inputs[0].getContext();
  plan.attributes = NamedAttrList(attributes);
  int64_t heads = number(attributes, "heads", 1);
  plan.attributes.set("heads", IntegerAttr::get(IntegerType::get(context, 64), heads));
  plan.attributes.set("causal", BoolAttr::get(context, flag(attributes, "causal", false)));
  if (inputs.size() != 1 && inputs.size() != 3) {
    plan.error("from", "needs one input or three, found " + Twine(inputs.size()),
               "from: [query, key, value], or one of three times the channels");
    return;
  }
  for (RankedTensorType input : inputs)
    if (input.getRank() != 3) {
      plan.error("", "needs sequences [T, C], found " + sampleShape(input), "put `- reshape: [T, C]` before it");
      return;
    }
  int64_t channels = inputs[0].getDimSize(2);
  if (inputs.size() == 1) {
    if (channels % 3) {
      plan.error("", "the input's " + Twine(channels) + " channels are not three times as many as the output's",
                 "one input holds query, key and value one after the other");
      return;
    }
    channels /= 3;
  } else if (inputs[1] != inputs[2] || inputs[1].getDimSize(2) != channels) {
    plan.error("from",
               "its inputs do not go together: query " + sampleShape(inputs[0]) + ", key " + sampleShape(inputs[1]) +
                   ", value " + sampleShape(inputs[2]),
               "keys and values have one shape, and the query as many channels");
    return;
  }
  if (heads > channels || channels % heads) {
    plan.error("heads", "heads " + Twine(heads) + " does not divide the " + Twine(channels) + " channels");
    return;
  }
  setOutput(plan, inputs[0], {inputs[0].getDimSize(1), channels}, inputs[0].getElementType());
}

} // namespace sylvite::nn
