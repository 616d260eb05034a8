// What a training run does about a NaN or an infinity: which layer gives it, and stop, skip or rollback. Layer:
// runtime/train.
#pragma once

#include "runtime/train/Session.h"

#include <string>
#include <vector>

namespace syl {

enum class OnNan { Stop, Skip, Rollback };
/// Reads "stop", "skip" or "rollback". Throws Error (SYL_ERROR_ARGUMENT) with `option` in front.
OnNan readOnNan(const std::string &text, const std::string &option);

/// The first kernel of the training step that leaves a NaN or an infinity behind, as "layer conv2d_2
/// (conv2d.forward)"; empty where none does. Runs the step's kernels one after the other on a copy of the state, on
/// this thread.
std::string findLayer(const Session &session, const void *const *inputs, const void *const *targets, int64_t n,
                      double scale, double stepsPerEpoch);

/// The samples of a batch whose float inputs or targets are not finite, as lines; `rows` are their rows in the training
/// part.
std::string findSamples(const syl_model &model, const void *const *inputs, const void *const *targets,
                        const uint32_t *rows, size_t count);

/// States of the epoch in progress that a bad step can be taken back to: a copy now and then, and which steps came
/// after it, so that a state is had again by doing these once more, to the bit.
class Snapshots {
public:
  struct Step {
    uint64_t position, count; // samples [position, position + count) of the epoch's order
  };
  explicit Snapshots(size_t stateBytes) : copy(stateBytes) {}
  /// The state before the next step; `fresh` where the state is not that after the last step noted.
  void before(const void *state, bool fresh);
  void note(Step step) { steps.push_back(step); }
  /// Copies the newest snapshot into `state`; returns the steps to do again.
  const std::vector<Step> &restore(void *state) const;

private:
  Block copy;
  std::vector<Step> steps;
  bool taken = false;
};

} // namespace syl
