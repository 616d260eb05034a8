// SIGINT, SIGTERM, SIGHUP and SIGPIPE as a flag that loops ask for. Layer: runtime/train.
#pragma once

#include <csignal>

namespace syl {

/// While it lives, the first SIGINT, SIGTERM or SIGHUP is kept for signal() and a second one ends the process. A
/// SIGHUP that was ignored before (nohup) stays ignored. A SIGPIPE (who reads the output is gone) counts too, each
/// time. One at a time.
class StopSignals {
public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals &) = delete;
  StopSignals &operator=(const StopSignals &) = delete;
  /// The signal that came, or 0.
  static int signal();

private:
  struct sigaction oldInterrupt, oldTerminate, oldHangup, oldPipe;
};

} // namespace syl
