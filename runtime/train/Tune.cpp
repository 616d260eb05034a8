// The program of `sylvite tune`: checks and times kernels of a network that was compiled with other schedules. Layer:
// runtime/train.
//
// It prints a JSON object a line: {"start": row} and {"row", "error", "problem"} of each kernel that it checks, then
// one with "rows", the times of all kernels of both compilations, whose steps run by turns.
#include "sylvite/train.h"

#include "runtime/train/Messages.h"
#include "runtime/train/Profile.h"
#include "runtime/train/Session.h"
#include "runtime/train/Synthetic.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace syl {

namespace {

constexpr double tolerance = 1e-4; // of the largest magnitude that a kernel writes; sums are added in other orders
constexpr int leastRounds = 3;

size_t rounded(size_t bytes) { return (bytes + SYL_ALIGNMENT - 1) / SYL_ALIGNMENT * SYL_ALIGNMENT; }

/// All memory of a step in one block, so that it can be copied and compared: state, scratch, the local values of each
/// slice, outputs.
class StepMemory {
public:
  StepMemory(const syl_model &model, int32_t slices, const SyntheticBatch &batch, int32_t n)
      : state(rounded(syl_state_bytes(&model))), scratch(rounded(model.scratch_bytes)),
        local(rounded(model.local_bytes)) {
    size_t bytes = state + scratch + local * size_t(slices);
    std::vector<size_t> outputs;
    for (int32_t i = 0; i < model.output_count; ++i) {
      outputs.push_back(bytes);
      bytes += rounded(bytesOf(model.outputs[i]) * size_t(n));
    }
    memory = Block(bytes);
    std::memset(memory.get(), 0, bytes);
    require(syl_init_state(&model, memory.get(), model.seed), model.name);
    frame.base[SYL_BASE_STATE] = memory.get();
    frame.base[SYL_BASE_SCRATCH] = memory.get() + state;
    char **base = frame.base + SYL_BASE_ARRAYS;
    for (const auto *buffers : {&batch.inputs, &batch.targets})
      for (const Buffer &buffer : *buffers)
        *base++ = const_cast<char *>(buffer.data());
    for (size_t offset : outputs)
      *base++ = memory.get() + offset;
    frame.n = n;
    frame.threads = 1;
    frame.step = 1;
    frame.seed = model.seed;
    frame.learning_rate_scale = 1;
    frame.model = &model;
  }

  size_t size() const { return memory.size(); }
  char *get() const { return memory.get(); }
  char *localOf(int32_t slice) const { return memory.get() + state + scratch + local * size_t(slice); }
  syl_frame frame{};

private:
  size_t state, scratch, local;
  Block memory;
};

/// All tasks of a kernel, each slice with local values of its own.
void runKernel(const syl_kernel &kernel, const StepMemory &memory, const Block &heap, int32_t slices) {
  for (int32_t task = 0; task < kernel.slices; ++task) {
    syl_worker worker{};
    worker.local = memory.localOf(task % slices);
    worker.heap = worker.heap_top = heap.get();
    worker.heap_end = heap.get() + heap.size();
    int32_t code = kernel.run(&memory.frame, &worker, task);
    if (code)
      throw Error(SYL_ERROR_KERNEL, kernel.name, format("reported error %d: %s", code, worker.message));
  }
}

/// Whether the bits are of a number that a kernel never writes as a float, as it takes subnormals as zero: an integer.
bool isInteger(uint32_t bits) { return !(bits & 0x7f800000u) && bits & 0x007fffffu; }

/// What memory holds after a kernel, against what it should: `before`, `expected` and `found` in 32-bit words.
nlohmann::ordered_json compared(const Block &before, const Block &expected, const char *found) {
  const auto *was = reinterpret_cast<const uint32_t *>(before.get());
  const auto *right = reinterpret_cast<const uint32_t *>(expected.get());
  const auto *mine = reinterpret_cast<const uint32_t *>(found);
  auto number = [](uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return double(value);
  };
  const size_t words = before.size() / 4;
  double largest = 0, difference = 0;
  size_t integers = 0, special = 0;
  for (size_t i = 0; i < words; ++i) {
    if (right[i] != was[i] && std::isfinite(number(right[i])) && !isInteger(right[i]))
      largest = std::max(largest, std::fabs(number(right[i])));
    if (mine[i] == right[i])
      continue;
    double a = number(right[i]), b = number(mine[i]);
    if (a == b) // zeros of both signs
      continue;
    if (isInteger(right[i]) || isInteger(mine[i]))
      ++integers;
    else if (!std::isfinite(a) || !std::isfinite(b))
      special += !(std::isnan(a) && std::isnan(b)) && a != b;
    else
      difference = std::max(difference, std::fabs(a - b));
  }
  double error = difference == 0 ? 0 : largest > 0 ? difference / largest : 1e30;
  std::string problem;
  if (special)
    problem = format("%zu values are infinite or no numbers", special);
  else if (integers)
    problem = format("%zu integers differ", integers);
  else if (error > tolerance)
    problem = format("results differ by %.2g of the largest", error);
  return {{"error", error}, {"problem", problem}};
}

void printLine(const nlohmann::ordered_json &json) {
  std::printf("%s\n", json.dump().c_str());
  std::fflush(stdout);
}

/// Runs the kernels of the program in order as `best` compiled them; those of `rows` from the same memory as `plain`
/// and as `candidate` did, too. The step has as many samples as fill one slice and a part of the next.
void checkKernels(const syl_model &plain, const syl_model &best, const syl_model &candidate, int program,
                  const std::vector<int32_t> &rows) {
  int32_t slices = 1;
  uint64_t heapBytes = 0;
  for (int32_t k = 0; k < best.kernel_count; ++k)
    if (best.kernels[k].program == program)
      slices = std::clamp(best.kernels[k].slices, slices, 16); // tasks of a batch phase: 16 at most
  for (const syl_model *model : {&plain, &best, &candidate})
    heapBytes = std::max(heapBytes, model->heap_bytes);
  const int32_t n = std::min(best.batch, (best.batch + slices - 1) / slices + 1);
  SyntheticBatch batch(best, n, best.seed);
  StepMemory memory(best, slices, batch, n);
  Block heap(heapBytes), before(memory.size()), expected(memory.size());
#if defined(__x86_64__)
  _mm_setcsr(0x9fc0); // as in a step: round to nearest, subnormals are zero
#endif
  for (int32_t k = 0; k < best.kernel_count; ++k) {
    if (best.kernels[k].program != program)
      continue;
    if (std::find(rows.begin(), rows.end(), k) == rows.end()) {
      runKernel(best.kernels[k], memory, heap, slices);
      continue;
    }
    printLine({{"start", k}});
    std::memcpy(before.get(), memory.get(), memory.size());
    runKernel(plain.kernels[k], memory, heap, slices);
    std::memcpy(expected.get(), memory.get(), memory.size());
    std::memcpy(memory.get(), before.get(), memory.size());
    runKernel(candidate.kernels[k], memory, heap, slices);
    nlohmann::ordered_json line = compared(before, expected, memory.get());
    line["row"] = k;
    printLine(line);
    std::memcpy(memory.get(), before.get(), memory.size());
    runKernel(best.kernels[k], memory, heap, slices);
  }
}

/// Steps of both by turns for some seconds, and each kernel's time in both.
void timeKernels(const syl_model &best, const syl_model &candidate, int program, int32_t n, int32_t threads,
                 double seconds) {
  Session session(best, threads);
  session.init(best.seed);
  Block scratch(std::max(session.scratch.size(), syl_scratch_bytes(&candidate, candidate.batch, session.threads)));
  SyntheticBatch batch(best, n, best.seed);
  std::vector<Buffer> outputs;
  std::vector<void *> outputPointers;
  for (int32_t i = 0; i < best.output_count; ++i) {
    outputs.emplace_back(bytesOf(best.outputs[i]) * size_t(n), best.name);
    outputPointers.push_back(outputs.back().data());
  }
  std::vector<const void *> inputs = batch.inputPointers(), targets = batch.targetPointers();
  const syl_step settings{1, 0, session.threads, 0};
  auto step = [&](const syl_model &which) {
    Clock::time_point start = Clock::now();
    void *state = session.state.get();
    require(program == 2
                ? syl_predict(&which, state, scratch.get(), inputs.data(), n, outputPointers.data())
                : syl_train_step(&which, state, scratch.get(), inputs.data(), targets.data(), n, &settings, nullptr),
            which.name);
    return secondsSince(start);
  };
  Profile profiles[] = {{candidate, program}, {best, program}};
  double least[] = {1e30, 1e30};
  for (const syl_model *model : {&candidate, &best})
    step(*model);
  Clock::time_point start = Clock::now();
  for (int round = 0; round < leastRounds || secondsSince(start) < seconds; ++round)
    for (int which = 0; which < 2; ++which)
      least[which] = std::min(least[which], step(profiles[which].model()));
  nlohmann::ordered_json line = {
      {"candidate_ms", least[0] * 1e3}, {"best_ms", least[1] * 1e3}, {"rows", nlohmann::ordered_json::array()}};
  std::vector<KernelTime> times[] = {profiles[0].times(session.threads), profiles[1].times(session.threads)};
  for (size_t i = 0; i < times[0].size(); ++i)
    line["rows"].push_back(
        {times[0][i].kernel - candidate.kernels, times[0][i].seconds * 1e3, times[1][i].seconds * 1e3});
  printLine(line);
}

} // namespace

} // namespace syl

extern "C" int syl_tune_main(const syl_model *plain, const syl_model *best, const syl_model *candidate,
                             const char *settings) {
  syl::Messages messages(syl::Messages::Otherwise::StandardError);
  try {
    nlohmann::json json = nlohmann::json::parse(settings);
    const int program = json.at("program").get<int>();
    const auto rows = json.at("rows").get<std::vector<int32_t>>();
    if (!rows.empty())
      syl::checkKernels(*plain, *best, *candidate, program, rows);
    syl::timeKernels(*best, *candidate, program, best->batch, json.at("threads").get<int32_t>(),
                     json.at("seconds").get<double>());
    return 0;
  } catch (const std::exception &error) {
    syl::tell(SYL_SEVERITY_ERROR, error.what());
  }
  return 1;
}
