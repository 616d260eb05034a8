// Worker processes. Layer: support.
#include "compiler/support/Process.h"

#include <cstring>
#include <sys/resource.h>
#include <sys/wait.h>

namespace sylvite {

void limitWorker([[maybe_unused]] uint64_t bytes) {
  rlimit limit{0, 0};
  setrlimit(RLIMIT_CORE, &limit);
#if !defined(__has_feature)
#define __has_feature(name) 0
#endif
#if !__has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
  limit = {bytes, bytes};
  setrlimit(RLIMIT_DATA, &limit);
#endif
}

std::string describeEnd(int status) {
  return WIFSIGNALED(status)
             ? "ended with signal " + std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) + ")"
             : "ended with status " + std::to_string(WEXITSTATUS(status));
}

} // namespace sylvite
