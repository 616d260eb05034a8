// SIGINT and SIGTERM as a flag that loops ask for. Layer: runtime/train.
#pragma once

#include <csignal>

namespace syl {

/// While it lives, the first SIGINT or SIGTERM is kept for signal() and a second one ends the process. One at a time.
class StopSignals {
public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals &) = delete;
  StopSignals &operator=(const StopSignals &) = delete;
  /// The signal that came, or 0.
  static int signal();

private:
  struct sigaction oldInterrupt, oldTerminate;
};

} // namespace syl
