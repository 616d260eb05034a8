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
  bool exact = false; ///< every layer in its direct form
  int jobs = 1;
  std::string version;     ///< shown in the object
  std::string cacheSalt;   ///< tells builds of the compiler apart in the cache
  std::string networkText; ///< the network file
  std::function<void(size_t done, size_t total, const std::string &kernel)> progress;
};

/// What was made.
struct CompileResult {
  Plan plan;
  std::filesystem::path object, archive, header, manifest;
  std::string explanation; ///< of every kernel and buffer
};

/// The whole way from a module with one nn.network to the files in `options.output`: passes, kernels, driver, object,
/// header, manifest. Returns false with the errors in `diagnostics`.
bool compileNetwork(mlir::ModuleOp module, const CompileOptions &options, CompileResult &result,
                    Diagnostics &diagnostics);

} // namespace sylvite::codegen

#endif
