//===- CrossEntropy.cpp - nn.cross_entropy, and what it shares with prediction: row_max, softmax, accuracy --------===//
//
// The target's logit is picked by a one-hot contraction: a gather's adjoint would be a scatter.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

/// sum of exp(logits - row_max) over the classes, (n).
static Func sumOfExponentials(OpContext &context, const Value &logits, const Value &rowMax) {
  const Vars &v = vars();
  Func sum = context.func("sum_exp");
  RDom r(0, int(logits.view.realChannels), "rc");
  sum(v.n) = context.constant(0);
  sum(v.n) += exp(logits.func(r, v.n) - rowMax.func(v.n));
  context.nameRVars(sum, {"rc"});
  return sum;
}

static std::vector<Value> crossEntropy(OpContext &context) {
  const Value &logits = context.operand(0), &target = context.operand(1), &rowMax = context.operand(2);
  const Vars &v = vars();
  Func sum = sumOfExponentials(context, logits, rowMax);
  Func picked = context.func("picked"), loss = context.func("cross_entropy");
  RDom r(0, int(logits.view.realChannels), "rc");
  picked(v.n) = context.constant(0);
  picked(v.n) += select(r == cast<int32_t>(target.func(v.n)), logits.func(r, v.n), context.constant(0));
  context.nameRVars(picked, {"rc"});
  loss(v.n) = log(sum(v.n)) + rowMax.func(v.n) - picked(v.n);
  return {perSample(loss)};
}
static Register registeredLoss("nn.cross_entropy", crossEntropy);

static std::vector<Value> softmax(OpContext &context) {
  const Value &logits = context.operand(0), &rowMax = context.operand(1);
  const Vars &v = vars();
  Func sum = sumOfExponentials(context, logits, rowMax);
  Value result = logits;
  result.detached = nullptr;
  result.func = context.func("softmax");
  result.func(v.c, v.n) = exp(logits.func(v.c, v.n) - rowMax.func(v.n)) / sum(v.n);
  return {result};
}
static Register registeredSoftmax("nn.softmax", softmax);

static std::vector<Value> rowMax(OpContext &context) {
  const Value &logits = context.operand(0);
  const Vars &v = vars();
  Func largest = context.func("row_max");
  RDom r(0, int(logits.view.realChannels), "rc");
  largest(v.n) = context.type().min();
  largest(v.n) = Halide::max(largest(v.n), logits.func(r, v.n));
  context.nameRVars(largest, {"rc"});
  return {perSample(largest)};
}
static Register registeredMax("nn.row_max", rowMax);

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
