// The training loop: epochs, evaluation, checkpoints, stopping and resuming. Layer: runtime/train.
#pragma once

#include "runtime/data/DataSet.h"
#include "runtime/train/Session.h"

#include <optional>
#include <string>

namespace syl {

/// Loss and accuracy of a part.
struct Score {
  double loss = 0;          // mean over the samples
  double accuracy = -1;     // in [0, 1]; -1 where the network has none
  bool interrupted = false; // a signal came before the end
};

/// Evaluates a whole part in batches of the compiled size. Stops early at SIGINT or SIGTERM where StopSignals is alive.
Score evaluatePart(Session &session, const Part &part);

/// "91.24%".
std::string percent(double fraction);

struct TrainOptions {
  std::string data;
  std::string out; // folder of the run
  std::optional<uint64_t> epochs, batch, seed;
  int32_t threads = 0; // 0: the runtime's default
  bool resume = false, quiet = false;
};

/// Trains and prints; returns the exit status: 0, or 130 (SIGINT) and 143 (SIGTERM) where the run was stopped and
/// saved. The folder gets last.safetensors (and the one before as last-1.safetensors) and best.safetensors. Throws
/// Error.
int trainLoop(const syl_model &model, const TrainOptions &options);

} // namespace syl
