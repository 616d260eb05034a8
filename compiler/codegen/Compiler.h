//===- Compiler.h - from a network file to an object --------------------------------------------------------------===//
#ifndef SYLVITE_CODEGEN_COMPILER_H
#define SYLVITE_CODEGEN_COMPILER_H

#include "compiler/codegen/Program.h"
#include "compiler/support/Diagnostics.h"

#include "mlir/IR/BuiltinOps.h"

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace sylvite::codegen {

struct CompileOptions {
  std::string target = "host";
  /// Schedule files as (name for messages, text): the user's first, then the shipped ones.
  std::vector<std::pair<std::string, std::string>> schedules;
  std::filesystem::path output; ///< folder
  std::set<std::string> emit;   ///< nn, regions, llvm, halide, asm
  bool keepGradients = false;
  bool exact = false;              ///< every layer in its direct form
  int64_t maxScratch = 0;          ///< bytes that the scratch block may take for one thread; 0: any number
  std::vector<std::string> phases; ///< of train, evaluate, predict: what the object can do; empty for all
  int jobs = 1;
  /// Rules and parameters for kernels by key, in place of the first that fit; and where kernels with a choice that do
  /// not compile are told, by key, instead of in the diagnostics (then nothing is made).
  std::map<std::string, KernelChoice> choices;
  std::map<std::string, std::string> *failures = nullptr;
  double secondsPerKernel = 300;
  std::string version;     ///< shown in the object
  std::string cacheSalt;   ///< tells builds of the compiler apart in the cache
  std::string networkText; ///< the network file
  std::function<void(size_t done, size_t total, const std::string &kernel)> progress;
};

/// What was made.
struct CompileResult {
  std::vector<Plan> versions; ///< one for each feature set, the widest first; their programs are empty in the end
  std::filesystem::path object, archive, header, manifest;
  std::string explanation; ///< of every kernel and buffer
  /// A row of the descriptor's table of kernels, of the first version.
  struct Row {
    std::string label; ///< layer:kernel
    size_t kernel;     ///< in the plan
    size_t program;    ///< 0 train, 1 evaluate, 2 predict
  };
  std::vector<Row> rows;
};

/// The whole way from a module with one nn.network to the files in `options.output`: passes, kernels, driver, object,
/// header, manifest. Returns false with the errors in `diagnostics`.
bool compileNetwork(mlir::ModuleOp module, const CompileOptions &options, CompileResult &result,
                    Diagnostics &diagnostics);

/// A distinct kernel of a network, before it is compiled.
struct ListedKernel {
  std::string name, key;
  std::vector<std::string> labels; ///< layer:kernel of each of its uses
  KernelDims dims;
};

/// The distinct kernels that compileNetwork would compile of a module with these schedules and options, in the order of
/// its programs. Runs the passes.
bool listKernels(mlir::ModuleOp module, const ScheduleSet &schedules, const CompileOptions &options,
                 std::vector<ListedKernel> &kernels, Diagnostics &diagnostics);

} // namespace sylvite::codegen

#endif
