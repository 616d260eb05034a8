//===- Norms.cpp - nn.layer_norm, nn.group_norm, nn.instance_norm -------------------------------------------------===//
//
// Mean first, then the squares of what is left without it: no digits are lost where the mean is large. Groups of
// channels are told by a one-hot contraction of sums over pixels: a gather's adjoint would be a scatter.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

namespace {

/// What a mean is taken over.
struct Extent {
  bool channels = false, pixels = false;
};

class Normalization {
public:
  Normalization(OpContext &context, Extent over, double eps) : context(context), over(over), eps(eps) {}

  /// The normalized input; `groups` of channels share a mean, 0: as `over` says.
  Value build(const std::string &role, int64_t groups) {
    const nn::View &view = context.operand(0).view;
    std::vector<Var> dims = dimsOf(view);
    double count = double((over.channels ? view.realChannels
                           : groups      ? view.realChannels / groups
                                         : 1) *
                          (over.pixels ? view.pixels() : 1));
    Expr share = context.constant(1 / count);
    Func mean = sums("mean", context.operand(0).func, groups, [&](Expr sum) { return sum * share; });
    Func centered = context.func("centered"), squares = context.func("square");
    centered(dims) = context.operand(0).here() - mean(kept());
    squares(dims) = centered(dims) * centered(dims);
    bool perChannel = !over.channels && !groups;
    Func inverse = sums("inverse_deviation", squares, groups, [&](Expr sum) {
      Expr variance = sum * share + context.constant(eps);
      if (perChannel && view.realChannels != view.channels) // finite in the padding of channels
        variance = variance + select(vars().c * vars().c >= int(view.realChannels * view.realChannels),
                                     context.constant(1), context.constant(0));
      return context.constant(1) / sqrt(variance);
    });
    Expr value = centered(dims) * inverse(kept());
    unsigned next = 1;
    if (context.operandCount() > next)
      value = value * parameter(next++);
    if (context.operandCount() > next)
      value = value + parameter(next);
    Value result = imageResult(context, role);
    result.func(dims) = value;
    return result;
  }

private:
  OpContext &context;
  Extent over;
  double eps;

  std::vector<Var> kept() const {
    const nn::View &view = context.operand(0).view;
    std::vector<Var> all;
    if (!over.channels)
      all.push_back(vars().c);
    if (!over.pixels)
      all.insert(all.end(), vars().axis, vars().axis + view.rank);
    all.push_back(vars().n);
    return all;
  }

  /// `finish` of the sum of `values`, at kept().
  Func sums(const std::string &role, const Func &values, int64_t groups, const std::function<Expr(Expr)> &finish) {
    const nn::View &view = context.operand(0).view;
    const Vars &v = vars();
    std::vector<Range> ranges;
    std::vector<std::string> names;
    if (over.channels) {
      ranges.emplace_back(0, int(view.realChannels));
      names.push_back("rc");
    }
    for (unsigned axis = 0; over.pixels && axis < view.rank; ++axis) {
      ranges.emplace_back(0, int(view.axes[axis].size));
      names.push_back(std::string("r") + "xyz"[axis]);
    }
    Func result = context.func(role), sum = values;
    std::vector<Var> rest = kept();
    if (!ranges.empty()) {
      RDom r(ranges, "r");
      std::vector<Expr> at;
      int next = 0;
      at.push_back(over.channels ? Expr(r[next++]) : Expr(v.c));
      for (unsigned axis = 0; axis < view.rank; ++axis)
        at.push_back(over.pixels ? Expr(r[next++]) : Expr(v.axis[axis]));
      at.push_back(v.n);
      sum = context.func("sum");
      sum(rest) = context.constant(0);
      sum(rest) += values(at);
      context.nameRVars(sum, names);
    }
    if (!groups) {
      result(rest) = finish(sum(rest));
      return result;
    }
    // rest is (c, n): add the channels of each group, and give each channel its group's.
    int channels = int(view.realChannels), each = channels / int(groups);
    Func folded = context.func("group_sum"), finished = context.func("group_" + role);
    RDom rc(0, channels, "rc"), rg(0, int(groups), "rg");
    folded(v.g, v.n) = context.constant(0);
    folded(v.g, v.n) += select(rc / each == v.g, sum(rc, v.n), context.constant(0));
    context.nameRVars(folded, {"rc"});
    finished(v.g, v.n) = finish(folded(v.g, v.n));
    result(v.c, v.n) = context.constant(0);
    result(v.c, v.n) += select(v.c / each == rg, finished(rg, v.n), context.constant(0));
    context.nameRVars(result, {"rg"});
    return result;
  }

  /// Weight or bias at dimsOf(view): one a channel, or one a channel and pixel.
  Expr parameter(unsigned index) {
    const Value &value = context.operand(index);
    const nn::View &view = context.operand(0).view;
    std::vector<Expr> at{vars().c};
    if (value.func.dimensions() > 1)
      at.insert(at.end(), vars().axis, vars().axis + view.rank);
    return value.func(at);
  }
};

std::vector<Value> layerNorm(OpContext &context) {
  auto op = mlir::cast<nn::LayerNormOp>(context.op);
  Extent over{true, context.operand(0).view.rank > 1};
  return {Normalization(context, over, op.getEps().convertToDouble()).build("layer_norm", 0)};
}
Register registeredLayerNorm("nn.layer_norm", layerNorm);

std::vector<Value> groupNorm(OpContext &context) {
  auto op = mlir::cast<nn::GroupNormOp>(context.op);
  return {Normalization(context, {false, true}, op.getEps().convertToDouble()).build("group_norm", op.getGroups())};
}
Register registeredGroupNorm("nn.group_norm", groupNorm);

std::vector<Value> instanceNorm(OpContext &context) {
  auto op = mlir::cast<nn::InstanceNormOp>(context.op);
  return {Normalization(context, {false, true}, op.getEps().convertToDouble()).build("instance_norm", 0)};
}
Register registeredInstanceNorm("nn.instance_norm", instanceNorm);

} // namespace

} // namespace sylvite::ops
