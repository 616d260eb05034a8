//===- Optimizers.h - the optimizers: settings, defaults, slots ---------------------------------------------------===//
//
// One table serves the frontend (keys and defaults of the network file), nn-update (slots) and the documentation's
// test. What an optimizer computes stands in compiler/ops/Optimizers.cpp. Layer: dialect; knows no MLIR.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_DIALECT_OPTIMIZERS_H
#define SYLVITE_DIALECT_OPTIMIZERS_H

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace sylvite {

/// A setting of an optimizer: in YAML one number (a flag where `isFlag`: 0 or 1 here), or a list of as many as it has
/// entries in the network's dictionary.
struct OptimizerSetting {
  std::string key;
  std::vector<std::pair<std::string, double>> entries;    ///< name in the dictionary and default, PyTorch's
  double below = std::numeric_limits<double>::infinity(); ///< values are from 0 to below this
  bool isFlag = false;
};

/// A tensor that the optimizer keeps for each parameter.
struct OptimizerSlot {
  std::string name;    ///< PyTorch's; in checkpoints it is optimizer.<name>.<parameter>
  std::string where;   ///< there is one where this setting is not 0; empty: always
  std::string initial; ///< the setting that it starts from; empty: 0
};

struct OptimizerRecord {
  std::string name;
  std::vector<OptimizerSetting> settings;
  std::vector<OptimizerSlot> slots;
};

/// All optimizers.
const std::vector<OptimizerRecord> &optimizerRecords();
/// The optimizer of this name, or null.
const OptimizerRecord *findOptimizer(const std::string &name);

/// What nn.optimizer_scalars holds, in this order.
enum OptimizerScalar {
  scalarRate,    ///< learning rate: scheduled, times the caller's scale
  scalarFirst,   ///< 1 in the first update, else 0
  scalarKind1,   ///< of the optimizer's kind
  scalarKind2,   ///< of the optimizer's kind
  scalarUpdates, ///< 1 where this step's micro-batch completes an update, else 0
  scalarKeep,    ///< factor of the gradients accumulated before: 0 in an update's first micro-batch, else 1
  scalarAverage, ///< share of the parameter in its average: 1 in the first update
  optimizerScalarCount,
};

} // namespace sylvite

#endif
