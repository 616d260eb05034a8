// Settings of the training loop, as the descriptor has them, and the policies that follow a metric. Layer:
// runtime/train.
//
// syl_model.training is JSON, a map of
//   metrics: a list of names (Metrics.h);
//   learning_rate: the optimizer's;
//   reduce_on_plateau: {monitor, factor, patience, threshold, threshold_mode, cooldown, min, eps};
//   early_stopping: {monitor, patience, min_delta};
//   weights: {file, prefix: [[FROM, TO], …]}, the file that training starts from (Weights.h).
// All may be absent. `monitor` is `loss`, a metric's name, or `metric`, the default: the first metric, or the loss
// where there is none.
#pragma once

#include "sylvite/sylvite.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace syl {

/// Lowers the learning rate when a value no longer gets better. Source: torch.optim.lr_scheduler.ReduceLROnPlateau.
struct PlateauSettings {
  std::string monitor;
  double factor = 0.1, threshold = 1e-4, minimum = 0, eps = 1e-8;
  uint64_t patience = 10, cooldown = 0;
  bool relative = true; // threshold_mode: rel or abs
};

/// Ends training when a value has not got better by more than minDelta for `patience` evaluations.
struct StoppingSettings {
  std::string monitor;
  double minDelta = 0;
  uint64_t patience = 3;
};

struct WeightsSettings {
  std::string file;
  std::vector<std::pair<std::string, std::string>> prefix; // (from, to)
};

struct TrainingSettings {
  std::vector<std::string> metrics;
  double learningRate = 0; // 0: not known
  std::optional<PlateauSettings> plateau;
  std::optional<StoppingSettings> stopping;
  std::optional<WeightsSettings> weights;
};

/// Reads the descriptor's JSON. Throws Error (SYL_ERROR_FORMAT) where it is not of the form above.
TrainingSettings readTrainingSettings(const syl_model &model);

/// What the policies remember from one evaluation to the next; part of a checkpoint.
struct PolicyState {
  double rateScale = 1; // of the learning rate
  double plateauBest = 0, stoppingBest = 0;
  uint64_t plateauBad = 0, plateauCooldown = 0, stoppingBad = 0;
  bool plateauStarted = false, stoppingStarted = false; // whether the best are of an evaluation
};

/// Takes note of a new value. Returns whether the learning rate was lowered.
bool followPlateau(const PlateauSettings &settings, double learningRate, double value, bool higherIsBetter,
                   PolicyState &state);
void followStopping(const StoppingSettings &settings, double value, bool higherIsBetter, PolicyState &state);
/// Whether training is to end.
bool stops(const StoppingSettings &settings, const PolicyState &state);

} // namespace syl
