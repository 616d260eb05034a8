//===- Target.h - the instruction sets that kernels are compiled for ----------------------------------------------===//
#ifndef SYLVITE_CODEGEN_TARGET_H
#define SYLVITE_CODEGEN_TARGET_H

#include <cstdint>
#include <string>
#include <vector>

namespace sylvite::codegen {

/// A shipped feature set.
struct Target {
  std::string name;         ///< x86-64-avx512, x86-64-avx2
  std::string halide;       ///< Halide's target string, every feature spelled out
  int64_t vectorBytes = 0;  ///< of one register
  uint64_t cpuFeatures = 0; ///< SYL_CPU_* bits the kernels need
  bool runsHere = false;    ///< by cpuid
};

/// All shipped feature sets, the widest first.
const std::vector<Target> &targets();
/// The feature sets that a name stands for: itself; "host" for the widest that this CPU runs; "x86-64" for all, each of
/// which becomes a version of the network in one object. A name that ends with -asan or -tsan has kernels that call
/// clang's address or thread sanitizer, for tests. Empty if there are none.
std::vector<const Target *> findTargets(const std::string &name);

} // namespace sylvite::codegen

#endif
