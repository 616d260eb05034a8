// The verb bench: time of a step on synthetic data, and of each kernel within it. Layer: runtime/train.
#include "runtime/train/Machine.h"
#include "runtime/train/Profile.h"
#include "runtime/train/Roofline.h"
#include "runtime/train/Session.h"
#include "runtime/train/Synthetic.h"
#include "runtime/train/Verbs.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace syl {

namespace {

constexpr int warmUpSteps = 5, leastSteps = 5;

/// What a bench measures.
struct Measured {
  double bestMs = 0, medianMs = 0;
  size_t steps = 0;
  double peakRssMb = 0;
  Machine machine;
  std::vector<KernelRow> kernels; ///< in the order of the step
  double kernelsMs = 0;           ///< their sum
};

void timeSteps(Measured &measured, const std::function<void()> &step, double seconds) {
  for (int i = 0; i < warmUpSteps; ++i)
    step();
  std::vector<double> times;
  Clock::time_point start = Clock::now();
  while (int(times.size()) < leastSteps || secondsSince(start) < seconds) {
    Clock::time_point before = Clock::now();
    step();
    times.push_back(secondsSince(before) * 1e3);
  }
  std::sort(times.begin(), times.end());
  size_t middle = times.size() / 2;
  measured.bestMs = times[0];
  measured.medianMs = times.size() % 2 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
  measured.steps = times.size();
}

void printKernels(const Measured &measured) {
  const Machine &machine = measured.machine;
  std::printf("\nroofs: %.1f GFLOP/s", machine.flops.at(machine.threads, machine.threads) / 1e9);
  for (const MemoryLevel &level : machine.levels)
    std::printf(", %s %.1f GB/s", level.name.c_str(), level.rate.at(machine.threads, machine.threads) / 1e9);
  std::printf(" on %d threads; %.1f GFLOP/s", machine.threads, machine.flops.one / 1e9);
  for (const MemoryLevel &level : machine.levels)
    std::printf(", %s %.1f GB/s", level.name.c_str(), level.rate.one / 1e9);
  std::printf(" on one\n\n%-44s %9s %6s %5s %8s %8s %8s %6s %-8s %s\n", "kernel", "ms", "share", "calls", "GFLOP/s",
              "GB/s", "flop/B", "roof", "bound", "rule");
  std::vector<const KernelRow *> order;
  for (const KernelRow &row : measured.kernels)
    order.push_back(&row);
  std::stable_sort(order.begin(), order.end(), [](const KernelRow *a, const KernelRow *b) { return a->ms > b->ms; });
  for (const KernelRow *row : order)
    std::printf("%-44s %9.4f %5.1f%% %5d %8.2f %8.2f %8.2f %5.0f%% %-8s %s\n", row->name.c_str(), row->ms,
                100 * row->ms / measured.bestMs, int(row->tasks), row->gflops, row->gbytes, row->intensity,
                100 * row->share, row->bound.c_str(), row->rule.c_str());
  double gap = measured.bestMs - measured.kernelsMs;
  std::printf("%-44s %9.4f %5.1f%%\n%-44s %9.4f %5.1f%%\n%-44s %9.4f\n", "all kernels", measured.kernelsMs,
              100 * measured.kernelsMs / measured.bestMs, "gap: barriers, waiting, halos, driver", gap,
              100 * gap / measured.bestMs, "step", measured.bestMs);
}

void printTable(const syl_model &model, const BenchOptions &options, const Session &session, int64_t n,
                const Measured &measured) {
  std::printf("%s %s, batch %lld, %d threads, %s: best %.3f ms, median %.3f ms (%.0f images/s) over %zu steps, "
              "peak memory %.0f MB\n",
              model.name, options.what.c_str(), (long long)n, session.threads, model.target, measured.bestMs,
              measured.medianMs, double(n) / measured.medianMs * 1e3, measured.steps, measured.peakRssMb);
  if (options.kernels)
    printKernels(measured);
}

nlohmann::ordered_json jsonOf(const Machine &machine) {
  auto rate = [](const Rate &both) {
    return nlohmann::ordered_json{{"one_thread", both.one / 1e9}, {"all_threads", both.all / 1e9}};
  };
  nlohmann::ordered_json json = {{"GFLOP/s", rate(machine.flops)}, {"GB/s", nlohmann::ordered_json::object()}};
  for (const MemoryLevel &level : machine.levels)
    json["GB/s"][level.name] = rate(level.rate);
  return json;
}

void printJson(const syl_model &model, const BenchOptions &options, const Session &session, int64_t n,
               const Measured &measured) {
  nlohmann::ordered_json json = {{"net", model.name},
                                 {"what", options.what},
                                 {"batch", n},
                                 {"threads", session.threads},
                                 {"best_ms", measured.bestMs},
                                 {"median_ms", measured.medianMs},
                                 {"steps", measured.steps},
                                 {"peak_rss_mb", measured.peakRssMb}};
  if (options.kernels) {
    json["machine"] = jsonOf(measured.machine);
    json["kernels_ms"] = measured.kernelsMs;
    json["gap_ms"] = measured.bestMs - measured.kernelsMs;
    json["kernels"] = nlohmann::ordered_json::array();
    for (const KernelRow &row : measured.kernels)
      json["kernels"].push_back({{"name", row.name},
                                 {"ms", row.ms},
                                 {"calls", row.tasks},
                                 {"threads", row.threads},
                                 {"GFLOP/s", row.gflops},
                                 {"GB/s", row.gbytes},
                                 {"intensity", row.intensity},
                                 {"roof", row.share},
                                 {"bound", row.bound},
                                 {"rule", row.rule}});
  }
  std::printf("%s\n", json.dump().c_str());
}

/// High-water mark of this program's resident memory in MiB. Not ru_maxrss: that survives execve, and so counts the
/// compiler that started this program.
double peakMemory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmHWM:", 0) == 0)
      return std::stod(line.substr(6)) / 1024;
  return 0;
}

} // namespace

int benchVerb(const syl_model &model, const BenchOptions &options) {
  const int64_t n = options.batch ? int64_t(options.batch) : model.batch;
  if (n > model.batch)
    throw Error(SYL_ERROR_ARGUMENT, "--batch",
                format("found %lld, expected at most %d, the compiled batch", (long long)n, model.batch));
  Session session(model, options.threads);
  session.init(model.seed);
  SyntheticBatch batch(model, n, model.seed);
  std::vector<Buffer> outputs;
  std::vector<void *> outputPointers;
  for (int32_t i = 0; i < model.output_count; ++i) {
    outputs.emplace_back(bytesOf(model.outputs[i]) * size_t(n), model.name);
    outputPointers.push_back(outputs.back().data());
  }
  std::vector<const void *> inputs = batch.inputPointers(), targets = batch.targetPointers();
  const int program = options.what == "train" ? 0 : options.what == "evaluate" ? 1 : 2;
  const syl_step settings{1, 0, session.threads, 0};
  auto step = [&](const syl_model &which) {
    void *state = session.state.get(), *scratch = session.scratch.get();
    const void *const *in = inputs.data(), *const *wanted = targets.data();
    syl_status status = program == 0
                            ? syl_train_step(&which, state, scratch, in, wanted, int32_t(n), &settings, nullptr)
                        : program == 1 ? syl_evaluate(&which, state, scratch, in, wanted, int32_t(n), nullptr)
                                       : syl_predict(&which, state, scratch, in, int32_t(n), outputPointers.data());
    require(status, model.name);
  };
  Measured measured, profiled;
  timeSteps(measured, [&] { step(model); }, options.seconds);
  measured.peakRssMb = peakMemory();
  if (options.kernels) {
    measured.machine = measureMachine(model, session.threads);
    Profile profile(model, program);
    timeSteps(profiled, [&] { step(profile.model()); }, options.seconds);
    measured.machine.improve(measureMachine(model, session.threads));
    measured.kernels = rooflineRows(profile.times(session.threads), measured.machine, double(n) / model.batch);
    for (const KernelRow &row : measured.kernels)
      measured.kernelsMs += row.ms;
    if (!options.roofline.empty())
      writeRoofline(options.roofline,
                    format("%s %s, batch %lld, %d threads, %s: %.3f ms", model.name, options.what.c_str(), (long long)n,
                           session.threads, model.target, measured.bestMs),
                    measured.machine, measured.kernels);
  }
  (options.json ? printJson : printTable)(model, options, session, n, measured);
  return 0;
}

} // namespace syl
