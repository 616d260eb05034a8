//===- Schedules.cpp - the learning rate as an expression of the update's number ----------------------------------===//
//
// Closed forms need no state: a run that resumes has the rates of one that was not interrupted. The dictionary
// `schedule` has `kind`, its settings, `per_step` (1: its unit is an update, else an epoch), `total` where the file
// gives a length, `epochs` of the run, `steps_per_epoch` for callers that do not know, and the warm-up: `warmup_steps`
// or `warmup_epochs`, `warmup_start`. After a warm-up the schedule begins with its first rate.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Schedules.h"

#include <cmath>
#include <map>

using namespace Halide;

namespace sylvite::ops {

namespace {

constexpr double pi = 3.14159265358979323846;

struct Progress {
  const OptimizerSettings &settings;
  Expr rate;  ///< the optimizer's
  Expr at;    ///< units since the schedule began, whole
  Expr total; ///< its length in units
};

Expr between(Expr from, Expr to, Expr share) { // 1 to 0 as a cosine
  return to + (from - to) * (Expr(1.0) + cos(Expr(pi) * share)) / Expr(2.0);
}

/// LRScheduler that changes nothing; ReduceLROnPlateau works through the caller's scale.
Expr constant(const Progress &p) { return p.rate; }

/// StepLR.
Expr step(const Progress &p) {
  return p.rate * pow(Expr(p.settings.number("gamma")), floor(p.at / Expr(p.settings.number("size"))));
}

/// MultiStepLR.
Expr multistep(const Progress &p) {
  Expr passed = Expr(0.0);
  for (double milestone : p.settings.numbers("milestones"))
    passed = passed + select(p.at >= Expr(milestone), Expr(1.0), Expr(0.0));
  return p.rate * pow(Expr(p.settings.number("gamma")), passed);
}

/// ExponentialLR.
Expr exponential(const Progress &p) { return p.rate * pow(Expr(p.settings.number("gamma")), p.at); }

/// PolynomialLR, with an end other than 0 if wanted.
Expr polynomial(const Progress &p) {
  Expr share = Expr(1.0) - Halide::min(p.at, p.total) / p.total, end = Expr(p.settings.number("end"));
  return end + (p.rate - end) * pow(share, Expr(p.settings.number("power")));
}

/// CosineAnnealingLR, CosineAnnealingWarmRestarts.
Expr cosine(const Progress &p) {
  Expr least = Expr(p.settings.number("min"));
  if (!p.settings.has("restarts_first"))
    return between(p.rate, least, p.at / p.total);
  double factor = p.settings.number("restarts_factor");
  Expr first = Expr(p.settings.number("restarts_first"));
  if (factor == 1)
    return between(p.rate, least, (p.at - floor(p.at / first) * first) / first);
  // Cycle k starts at first * (factor^k - 1) / (factor - 1); the small term keeps whole logarithms whole.
  Expr cycle = floor(log(p.at / first * Expr(factor - 1) + Expr(1.0)) / Expr(std::log(factor)) + Expr(1e-9));
  Expr length = first * pow(Expr(factor), cycle), start = (length - first) / Expr(factor - 1);
  return between(p.rate, least, (p.at - start) / length);
}

/// OneCycleLR with anneal_strategy cos and three_phase false; it does not use the optimizer's rate.
Expr oneCycle(const Progress &p) {
  Expr most = Expr(p.settings.number("max")), first = most / Expr(p.settings.number("div_factor"));
  Expr last = first / Expr(p.settings.number("final_div_factor"));
  Expr peak = Expr(p.settings.number("pct_start")) * p.total - Expr(1.0), end = p.total - Expr(1.0);
  Expr rising = between(first, most, p.at / peak);
  Expr falling = between(most, last, (Halide::min(p.at, end) - peak) / (end - peak));
  return select(p.at <= peak, rising, falling);
}

using Form = Expr (*)(const Progress &);
const std::map<std::string, Form> &forms() {
  static const std::map<std::string, Form> all = {
      {"constant", constant},  {"cosine", cosine},         {"exponential", exponential},    {"multistep", multistep},
      {"one_cycle", oneCycle}, {"polynomial", polynomial}, {"reduce_on_plateau", constant}, {"step", step}};
  return all;
}

} // namespace

Expr scheduledRate(const OptimizerSettings &optimizer, Expr update, Expr micro, Expr stepsPerEpoch) {
  Expr rate = Expr(optimizer.number("learning_rate"));
  if (!optimizer.has("schedule"))
    return rate;
  OptimizerSettings settings = optimizer.inside("schedule");
  Expr stepsAnEpoch = select(stepsPerEpoch > 0, stepsPerEpoch, Expr(settings.number("steps_per_epoch", 1)));
  Expr updatesAnEpoch = stepsAnEpoch / micro;
  Expr warmup = settings.has("warmup_epochs") ? ceil(Expr(settings.number("warmup_epochs")) * updatesAnEpoch)
                                              : Expr(settings.number("warmup_steps"));
  Expr unit = settings.number("per_step") ? Expr(1.0) : updatesAnEpoch; // updates
  Expr run = Expr(settings.number("epochs", 1)) * updatesAnEpoch;
  Expr total =
      settings.has("total") ? Expr(settings.number("total")) : Halide::max(ceil((run - warmup) / unit), Expr(1.0));
  Expr after = Halide::max(update - warmup, Expr(0.0));
  Expr scheduled = forms().at(settings.word("kind"))(Progress{settings, rate, floor(after / unit), total});
  if (!settings.has("warmup_epochs") && !settings.has("warmup_steps"))
    return scheduled;
  Expr start = Expr(settings.number("warmup_start")); // LinearLR
  Expr factor = start + (Expr(1.0) - start) * update / Halide::max(warmup, Expr(1.0));
  return select(update < warmup, rate * factor, scheduled);
}

} // namespace sylvite::ops
