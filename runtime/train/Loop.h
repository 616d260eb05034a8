// The training loop: epochs, evaluation, checkpoints, stopping and resuming. Layer: runtime/train.
#pragma once

#include "runtime/data/DataSet.h"
#include "runtime/train/Score.h"
#include "runtime/train/StateTensors.h"

#include <optional>
#include <string>

namespace syl {

struct TrainOptions {
  DataRequest data;
  std::string out;     // folder of the run
  std::string weights; // safetensors file to start from; the network file's where it is empty
  PrefixRules prefix;  // of `weights`, beside those of the network file
  std::optional<uint64_t> epochs, batch, seed;
  int32_t threads = 0; // 0: the runtime's default
  bool resume = false, quiet = false;
  bool json = false;                   // one JSON object a line instead of text
  bool logNorms = false;               // of gradients and weights; the model must keep its gradients
  uint64_t stopAtStep = 0;             // end there, with a save; 0: do not
  std::string from;                    // checkpoint to go on from; empty: the run's last
  std::string saveEvery = "1epoch";    // readSaveInterval
  std::optional<std::string> keepBest; // what decides which epoch is best: loss or a metric's name
  std::string onNan = "stop";          // readOnNan
  std::vector<std::string> command;    // the command line, for the record
};

/// Trains and prints; returns the exit status: 0, or 128 + its number where a signal stopped the run and it was saved.
/// RunFolder.h says what the folder gets. Throws Error.
int trainLoop(const syl_model &model, const TrainOptions &options);

} // namespace syl
