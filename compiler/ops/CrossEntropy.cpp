//===- CrossEntropy.cpp - what cross-entropies share; accuracy, mean_seed -----------------------------------------===//
//
// The softmax is over the channels of each pixel. The losses stand in Losses.cpp.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Losses.h"

using namespace Halide;

namespace sylvite::ops {

Func sumOfExponentials(OpContext &context, const Value &logits, const Pixels &pixels, Expr rowMax) {
  Func sum = context.func("sum_exp");
  RDom r(0, int(logits.view.realChannels), "rc");
  sum(pixels.dims) = context.constant(0);
  sum(pixels.dims) += exp(logits.func(pixels.at(r)) - rowMax);
  context.nameRVars(sum, {"rc"});
  return sum;
}

Expr maximumHere(const Value &rowMax, const Pixels &pixels) {
  return rowMax.func.dimensions() == 1 ? rowMax.func(pixels.here()) : rowMax.func(pixels.at(0));
}

static std::vector<Value> accuracy(OpContext &context) {
  const Value &logits = context.operand(0), &target = context.operand(1);
  const Vars &v = vars();
  RDom r(0, int(logits.view.realChannels), "rc");
  Expr label = clamp(cast<int32_t>(target.func(v.n)), 0, int(logits.view.realChannels) - 1);
  Expr other = logits.func(r, v.n), own = logits.func(label, v.n);
  Func better = context.func("better"), correct = context.func("accuracy");
  better(v.n) = 0;
  better(v.n) += select(other > own || (other == own && r < label), 1, 0);
  context.nameRVars(better, {"rc"});
  correct(v.n) = select(better(v.n) == 0, 1, 0);
  return {perSample(correct)};
}
static Register registeredAccuracy("nn.accuracy", accuracy);

static std::vector<Value> meanSeed(OpContext &context) {
  Func seed = context.func("mean_seed");
  seed(vars().n) = context.constant(1) / cast(context.type(), context.batch());
  return {perSample(seed)};
}
static Register registeredSeed("nn.mean_seed", meanSeed);

} // namespace sylvite::ops
