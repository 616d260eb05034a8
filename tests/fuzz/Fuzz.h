// What the fuzz targets share: the input as a file without a disk. Layer: tests.
#pragma once

#include <cstddef>
#include <cstdint>
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

} // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
