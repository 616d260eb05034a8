// One run of `sylvite train`: what its files share. Loop.cpp has the loop, RunStart.cpp how a run begins or goes on.
// Layer: runtime/train.
#pragma once

#include "runtime/train/Checkpoint.h"
#include "runtime/train/Display.h"
#include "runtime/train/Loader.h"
#include "runtime/train/Loop.h"
#include "runtime/train/NonFinite.h"
#include "runtime/train/RunRecord.h"
#include "runtime/train/Saving.h"
#include "runtime/train/Watch.h"
#include "runtime/train/Weights.h"

#include <optional>
#include <string>
#include <vector>

namespace syl {

/// Lives as long as one call of trainLoop(), which says what it does.
class Run {
public:
  Run(const syl_model &model, const TrainOptions &options);
  int train();

private:
  void checkOptions();
  /// Throws Error unless the monitor is known.
  void checkMonitor(const std::string &monitor) const;
  /// Fills state and progress for a run from its beginning.
  void begin();
  void startFrom(const WeightsSettings &weights);
  RunRecord record() const;
  /// A path of the network file is relative to the folder that the network file is in.
  static std::string besideNetwork(const std::string &path);
  bool isAtStop() const {
    return options.stopAtStep && syl_state_step(&model, session.state.get()) == options.stopAtStep;
  }
  bool isStopped() const { return settings.stopping && stops(*settings.stopping, progress.policies); }
  Error noCheckpoint() const;
  /// Goes on from a checkpoint, or from the beginning of a run that was killed before its first save.
  void resume();
  void same(const char *option, const std::optional<uint64_t> &given, uint64_t saved);
  void checkSamples();
  void introduce();
  enum class Epoch { Complete, Stopped, RolledBack };
  /// Trains on the rest of the epoch.
  Epoch trainEpoch();
  syl_result step(const Batch &batch, uint64_t n);
  /// Throws Error where the state that training starts from is not finite; `where` is what it came from.
  void requireFinite(const std::string &where) const;
  /// A step found a NaN or an infinity: stops the run with an Error, skips the step, or goes back to the last
  /// checkpoint with half the learning rate.
  Epoch handleNonFinite(const Error &error, const Batch &batch, uint64_t n);
  /// Evaluates the test part, or, where there is none, the training part; its accuracy is then what the steps counted.
  Score evaluateEpoch(double trainLoss);
  /// Evaluates, reports and saves. False where a signal came before the score was there.
  bool finishEpoch();
  /// Policies that depend on the score.
  void follow(const Score &score);
  /// Saves after a signal and says how to go on; the exit status.
  int stop();
  const char *part() const { return set.test ? "test" : "train"; }

  const syl_model &model;
  const TrainOptions &options;
  const SaveInterval interval;
  const OnNan onNan;
  RunFolder folder;
  const TrainingSettings settings;
  Session session;
  Progress progress, first; // now, and where this process began
  Saver saver;
  WeightsSettings startWeights;
  std::string report;                 // of the weights that the run started from
  std::optional<Snapshots> snapshots; // where steps may be skipped
  uint64_t skippedInARow = 0, rollbacks = 0;
  DataSet set;
  std::vector<uint32_t> order; // of the epoch in progress
  double stepsPerEpoch = 0;
  Display *display = nullptr;
  Watch *watch = nullptr;
  std::optional<Loader> loader;   // of the training part
  double rate = 0, dataShare = 0; // samples a second; share of the epoch's time that the step waited for data
};

} // namespace syl
