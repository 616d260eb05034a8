//===- Attention.cpp - nn.attention_values, nn.attention_max ------------------------------------------------------===//
//
// Channel h * d + k of a sequence is element k of head h. Queries, keys and values are split into heads first, so that
// all that costs steps * steps is pure in its coordinates: (k, g, x, n) element, head, query, sample; s is the key.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

#include <cmath>

using namespace Halide;

namespace sylvite::ops {

namespace {

struct Attention {
  Attention(OpContext &context, int64_t heads, bool causal) : context(context), heads(int(heads)), causal(causal) {
    packed = context.operandCount() - mlir::isa<nn::AttentionValuesOp>(context.op) == 1;
    channels = int(context.operand(0).view.realChannels) / (packed ? 3 : 1);
    size = channels / this->heads;
    queries = int(context.operand(0).view.axes[0].size);
    keys = int(context.operand(packed ? 0 : 1).view.axes[0].size);
  }

  /// Query (0), key (1) or value (2) at an element and head of a step.
  Expr read(int which, Expr element, Expr head, Expr step) const {
    Expr channel = head * size + element;
    return packed ? context.operand(0).func(channel + which * channels, step, vars().n)
                  : context.operand(which).func(channel, step, vars().n);
  }

  /// scores(s, x, g, n) = query . key / sqrt(size).
  Func scores() const {
    const Vars &v = vars();
    Func query = context.func("query"), key = context.func("key"), result = context.func("scores");
    query(v.k, v.x, v.g, v.n) = read(0, v.k, v.g, v.x) * context.constant(1 / std::sqrt(double(size)));
    key(v.s, v.k, v.g, v.n) = read(1, v.k, v.g, v.s);
    RDom r(0, size, "rk");
    result(v.s, v.x, v.g, v.n) = context.constant(0);
    result(v.s, v.x, v.g, v.n) += query(r, v.x, v.g, v.n) * key(v.s, r, v.g, v.n);
    context.nameRVars(result, {"rk"});
    return result;
  }

  OpContext &context;
  int heads, channels = 0, size = 0, queries = 0, keys = 0;
  bool causal, packed = false;
};

std::vector<Value> attentionMax(OpContext &context) {
  auto op = mlir::cast<nn::AttentionMaxOp>(context.op);
  Attention attention(context, op.getHeads(), op.getCausal());
  const Vars &v = vars();
  Func scores = attention.scores(), largest = context.func("largest");
  RDom r(0, attention.keys, "rs");
  Expr score = scores(r, v.x, v.g, v.n), least = context.type().min();
  largest(v.g, v.x, v.n) = least;
  largest(v.g, v.x, v.n) =
      Halide::max(largest(v.g, v.x, v.n), attention.causal ? select(r <= v.x, score, least) : score);
  context.nameRVars(largest, {"rs"});
  Value result = imageResult(context, "attention_max");
  result.func(v.c, v.x, v.n) = largest(Halide::min(v.c, attention.heads - 1), v.x, v.n);
  return {result};
}
Register registeredMax("nn.attention_max", attentionMax);

std::vector<Value> attentionValues(OpContext &context) {
  auto op = mlir::cast<nn::AttentionValuesOp>(context.op);
  Attention attention(context, op.getHeads(), op.getCausal());
  const Value &largest = context.operand(context.operandCount() - 1);
  const Vars &v = vars();
  Func scores = attention.scores(), value = context.func("value"), weights = context.func("weights");
  Func total = context.func("total"), weighted = context.func("weighted"), mean = context.func("mean");
  value(v.k, v.s, v.g, v.n) = attention.read(2, v.k, v.g, v.s);
  Expr shifted = scores(v.s, v.x, v.g, v.n) - largest.func(v.g, v.x, v.n);
  Expr term = exp(select(shifted <= 0, shifted, context.constant(0)));
  weights(v.s, v.x, v.g, v.n) = attention.causal ? select(v.s <= v.x, term, context.constant(0)) : term;
  RDom r(0, attention.keys, "rs");
  total(v.x, v.g, v.n) = context.constant(0);
  total(v.x, v.g, v.n) += weights(r, v.x, v.g, v.n);
  weighted(v.k, v.x, v.g, v.n) = context.constant(0);
  weighted(v.k, v.x, v.g, v.n) += weights(r, v.x, v.g, v.n) * value(v.k, r, v.g, v.n);
  context.nameRVars(total, {"rs"});
  context.nameRVars(weighted, {"rs"});
  mean(v.k, v.x, v.g, v.n) = weighted(v.k, v.x, v.g, v.n) / total(v.x, v.g, v.n);
  Value result = imageResult(context, "attention");
  Expr head = Halide::min(v.c / attention.size, attention.heads - 1);
  result.func(v.c, v.x, v.n) = mean(v.c % attention.size, v.x, head, v.n);
  return {result};
}
Register registeredValues("nn.attention_values", attentionValues);

} // namespace

} // namespace sylvite::ops
