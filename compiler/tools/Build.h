//===- Build.h - network file to object, and to a program that runs it --------------------------------------------===//
#ifndef SYLVITE_TOOLS_BUILD_H
#define SYLVITE_TOOLS_BUILD_H

#include "compiler/codegen/Compiler.h"
#include "compiler/tools/Installation.h"

#include <optional>

namespace sylvite {

/// What the command line says about compiling.
struct BuildRequest {
  std::string network; ///< path of the network file
  int64_t batch = 0;   ///< 0: the file's
  std::string target = "host";
  std::vector<std::string> schedules;
  std::set<std::string> emit;
  bool keepGradients = false, doublePrecision = false;
  bool exact = false;              ///< every layer in its direct form
  int64_t maxScratch = 0;          ///< bytes; 0: any number
  std::vector<std::string> phases; ///< train, evaluate, predict; empty for all
  bool quiet = false;              ///< no progress
  /// For the tuner; see codegen::CompileOptions.
  std::map<std::string, codegen::KernelChoice> choices;
  std::map<std::string, std::string> *failures = nullptr;
  double secondsPerKernel = 300;
};

/// Compiles into `output`. Errors go to `diagnostics`.
bool buildNetwork(const BuildRequest &request, const Installation &here, const std::filesystem::path &output,
                  codegen::CompileResult &result, Diagnostics &diagnostics);

/// Links C source text with objects and the runtime's training part into a program. Returns an empty text, or what went
/// wrong.
std::string linkProgram(const std::string &source, const std::vector<std::filesystem::path> &objects,
                        const Installation &here, const std::filesystem::path &program);

/// Compiles (or takes from the cache), links with the system's cc, and returns the program's path.
std::optional<std::filesystem::path> buildProgram(const BuildRequest &request, const Installation &here,
                                                  Diagnostics &diagnostics);

} // namespace sylvite

#endif
