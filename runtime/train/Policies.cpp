// The training loop's settings and what follows a metric. Layer: runtime/train.
#include "runtime/train/Policies.h"

#include "runtime/data/Json.h"

#include <algorithm>

namespace syl {

namespace {

template <class T> void take(const Json &map, const char *key, T &value) {
  if (const Json *found = map.find(key); found && !found->isNull())
    found->get(value);
}

/// A whole number of 0 or more, which may be written as a real one.
void takeCount(const Json &map, const char *key, uint64_t &value) {
  double number = double(value);
  take(map, key, number);
  value = number > 0 ? uint64_t(std::min(number, 1e15)) : 0;
}

PlateauSettings plateauOf(const Json &map) {
  PlateauSettings settings;
  std::string mode;
  take(map, "monitor", settings.monitor);
  take(map, "factor", settings.factor);
  take(map, "threshold", settings.threshold);
  take(map, "threshold_mode", mode);
  take(map, "min", settings.minimum);
  take(map, "eps", settings.eps);
  takeCount(map, "patience", settings.patience);
  takeCount(map, "cooldown", settings.cooldown);
  settings.relative = mode != "abs";
  return settings;
}

StoppingSettings stoppingOf(const Json &map) {
  StoppingSettings settings;
  take(map, "monitor", settings.monitor);
  take(map, "min_delta", settings.minDelta);
  takeCount(map, "patience", settings.patience);
  return settings;
}

WeightsSettings weightsOf(const Json &map) {
  WeightsSettings settings;
  take(map, "file", settings.file);
  take(map, "prefix", settings.prefix);
  return settings;
}

} // namespace

TrainingSettings readTrainingSettings(const syl_model &model) {
  TrainingSettings settings;
  try {
    const Json map = Json::parse(model.training ? model.training : "{}");
    take(map, "metrics", settings.metrics);
    take(map, "learning_rate", settings.learningRate);
    if (const Json *found = map.find("reduce_on_plateau"))
      settings.plateau = plateauOf(*found);
    if (const Json *found = map.find("early_stopping"))
      settings.stopping = stoppingOf(*found);
    if (const Json *found = map.find("weights"))
      settings.weights = weightsOf(*found);
  } catch (const Error &problem) {
    throw Error(SYL_ERROR_FORMAT, model.name, std::string("found settings that cannot be read: ") + problem.what());
  }
  return settings;
}

bool followPlateau(const PlateauSettings &settings, double learningRate, double value, bool higherIsBetter,
                   PolicyState &state) {
  const double sign = higherIsBetter ? 1 : -1, best = state.plateauBest;
  const double edge = best + sign * settings.threshold * (settings.relative ? best : 1);
  if (!state.plateauStarted || (higherIsBetter ? value > edge : value < edge)) {
    state.plateauBest = value;
    state.plateauStarted = true;
    state.plateauBad = 0;
  } else {
    ++state.plateauBad;
  }
  if (state.plateauCooldown > 0) {
    --state.plateauCooldown;
    state.plateauBad = 0;
  }
  if (state.plateauBad <= settings.patience)
    return false;
  state.plateauCooldown = settings.cooldown;
  state.plateauBad = 0;
  double rate = (learningRate > 0 ? learningRate : 1) * state.rateScale;
  double lowered = std::max(rate * settings.factor, settings.minimum);
  if (rate - lowered <= settings.eps)
    return false;
  state.rateScale = lowered / (learningRate > 0 ? learningRate : 1);
  return true;
}

void followStopping(const StoppingSettings &settings, double value, bool higherIsBetter, PolicyState &state) {
  const double edge = state.stoppingBest + (higherIsBetter ? settings.minDelta : -settings.minDelta);
  if (!state.stoppingStarted || (higherIsBetter ? value > edge : value < edge)) {
    state.stoppingBest = value;
    state.stoppingStarted = true;
    state.stoppingBad = 0;
  } else {
    ++state.stoppingBad;
  }
}

bool stops(const StoppingSettings &settings, const PolicyState &state) {
  return state.stoppingBad >= std::max<uint64_t>(settings.patience, 1);
}

} // namespace syl
