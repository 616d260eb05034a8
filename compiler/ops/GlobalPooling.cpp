//===- GlobalPooling.cpp - nn.global_avg_pool, nn.global_max_pool, nn.adaptive_avg_pool ---------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

static std::vector<Value> globalAvgPool(OpContext &context) {
  const Value &input = context.operand(0);
  const Vars &v = vars();
  Value result = imageResult(context, "global_avg_pool");
  Func sum = context.func("sum");
  std::vector<Range> ranges;
  std::vector<std::string> names;
  for (unsigned axis = 0; axis < input.view.rank; ++axis) {
    ranges.emplace_back(0, int(input.view.axes[axis].size));
    names.push_back(std::string("r") + "xyz"[axis]);
  }
  RDom r(ranges, "r");
  std::vector<Expr> at{v.c};
  for (unsigned axis = 0; axis < input.view.rank; ++axis)
    at.push_back(r[int(axis)]);
  at.push_back(v.n);
  sum(v.c, v.n) = context.constant(0);
  sum(v.c, v.n) += input.func(at);
  context.nameRVars(sum, names);
  result.func(v.c, v.n) = sum(v.c, v.n) * context.constant(1.0 / double(input.view.pixels()));
  return {result};
}
static Register registeredAvg("nn.global_avg_pool", globalAvgPool);

/// Along x, then y, then z: the first maximum of a row, then the first row that has it.
static std::vector<Value> globalMaxPool(OpContext &context) {
  const Value &input = context.operand(0);
  const Vars &v = vars();
  Value result = imageResult(context, "global_max_pool");
  Func from = input.func;
  for (unsigned axis = 0; axis < input.view.rank; ++axis) {
    Func to = axis + 1 < input.view.rank ? context.func("along_" + std::string(1, "xyz"[axis])) : result.func;
    std::vector<Var> rest{v.c};
    rest.insert(rest.end(), v.axis + axis + 1, v.axis + input.view.rank);
    rest.push_back(v.n);
    Expr best;
    for (int64_t place = 0; place < input.view.axes[axis].size; ++place) {
      std::vector<Expr> at(rest.begin(), rest.end());
      at.insert(at.begin() + 1, Expr(int(place)));
      best = best.defined() ? select(best >= from(at), best, from(at)) : Expr(from(at));
    }
    to(rest) = best;
    from = to;
  }
  return {result};
}
static Register registeredMax("nn.global_max_pool", globalMaxPool);

/// One axis after the other, as a contraction with the shares that each pixel has in each output: pure in all
/// coordinates, and so is its derivative.
static std::vector<Value> adaptiveAvgPool(OpContext &context) {
  const Value &input = context.operand(0);
  const Vars &v = vars();
  Value result = imageResult(context, "adaptive_avg_pool");
  Func from = input.func;
  for (unsigned axis = 0; axis < result.view.rank; ++axis) {
    Func to = axis + 1 < result.view.rank ? context.func("along_" + std::string(1, "xyz"[axis])) : result.func;
    int inputs = int(input.view.axes[axis].size), outputs = int(result.view.axes[axis].size);
    Func share = context.func("share");
    Var o("out"), i("in");
    Expr begin = o * inputs / outputs, end = ((o + 1) * inputs + outputs - 1) / outputs;
    share(o, i) =
        select(i >= begin && i < end, context.constant(1) / cast(context.type(), end - begin), context.constant(0));
    std::vector<Var> dims = dimsOf(result.view);
    std::vector<Expr> at(dims.begin(), dims.end());
    RDom r(0, inputs, "r");
    at[1 + axis] = r;
    to(dims) = context.constant(0);
    to(dims) += share(v.axis[axis], r) * from(at);
    context.nameRVars(to, {std::string("r") + "xyz"[axis]});
    from = to;
  }
  return {result};
}
static Register registeredAdaptive("nn.adaptive_avg_pool", adaptiveAvgPool);

} // namespace sylvite::ops
