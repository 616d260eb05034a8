// Checkpoints: the state of a network as a safetensors file in PyTorch's names and shapes. Layer: runtime/train.
//
// Metadata of a file that Sylvite writes, all of them text: sylvite (version of the format), network, compiler, target
// (instruction set), step, epoch (complete ones), position (samples seen of the epoch in progress), seed, batch,
// samples, epochs, best_metric (what decides which epoch is best; empty: the first metric), best_value and best_line
// (its value, and what is printed of it), best_epoch, loss_sum, correct and skipped (of the epoch in progress),
// rate_scale, plateau_* and stopping_* (what the policies remember),
// names (JSON list, in the order of PyTorch's state_dict, then the optimizer's), format ("pt"), sha256.
#pragma once

#include "runtime/data/Safetensors.h"
#include "runtime/train/Policies.h"
#include "runtime/train/StateTensors.h"
#include "sylvite/sylvite.h"

#include <string>

namespace syl {

/// Where a training run stands, beside the state block.
struct Progress {
  uint64_t epoch = 0;    // complete epochs
  uint64_t position = 0; // samples of the epoch in progress that were trained on
  uint64_t epochs = 0;   // that the run is to do
  uint64_t samples = 0;  // of the training part
  uint64_t batch = 0;
  uint64_t seed = 0;
  double lossSum = 0; // over the samples of the epoch in progress
  int64_t correct = 0;
  uint64_t skipped = 0;   // samples of the epoch in progress whose steps were skipped
  std::string bestMetric; // what decides which epoch is best: loss or a metric's name; empty: the first metric, or loss
  double bestValue = 0;   // of that metric
  std::string bestLine;   // what is printed of the best epoch: "accuracy 91.24%"
  uint64_t bestEpoch = 0; // from 1; 0 before the first evaluation
  PolicyState policies;
};

/// Adds the parameters, running statistics and slots of `state` to `writer`, and an int64 X.num_batches_tracked = step
/// after the running statistics of each X, where the model has no tensor of this name.
void addState(SafetensorsWriter &writer, const syl_model &model, const void *state);

/// Metadata for a file of this writer's tensors. `progress` may be null: then the run is at the start of epoch 0.
Metadata checkpointMetadata(const SafetensorsWriter &writer, const syl_model &model, const void *state,
                            const Progress *progress);

/// Saves a checkpoint atomically; the one before stays as `keepAs`, where that is not empty. Throws Error.
void saveCheckpoint(const std::string &path, const syl_model &model, const void *state, const Progress *progress,
                    const std::string &keepAs = {});

/// Differences between a file and a network that a caller lets through.
struct LoadRules {
  bool allowMissing = false; // tensors that the file lacks start anew
  bool allowExtra = false;   // tensors that the network lacks are left over
  PrefixRules prefix;        // names of the file that begin with FROM count with TO in its place
};

/// Fills `state` from a checkpoint or from a file that PyTorch wrote. On an Error the state is unchanged. Averages that
/// the file lacks start from what was loaded. Tensors named output, output.*, loss and grad.* are passed over, so that
/// what `step` dumps can be loaded. Steps are float32 to float64 and back only where no value changes. With `progress`
/// the file must hold a run's position (SYL_ERROR_MISMATCH). Returns the report on what `rules` let through, empty
/// where that was nothing.
std::string loadCheckpoint(const std::string &path, const syl_model &model, void *state, Progress *progress = nullptr,
                           const LoadRules &rules = {});

} // namespace syl
