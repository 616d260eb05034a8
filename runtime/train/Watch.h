// What a run tells of its course: rows of the run's log, and norms of gradients and weights. Layer: runtime/train.
#pragma once

#include "runtime/train/Display.h"
#include "runtime/train/RunLog.h"
#include "runtime/train/Score.h"

#include <string>

namespace syl {

/// Writes some 100 rows an epoch, after steps that seed and data alone decide: train/loss (mean since the row before),
/// learning_rate of the last step, images_per_second and, where asked for, norm.weight/NAME and norm.grad/NAME,
/// Euclidean norms of each parameter; after each epoch train/epoch_loss, and test/loss and the metrics of the evaluated
/// part.
class Watch {
public:
  /// `rate` is the optimizer's learning rate, 0 where it is not known. Throws Error (SYL_ERROR_MISMATCH) where norms
  /// are asked for and the model keeps no gradients.
  Watch(const RunFolder &folder, const Session &session, const Progress &progress, double rate, bool norms,
        RunLog::Warn warn);

  /// After a step on n samples; progress counts it already.
  void afterStep(const syl_result &result, uint64_t n);
  /// After an epoch, which progress counts already; `part` is "test" or "train".
  void afterEpoch(double trainLoss, const Score &score, const std::string &part);

private:
  /// Of the last step: what the kernels' schedule gave, else what the loop knows; 0: not known.
  double learningRate() const;
  void addNorms(LoggedValues &values) const;

  const Session &session;
  const Progress &progress;
  const double rate;
  const bool norms;
  RunLog log;
  double lossSum = 0;
  uint64_t samples = 0;
  Clock::time_point start = Clock::now();
};

} // namespace syl
