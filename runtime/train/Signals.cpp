// Signal handlers. Layer: runtime/train.
#include "runtime/train/Signals.h"

namespace syl {

namespace {
volatile std::sig_atomic_t received = 0;
void receive(int number) { received = number; }
} // namespace

StopSignals::StopSignals() {
  received = 0;
  struct sigaction action{};
  action.sa_handler = receive;
  action.sa_flags = int(SA_RESETHAND | SA_RESTART);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &oldInterrupt);
  sigaction(SIGTERM, &action, &oldTerminate);
  sigaction(SIGHUP, nullptr, &oldHangup);
  if (oldHangup.sa_handler != SIG_IGN)
    sigaction(SIGHUP, &action, nullptr);
  action.sa_flags = SA_RESTART;
  sigaction(SIGPIPE, &action, &oldPipe);
}

StopSignals::~StopSignals() {
  sigaction(SIGINT, &oldInterrupt, nullptr);
  sigaction(SIGTERM, &oldTerminate, nullptr);
  sigaction(SIGHUP, &oldHangup, nullptr);
  sigaction(SIGPIPE, &oldPipe, nullptr);
  received = 0;
}

int StopSignals::signal() { return received; }

} // namespace syl
