// Kernels that fail, and every mistake a caller can make: status and message.
#include "Training.h"
#include <cmath>
#include <functional>
#include <thread>

namespace {

TEST(Errors, TheFirstFailingSliceGivesTheMessageAndTheStepDoesNotCount) {
  for (int32_t threads : {1, 2, 8}) {
    Training run({.slices = 8, .failingSlices = 1 << 6 | 1 << 3 | 1 << 7});
    syl_step step = {0, 0, threads, 0};
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(syl_train_step(run.model.get(), run.state.get(), run.scratch.get(), run.inputs(0).data(),
                               run.targets(0).data(), 8, &step, nullptr),
                SYL_ERROR_KERNEL);
      EXPECT_STREQ(syl_last_error(), "toy: kernel linear.forward+grad, slice 3: toy failure of slice 3 (code -1)");
    }
    EXPECT_EQ(syl_state_step(run.model.get(), run.state.get()), 0u);
  }
}

TEST(Errors, AStepAfterAFailureIsRight) {
  Training failing({.failingSlices = 1}), run, reference;
  syl_step step = {0, 0, 4, 0};
  EXPECT_EQ(syl_train_step(failing.model.get(), failing.state.get(), failing.scratch.get(), failing.inputs(0).data(),
                           failing.targets(0).data(), 8, &step, nullptr),
            SYL_ERROR_KERNEL);
  run.train(3, 4);
  reference.train(3, 1);
  EXPECT_EQ(run.bytes(), reference.bytes());
}

TEST(Errors, ArgumentsEachWithItsMessage) {
  Training run;
  const syl_model *model = run.model.get();
  void *state = run.state.get(), *scratch = run.scratch.get();
  const Training::Pointers inputs = run.inputs(0), targets = run.targets(0), none{};
  const void *const *input = inputs.data(), *const *target = targets.data();
  void *const output[] = {scratch}, *const nothing[] = {nullptr};
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
  expect(argument, "input is null", syl_train_step(model, state, scratch, none.data(), target, 8, nullptr, nullptr));
  expect(argument, "target is null", syl_evaluate(model, state, scratch, input, none.data(), 8, nullptr));
  expect(argument, "output is null", syl_predict(model, state, scratch, input, 8, nothing));
  for (int32_t n : {0, -1, 9, INT32_MIN, INT32_MAX}) {
    std::string message =
        "found " + std::to_string(n) + " samples, expected 1 to 8, the batch that 'toy' was compiled for";
    expect(argument, message.c_str(), syl_train_step(model, state, scratch, input, target, n, nullptr, nullptr));
    expect(argument, message.c_str(), syl_evaluate(model, state, scratch, input, target, n, nullptr));
    expect(argument, message.c_str(), syl_predict(model, state, scratch, input, n, output));
  }
  syl_step step = {0, 0, 257, 0};
  expect(argument, "found 257 threads, expected 0 (the default) to 256",
         syl_train_step(model, state, scratch, input, target, 8, &step, nullptr));
  for (double scale : {-1., double(NAN), double(INFINITY)}) {
    step = {scale, 0, 0, 0};
    EXPECT_EQ(syl_train_step(model, state, scratch, input, target, 8, &step, nullptr), SYL_ERROR_ARGUMENT);
    EXPECT_EQ(std::string(syl_last_error()).find("learning_rate_scale is "), 0u);
    step = {0, scale, 0, 0};
    EXPECT_EQ(syl_train_step(model, state, scratch, input, target, 8, &step, nullptr), SYL_ERROR_ARGUMENT);
    EXPECT_EQ(std::string(syl_last_error()).find("steps_per_epoch is "), 0u);
  }
  std::vector<int32_t> labels = {0, 1, 2, 0, 1, 3, 0, 1};
  const void *const wrong[] = {labels.data()};
  expect(argument, "target of sample 5 is 3, expected 0 to 2",
         syl_train_step(model, state, scratch, input, wrong, 8, nullptr, nullptr));
  labels[5] = -1;
  expect(argument, "target of sample 5 is -1, expected 0 to 2",
         syl_evaluate(model, state, scratch, input, wrong, 8, nullptr));
  EXPECT_EQ(syl_evaluate(model, state, scratch, input, wrong, 5, nullptr), SYL_OK);
}

TEST(Errors, NumbersThatStandForNoClass) {
  Training run;
  std::vector<int32_t> labels = {0, 1, -100, 0, 1, 2, 0, 1};
  const void *const targets[] = {labels.data()};
  syl_array array = run.model.get()->targets[0];
  syl_model model = *run.model.get();
  model.targets = &array;
  const Training::Pointers inputs = run.inputs(0);
  EXPECT_EQ(syl_evaluate(&model, run.state.get(), run.scratch.get(), inputs.data(), targets, 8, nullptr),
            SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "target of sample 2 is -100, expected 0 to 2");
  array.ignore_index = -100;
  model.evaluate.phase_count = 0; // the toy's kernels know no such number: the check alone
  EXPECT_EQ(syl_evaluate(&model, run.state.get(), run.scratch.get(), inputs.data(), targets, 8, nullptr),
            SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "'toy' was compiled without evaluation");
}

TEST(Errors, RowsOfAnEmbeddingAreInRange) {
  Training run({.inputDtype = SYL_UINT8});
  syl_array array = run.model.get()->inputs[0];
  syl_model model = *run.model.get();
  model.inputs = &array;
  const uint8_t rows[] = {0, 9, 3, 10, 1};
  const void *const input = rows;
  void *const output = nullptr;
  array.classes = 10;
  EXPECT_EQ(syl_predict(&model, run.state.get(), run.scratch.get(), &input, 1, &output), SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "input of sample 0 is 10, expected 0 to 9");
  array.classes = 11;
  EXPECT_EQ(syl_predict(&model, run.state.get(), run.scratch.get(), &input, 1, &output), SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "output is null");
}

TEST(Errors, SeveralArraysAreCalledByTheirNames) {
  Training run({.several = true});
  const syl_model *model = run.model.get();
  Training::Pointers inputs = run.inputs(0), targets = run.targets(0);
  auto evaluate = [&] {
    return syl_evaluate(model, run.state.get(), run.scratch.get(), inputs.data(), targets.data(), 8, nullptr);
  };
  EXPECT_EQ(evaluate(), SYL_OK);
  inputs[1] = nullptr;
  EXPECT_EQ(evaluate(), SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "input 'shift' is null");
  inputs = run.inputs(0);
  targets[1] = nullptr;
  EXPECT_EQ(evaluate(), SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "target 'wanted' is null");
  std::vector<int32_t> labels(8, 3);
  targets = {labels.data(), run.targets(0)[1]};
  EXPECT_EQ(evaluate(), SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "target 'target' of sample 0 is 3, expected 0 to 2");
  syl_model many = *model;
  many.output_count = SYL_MAX_ARRAYS;
  EXPECT_EQ(syl_predict(&many, run.state.get(), run.scratch.get(), run.inputs(0).data(), 8, nullptr),
            SYL_ERROR_INTERNAL);
  EXPECT_STREQ(syl_last_error(), "'toy' has 2 inputs, 2 targets and 61 outputs, expected 61 at most");
}

TEST(Errors, BlocksThatAreNotAligned) {
  Training run;
  toy::Block larger(run.scratch.size() + SYL_ALIGNMENT);
  char *off = static_cast<char *>(larger.get()) + 64;
  EXPECT_EQ(syl_train_step(run.model.get(), run.state.get(), off, run.inputs(0).data(), run.targets(0).data(), 8,
                           nullptr, nullptr),
            SYL_ERROR_ARGUMENT);
  EXPECT_EQ(std::string(syl_last_error()).find("scratch is at 0x"), 0u) << syl_last_error();
  EXPECT_EQ(syl_init_state(run.model.get(), off, 1), SYL_ERROR_ARGUMENT);
  EXPECT_NE(std::string(syl_last_error()).find("expected a multiple of 128"), std::string::npos) << syl_last_error();
}

TEST(Errors, StatesOfNobodyAndOfAnotherNetwork) {
  Training run, other({.classes = 4});
  toy::Block raw(run.state.size());
  EXPECT_EQ(syl_evaluate(run.model.get(), raw.get(), run.scratch.get(), run.inputs(0).data(), run.targets(0).data(), 8,
                         nullptr),
            SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "state was not filled by toy_init or from a checkpoint");
  EXPECT_EQ(syl_evaluate(run.model.get(), other.state.get(), run.scratch.get(), run.inputs(0).data(),
                         run.targets(0).data(), 8, nullptr),
            SYL_ERROR_MISMATCH);
  EXPECT_EQ(std::string(syl_last_error()).find("state belongs to another network than 'toy'"), 0u);
}

TEST(Errors, DescriptorsThatDoNotFit) {
  Training run;
  auto status = [&](const syl_model &model) {
    return syl_train_step(&model, run.state.get(), run.scratch.get(), run.inputs(0).data(), run.targets(0).data(), 8,
                          nullptr, nullptr);
  };
  syl_model model = *run.model.get();
  model.abi_version = 1;
  EXPECT_EQ(status(model), SYL_ERROR_MISMATCH);
  EXPECT_EQ(std::string(syl_last_error()).find("the network was compiled for version 1 of the runtime"), 0u);
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
  float rows[24];
  void *const output = rows;
  EXPECT_EQ(syl_predict(&model, run.state.get(), run.scratch.get(), run.inputs(0).data(), 8, &output),
            SYL_ERROR_ARGUMENT);
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

// What a thread's callback hears.
struct Heard {
  std::vector<std::string> messages;
  std::function<void()> then;
  static void hear(void *self, syl_severity severity, const char *message) {
    auto *heard = static_cast<Heard *>(self);
    heard->messages.push_back((severity == SYL_SEVERITY_ERROR ? "error: " : "warning: ") + std::string(message));
    if (heard->then)
      heard->then();
  }
  Heard() { syl_set_message_callback(hear, this); }
  ~Heard() { syl_set_message_callback(nullptr, nullptr); }
};

TEST(Messages, EachFailingCallSendsOne) {
  Training run({.slices = 8, .failingSlices = 1 << 3});
  toy::Model other;
  const syl_tensor *tensor = run.model.get()->tensors;
  Heard heard;
  syl_step step = {0, 0, 4, 0};
  EXPECT_EQ(syl_set_threads(257), SYL_ERROR_ARGUMENT);
  EXPECT_EQ(syl_init_state(nullptr, nullptr, 1), SYL_ERROR_ARGUMENT);
  EXPECT_EQ(syl_scratch_bytes(nullptr, 0, 1), 0u);
  EXPECT_EQ(run.step(0, 8, &step, nullptr), SYL_ERROR_KERNEL);
  EXPECT_EQ(syl_evaluate(nullptr, nullptr, nullptr, nullptr, nullptr, 1, nullptr), SYL_ERROR_ARGUMENT);
  EXPECT_EQ(syl_predict(run.model.get(), nullptr, nullptr, nullptr, 1, nullptr), SYL_ERROR_ARGUMENT);
  EXPECT_EQ(syl_export_tensor(tensor, run.state.get(), 0, nullptr), SYL_ERROR_ARGUMENT);
  EXPECT_EQ(syl_import_tensor(nullptr, run.state.get(), &step), SYL_ERROR_ARGUMENT);
  EXPECT_EQ(syl_find_nonfinite(run.model.get(), run.state.get()), nullptr) << "no failure, no message";
  EXPECT_EQ(
      heard.messages,
      (std::vector<std::string>{
          "error: found 257 threads, expected 0 (the default) to 256", "error: model is null", "error: model is null",
          "error: toy: kernel linear.forward+grad, slice 3: toy failure of slice 3 (code -1)", "error: model is null",
          "error: state is null", "error: packed is null", "error: tensor is null"}));
  EXPECT_STREQ(syl_last_error(), "tensor is null");
  syl_set_message_callback(nullptr, nullptr);
  EXPECT_EQ(syl_set_threads(257), SYL_ERROR_ARGUMENT);
  EXPECT_EQ(heard.messages.size(), 8u);
}

TEST(Messages, GoToTheThreadThatCalls) {
  Heard heard;
  std::thread([] {
    EXPECT_EQ(syl_set_threads(257), SYL_ERROR_ARGUMENT);
    Heard inner;
    EXPECT_EQ(syl_set_threads(258), SYL_ERROR_ARGUMENT);
    EXPECT_EQ(inner.messages, std::vector<std::string>{"error: found 258 threads, expected 0 (the default) to 256"});
  }).join();
  EXPECT_TRUE(heard.messages.empty());
}

// When the callback hears of a failure the pool is free, and the last error is still that of the call that failed.
TEST(Messages, ACallbackMayCallTheLibrary) {
  Training failing({.failingSlices = 1}), run, reference;
  reference.train(3, 1);
  Heard heard;
  heard.then = [&] {
    if (heard.messages.size() == 1) {
      run.train(3, 4);
      syl_set_threads(-1);
    }
  };
  syl_step step = {0, 0, 4, 0};
  EXPECT_EQ(failing.step(0, 8, &step, nullptr), SYL_ERROR_KERNEL);
  EXPECT_EQ(heard.messages.size(), 2u);
  EXPECT_EQ(heard.messages[0], "error: " + std::string(syl_last_error()));
  EXPECT_EQ(run.bytes(), reference.bytes());
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

} // namespace

namespace {

TEST(Names, EveryStatusAndTypeHasOne) {
  const char *names[] = {"ok",       "argument", "memory",      "io",       "format",
                         "mismatch", "kernel",   "interrupted", "internal", "nonfinite"};
  for (int status = SYL_OK; status <= SYL_ERROR_NONFINITE; ++status)
    EXPECT_STREQ(syl_status_name(syl_status(status)), names[status]);
  EXPECT_STREQ(syl_status_name(syl_status(99)), "unknown");
  const char *types[] = {"uint8", "int32", "int64", "float32", "float64"};
  for (int type = SYL_UINT8; type <= SYL_FLOAT64; ++type)
    EXPECT_STREQ(syl_dtype_name(syl_dtype(type)), types[type]);
  EXPECT_STREQ(syl_dtype_name(syl_dtype(99)), "unknown");
  EXPECT_EQ(syl_dtype_bytes(syl_dtype(99)), 0u);
}

} // namespace
