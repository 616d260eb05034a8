//===- Losses.cpp - the losses ------------------------------------------------------------------------------------===//
//
// A loss is one number a sample whose mean over the batch is PyTorch's. The target's logit is picked by a one-hot
// contraction: a gather's adjoint would be a scatter. Kinks are PyTorch's.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Losses.h"

#include "compiler/ops/Functions.h"

using namespace Halide;

namespace sylvite::ops {

Pixels::Pixels(const Value &input) {
  std::vector<Var> all = input.dims();
  dims.assign(all.begin() + 1, all.end());
  static constexpr const char *words[] = {"rx", "ry", "rz"};
  for (unsigned axis = 0; axis < input.view.rank; ++axis) {
    ranges.emplace_back(int(input.view.axes[axis].before), int(input.view.axes[axis].size));
    names.push_back(words[axis]);
    count *= input.view.axes[axis].size;
  }
}

std::vector<Expr> Pixels::at(Expr channel) const {
  std::vector<Expr> place = here();
  place.insert(place.begin(), channel);
  return place;
}

Value sumOfPixels(OpContext &context, const Pixels &pixels, Func pixel, Expr scale, const std::string &role) {
  Var n = pixels.dims.back();
  Func loss = context.func(role);
  if (pixels.ranges.empty()) {
    loss(n) = pixel(n) * scale;
    return perSample(loss);
  }
  Func sum = context.func(role + "_sum");
  RDom r(pixels.ranges, "r");
  std::vector<Expr> place;
  for (int axis = 0; axis < r.dimensions(); ++axis)
    place.push_back(r[axis]);
  place.push_back(n);
  sum(n) = context.constant(0);
  sum(n) += pixel(place);
  context.nameRVars(sum, pixels.names);
  loss(n) = sum(n) * scale;
  return perSample(loss);
}

// ---- losses whose targets are class numbers

namespace {

/// Weights of the classes and targets that do not count.
struct Weighting {
  std::optional<llvm::ArrayRef<double>> classes;
  std::optional<int64_t> ignored;

  /// The weight of a target.
  Expr of(OpContext &context, Expr target) const {
    Expr weight = context.constant(1);
    if (classes)
      weight = table(context)(clamp(target, 0, int(classes->size()) - 1));
    if (ignored)
      weight = select(target == Expr(int32_t(*ignored)), context.constant(0), weight);
    return weight;
  }
  /// The weight of a class.
  Expr ofClass(OpContext &context, Expr number) const { return classes ? table(context)(number) : context.constant(1); }
  /// Sum over the classes.
  double total(int64_t count) const {
    double sum = 0;
    for (int64_t i = 0; i < count; ++i)
      sum += classes ? (*classes)[i] : 1;
    return sum;
  }

private:
  Buffer<> table(OpContext &context) const {
    Buffer<> values(context.type(), {int(classes->size())});
    for (size_t i = 0; i < classes->size(); ++i)
      if (context.type() == Float(64))
        values.as<double>()(int(i)) = (*classes)[i];
      else
        values.as<float>()(int(i)) = float((*classes)[i]);
    return values;
  }
};

/// The target's channel of each pixel.
Func pickTarget(OpContext &context, const Value &input, const Pixels &pixels, Expr target) {
  Func picked = context.func("picked");
  RDom r(0, int(input.view.realChannels), "rc");
  picked(pixels.dims) = context.constant(0);
  picked(pixels.dims) += select(r == target, input.func(pixels.at(r)), context.constant(0));
  context.nameRVars(picked, {"rc"});
  return picked;
}

/// What a sum over all pixels is divided by: the batch's pixels, or the weights of its targets.
Expr classScale(OpContext &context, const Pixels &pixels, const Value *total) {
  if (!total)
    return context.constant(1.0 / double(pixels.count));
  return cast(context.type(), context.batch()) / total->func(0);
}

template <typename Op> Weighting weightingOf(Op op) {
  Weighting weighting;
  weighting.classes = op.getClassWeights();
  if (std::optional<int64_t> ignored = op.getIgnoreIndex())
    weighting.ignored = *ignored;
  return weighting;
}

std::vector<Value> crossEntropy(OpContext &context) {
  auto op = mlir::cast<nn::CrossEntropyOp>(context.op);
  const Value &logits = context.operand(0);
  Pixels pixels(logits);
  Expr target = cast<int32_t>(context.operand(1).func(pixels.here()));
  Expr largest = maximumHere(context.operand(2), pixels);
  Weighting weighting = weightingOf(op);
  int64_t classes = logits.view.realChannels;
  double smoothing = op.getLabelSmoothing().convertToDouble();

  Func logSum = context.func("log_sum_exp"), pixel = context.func("pixel_loss");
  logSum(pixels.dims) = log(sumOfExponentials(context, logits, pixels, largest)(pixels.here())) + largest;
  Expr whole = logSum(pixels.here()), picked = pickTarget(context, logits, pixels, target)(pixels.here());
  Expr loss = whole - picked;
  if (weighting.classes || weighting.ignored)
    loss = weighting.of(context, target) * loss;
  if (smoothing) {
    Func others = context.func("weighted_sum");
    RDom r(0, int(classes), "rc");
    others(pixels.dims) = context.constant(0);
    others(pixels.dims) += weighting.ofClass(context, r) * logits.func(pixels.at(r));
    context.nameRVars(others, {"rc"});
    Expr smooth = context.constant(weighting.total(classes)) * whole - others(pixels.here());
    if (weighting.ignored)
      smooth = select(target == Expr(int32_t(*weighting.ignored)), context.constant(0), smooth);
    loss = context.constant(1 - smoothing) * loss + context.constant(smoothing / double(classes)) * smooth;
  }
  pixel(pixels.dims) = loss;
  const Value *total = op.getTotalWeight() ? &context.operand(3) : nullptr;
  return {sumOfPixels(context, pixels, pixel, classScale(context, pixels, total), "cross_entropy")};
}
Register registeredCrossEntropy("nn.cross_entropy", crossEntropy);

std::vector<Value> nll(OpContext &context) {
  auto op = mlir::cast<nn::NllOp>(context.op);
  const Value &input = context.operand(0);
  Pixels pixels(input);
  Expr target = cast<int32_t>(context.operand(1).func(pixels.here()));
  Func pixel = context.func("pixel_loss");
  Expr picked = pickTarget(context, input, pixels, target)(pixels.here());
  pixel(pixels.dims) = -weightingOf(op).of(context, target) * picked;
  const Value *total = op.getTotalWeight() ? &context.operand(2) : nullptr;
  return {sumOfPixels(context, pixels, pixel, classScale(context, pixels, total), "nll")};
}
Register registeredNll("nn.nll", nll);

std::vector<Value> hinge(OpContext &context) {
  auto op = mlir::cast<nn::HingeOp>(context.op);
  const Value &input = context.operand(0);
  Pixels pixels(input);
  Expr target = cast<int32_t>(context.operand(1).func(pixels.here()));
  Expr picked = pickTarget(context, input, pixels, target)(pixels.here());
  Func sum = context.func("margins"), loss = context.func("hinge");
  RDom r(0, int(input.view.realChannels), "rc");
  Expr excess = context.constant(op.getMargin().convertToDouble()) - picked + input.func(pixels.at(r));
  sum(pixels.dims) = context.constant(0);
  sum(pixels.dims) += select(r != target && excess > 0, op.getP() == 1 ? excess : excess * excess, context.constant(0));
  context.nameRVars(sum, {"rc"});
  Weighting weighting;
  weighting.classes = op.getClassWeights();
  loss(pixels.dims) =
      weighting.of(context, target) * sum(pixels.here()) * context.constant(1.0 / double(input.view.realChannels));
  return {perSample(loss)};
}
Register registeredHinge("nn.hinge", hinge);

std::vector<Value> lossWeights(OpContext &context) {
  const Value &target = context.operand(0);
  std::vector<Var> dims = target.dims();
  Var n = dims.back();
  Weighting weighting = weightingOf(mlir::cast<nn::LossWeightsOp>(context.op));
  Func weights = context.func("loss_weights");
  std::vector<Range> ranges;
  std::vector<std::string> names;
  if (dims.size() > 1) { // the target's last axis stands where channels do
    ranges.emplace_back(0, int(target.view.realChannels));
    names.push_back("rc");
    Pixels rows(target);
    ranges.insert(ranges.end(), rows.ranges.begin(), rows.ranges.end());
    names.insert(names.end(), rows.names.begin(), rows.names.end());
  }
  if (ranges.empty()) {
    weights(n) = weighting.of(context, cast<int32_t>(target.func(n)));
    return {perSample(weights)};
  }
  RDom r(ranges, "r");
  std::vector<Expr> at;
  for (int axis = 0; axis < r.dimensions(); ++axis)
    at.push_back(r[axis]);
  at.push_back(n);
  weights(n) = context.constant(0);
  weights(n) += weighting.of(context, cast<int32_t>(target.func(at)));
  context.nameRVars(weights, names);
  return {perSample(weights)};
}
Register registeredWeights("nn.loss_weights", lossWeights);

std::vector<Value> weightTotal(OpContext &context) {
  const Vars &v = vars();
  Func total = context.func("weight_total");
  RDom r(0, context.images(), "rn");
  total(v.c) = context.constant(0);
  total(v.c) += context.operand(0).func(r);
  context.nameRVars(total, {"rn"});
  Value result;
  result.extents = {1};
  result.func = total;
  return {result};
}
Register registeredTotal("nn.weight_total", weightTotal);

// ---- losses whose targets are as the input

/// `element(input, target, channel)` summed over a sample and divided by `divisor`, or by its elements where that is 0.
std::vector<Value> elementLoss(OpContext &context, const std::function<Expr(Expr, Expr, Expr)> &element,
                               double divisor = 0) {
  const Value &input = context.operand(0), &target = context.operand(1);
  Pixels pixels(input);
  std::vector<Range> ranges{{0, int(input.view.realChannels)}};
  std::vector<std::string> names{"rc"};
  ranges.insert(ranges.end(), pixels.ranges.begin(), pixels.ranges.end());
  names.insert(names.end(), pixels.names.begin(), pixels.names.end());
  RDom r(ranges, "r");
  std::vector<Expr> at;
  for (int axis = 0; axis < r.dimensions(); ++axis)
    at.push_back(r[axis]);
  Var n = pixels.dims.back();
  at.push_back(n);
  std::string role = context.op->getName().stripDialect().str();
  Func sum = context.func(role + "_sum"), loss = context.func(role);
  sum(n) = context.constant(0);
  sum(n) += element(input.func(at), cast(context.type(), target.func(at)), at[0]);
  context.nameRVars(sum, names);
  if (!divisor)
    divisor = double(pixels.count * input.view.realChannels);
  loss(n) = sum(n) * context.constant(1 / divisor);
  return {perSample(loss)};
}

/// |x|, with gradient 0 at 0.
Expr distance(OpContext &context, Expr x) { return select(x > 0, x, select(x < 0, -x, context.constant(0))); }

std::vector<Value> binaryCrossEntropy(OpContext &context) {
  Weighting positive;
  positive.classes = mlir::cast<nn::BinaryCrossEntropyOp>(context.op).getPosWeight();
  return elementLoss(context, [&](Expr x, Expr t, Expr channel) {
    Expr one = context.constant(1), share = one;
    if (positive.classes)
      share = one + (positive.ofClass(context, channel) - one) * t;
    return (one - t) * x + share * softplusOf(-x);
  });
}
Register registeredBinary("nn.binary_cross_entropy", binaryCrossEntropy);

std::vector<Value> mse(OpContext &context) {
  return elementLoss(context, [](Expr x, Expr t, Expr) { return (x - t) * (x - t); });
}
Register registeredMse("nn.mse", mse);

std::vector<Value> l1(OpContext &context) {
  return elementLoss(context, [&](Expr x, Expr t, Expr) { return distance(context, x - t); });
}
Register registeredL1("nn.l1", l1);

std::vector<Value> huber(OpContext &context) {
  Expr delta = context.constant(mlir::cast<nn::HuberOp>(context.op).getDelta().convertToDouble());
  Expr half = context.constant(0.5);
  return elementLoss(context, [&](Expr x, Expr t, Expr) {
    Expr d = distance(context, x - t);
    return select(d <= delta, half * (x - t) * (x - t), delta * (d - half * delta));
  });
}
Register registeredHuber("nn.huber", huber);

std::vector<Value> smoothL1(OpContext &context) {
  double beta = mlir::cast<nn::SmoothL1Op>(context.op).getBeta().convertToDouble();
  return elementLoss(context, [&](Expr x, Expr t, Expr) {
    Expr d = distance(context, x - t);
    if (beta == 0)
      return d;
    return select(d < context.constant(beta), context.constant(0.5 / beta) * (x - t) * (x - t),
                  d - context.constant(0.5 * beta));
  });
}
Register registeredSmoothL1("nn.smooth_l1", smoothL1);

std::vector<Value> klDivergence(OpContext &context) {
  bool byBatch = mlir::cast<nn::KlDivergenceOp>(context.op).getReduction() == "batchmean";
  return elementLoss(
      context,
      [&](Expr x, Expr t, Expr) {
        Expr positive = select(t > 0, t, context.constant(1));
        return select(t > 0, t * (log(positive) - x), context.constant(0));
      },
      byBatch ? 1 : 0);
}
Register registeredKl("nn.kl_divergence", klDivergence);

} // namespace
} // namespace sylvite::ops
