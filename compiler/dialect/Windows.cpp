//===- Windows.cpp - plans of the layers whose window slides: convolutions and pools ------------------------------===//
//
// plan() of what NnWindows.td declares. Lists of numbers have one entry an axis, outermost first. Parameters and
// initial distributions are PyTorch's.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/LayerPlans.h"

#include <cmath>

using namespace mlir;

namespace sylvite::nn {

namespace {

using Numbers = SmallVector<int64_t, 3>;

/// Pixels of a pool's window: each is a term of one expression, so many more would take long to compile.
constexpr int64_t maxPoolTaps = 1024;

/// "3x5".
std::string times(ArrayRef<int64_t> numbers) {
  std::string text;
  for (int64_t number : numbers)
    text += (text.empty() ? "" : "x") + std::to_string(number);
  return text;
}

/// Reads the attributes of a layer whose window has `axes` axes; its problems go to the plan.
class WindowPlan {
public:
  WindowPlan(unsigned axes, ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan)
      : axes(axes), input(inputs[0]), attributes(attributes), plan(plan) {
    plan.attributes = NamedAttrList(attributes);
  }

  const unsigned axes;
  const RankedTensorType input;
  const DictionaryAttr attributes;
  LayerPlan &plan;

  bool fitsRank() {
    static constexpr const char *names[] = {"a sequence [W, C]", "an image [H, W, C]", "a video [D, H, W, C]"};
    static constexpr const char *hints[] = {"a sequence has a length and channels: [W, C]",
                                            "an image has height, width and channels: [H, W, C]",
                                            "a video has depth, height, width and channels: [D, H, W, C]"};
    if (input.getRank() == int64_t(axes) + 2)
      return true;
    plan.error("", Twine("needs ") + names[axes - 1] + ", found " + sampleShape(input), hints[axes - 1]);
    return false;
  }

  int64_t channels() const { return input.getShape().back(); }
  int64_t size(unsigned axis) const { return input.getDimSize(1 + axis); }

  /// The numbers under `key`, one an axis; also set in the plan.
  Numbers list(StringRef key, Numbers otherwise) {
    auto attribute = dyn_cast_or_null<DenseI64ArrayAttr>(attributes.get(key));
    Numbers values = attribute && attribute.size() == int64_t(axes) ? Numbers(attribute.asArrayRef()) : otherwise;
    set(key, values);
    return values;
  }
  Numbers ones() const { return Numbers(axes, 1); }
  void set(StringRef key, ArrayRef<int64_t> values) {
    plan.attributes.set(key, DenseI64ArrayAttr::get(input.getContext(), values));
  }

  /// Padding as [before, after] of each axis. `same` is what `total` says of an axis.
  std::optional<Numbers> padding(llvm::function_ref<int64_t(unsigned axis)> total) {
    Numbers sides(2 * axes, 0);
    Attribute attribute = attributes.get("padding");
    if (auto word = dyn_cast_or_null<StringAttr>(attribute)) {
      if (word.getValue() == "same") {
        for (unsigned axis = 0; axis < axes; ++axis) {
          int64_t all = std::max<int64_t>(0, total(axis));
          sides[2 * axis] = all / 2;
          sides[2 * axis + 1] = all - all / 2;
        }
      } else if (word.getValue() != "valid") {
        plan.error("padding", "padding '" + word.getValue() + "' is unknown", "a number, one an axis, same or valid");
        return std::nullopt;
      }
    } else if (auto numbers = dyn_cast_or_null<DenseI64ArrayAttr>(attribute)) {
      for (int64_t value : numbers.asArrayRef())
        if (value < 0 || value > maxDimension) {
          plan.error("padding", "padding " + Twine(value) + " is out of range", "padding is 0 or more");
          return std::nullopt;
        }
      for (unsigned side = 0; side < 2 * axes; ++side)
        sides[side] = numbers.size() == 1                   ? numbers[0]
                      : numbers.size() == int64_t(axes)     ? numbers[side / 2]
                      : numbers.size() == 2 * int64_t(axes) ? numbers[side]
                                                            : 0;
    }
    set("padding", sides);
    return sides;
  }

  /// Outputs along each axis of a window that spans `spans` pixels and slides over the padded input.
  std::optional<Numbers> slide(ArrayRef<int64_t> window, ArrayRef<int64_t> spans, ArrayRef<int64_t> stride,
                               ArrayRef<int64_t> padding, StringRef key, bool ceil) {
    Numbers padded, outputs;
    bool fits = true;
    for (unsigned axis = 0; axis < axes; ++axis) {
      padded.push_back(size(axis) + padding[2 * axis] + padding[2 * axis + 1]);
      fits &= spans[axis] <= padded[axis];
    }
    if (!fits) {
      bool dilated = window != spans;
      plan.error(key,
                 key + " " + times(window) + (dilated ? " with dilation, " + times(spans) + "," : "") +
                     " exceeds padded input " + times(padded),
                 "use a smaller " + key.str() + " or more padding");
      return std::nullopt;
    }
    for (unsigned axis = 0; axis < axes; ++axis) {
      int64_t room = padded[axis] - spans[axis], count = room / stride[axis] + 1;
      // A window that the ceiling adds must start in the input or the padding before it.
      if (ceil && room % stride[axis] && count * stride[axis] < size(axis) + padding[2 * axis])
        ++count;
      outputs.push_back(count);
    }
    return outputs;
  }

  void setOutput(Numbers sample, int64_t channels) {
    sample.push_back(channels);
    nn::setOutput(plan, input, sample, input.getElementType());
  }
};

Numbers spansOf(ArrayRef<int64_t> kernel, ArrayRef<int64_t> dilation) {
  Numbers spans;
  for (auto [size, spread] : llvm::zip(kernel, dilation))
    spans.push_back((size - 1) > (maxDimension - 1) / spread ? maxDimension : (size - 1) * spread + 1);
  return spans;
}

/// Filters and channels must be multiples of the groups.
bool groupsDivide(WindowPlan &window, int64_t groups, int64_t filters) {
  LayerPlan &plan = window.plan;
  if (window.channels() % groups)
    plan.error("groups",
               "groups " + Twine(groups) + " do not divide the input's " + Twine(window.channels()) + " channels",
               "channels and filters are split into groups of equal size");
  if (filters % groups)
    plan.error("groups", "groups " + Twine(groups) + " do not divide the " + Twine(filters) + " filters",
               "channels and filters are split into groups of equal size");
  return plan.errors.empty();
}

constexpr const char *tapNames[] = {"kx", "ky", "kz"};

/// Input channels as weights hold them that are summed over: even up to 8, then multiples of 8, as no vectors of them
/// are read.
int64_t summedChannels(int64_t channels) {
  if (channels <= 4)
    return channels;
  return channels <= 8 ? (channels + 1) / 2 * 2 : (channels + 7) / 8 * 8;
}

/// How weights lie: filters (of a group), groups, channels (of a group), taps. `filterAxis` and `channelAxis` are
/// PyTorch's; the groups are part of axis 0.
SmallVector<VariableDim> weightDims(ArrayRef<int64_t> kernel, int64_t filters, int64_t channels, int64_t groups,
                                    int64_t filterAxis, int64_t channelAxis) {
  SmallVector<VariableDim> dims;
  if (groups == 1) {
    dims.push_back({"o", filterAxis, 1, filters, paddedChannels(filters)});
    dims.push_back({"c", channelAxis, 1, channels, paddedChannels(channels)});
  } else {
    int64_t ofGroup = filterAxis == 0 ? filters / groups : channels / groups; // along the axis that holds the groups
    dims.push_back({"o", filterAxis, 1, filters / groups, filters / groups});
    dims.push_back({"g", 0, ofGroup, groups, groups});
    dims.push_back({"c", channelAxis, 1, channels / groups, channels / groups});
  }
  for (size_t axis = 0; axis < kernel.size(); ++axis) {
    int64_t extent = kernel[kernel.size() - 1 - axis];
    dims.push_back({tapNames[axis], int64_t(kernel.size()) + 1 - int64_t(axis), 1, extent, extent});
  }
  return dims;
}

void planConvolution(unsigned axes, ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  WindowPlan window(axes, inputs, attributes, plan);
  MLIRContext *context = inputs[0].getContext();
  if (!window.fitsRank())
    return;
  int64_t filters = number(attributes, "filters"), groups = number(attributes, "groups", 1);
  Numbers kernel = window.list("kernel", window.ones()), stride = window.list("stride", window.ones()),
          dilation = window.list("dilation", window.ones()), spans = spansOf(kernel, dilation);
  auto padding = window.padding([&](unsigned axis) {
    int64_t outputs = (window.size(axis) + stride[axis] - 1) / stride[axis];
    return (outputs - 1) * stride[axis] + spans[axis] - window.size(axis);
  });
  if (!groupsDivide(window, groups, filters) || !padding)
    return;
  auto word = dyn_cast_or_null<StringAttr>(attributes.get("padding_mode"));
  StringRef mode = word ? word.getValue() : "zeros";
  for (unsigned side = 0; side < 2 * axes && mode != "zeros"; ++side) {
    int64_t size = window.size(side / 2), most = mode == "reflect"    ? size - 1
                                                 : mode == "circular" ? size
                                                                      : maxDimension;
    if ((*padding)[side] > most) {
      plan.error("padding", "padding " + Twine((*padding)[side]) + " exceeds what " + mode + " padding can take from " +
                                Twine(size) + " pixels: " + Twine(most));
      return;
    }
  }
  auto size = window.slide(kernel, spans, stride, *padding, "kernel", false);
  SmallVector<int64_t> shape{filters, window.channels() / groups};
  shape.append(kernel.begin(), kernel.end());
  if (!size || !weightFits(plan, shape, "filters"))
    return;
  bool bias = flag(attributes, "bias", true), linear = attributes.contains("linear_weight");
  plan.attributes.set("bias", BoolAttr::get(context, bias));
  plan.attributes.set("groups", IntegerAttr::get(IntegerType::get(context, 64), groups));
  plan.attributes.set("padding_mode", StringAttr::get(context, mode));
  int64_t inputsOfOne = shape[1];
  for (int64_t taps : kernel)
    inputsOfOne *= taps;
  double bound = 1 / std::sqrt(double(inputsOfOne));
  auto dims = weightDims(kernel, filters, window.channels(), groups, 0, 1);
  if (groups == 1 && !linear)
    dims[1].physical = summedChannels(window.channels());
  if (linear) { // [filters, C]: the single tap is no axis
    shape.pop_back();
    dims.back().axis = 1;
  }
  plan.parameters.push_back({"weight", shape, true, "uniform", -bound, bound});
  plan.parameters.back().dims = dims;
  if (bias)
    plan.parameters.push_back({"bias", {filters}, true, "uniform", -bound, bound});
  window.setOutput(*size, filters);
}

void planTransposed(unsigned axes, ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  WindowPlan window(axes, inputs, attributes, plan);
  MLIRContext *context = inputs[0].getContext();
  if (!window.fitsRank())
    return;
  int64_t filters = number(attributes, "filters"), groups = number(attributes, "groups", 1);
  Numbers kernel = window.list("kernel", window.ones()), stride = window.list("stride", window.ones()),
          dilation = window.list("dilation", window.ones()), spans = spansOf(kernel, dilation);
  Numbers extra(axes, 0);
  if (auto given = dyn_cast_or_null<DenseI64ArrayAttr>(attributes.get("output_padding"))) {
    if (given.size() != 1 && given.size() != int64_t(axes)) {
      plan.error("output_padding",
                 "output_padding has " + Twine(given.size()) + " numbers, the layer has " + Twine(axes) + " axes",
                 "one number, or one an axis");
      return;
    }
    for (unsigned axis = 0; axis < axes; ++axis) {
      extra[axis] = given.size() == 1 ? given[0] : given[axis];
      if (extra[axis] < 0 || extra[axis] >= std::max(stride[axis], dilation[axis])) {
        plan.error("output_padding", "output_padding " + Twine(extra[axis]) +
                                         " must be less than stride or dilation, " +
                                         Twine(std::max(stride[axis], dilation[axis])));
        return;
      }
    }
  }
  window.set("output_padding", extra);
  auto padding = window.padding([&](unsigned axis) { return spans[axis] - stride[axis] + extra[axis]; });
  if (!groupsDivide(window, groups, filters) || !padding)
    return;
  Numbers size;
  for (unsigned axis = 0; axis < axes; ++axis) {
    int64_t all = window.size(axis) - 1 > (maxDimension - spans[axis]) / stride[axis]
                      ? maxDimension
                      : (window.size(axis) - 1) * stride[axis] + spans[axis];
    int64_t outputs = all + extra[axis] - (*padding)[2 * axis] - (*padding)[2 * axis + 1];
    if (outputs < 1) {
      plan.error("padding", "padding leaves no output: " + Twine(all + extra[axis]) + " pixels less " +
                                Twine((*padding)[2 * axis]) + " and " + Twine((*padding)[2 * axis + 1]));
      return;
    }
    size.push_back(outputs);
  }
  SmallVector<int64_t> shape{window.channels(), filters / groups};
  shape.append(kernel.begin(), kernel.end());
  if (!weightFits(plan, shape, "filters"))
    return;
  bool bias = flag(attributes, "bias", true);
  plan.attributes.set("bias", BoolAttr::get(context, bias));
  plan.attributes.set("groups", IntegerAttr::get(IntegerType::get(context, 64), groups));
  int64_t inputsOfOne = shape[1]; // PyTorch counts axis 1 here too
  for (int64_t taps : kernel)
    inputsOfOne *= taps;
  double bound = 1 / std::sqrt(double(inputsOfOne));
  plan.parameters.push_back({"weight", shape, true, "uniform", -bound, bound});
  plan.parameters.back().dims = weightDims(kernel, filters, window.channels(), groups, 1, 0);
  if (bias)
    plan.parameters.push_back({"bias", {filters}, true, "uniform", -bound, bound});
  window.setOutput(size, filters);
}

void planPool(unsigned axes, ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {
  WindowPlan window(axes, inputs, attributes, plan);
  MLIRContext *context = inputs[0].getContext();
  if (!window.fitsRank())
    return;
  Numbers extents = window.list("window", window.ones()), stride = window.list("stride", extents);
  bool ceil = flag(attributes, "ceil_mode", false);
  plan.attributes.set("ceil_mode", BoolAttr::get(context, ceil));
  auto padding = window.padding([&](unsigned axis) {
    int64_t outputs = (window.size(axis) + stride[axis] - 1) / stride[axis];
    return (outputs - 1) * stride[axis] + extents[axis] - window.size(axis);
  });
  if (!padding)
    return;
  for (unsigned side = 0; side < 2 * axes; ++side)
    if ((*padding)[side] > extents[side / 2] / 2) {
      plan.error("padding",
                 "padding " + Twine((*padding)[side]) + " is more than half of the window " + Twine(extents[side / 2]),
                 "a window must not lie in the padding alone");
      return;
    }
  int64_t taps = 1;
  for (int64_t extent : extents)
    taps = std::min(taps * std::min<int64_t>(extent, maxPoolTaps + 1), maxPoolTaps + 1);
  auto size = window.slide(extents, extents, stride, *padding, "window", ceil);
  if (size && taps > maxPoolTaps)
    plan.error("window", "window " + times(extents) + " has more than " + Twine(maxPoolTaps) + " pixels",
               "use global_avg_pool or global_max_pool, or two pools one after the other");
  if (size)
    window.setOutput(*size, window.channels());
}

} // namespace

#define SYLVITE_WINDOW_PLAN(OP, AXES, PLAN)                                                                            \
  void OP::plan(ArrayRef<RankedTensorType> inputs, DictionaryAttr attributes, LayerPlan &plan) {                       \
    PLAN(AXES, inputs, attributes, plan);                                                                              \
  }
SYLVITE_WINDOW_PLAN(Conv1dOp, 1, planConvolution)
SYLVITE_WINDOW_PLAN(Conv2dOp, 2, planConvolution)
SYLVITE_WINDOW_PLAN(Conv3dOp, 3, planConvolution)
SYLVITE_WINDOW_PLAN(ConvTranspose1dOp, 1, planTransposed)
SYLVITE_WINDOW_PLAN(ConvTranspose2dOp, 2, planTransposed)
SYLVITE_WINDOW_PLAN(ConvTranspose3dOp, 3, planTransposed)
SYLVITE_WINDOW_PLAN(MaxPool1dOp, 1, planPool)
SYLVITE_WINDOW_PLAN(MaxPool2dOp, 2, planPool)
SYLVITE_WINDOW_PLAN(MaxPool3dOp, 3, planPool)
SYLVITE_WINDOW_PLAN(AvgPool1dOp, 1, planPool)
SYLVITE_WINDOW_PLAN(AvgPool2dOp, 2, planPool)
SYLVITE_WINDOW_PLAN(AvgPool3dOp, 3, planPool)
#undef SYLVITE_WINDOW_PLAN

} // namespace sylvite::nn
