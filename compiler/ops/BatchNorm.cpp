//===- BatchNorm.cpp - what nn.batch_norm is made of --------------------------------------------------------------===//
//
//   channel_sums:        a slice's pixels -> (shift, sum of (x - shift), sum of (x - shift)^2) per channel
//   batch_norm_scalars:  all slices' sums -> scale and shift, by Chan's formula for merging moments
//   batch_norm_running:  all slices' sums -> running statistics
//   batch_norm_inference_scalars: running statistics -> scale and shift
//
// The shift is a pixel in the middle of the slice's first sample, read past its Func: the batch's mean and variance do
// not depend on it, so it is a constant of the backward pass.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

static std::vector<Value> channelSums(OpContext &context) {
  const Value &input = context.operand(0);
  const nn::View &view = input.view;
  const Vars &v = vars();
  Expr images = context.images();

  std::vector<Expr> middle{v.c};
  std::vector<std::pair<Expr, Expr>> domain;
  std::vector<std::string> names;
  for (unsigned axis = 0; axis < view.rank; ++axis) {
    const nn::Axis &along = view.axes[axis];
    int64_t place = along.before + along.size / 2;
    std::string letter(1, "xyz"[axis]);
    if (view.phased()) {
      middle.insert(middle.end(), {int(place % along.stride), int(place / along.stride)});
      domain.push_back({0, int(along.stride)});
      domain.push_back({0, int(along.extent)});
      names.insert(names.end(), {"r" + letter + "i", "r" + letter});
    } else {
      middle.push_back(int(place));
      domain.push_back({int(along.before), int(along.size)});
      names.push_back("r" + letter);
    }
  }
  names.push_back("rn");
  middle.push_back(0);
  domain.push_back({0, images});

  Func shift = context.func("shift");
  shift(v.c) = select(images > 0, input.detached(middle), context.constant(0));

  std::vector<Range> ranges;
  for (auto &[low, extent] : domain)
    ranges.emplace_back(low, extent);
  RDom r(ranges, "r");
  std::vector<Expr> at{v.c};
  for (int i = 0; i < r.dimensions(); ++i)
    at.push_back(r[i]);
  Expr difference = input.func(at) - shift(v.c);
  if (view.phased() && !view.exact()) { // the coordinates reach past the image
    Expr inside = Internal::const_true();
    for (unsigned axis = 0; axis < view.rank; ++axis) {
      const nn::Axis &along = view.axes[axis];
      Expr place = r[int(2 * axis) + 1] * int(along.stride) + r[int(2 * axis)];
      inside = inside && place >= int(along.before) && place < int(along.before + along.size);
    }
    difference = select(inside, difference, context.constant(0));
  }
  Func moments = context.func("moments"), sums = context.func("channel_sums");
  moments(v.c, v.j) = context.constant(0);
  moments(v.c, v.j) += select(v.j == 0, difference, difference * difference);
  context.nameRVars(moments, names);
  context.nameGradientRVars(0, {"rj"});
  sums(v.c, v.j) = select(v.j == 0, shift(v.c), moments(v.c, clamp(v.j - 1, 0, 1)));

  Value result;
  result.kind = nn::Kind::Slices;
  result.extents = {view.channels, 3};
  result.func = sums;
  return {result};
}
static Register registeredSums("nn.channel_sums", channelSums);

/// Mean and sum of squared deviations per channel over the batch, and the number of values.
struct Moments {
  Func mean, squares;
  Expr count;
};

static Moments mergeMoments(OpContext &context, const Value &sums, int64_t pixels) {
  const Vars &v = vars();
  RDom r(0, int(sums.extents[2]), "rs");
  Expr perSlice = int(context.samplesPerSlice());
  auto count = [&](Expr slice) {
    return cast(context.type(), clamp(context.batch() - slice * perSlice, 0, perSlice) * int(pixels));
  };
  Moments moments{context.func("mean"), context.func("squares"), cast(context.type(), context.batch() * int(pixels))};
  Func total = context.func("total");
  total(v.c) = context.constant(0);
  total(v.c) += sums.func(v.c, 1, r) + count(r) * sums.func(v.c, 0, r);
  moments.mean(v.c) = total(v.c) / moments.count;
  RDom q(0, int(sums.extents[2]), "rs");
  Expr distance = moments.mean(v.c) - sums.func(v.c, 0, q);
  moments.squares(v.c) = context.constant(0);
  moments.squares(v.c) +=
      sums.func(v.c, 2, q) - distance * (context.constant(2) * sums.func(v.c, 1, q) - count(q) * distance);
  context.nameRVars(total, {"rs"});
  context.nameRVars(moments.squares, {"rs"});
  return moments;
}

/// scale and shift [C, 2] from mean and variance; `affine` holds weight and bias or is empty.
static Value scaleAndShift(OpContext &context, Expr mean, Expr variance, double eps, std::vector<Value> affine,
                           int64_t channels) {
  const Vars &v = vars();
  Func inverse = context.func("inverse_deviation"), center = context.func("center");
  inverse(v.c) = context.constant(1) / sqrt(variance + context.constant(eps));
  center(v.c) = mean;
  Expr scale = inverse(v.c), shift = context.constant(0);
  if (!affine.empty()) {
    scale = affine[0].func(v.c) * inverse(v.c);
    shift = affine[1].func(v.c);
  }
  Value result;
  result.extents = {channels, 2};
  result.func = context.func("batch_norm_scalars");
  result.func(v.c, v.j) = select(v.j == 0, scale, shift - center(v.c) * scale);
  return result;
}

static std::vector<Value> batchNormScalars(OpContext &context) {
  auto op = mlir::cast<nn::BatchNormScalarsOp>(context.op);
  const Vars &v = vars();
  Moments moments = mergeMoments(context, context.operand(0), op.getPixels());
  Func variance = context.func("variance");
  variance(v.c) = moments.squares(v.c) / moments.count;
  std::vector<Value> affine;
  for (unsigned i = 1; i < context.operandCount(); ++i)
    affine.push_back(context.operand(i));
  return {scaleAndShift(context, moments.mean(v.c), variance(v.c), op.getEps().convertToDouble(), affine,
                        context.operand(0).extents[0])};
}
static Register registeredScalars("nn.batch_norm_scalars", batchNormScalars);

static std::vector<Value> inferenceScalars(OpContext &context) {
  auto op = mlir::cast<nn::BatchNormInferenceScalarsOp>(context.op);
  const Vars &v = vars();
  std::vector<Value> affine;
  for (unsigned i = 2; i < context.operandCount(); ++i)
    affine.push_back(context.operand(i));
  return {scaleAndShift(context, context.operand(0).func(v.c), context.operand(1).func(v.c),
                        op.getEps().convertToDouble(), affine, context.operand(0).extents[0])};
}
static Register registeredInference("nn.batch_norm_inference_scalars", inferenceScalars);

static std::vector<Value> batchNormRunning(OpContext &context) {
  auto op = mlir::cast<nn::BatchNormRunningOp>(context.op);
  const Vars &v = vars();
  Moments moments = mergeMoments(context, context.operand(2), op.getPixels());
  Expr momentum = context.constant(op.getMomentum().convertToDouble());
  Expr keep = context.constant(1 - op.getMomentum().convertToDouble());
  Expr unbiased = moments.squares(v.c) / Halide::max(moments.count - context.constant(1), context.constant(1));
  Value mean = context.operand(0), variance = context.operand(1);
  mean.func = context.func("running_mean");
  variance.func = context.func("running_var");
  // Padded channels have variance 0 and decay towards it; no one reads them.
  mean.func(v.c) = keep * context.operand(0).func(v.c) + momentum * moments.mean(v.c);
  variance.func(v.c) = keep * context.operand(1).func(v.c) + momentum * unbiased;
  return {mean, variance};
}
static Register registeredRunning("nn.batch_norm_running", batchNormRunning);

} // namespace sylvite::ops
