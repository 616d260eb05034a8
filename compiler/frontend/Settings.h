//===- Settings.h - the parts of a network file that are no layers ------------------------------------------------===//
//
// Name, optimizer and training, as plain values, and the words of others. Layer: frontend; knows no MLIR.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_FRONTEND_SETTINGS_H
#define SYLVITE_FRONTEND_SETTINGS_H

#include "compiler/dialect/Optimizers.h"
#include "compiler/frontend/Policies.h"
#include "compiler/frontend/Values.h"

#include <utility>

namespace sylvite {

/// The file's keys, and those of its sections.
const std::vector<std::string> &topLevelKeys();
const std::vector<std::string> &trainingKeys();
const std::vector<std::string> &weightsKeys();
const std::vector<std::string> &outputKinds();
const std::vector<std::string> &metricNames();

/// Values of a network file. What was missing or wrong has been reported and keeps its default.
struct Settings {
  std::string name;
  std::string optimizer;
  std::vector<std::pair<std::string, double>> optimizerSettings;
  Policies policies;
  int64_t batch = 64;
  int64_t epochs = 1;
  uint64_t seed = 0;
  std::string weightsFile;                                          ///< to start from; empty: none
  std::vector<std::pair<std::string, std::string>> weightsPrefixes; ///< a name's start in that file, and in the network
};

/// Reads these of `file`, and checks its keys and those of `weights`. `batch`, where not 0, stands for the file's.
Settings readSettings(const yaml::Node &file, ValueReader &reader, int64_t batch);

} // namespace sylvite

#endif
