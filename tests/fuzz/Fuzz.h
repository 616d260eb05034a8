// What the fuzz targets share: the input as a file without a disk, and a limit of its time. Layer: tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace fuzz {

/// A file in memory with these bytes, and the path under which it can be opened. One at a time.
inline std::string fileOf(const uint8_t *data, size_t size) {
  static const int descriptor = memfd_create("fuzz", 0);
  if (descriptor < 0 || ftruncate(descriptor, 0) != 0 || pwrite(descriptor, data, size, 0) != ssize_t(size))
    __builtin_trap();
  return "/proc/self/fd/" + std::to_string(descriptor);
}

/// Time of the processor that an input takes, from here to the end of the block: more than a second ends the process as
/// a crash does, and the most is printed at the end. Other processes do not count, as they would by the clock.
class Watch {
public:
  Watch() : start(now()) {}
  ~Watch() {
    static double &most = registered();
    const double seconds = now() - start;
    if (seconds > most)
      most = seconds;
    if (seconds > 1) {
      std::fprintf(stderr, "fuzz: an input took %.2f s of processor time\n", seconds);
      __builtin_trap();
    }
  }

private:
  static double now() {
    timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
  }
  static double &registered() {
    static double most = 0;
    std::atexit([] { std::fprintf(stderr, "fuzz: slowest input %.3f s\n", most); });
    return most;
  }
  const double start;
};

} // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
