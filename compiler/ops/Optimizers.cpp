//===- Optimizers.cpp - nn.optimizer_scalars and nn.optimizer_update ----------------------------------------------===//
//
// Each kind is two functions: scalars, from the number of the update, in double; and the new values of a parameter and
// its slots. Updates see their tensors flat, (i, n): the layout of a parameter does not matter to them. Formulas are
// those of torch.optim, in its order.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/Optimizers.h"
#include "compiler/ops/Gradients.h"
#include "compiler/ops/Op.h"
#include "compiler/ops/Schedules.h"

using namespace Halide;

namespace sylvite::ops {

namespace {

/// One parameter's update: its values in, its new values out.
class Update {
public:
  Update(OpContext &context)
      : context(context), op(mlir::cast<nn::OptimizerUpdateOp>(context.op)), settings(op.getOptimizer()),
        record(*findOptimizer(settings.word("kind"))), variables(op.getVariables().size()) {
    unsigned index = 1;
    for (const OptimizerSlot &slot : record.slots)
      if (slot.where.empty() || settings.number(slot.where))
        slots[slot.name] = index++;
    for (auto &[name, position] : slots)
      roles[position] = name;
    parameter = context.operand(0).here();
    rate = scalar(scalarRate) * constant(op.getRateScale().convertToDouble());
    values.resize(variables);
  }

  OpContext &context;
  mutable nn::OptimizerUpdateOp op; // MLIR's accessors are not const
  OptimizerSettings settings;
  const OptimizerRecord &record;
  unsigned variables;
  Expr parameter, gradient, rate;
  std::vector<Expr> values;              ///< new ones, in the order of the variables
  std::map<unsigned, std::string> roles; ///< of the slots' Funcs

  Expr constant(double value) const { return context.constant(value); }
  Expr scalar(int which) const { return context.operand(variables + 1).func(which); }
  Expr setting(const std::string &key) const { return constant(settings.number(key)); }
  bool has(const std::string &slot) const { return slots.count(slot) != 0; }
  Expr slot(const std::string &name) const { return context.operand(slots.at(name)).here(); }
  Expr set(const std::string &slot, Expr value) { return values[slots.at(slot)] = value; }

  double decay() const { return settings.number("weight_decay") * op.getDecayScale().convertToDouble(); }
  /// Weight decay as part of the gradient.
  Expr decayed() const { return decay() == 0 ? gradient : gradient + constant(decay()) * parameter; }
  /// Weight decay apart from it.
  Expr shrunk() const { return decay() == 0 ? parameter : parameter * (constant(1) - rate * constant(decay())); }
  /// The decaying mean of `value` in a slot.
  Expr average(const std::string &name, const std::string &share, Expr value) {
    double keep = settings.number(share);
    return set(name, constant(keep) * slot(name) + constant(1 - keep) * value);
  }

private:
  std::map<std::string, unsigned> slots;
};

using Scalars = std::pair<Expr, Expr>; // scalarKind1 and scalarKind2

Expr biasCorrection(const OptimizerSettings &settings, const char *beta, Expr update) {
  return Expr(1.0) - pow(Expr(settings.number(beta)), update);
}

/// torch.optim.Adam, AdamW: 1 / (1 - beta1^t) and 1 / sqrt(1 - beta2^t).
Scalars adamScalars(const OptimizerSettings &settings, Expr update) {
  return {Expr(1.0) / biasCorrection(settings, "beta1", update),
          Expr(1.0) / sqrt(biasCorrection(settings, "beta2", update))};
}

void adamStep(Update &update, Expr start, Expr gradient) {
  Expr average = update.average("exp_avg", "beta1", gradient);
  Expr square = update.average("exp_avg_sq", "beta2", gradient * gradient);
  if (update.has("max_exp_avg_sq")) {
    Expr largest = update.slot("max_exp_avg_sq");
    square = update.set("max_exp_avg_sq", select(largest >= square, largest, square));
  }
  Expr denominator = sqrt(square) * update.scalar(scalarKind2) + update.setting("eps");
  update.values[0] = start - update.rate * update.scalar(scalarKind1) * average / denominator;
}
void adam(Update &update) { adamStep(update, update.parameter, update.decayed()); }
void adamw(Update &update) { adamStep(update, update.shrunk(), update.gradient); }

/// torch.optim.SGD: the first momentum is the gradient, without dampening: scalarKind1 is the gradient's share.
Scalars sgdScalars(const OptimizerSettings &settings, Expr update) {
  return {select(update <= 1, Expr(1.0), Expr(1.0 - settings.number("dampening"))), Expr(0.0)};
}
void sgd(Update &update) {
  Expr step = update.decayed();
  if (update.has("momentum_buffer")) {
    Expr momentum = update.setting("momentum");
    Expr velocity =
        update.set("momentum_buffer", momentum * update.slot("momentum_buffer") + update.scalar(scalarKind1) * step);
    step = update.settings.number("nesterov") ? step + momentum * velocity : velocity;
  }
  update.values[0] = update.parameter - update.rate * step;
}

Scalars noScalars(const OptimizerSettings &, Expr) { return {Expr(0.0), Expr(0.0)}; }

/// torch.optim.RMSprop.
void rmsprop(Update &update) {
  Expr gradient = update.decayed(), square = update.average("square_avg", "alpha", gradient * gradient);
  if (update.has("grad_avg")) {
    Expr mean = update.average("grad_avg", "alpha", gradient), variance = square - mean * mean;
    square = select(variance > 0, variance, update.constant(0)); // below 0 by rounding alone
  }
  Expr step = gradient / (sqrt(square) + update.setting("eps"));
  if (update.has("momentum_buffer"))
    step = update.set("momentum_buffer", update.setting("momentum") * update.slot("momentum_buffer") + step);
  update.values[0] = update.parameter - update.rate * step;
}

/// torch.optim.Adagrad: scalarKind1 is 1 / (1 + (t - 1) * lr_decay).
Scalars adagradScalars(const OptimizerSettings &settings, Expr update) {
  return {Expr(1.0) / (Expr(1.0) + (update - Expr(1.0)) * Expr(settings.number("lr_decay"))), Expr(0.0)};
}
void adagrad(Update &update) {
  Expr gradient = update.decayed(), sum = update.set("sum", update.slot("sum") + gradient * gradient);
  update.values[0] =
      update.parameter - update.rate * update.scalar(scalarKind1) * gradient / (sqrt(sum) + update.setting("eps"));
}

/// Chen et al. 2023, algorithm 2.
void lion(Update &update) {
  double beta1 = update.settings.number("beta1");
  Expr mixed = update.constant(beta1) * update.slot("exp_avg") + update.constant(1 - beta1) * update.gradient;
  update.average("exp_avg", "beta2", update.gradient);
  Expr sign = select(mixed > 0, update.constant(1), select(mixed < 0, update.constant(-1), update.constant(0)));
  update.values[0] = update.shrunk() - update.rate * sign;
}

struct Kind {
  Scalars (*scalars)(const OptimizerSettings &, Expr update);
  void (*step)(Update &);
};
const Kind &kindOf(const std::string &name) {
  static const std::map<std::string, Kind> kinds = {
      {"adam", {adamScalars, adam}},     {"adamw", {adamScalars, adamw}},        {"sgd", {sgdScalars, sgd}},
      {"rmsprop", {noScalars, rmsprop}}, {"adagrad", {adagradScalars, adagrad}}, {"lion", {noScalars, lion}}};
  return kinds.at(name);
}

std::vector<Value> optimizerScalars(OpContext &context) {
  OptimizerSettings settings(mlir::cast<nn::OptimizerScalarsOp>(context.op).getOptimizer());
  Expr micro = Expr(std::max(1.0, settings.number("accumulate"))); // steps an update
  Expr step = context.step(), update = ceil(step / micro), first = Expr(1.0), none = Expr(0.0);
  Scalars own = kindOf(settings.word("kind")).scalars(settings, update);
  Expr isFirst = select(update <= 1, first, none);
  std::vector<Expr> all(optimizerScalarCount);
  all[scalarRate] =
      scheduledRate(settings, update - Expr(1.0), micro, context.stepsPerEpoch()) * context.learningRateScale();
  all[scalarFirst] = isFirst;
  all[scalarKind1] = own.first;
  all[scalarKind2] = own.second;
  all[scalarUpdates] = select(step == update * micro, first, none);
  all[scalarKeep] = select(step == (update - Expr(1.0)) * micro + Expr(1.0), none, first);
  all[scalarAverage] = select(update <= 1, first, Expr(1.0 - settings.number("ema")));
  Value result;
  result.extents = {optimizerScalarCount};
  result.func = context.func("optimizer_scalars");
  result.func(vars().c) = cast(context.type(), mux(vars().c, all));
  return {result};
}
Register registeredScalars("nn.optimizer_scalars", optimizerScalars);

std::vector<Value> optimizerUpdate(OpContext &context) {
  Update update(context);
  unsigned variables = update.variables, accumulated = variables;
  bool accumulates = update.settings.number("accumulate") > 1, averages = update.settings.number("ema") != 0;
  if (accumulates)
    accumulated = variables - 1 - averages;
  Expr total = totalGradient(context, update.settings, variables, accumulates ? int(accumulated) : -1, variables + 1);
  update.gradient = clippedByValue(context, update.settings, total);
  if (update.op.getClip())
    update.gradient = update.gradient * context.operand(variables + 2).func(0);
  kindOf(update.settings.word("kind")).step(update);
  if (averages) {
    Expr before = context.operand(variables - 1).here();
    update.values[variables - 1] = before + update.scalar(scalarAverage) * (update.values[0] - before);
  }
  std::vector<Value> results;
  for (unsigned i = 0; i < variables; ++i) {
    Value result = context.operand(i);
    result.detached = nullptr;
    result.func = context.func(i == 0                  ? "parameter"
                               : update.roles.count(i) ? update.roles.at(i)
                               : i == accumulated      ? "accumulated"
                                                       : "average");
    Expr value = i == accumulated ? total : update.values[i];
    if (accumulates && i != accumulated)
      value = select(update.scalar(scalarUpdates) > 0, value, context.operand(i).here());
    result.func(context.operand(i).dims()) = value;
    results.push_back(result);
  }
  return results;
}
Register registeredUpdate("nn.optimizer_update", optimizerUpdate);

} // namespace
} // namespace sylvite::ops
