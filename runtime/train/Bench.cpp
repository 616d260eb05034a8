// The verb bench: time of a step on synthetic data, and of each kernel. Layer: runtime/train.
#include "runtime/train/Display.h"
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

constexpr int warmUpSteps = 5, leastSteps = 5, kernelRuns = 7;

struct KernelTime {
  std::string name;
  double ms, gflops, gbytes;
};

/// What a bench measures.
struct Measured {
  double bestMs = 0, medianMs = 0;
  size_t steps = 0;
  double peakRssMb = 0;
  std::vector<KernelTime> kernels;
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

/// Calls each kernel of program `program` over its slices on this thread, in the order of the step; the time is the sum
/// over the slices divided by the threads, best of several runs. The rates follow from it for a full batch.
void timeKernels(Measured &measured, Session &session, const SyntheticBatch &batch, const std::vector<void *> &outputs,
                 int64_t n, int program) {
  const syl_model &model = session.model;
  Block local(model.local_bytes), heap(model.heap_bytes);
  syl_frame frame{};
  frame.base[SYL_BASE_STATE] = session.state.get();
  frame.base[SYL_BASE_SCRATCH] = session.scratch.get();
  char **base = frame.base + SYL_BASE_ARRAYS;
  for (const auto *buffers : {&batch.inputs, &batch.targets})
    for (const Buffer &buffer : *buffers)
      *base++ = const_cast<char *>(buffer.data());
  for (void *output : outputs)
    *base++ = static_cast<char *>(output);
  frame.n = int32_t(n);
  frame.threads = 1;
  frame.step = syl_state_step(&model, session.state.get()) + 1;
  frame.seed = syl_state_seed(&model, session.state.get());
  frame.learning_rate_scale = 1;
  frame.model = &model;
  for (int32_t k = 0; k < model.kernel_count; ++k) {
    const syl_kernel &kernel = model.kernels[k];
    if (kernel.program != program)
      continue;
    double best = 0;
    for (int run = 0; run < kernelRuns; ++run) {
      Clock::time_point start = Clock::now();
      for (int32_t slice = 0; slice < kernel.slices; ++slice) {
        syl_worker worker{};
        worker.local = local.get();
        worker.heap = worker.heap_top = heap.get();
        worker.heap_end = heap.get() + heap.size();
        int32_t code = kernel.run(&frame, &worker, slice);
        if (code)
          throw Error(SYL_ERROR_KERNEL, model.name,
                      format("kernel %s reported error %d: %s", kernel.name, code, worker.message));
      }
      double seconds = secondsSince(start);
      best = run == 0 ? seconds : std::min(best, seconds);
    }
    double seconds = best / session.threads, full = double(n) / model.batch;
    measured.kernels.push_back(
        {kernel.name, seconds * 1e3, kernel.flops * full / seconds / 1e9, kernel.bytes * full / seconds / 1e9});
  }
}

void printTable(const syl_model &model, const BenchOptions &options, const Session &session, int64_t n,
                const Measured &measured) {
  std::printf("%s %s, batch %lld, %d threads, %s: best %.3f ms, median %.3f ms (%.0f images/s) over %zu steps, "
              "peak memory %.0f MB\n",
              model.name, options.what.c_str(), (long long)n, session.threads, model.target, measured.bestMs,
              measured.medianMs, double(n) / measured.medianMs * 1e3, measured.steps, measured.peakRssMb);
  if (!options.kernels)
    return;
  double total = 0;
  std::printf("\n%-48s %10s %6s %10s %10s\n", "kernel", "ms", "share", "GFLOP/s", "GB/s");
  for (const KernelTime &kernel : measured.kernels)
    total += kernel.ms;
  for (const KernelTime &kernel : measured.kernels)
    std::printf("%-48s %10.4f %5.1f%% %10.2f %10.2f\n", kernel.name.c_str(), kernel.ms, 100 * kernel.ms / total,
                kernel.gflops, kernel.gbytes);
  std::printf("%-48s %10.4f\n", "sum", total);
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
    json["kernels"] = nlohmann::ordered_json::array();
    for (const KernelTime &kernel : measured.kernels)
      json["kernels"].push_back(
          {{"name", kernel.name}, {"ms", kernel.ms}, {"GFLOP/s", kernel.gflops}, {"GB/s", kernel.gbytes}});
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
  const std::function<void()> steps[] = {
      [&] { session.trainStep(inputs.data(), targets.data(), n); },
      [&] { session.evaluate(inputs.data(), targets.data(), n); },
      [&] { session.predict(inputs.data(), n, outputPointers.data()); },
  };
  Measured measured;
  timeSteps(measured, steps[program], options.seconds);
  measured.peakRssMb = peakMemory();
  if (options.kernels)
    timeKernels(measured, session, batch, outputPointers, n, program);
  (options.json ? printJson : printTable)(model, options, session, n, measured);
  return 0;
}

} // namespace syl
