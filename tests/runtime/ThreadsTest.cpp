// Equal bits on any number of threads, two models at once, calls within calls, fork.
#include "Training.h"
#include <HalideRuntime.h>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

TEST(Threads, EqualBitsOnAnyNumber) {
  const toy::Options options = {.batch = 13, .inputShape = {9}, .classes = 6, .slices = 5};
  Training reference(options);
  reference.train(100, 1);
  for (int32_t threads : {2, 3, 4, 5, 8, 16}) {
    Training run(options);
    EXPECT_TRUE(std::isfinite(run.train(100, threads).loss));
    EXPECT_EQ(run.bytes(), reference.bytes()) << threads << " threads";
  }
}

TEST(Threads, AChangeBetweenStepsKeepsTheBits) {
  const toy::Options options = {.batch = 13, .inputShape = {9}, .classes = 6, .slices = 5};
  Training reference(options), run(options);
  for (int32_t threads : {3, 1, 8, 2, 2, 5, 1, 16, 4, 1}) {
    reference.train(1, 1);
    run.train(1, threads);
    ASSERT_EQ(run.bytes(), reference.bytes()) << threads << " threads";
  }
  for (int32_t threads : {4, 1, 0, 7}) { // by the process's number
    ASSERT_EQ(syl_set_threads(threads), SYL_OK);
    reference.train(1, 1);
    run.train(1, 0);
    ASSERT_EQ(run.bytes(), reference.bytes()) << threads << " threads";
  }
  syl_set_threads(0);
}

TEST(Threads, MoreThanSlicesAndFarMoreThanCores) {
  const toy::Options options = {.batch = 96, .inputShape = {3}, .slices = 96};
  Training reference(options, 1), run(options, 64);
  reference.train(20, 1);
  run.train(20, 64);
  EXPECT_EQ(run.bytes(), reference.bytes());
}

TEST(Threads, PredictAndEvaluateAgreeOnAnyNumber) {
  Training run({.batch = 10, .slices = 7});
  run.train(5, 2);
  std::vector<float> outputs[3];
  double losses[3];
  int i = 0;
  for (int32_t threads : {1, 2, 5}) {
    ASSERT_EQ(syl_set_threads(threads), SYL_OK);
    EXPECT_EQ(syl_threads(), threads);
    outputs[i].resize(30);
    syl_result result;
    void *const output = outputs[i].data();
    ASSERT_EQ(syl_predict(run.model.get(), run.state.get(), run.scratch.get(), run.inputs(0).data(), 10, &output),
              SYL_OK);
    ASSERT_EQ(syl_evaluate(run.model.get(), run.state.get(), run.scratch.get(), run.inputs(0).data(),
                           run.targets(0).data(), 10, &result),
              SYL_OK);
    losses[i++] = result.loss;
  }
  syl_set_threads(0);
  EXPECT_EQ(outputs[0], outputs[1]);
  EXPECT_EQ(outputs[0], outputs[2]);
  EXPECT_EQ(losses[0], losses[1]);
  EXPECT_EQ(losses[0], losses[2]);
  EXPECT_NEAR(outputs[0][0] + outputs[0][1] + outputs[0][2], 1, 1e-6);
}

TEST(Threads, TwoModelsFromTwoThreadsAtOnce) {
  const toy::Options first = {.name = "first", .batch = 16, .inputShape = {40}, .slices = 8};
  const toy::Options second = {.name = "second", .batch = 9, .inputShape = {31}, .classes = 7, .slices = 3};
  Training a(first), b(second), expectedA(first), expectedB(second);
  expectedA.train(300, 1);
  expectedB.train(300, 1);
  std::thread one([&] { a.train(300, 3); }), other([&] { b.train(300, 2); });
  one.join();
  other.join();
  EXPECT_EQ(a.bytes(), expectedA.bytes());
  EXPECT_EQ(b.bytes(), expectedB.bytes());
}

// A phase that trains another model: the inner call finds the pool taken and runs alone.
TEST(Threads, ACallInsideAPhase) {
  static Training *inner;
  Training run, innerRun, expected;
  inner = &innerRun;
  expected.train(4, 1);
  syl_model model = *run.model.get();
  static std::atomic<int> calls;
  calls = 0;
  syl_phase nested = {[](const syl_frame *, syl_worker *, int32_t slice) -> int32_t {
                        ++calls;
                        if (slice == 1)
                          inner->train(4, 4);
                        return 0;
                      },
                      4, 0, "nested"};
  model.train = {&nested, 1, 0, UINT64_MAX, UINT64_MAX};
  syl_step step = {0, 0, 4, 0};
  syl_result result;
  ASSERT_EQ(syl_train_step(&model, run.state.get(), run.scratch.get(), run.inputs(0).data(), run.targets(0).data(), 8,
                           &step, &result),
            SYL_OK)
      << syl_last_error();
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(innerRun.bytes(), expected.bytes());
  EXPECT_TRUE(std::isnan(result.loss)) << "a program without losses";
  EXPECT_EQ(result.correct, -1);
}

// Every slice runs exactly once, each with memory of its own, and a worker's parts lie inside the block and apart.
TEST(Threads, EverySliceOnceAndPartsOfTheScratchBlockApart) {
  static std::atomic<int> runs[1000];
  static std::atomic<bool> apart;
  static char *begin, *end;
  Training run({}, 8);
  begin = static_cast<char *>(run.scratch.get());
  end = begin + run.scratch.size();
  apart = true;
  struct Case {
    int32_t slices;
    std::vector<int32_t> tasks; // of the kernels whose tasks the slices are, one after the other
  };
  for (const auto &[slices, tasks] : {Case{1, {}}, Case{2, {}}, Case{7, {}}, Case{8, {}}, Case{9, {}}, Case{1000, {}},
                                      Case{2, {1, 1}}, Case{28, {16, 1, 4, 7}}, Case{1000, {1, 3, 996}}}) {
    for (auto &count : runs)
      count = 0;
    syl_model model = *run.model.get();
    model.local_bytes = 24;
    syl_phase phase = {[](const syl_frame *frame, syl_worker *worker, int32_t slice) -> int32_t {
                         ++runs[slice];
                         bool good = worker->index >= 0 && worker->index < frame->threads &&
                                     worker->local == begin + (frame->model->scratch_bytes + 127) / 128 * 128 +
                                                          worker->index * 128 &&
                                     worker->local + 24 <= end && worker->heap_end <= end;
                         if (!good)
                           apart = false;
                         std::memset(worker->local, slice, 24); // a race here is what TSan would see
                         return 0;
                       },
                       slices, tasks.empty() ? 0 : 2, "count"};
    std::vector<syl_kernel> kernels(1 + tasks.size());
    for (size_t k = 0; k < tasks.size(); ++k)
      kernels[1 + k].slices = tasks[k];
    model.kernels = kernels.data();
    model.train = {&phase, 1, 0, UINT64_MAX, UINT64_MAX};
    for (int32_t threads : {1, 2, 3, 8}) {
      syl_step step = {0, 0, threads, 0};
      ASSERT_EQ(syl_train_step(&model, run.state.get(), run.scratch.get(), run.inputs(0).data(), run.targets(0).data(),
                               1, &step, nullptr),
                SYL_OK);
    }
    for (int32_t slice = 0; slice < 1000; ++slice)
      ASSERT_EQ(runs[slice], slice < slices ? 4 : 0) << slice << " of " << slices;
  }
  EXPECT_TRUE(apart);
}

// Threads that sleep are woken: a phase whose slices wait for each other ends only if all four threads run it.
TEST(Threads, SleepingThreadsAreWoken) {
  static std::atomic<int> arrived;
  static std::atomic<bool> met;
  Training run;
  syl_model model = *run.model.get();
  syl_phase meeting = {[](const syl_frame *, syl_worker *, int32_t) -> int32_t {
                         ++arrived;
                         for (int i = 0; i < 10000 && arrived < 4; ++i)
                           std::this_thread::sleep_for(std::chrono::milliseconds(1));
                         if (arrived < 4)
                           met = false;
                         return 0;
                       },
                       4, 0, "meeting"};
  model.train = {&meeting, 1, 0, UINT64_MAX, UINT64_MAX};
  syl_step step = {0, 0, 4, 0};
  met = true;
  for (int i = 0; i < 5 && met; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20)); // 400 times as long as they spin
    arrived = 0;
    ASSERT_EQ(syl_train_step(&model, run.state.get(), run.scratch.get(), run.inputs(0).data(), run.targets(0).data(), 1,
                             &step, nullptr),
              SYL_OK);
  }
  EXPECT_TRUE(met);
}

// What a kernel leaves on its heap, as one that failed does, is gone at the next slice.
TEST(Threads, EverySliceStartsWithAnEmptyHeap) {
  Training run;
  syl_model model = *run.model.get();
  model.heap_bytes = 64 + 64 + 1024;
  toy::Block scratch(syl_scratch_bytes(&model, 0, 2));
  syl_phase leak = {
      [](const syl_frame *, syl_worker *worker, int32_t) -> int32_t { return halide_malloc(worker, 1024) ? 0 : -2; }, 8,
      0, "leak"};
  model.train = {&leak, 1, 0, UINT64_MAX, UINT64_MAX};
  for (int32_t threads : {1, 2}) {
    syl_step step = {0, 0, threads, 0};
    EXPECT_EQ(syl_train_step(&model, run.state.get(), scratch.get(), run.inputs(0).data(), run.targets(0).data(), 1,
                             &step, nullptr),
              SYL_OK)
        << syl_last_error();
  }
}

#if defined(__x86_64__)
TEST(Threads, TheCallersFloatingPointSettingsDoNotMatter) {
  Training reference, run;
  reference.train(20, 2);
  const uint32_t old = _mm_getcsr(), upward = (old & ~0x6000u) | 0x4000u;
  _mm_setcsr(upward);
  run.train(20, 2);
  EXPECT_EQ(_mm_getcsr() & 0xffc0u, upward & 0xffc0u) << "the caller's settings are back";
  _mm_setcsr(old);
  EXPECT_EQ(run.bytes(), reference.bytes());
}
#endif

TEST(Threads, NumberIsChecked) {
  EXPECT_EQ(syl_set_threads(257), SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "found 257 threads, expected 0 (the default) to 256");
  EXPECT_EQ(syl_set_threads(-1), SYL_ERROR_ARGUMENT);
  EXPECT_GE(syl_threads(), 1);
}

// In a child of fork() more than one thread is refused, and one thread works.
TEST(Fork, AChildIsRefusedThePoolAndDoesNotHang) {
  Training run;
  run.train(2, 2); // starts a thread
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(20);
    syl_step two = {0, 0, 2, 0}, one = {0, 0, 1, 0};
    auto step = [&](const syl_step *step) {
      return syl_train_step(run.model.get(), run.state.get(), run.scratch.get(), run.inputs(0).data(),
                            run.targets(0).data(), 8, step, nullptr);
    };
    int failures = step(&two) != SYL_ERROR_ARGUMENT;
    failures += std::strstr(syl_last_error(), "child of fork()") == nullptr;
    failures += 10 * (step(&one) != SYL_OK);
    _exit(failures);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  run.train(2, 2); // the parent goes on
}

} // namespace
