//===- TuneProgram.h - networks compiled with chosen schedules, checked and timed in a process of their own
//--------===//
#ifndef SYLVITE_TOOLS_TUNEPROGRAM_H
#define SYLVITE_TOOLS_TUNEPROGRAM_H

#include "compiler/tools/Build.h"

namespace sylvite {

/// A network compiled with rules and parameters for some of its kernels.
struct TunedObject {
  std::filesystem::path object; ///< exports `<name>_model` only
  codegen::CompileResult result;
};

/// What a process found.
struct TuneMeasurement {
  struct Row {
    size_t row = 0;
    double candidateMs = 0, bestMs = 0;
  };
  std::vector<Row> rows; ///< empty where the process failed
  double candidateMs = 0, bestMs = 0;
  std::map<size_t, std::string> wrong; ///< by row: what is wrong with its results
  std::string failure;                 ///< crash, timeout; empty where it ended well
  std::string message;                 ///< of the failure
  int64_t failedRow = -1;              ///< the kernel that was being checked then; -1: it was timing
};

class TuneProgram {
public:
  /// Works in the folder `work`, which is made and, at the end, removed. `stopped` is asked while a process runs.
  TuneProgram(const BuildRequest &request, const Installation &here, std::filesystem::path work,
              std::function<bool()> stopped);
  ~TuneProgram();

  /// Compiles the network with these choices as `name` (plain, best, candidate). Kernels whose choice does not compile
  /// go to `failures`, by key; then, and after an error, nothing is made.
  std::optional<TunedObject> build(const std::string &name, const std::map<std::string, codegen::KernelChoice> &choices,
                                   std::map<std::string, std::string> &failures, Diagnostics &diagnostics);

  struct Settings {
    size_t program = 0; ///< 0 train, 2 predict
    int threads = 0;
    double seconds = 1;       ///< of timing
    double timeLimit = 60;    ///< seconds for all of it
    std::vector<size_t> rows; ///< to check
  };
  /// Links the three and runs them: kernels of `candidate` against those of `plain`, times of `candidate` and `best`.
  TuneMeasurement run(const TunedObject &plain, const TunedObject &best, const TunedObject &candidate,
                      const Settings &settings, Diagnostics &diagnostics);

private:
  BuildRequest request;
  const Installation &here;
  std::filesystem::path work;
  std::function<bool()> stopped;
};

} // namespace sylvite

#endif
