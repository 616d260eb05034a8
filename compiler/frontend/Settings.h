//===- Settings.h - the parts of a network file that are no layers ------------------------------------------------===//
//
// Name, input, output, metrics, optimizer and training, as plain values. Layer: frontend; knows no MLIR.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_FRONTEND_SETTINGS_H
#define SYLVITE_FRONTEND_SETTINGS_H

#include "compiler/frontend/Values.h"

#include <utility>

namespace sylvite {

/// The file's keys, and those of its sections.
const std::vector<std::string> &topLevelKeys();
const std::vector<std::string> &inputKeys();
const std::vector<std::string> &trainingKeys();
const std::vector<std::string> &inputTypes();
const std::vector<std::string> &outputKinds();
const std::vector<std::string> &metricNames();

/// A setting of an optimizer: in YAML one number, or a list of as many as it has entries in the network's dictionary.
struct OptimizerSetting {
  std::string key;
  std::vector<std::pair<std::string, double>> entries; ///< name in the dictionary and default, PyTorch's
  double below;                                        ///< values are from 0 to below this
};
struct OptimizerRecord {
  std::string name;
  std::vector<OptimizerSetting> settings;
};
const std::vector<OptimizerRecord> &optimizerRecords();

/// Values of a network file. What was missing or wrong has been reported and keeps its default.
struct Settings {
  std::string name;
  std::vector<int64_t> inputShape; ///< one sample, as in the file; empty where it is not known
  bool inputIsBytes = false;       ///< uint8, else float32
  std::string output;              ///< empty: the loss's default
  std::vector<std::string> metrics;
  std::string optimizer;
  std::vector<std::pair<std::string, double>> optimizerSettings;
  int64_t batch = 64;
  int64_t epochs = 1;
  uint64_t seed = 0;
};

/// Reads all of `file` but its layers, and checks its keys. `batch`, where not 0, stands for the file's.
Settings readSettings(const yaml::Node &file, ValueReader &reader, int64_t batch);

} // namespace sylvite

#endif
