//===- Policies.h - how the learning rate moves, and what happens to gradients and weights ------------------------===//
//
// The keys of `training` besides batch, epochs and seed. Layer: frontend.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_FRONTEND_POLICIES_H
#define SYLVITE_FRONTEND_POLICIES_H

#include "compiler/frontend/Values.h"

#include <utility>

namespace mlir {
class Builder;
class DictionaryAttr;
class NamedAttrList;
} // namespace mlir

namespace sylvite {

/// The keys that stand under `training`, and those of its sections: {section, keys}.
const std::vector<std::string> &policyKeys();
const std::vector<std::pair<std::string, std::vector<std::string>>> &policySections();

/// Numbers by name, as they go into the network's dictionaries.
using Numbers = std::vector<std::pair<std::string, double>>;

struct Policies {
  Numbers gradients;    ///< clip_norm, clip_value, accumulate, ema
  std::string schedule; ///< its kind; empty: none
  Numbers scheduleNumbers;
  std::vector<double> milestones;
  double stepsPerEpoch = 0;    ///< for callers that do not know; 0: not given
  std::string scheduleMonitor; ///< of reduce_on_plateau: `loss` or a metric; empty: the first metric
  bool stopsEarly = false;
  std::string monitor; ///< of early stopping, likewise
  Numbers earlyStopping;
};

/// Reads what `training` says of them.
Policies readPolicies(const yaml::Node &training, ValueReader &reader);

/// Adds them to the network's `optimizer`; `epochs` is the length of a run.
void setPolicies(const Policies &policies, int64_t epochs, mlir::Builder &builder, mlir::NamedAttrList &optimizer);
/// The attribute nn.early_stopping, or null.
mlir::DictionaryAttr earlyStoppingOf(const Policies &policies, mlir::Builder &builder);

} // namespace sylvite

#endif
