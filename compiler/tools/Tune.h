//===- Tune.h - finds fast schedules for a network's kernels on this machine --------------------------------------===//
#ifndef SYLVITE_TOOLS_TUNE_H
#define SYLVITE_TOOLS_TUNE_H

#include "compiler/tools/Build.h"

namespace sylvite {

struct TuneRequest {
  BuildRequest build;
  std::string what = "train"; ///< or predict
  double minutes = 10;
  double seconds = 1;               ///< of timing, for each set of candidates
  std::string output;               ///< schedule file; empty: <net>.<cpu>.yaml. The journal lies beside it.
  std::vector<std::string> kernels; ///< names, keys or layer:name with * and ?; empty: all
  int threads = 0;                  ///< 0: the runtime's default
  bool quiet = false;               ///< no progress
};

/// Tries schedules of the network's kernels until the time is over, nothing is left to try, or SIGINT or SIGTERM comes;
/// writes the best of them as rules for these kernels on this CPU. Every candidate is compiled, checked against
/// schedules/plain.yaml and timed in processes of its own; many kernels have a candidate in one run of the step.
/// Returns the exit status: 0, 1 after an error, 128 + the signal's number.
int tune(const TuneRequest &request, const Installation &here, Diagnostics &diagnostics);

} // namespace sylvite

#endif
