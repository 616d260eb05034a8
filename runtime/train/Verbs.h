// What each verb of the program does, apart from its command line. Layer: runtime/train. All throw Error; all return
// the exit status.
#pragma once

#include "runtime/data/Source.h"
#include "runtime/train/Checkpoint.h"
#include "runtime/train/Messages.h"
#include "sylvite/sylvite.h"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace syl {

/// Tells what loadCheckpoint reports.
inline void reportLoad(const std::string &report) {
  if (!report.empty())
    tell(SYL_SEVERITY_WARNING, report.c_str());
}

/// Loss and accuracy of the test part (the whole data set where it has no parts) with a checkpoint's weights.
struct EvaluateOptions {
  DataRequest data;
  std::string checkpoint;
  LoadRules rules;
  int32_t threads = 0;
  bool json = false; ///< one JSON object: net, samples, loss, metrics
};
int evaluateVerb(const syl_model &model, const EvaluateOptions &options);

/// The network's outputs for each sample: to a float32 [N, …] file each, or the first rows as a table. Output NAME of
/// several goes to FILE_NAME.npy.
struct PredictOptions {
  DataRequest data;
  std::string checkpoint, out;
  LoadRules rules;
  int32_t threads = 0;
};
int predictVerb(const syl_model &model, const PredictOptions &options);

/// K steps on one batch, and a file of everything they left: output, loss, gradients, state.
struct StepOptions {
  std::string state, dump;
  LoadRules rules;                          // of `state`
  std::vector<std::string> inputs, targets; ///< FILE, or NAME=FILE for each where there are several
  uint64_t steps = 1;
  double stepsPerEpoch = 0;
  std::optional<uint64_t> seed;
  int32_t threads = 0;
};
int stepVerb(const syl_model &model, const StepOptions &options);

/// Every gradient against central differences; status 1 where one is wrong.
struct CheckOptions {
  uint64_t seed = 1;
  uint64_t batch = 0; // 0: 3, or the compiled batch where that is smaller
  int32_t threads = 0;
  bool verbose = false;
};
int checkVerb(const syl_model &model, const CheckOptions &options);

/// Time of a step on synthetic data.
struct BenchOptions {
  std::string what = "train";
  uint64_t batch = 0; // 0: the compiled batch
  double seconds = 3;
  int32_t threads = 0;
  bool json = false, kernels = false;
  std::string roofline; ///< a file for the picture; with `kernels` only
};
int benchVerb(const syl_model &model, const BenchOptions &options);

/// Repeats a run from its record in a folder of its own and compares the last checkpoints' tensors: 0 where all are
/// equal, 1 where one differs.
struct ReproduceOptions {
  std::string run, out; // out: RUN/reproduced where it is empty
  int32_t threads = 0;
  bool quiet = false;
};
int reproduceVerb(const syl_model &model, const ReproduceOptions &options);

/// Writes a run's report as one HTML page: curves, metrics and confusion of its best checkpoint, samples, kernels,
/// memory.
struct ReportOptions {
  std::string run, out; // out: RUN/report.html where it is empty
  int32_t threads = 0;
};
int reportVerb(const syl_model &model, const ReportOptions &options);

} // namespace syl
