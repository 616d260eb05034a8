//===- Target.cpp - the instruction sets that kernels are compiled for --------------------------------------------===//
//
// Features are spelled out: Halide's own detection of the host names features of CPUs that it tests wrongly
// (halide/Halide#9134, #9135), and an object must not depend on where it was compiled.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/codegen/Target.h"

namespace sylvite::codegen {

const std::vector<Target> &targets() {
  static const std::vector<Target> all = [] {
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512vl");
    const std::string common = "-no_runtime-user_context-no_asserts-no_bounds_query";
    return std::vector<Target>{
        {"x86-64-avx512", "x86-64-linux-sse41-avx-avx2-fma-f16c-avx512-avx512_skylake" + common, 64, 3, avx512},
        {"x86-64-avx2", "x86-64-linux-sse41-avx-avx2-fma-f16c" + common, 32, 1, avx2}};
  }();
  return all;
}

/// The same with kernels that a sanitizer watches, under names that end with -asan and -tsan.
static const std::vector<Target> &sanitizedTargets() {
  static const std::vector<Target> all = [] {
    std::vector<Target> result;
    for (const char *sanitizer : {"asan", "tsan"})
      for (Target target : targets()) {
        target.name += std::string("-") + sanitizer;
        target.halide += std::string("-") + sanitizer;
        result.push_back(target);
      }
    return result;
  }();
  return all;
}

std::vector<const Target *> findTargets(const std::string &name) {
  std::vector<const Target *> found;
  for (const Target &target : targets())
    if (target.name == name || name == "x86-64" || (name == "host" && target.runsHere && found.empty()))
      found.push_back(&target);
  for (const Target &target : sanitizedTargets())
    if (target.name == name)
      found.push_back(&target);
  return found;
}

} // namespace sylvite::codegen
