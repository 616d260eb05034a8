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
  bool exact = false; ///< every layer in its direct form
  bool quiet = false; ///< no progress
};

/// Compiles into `output`. Errors go to `diagnostics`.
bool buildNetwork(const BuildRequest &request, const Installation &here, const std::filesystem::path &output,
                  codegen::CompileResult &result, Diagnostics &diagnostics);

/// Compiles (or takes from the cache), links with the system's cc, and returns the program's path.
std::optional<std::filesystem::path> buildProgram(const BuildRequest &request, const Installation &here,
                                                  Diagnostics &diagnostics);

} // namespace sylvite

#endif
