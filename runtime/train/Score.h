// Loss and metrics of a part of the data. Layer: runtime/train.
#pragma once

#include "runtime/data/DataSet.h"
#include "runtime/train/Metrics.h"
#include "runtime/train/Session.h"

#include <string>
#include <vector>

namespace syl {

/// Loss and metrics of a part.
struct Score {
  double loss = 0;                  // mean over the samples
  std::vector<MetricValue> metrics; // in the network file's order
  std::string tables;               // of per_class and confusion
  bool interrupted = false;         // a signal came before the end

  /// What decides which epoch is best: the first metric, or the loss.
  MetricValue first() const;
  /// The value that `monitor` names: `loss`, a metric's name, or, where it is empty or `metric`, first(). Throws Error
  /// (SYL_ERROR_MISMATCH) where there is no such metric.
  MetricValue monitored(const std::string &monitor) const;
  /// What is printed of the best epoch: the accuracy where there is one, else first(): "accuracy 91.24%".
  std::string line() const;
};

/// Evaluates a whole part in batches of the compiled size. Stops early at SIGINT or SIGTERM where StopSignals is alive.
Score evaluatePart(Session &session, const Part &part, const std::vector<std::string> &metrics);

} // namespace syl
