//===- KernelCompiler.h - kernels to objects, in worker processes, cached on disk ---------------------------------===//
#ifndef SYLVITE_CODEGEN_KERNELCOMPILER_H
#define SYLVITE_CODEGEN_KERNELCOMPILER_H

#include "compiler/codegen/Kernel.h"
#include "compiler/codegen/KernelFacts.h"
#include "compiler/codegen/Target.h"
#include "compiler/schedule/Schedule.h"

#include <filesystem>
#include <functional>

namespace sylvite::codegen {

/// A distinct kernel: regions that are equal up to names share it.
struct CompiledKernel {
  std::string symbol;           ///< of its function
  std::string name;             ///< conv2d.forward
  std::string key;              ///< of what it computes, whatever its schedule
  KernelDims dims;              ///< what rules test
  std::filesystem::path object; ///< in the cache
  std::string halide, assembly; ///< paths of the lowered program and the assembly, if they were asked for
  int64_t heapBytes = 0;        ///< of temporaries that do not fit on the stack
  std::string rule;             ///< schedules/avx512.yaml:12
  std::string explanation;      ///< rule, parameters, directives, Funcs
  bool cached = false;
  double seconds = 0; ///< spent compiling
};

/// A rule and values of its `tune:` parameters, in place of the first rule that fits and of its first values.
struct KernelChoice {
  const Rule *rule = nullptr;
  TuneChoices parameters;
};

struct KernelOptions {
  const Target *target = nullptr;
  const ScheduleSet *schedules = nullptr;
  std::string cpu = "generic";                            ///< what a rule's `cpu` tests
  std::map<std::string, KernelChoice> choices;            ///< by the kernel's key
  std::map<std::string, std::string> *failures = nullptr; ///< takes the errors of kernels that have a choice, by key
  std::string compilerVersion;
  bool emitHalide = false, emitAssembly = false;
  std::filesystem::path emitFolder;
  int jobs = 1;
  double secondsPerKernel = 300;
  /// Called as kernels are done: how many of how many, and the name of the last one.
  std::function<void(size_t done, size_t total, const std::string &name)> progress;
};

/// Compiles the kernels of all regions. `kernelOf` gets the index of each region's kernel in the result. Errors go to
/// `diagnostics`; then the result is incomplete.
std::vector<CompiledKernel> compileKernels(llvm::ArrayRef<nn::RegionOp> regions, const KernelOptions &options,
                                           std::map<mlir::Operation *, size_t> &kernelOf, Diagnostics &diagnostics);

} // namespace sylvite::codegen

#endif
