// Training, evaluation and prediction of a hand-built network: results, equal bits on any number of threads, two models
// at once, kernel errors, argument errors, fork.
#include "ToyModel.h"
#include <atomic>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

// A model with its blocks and data.
struct Training {
  explicit Training(toy::Options options = {}, int32_t threads = 16, uint64_t seed = 7)
      : model(options), state(syl_state_bytes(model.get())), scratch(syl_scratch_bytes(model.get(), 0, threads)),
        samples(toy::makeSamples(options, 10 * options.batch)) {
    EXPECT_EQ(syl_init_state(model.get(), state.get(), seed), SYL_OK) << syl_last_error();
  }

  const void *input(int64_t sample) const {
    if (model.options().inputDtype == SYL_UINT8)
      return samples.inputUint8.data() + sample * model.features();
    return samples.input.data() + sample * model.features();
  }
  const void *target(int64_t sample) const {
    if (model.options().targetDtype == SYL_INT64)
      return samples.targetInt64.data() + sample;
    return samples.target.data() + sample;
  }

  // `count` steps on `threads` threads, the last of each ten with a batch cut short.
  syl_result train(int count, int32_t threads) {
    syl_step step = {0, threads, 0};
    syl_result result{};
    const int32_t batch = model.options().batch;
    for (int i = 0; i < count; ++i) {
      int32_t n = i % 10 == 9 ? batch - 3 : batch;
      int64_t first = i % 10 * batch;
      EXPECT_EQ(syl_train_step(model.get(), state.get(), scratch.get(), input(first), target(first), n, &step, &result),
                SYL_OK)
          << syl_last_error();
      EXPECT_EQ(result.count, n);
    }
    return result;
  }

  std::string bytes() const { return std::string(static_cast<const char *>(state.get()), state.size()); }

  toy::Model model;
  toy::Block state, scratch;
  toy::Samples samples;
};

TEST(Train, LearnsAndCountsSteps) {
  Training run;
  syl_result before{}, after{};
  ASSERT_EQ(syl_evaluate(run.model.get(), run.state.get(), run.scratch.get(), run.input(0), run.target(0), 8, &before),
            SYL_OK);
  run.train(100, 1);
  ASSERT_EQ(syl_evaluate(run.model.get(), run.state.get(), run.scratch.get(), run.input(0), run.target(0), 8, &after),
            SYL_OK);
  EXPECT_LT(after.loss, 0.3 * before.loss);
  EXPECT_EQ(after.correct, 8);
  EXPECT_EQ(syl_state_step(run.model.get(), run.state.get()), 100u);
  EXPECT_EQ(syl_state_seed(run.model.get(), run.state.get()), 7u);
}

TEST(Train, FirstStepIsWhatTheFormulasGive) {
  Training run;
  const int features = 5, classes = 3, n = 7;
  std::vector<float> weight(15), bias(3), output(21), gradWeight(15), newBias(3), gradBias(3);
  auto get = [&](const char *name, const toy::Block &block, std::vector<float> &to) {
    ASSERT_EQ(syl_export_tensor(syl_find_tensor(run.model.get(), name), block.get(), n, to.data()), SYL_OK);
  };
  get("linear.weight", run.state, weight);
  get("linear.bias", run.state, bias);
  syl_step step = {0.5, 3, 0};
  syl_result result;
  ASSERT_EQ(syl_train_step(run.model.get(), run.state.get(), run.scratch.get(), run.input(0), run.target(0), n, &step,
                           &result),
            SYL_OK);
  get("output", run.scratch, output);
  get("grad.linear.weight", run.scratch, gradWeight);
  get("grad.linear.bias", run.scratch, gradBias);
  get("linear.bias", run.state, newBias);
  double loss = 0;
  std::vector<double> expected(15), expectedBias(3);
  for (int i = 0; i < n; ++i) {
    double logits[3], sum = 0;
    for (int k = 0; k < classes; ++k) {
      logits[k] = bias[k];
      for (int f = 0; f < features; ++f)
        logits[k] += weight[k * features + f] * run.samples.input[i * features + f];
      EXPECT_NEAR(output[i * classes + k], logits[k], 1e-6);
      sum += std::exp(logits[k]);
    }
    int label = run.samples.target[i];
    loss += (std::log(sum) - logits[label]) / n;
    for (int k = 0; k < classes; ++k) {
      double grad = (std::exp(logits[k]) / sum - (k == label)) / n;
      expectedBias[k] += grad;
      for (int f = 0; f < features; ++f)
        expected[k * features + f] += grad * run.samples.input[i * features + f];
    }
  }
  EXPECT_NEAR(result.loss, loss, 1e-6);
  for (int i = 0; i < 15; ++i)
    EXPECT_NEAR(gradWeight[i], expected[i], 1e-6);
  for (int k = 0; k < 3; ++k) {
    EXPECT_NEAR(gradBias[k], expectedBias[k], 1e-6);
    EXPECT_NEAR(newBias[k], bias[k] - 0.5 * 0.5 * expectedBias[k], 1e-6); // half of the learning rate 0.5
  }
}

TEST(Train, DoubleModelsUint8InputsAndInt64Targets) {
  Training run({.inputShape = {4, 4, 1},
                .inputDtype = SYL_UINT8,
                .targetDtype = SYL_INT64,
                .dtype = SYL_FLOAT64,
                .classes = 5,
                .slices = 3});
  run.train(200, 2);
  syl_result result;
  ASSERT_EQ(syl_evaluate(run.model.get(), run.state.get(), run.scratch.get(), run.input(0), run.target(0), 8, &result),
            SYL_OK);
  EXPECT_EQ(result.correct, 8);
  EXPECT_LT(result.loss, 0.5);
}

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
    ASSERT_EQ(syl_predict(run.model.get(), run.state.get(), run.scratch.get(), run.input(0), 10, outputs[i].data()),
              SYL_OK);
    ASSERT_EQ(
        syl_evaluate(run.model.get(), run.state.get(), run.scratch.get(), run.input(0), run.target(0), 10, &result),
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
  syl_step step = {0, 4, 0};
  syl_result result;
  ASSERT_EQ(syl_train_step(&model, run.state.get(), run.scratch.get(), run.input(0), run.target(0), 8, &step, &result),
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
  for (int32_t slices : {1, 2, 7, 8, 9, 1000}) {
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
                       slices, 0, "count"};
    model.train = {&phase, 1, 0, UINT64_MAX, UINT64_MAX};
    for (int32_t threads : {1, 2, 3, 8}) {
      syl_step step = {0, threads, 0};
      ASSERT_EQ(
          syl_train_step(&model, run.state.get(), run.scratch.get(), run.input(0), run.target(0), 1, &step, nullptr),
          SYL_OK);
    }
    for (int32_t slice = 0; slice < 1000; ++slice)
      ASSERT_EQ(runs[slice], slice < slices ? 4 : 0) << slice << " of " << slices;
  }
  EXPECT_TRUE(apart);
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

TEST(Errors, TheFirstFailingSliceGivesTheMessageAndTheStepDoesNotCount) {
  for (int32_t threads : {1, 2, 8}) {
    Training run({.slices = 8, .failingSlices = 1 << 6 | 1 << 3 | 1 << 7});
    syl_step step = {0, threads, 0};
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(syl_train_step(run.model.get(), run.state.get(), run.scratch.get(), run.input(0), run.target(0), 8,
                               &step, nullptr),
                SYL_ERROR_KERNEL);
      EXPECT_STREQ(syl_last_error(), "toy: kernel linear.forward+grad, slice 3: toy failure of slice 3 (code -1)");
    }
    EXPECT_EQ(syl_state_step(run.model.get(), run.state.get()), 0u);
  }
}

TEST(Errors, AStepAfterAFailureIsRight) {
  Training failing({.failingSlices = 1}), run, reference;
  syl_step step = {0, 4, 0};
  EXPECT_EQ(syl_train_step(failing.model.get(), failing.state.get(), failing.scratch.get(), failing.input(0),
                           failing.target(0), 8, &step, nullptr),
            SYL_ERROR_KERNEL);
  run.train(3, 4);
  reference.train(3, 1);
  EXPECT_EQ(run.bytes(), reference.bytes());
}

TEST(Errors, ArgumentsEachWithItsMessage) {
  Training run;
  const syl_model *model = run.model.get();
  void *state = run.state.get(), *scratch = run.scratch.get();
  const void *input = run.input(0), *target = run.target(0);
  const std::string before = run.bytes();
  auto expect = [&](syl_status expected, const char *message, syl_status status) {
    EXPECT_EQ(status, expected) << message;
    EXPECT_STREQ(syl_last_error(), message);
    EXPECT_EQ(run.bytes(), before);
  };
  const syl_status argument = SYL_ERROR_ARGUMENT;
  expect(argument, "model is null", syl_train_step(nullptr, state, scratch, input, target, 8, nullptr, nullptr));
  expect(argument, "model is null", syl_evaluate(nullptr, state, scratch, input, target, 8, nullptr));
  expect(argument, "model is null", syl_predict(nullptr, state, scratch, input, 8, nullptr));
  expect(argument, "model is null", syl_init_state(nullptr, state, 1));
  expect(argument, "state is null", syl_train_step(model, nullptr, scratch, input, target, 8, nullptr, nullptr));
  expect(argument, "state is null", syl_init_state(model, nullptr, 1));
  expect(argument, "scratch is null", syl_train_step(model, state, nullptr, input, target, 8, nullptr, nullptr));
  expect(argument, "input is null", syl_train_step(model, state, scratch, nullptr, target, 8, nullptr, nullptr));
  expect(argument, "target is null", syl_train_step(model, state, scratch, input, nullptr, 8, nullptr, nullptr));
  expect(argument, "target is null", syl_evaluate(model, state, scratch, input, nullptr, 8, nullptr));
  expect(argument, "output is null", syl_predict(model, state, scratch, input, 8, nullptr));
  for (int32_t n : {0, -1, 9, INT32_MIN, INT32_MAX}) {
    std::string message =
        "found " + std::to_string(n) + " samples, expected 1 to 8, the batch that 'toy' was compiled for";
    expect(argument, message.c_str(), syl_train_step(model, state, scratch, input, target, n, nullptr, nullptr));
    expect(argument, message.c_str(), syl_evaluate(model, state, scratch, input, target, n, nullptr));
    expect(argument, message.c_str(), syl_predict(model, state, scratch, input, n, scratch));
  }
  syl_step step = {0, 257, 0};
  expect(argument, "found 257 threads, expected 0 (the default) to 256",
         syl_train_step(model, state, scratch, input, target, 8, &step, nullptr));
  for (double scale : {-1., double(NAN), double(INFINITY)}) {
    step = {scale, 0, 0};
    EXPECT_EQ(syl_train_step(model, state, scratch, input, target, 8, &step, nullptr), SYL_ERROR_ARGUMENT);
    EXPECT_EQ(std::string(syl_last_error()).find("learning_rate_scale is "), 0u);
  }
  std::vector<int32_t> labels = {0, 1, 2, 0, 1, 3, 0, 1};
  expect(argument, "target of sample 5 is 3, expected 0 to 2",
         syl_train_step(model, state, scratch, input, labels.data(), 8, nullptr, nullptr));
  labels[5] = -1;
  expect(argument, "target of sample 5 is -1, expected 0 to 2",
         syl_evaluate(model, state, scratch, input, labels.data(), 8, nullptr));
  EXPECT_EQ(syl_evaluate(model, state, scratch, input, labels.data(), 5, nullptr), SYL_OK);
}

TEST(Errors, BlocksThatAreNotAligned) {
  Training run;
  toy::Block larger(run.scratch.size() + SYL_ALIGNMENT);
  char *off = static_cast<char *>(larger.get()) + 64;
  EXPECT_EQ(syl_train_step(run.model.get(), run.state.get(), off, run.input(0), run.target(0), 8, nullptr, nullptr),
            SYL_ERROR_ARGUMENT);
  EXPECT_EQ(std::string(syl_last_error()).find("scratch is at 0x"), 0u) << syl_last_error();
  EXPECT_EQ(syl_init_state(run.model.get(), off, 1), SYL_ERROR_ARGUMENT);
  EXPECT_NE(std::string(syl_last_error()).find("expected a multiple of 128"), std::string::npos) << syl_last_error();
}

TEST(Errors, StatesOfNobodyAndOfAnotherNetwork) {
  Training run, other({.classes = 4});
  toy::Block raw(run.state.size());
  EXPECT_EQ(syl_evaluate(run.model.get(), raw.get(), run.scratch.get(), run.input(0), run.target(0), 8, nullptr),
            SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "state was not filled by toy_init or from a checkpoint");
  EXPECT_EQ(
      syl_evaluate(run.model.get(), other.state.get(), run.scratch.get(), run.input(0), run.target(0), 8, nullptr),
      SYL_ERROR_MISMATCH);
  EXPECT_EQ(std::string(syl_last_error()).find("state belongs to another network than 'toy'"), 0u);
}

TEST(Errors, DescriptorsThatDoNotFit) {
  Training run;
  auto status = [&](const syl_model &model) {
    return syl_train_step(&model, run.state.get(), run.scratch.get(), run.input(0), run.target(0), 8, nullptr, nullptr);
  };
  syl_model model = *run.model.get();
  model.abi_version = 2;
  EXPECT_EQ(status(model), SYL_ERROR_MISMATCH);
  EXPECT_EQ(std::string(syl_last_error()).find("the network was compiled for version 2 of the runtime"), 0u);
  model = *run.model.get();
  model.struct_bytes -= 8;
  EXPECT_EQ(status(model), SYL_ERROR_MISMATCH);
  EXPECT_EQ(syl_scratch_bytes(&model, 0, 1), 0u);
  model = *run.model.get();
  model.cpu_features = UINT64_C(1) << 40;
  model.target = "x86-64-avx99";
  EXPECT_EQ(status(model), SYL_ERROR_MISMATCH);
  EXPECT_STREQ(syl_last_error(),
               "'toy' was compiled for x86-64-avx99, which this CPU does not have: compile it with --target");
  model = *run.model.get();
  model.train.phase_count = 0;
  EXPECT_EQ(status(model), SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "'toy' was compiled without training");
  model.evaluate.phase_count = model.predict.phase_count = 0;
  float output[24];
  EXPECT_EQ(syl_predict(&model, run.state.get(), run.scratch.get(), run.input(0), 8, output), SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "'toy' was compiled without prediction");
}

TEST(Errors, SizesOfBlocks) {
  toy::Model model;
  EXPECT_EQ(syl_state_bytes(nullptr), 0u);
  EXPECT_GE(syl_scratch_bytes(model.get(), 1, 2), syl_scratch_bytes(model.get(), 1, 1) + model.get()->local_bytes);
  EXPECT_EQ(syl_scratch_bytes(model.get(), 0, 0), syl_scratch_bytes(model.get(), 8, syl_threads()));
  EXPECT_EQ(syl_scratch_bytes(model.get(), 9, 1), 0u);
  EXPECT_STREQ(syl_last_error(), "found batch 9, expected 0 (the compiled batch) to 8");
  EXPECT_EQ(syl_scratch_bytes(model.get(), 0, 300), 0u);
  syl_model huge = *model.get();
  huge.heap_bytes = UINT64_C(1) << 60;
  EXPECT_EQ(syl_scratch_bytes(&huge, 0, 200), 0u);
  EXPECT_STREQ(syl_last_error(), "the scratch block of 'toy' is too large for this machine");
}

TEST(Errors, NamesOfStatusesAndTypes) {
  EXPECT_STREQ(syl_status_name(SYL_OK), "ok");
  EXPECT_STREQ(syl_status_name(SYL_ERROR_KERNEL), "kernel");
  EXPECT_STREQ(syl_status_name(static_cast<syl_status>(99)), "unknown");
  EXPECT_STREQ(syl_dtype_name(SYL_INT64), "int64");
  EXPECT_EQ(syl_dtype_bytes(SYL_UINT8), 1u);
  EXPECT_EQ(syl_dtype_bytes(SYL_FLOAT64), 8u);
}

TEST(Errors, MessagesBelongToTheThreadThatFailed) {
  syl_set_threads(-5);
  const std::string mine = syl_last_error();
  std::thread([] {
    EXPECT_STREQ(syl_last_error(), "");
    syl_set_threads(1000);
  }).join();
  EXPECT_EQ(syl_last_error(), mine);
}

// In a child of fork() more than one thread is refused, and one thread works.
TEST(Fork, AChildIsRefusedThePoolAndDoesNotHang) {
  Training run;
  run.train(2, 2); // starts a thread
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(20);
    syl_step two = {0, 2, 0}, one = {0, 1, 0};
    auto step = [&](const syl_step *step) {
      return syl_train_step(run.model.get(), run.state.get(), run.scratch.get(), run.input(0), run.target(0), 8, step,
                            nullptr);
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
