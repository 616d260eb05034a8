// Worker processes. Layer: support.
#pragma once

#include <cstdint>
#include <string>

namespace sylvite {

/// Limits the data memory of this process, a worker, and forbids core dumps. A build with AddressSanitizer has no
/// limit: its shadow is data memory.
void limitWorker(uint64_t bytes);

/// How a process ended, from its wait status: `ended with signal 11 (Segmentation fault)`, `ended with status 1`.
std::string describeEnd(int status);

} // namespace sylvite
