// Steps that look for NaN and infinity: found wherever they are, on any number of threads; nothing else is taken for
// them. Layer: tests.
#include "Training.h"
#include <cmath>
#include <cstring>
#include <limits>

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
const double bad[] = {nan, -nan, infinity, -infinity};

syl_step checked(int32_t threads) { return {0, 0, threads, 1}; }

void set(toy::Block &state, const syl_tensor *tensor, uint64_t index, double value) {
  std::vector<char> packed(syl_tensor_elements(tensor) * syl_dtype_bytes(syl_dtype(tensor->dtype)));
  ASSERT_EQ(syl_export_tensor(tensor, state.get(), 0, packed.data()), SYL_OK);
  if (tensor->dtype == SYL_FLOAT64) {
    std::memcpy(packed.data() + index * 8, &value, 8);
  } else {
    float narrow = float(value);
    std::memcpy(packed.data() + index * 4, &narrow, 4);
  }
  ASSERT_EQ(syl_import_tensor(tensor, state.get(), packed.data()), SYL_OK);
}

bool isFloat(const syl_tensor &tensor) { return tensor.dtype == SYL_FLOAT32 || tensor.dtype == SYL_FLOAT64; }

TEST(Finite, GoodStepsHaveTheBitsOfUncheckedOnes) {
  for (syl_dtype dtype : {SYL_FLOAT32, SYL_FLOAT64}) {
    Training with({.inputShape = {300}, .dtype = dtype}), without({.inputShape = {300}, .dtype = dtype});
    for (int i = 0; i < 10; ++i) {
      syl_step on = checked(3), off = {0, 0, 1, 0};
      ASSERT_EQ(with.step(i * 8, 8, &on, nullptr), SYL_OK) << syl_last_error();
      ASSERT_EQ(without.step(i * 8, 8, &off, nullptr), SYL_OK);
    }
    EXPECT_EQ(with.bytes(), without.bytes());
    EXPECT_EQ(syl_find_nonfinite(with.model.get(), with.state.get()), nullptr);
  }
}

TEST(Finite, EveryElementOfEveryTensor) {
  for (syl_dtype dtype : {SYL_FLOAT32, SYL_FLOAT64}) {
    Training run({.inputShape = {11}, .dtype = dtype, .learningRate = 0});
    const std::string good = run.bytes();
    for (int32_t t = 0; t < run.model.get()->tensor_count; ++t) {
      const syl_tensor &tensor = run.model.get()->tensors[t];
      if (tensor.kind > SYL_SLOT || !isFloat(tensor))
        continue;
      for (uint64_t index = 0; index < syl_tensor_elements(&tensor); ++index)
        for (double value : bad) {
          std::memcpy(run.state.get(), good.data(), good.size());
          set(run.state, &tensor, index, value);
          EXPECT_EQ(syl_find_nonfinite(run.model.get(), run.state.get()), &tensor) << tensor.name << " " << index;
          syl_step step = checked(1 + index % 3);
          EXPECT_EQ(run.step(0, 8, &step, nullptr), SYL_ERROR_NONFINITE) << tensor.name << " " << index;
          EXPECT_EQ(syl_state_step(run.model.get(), run.state.get()), 0u);
        }
    }
  }
}

/// A state of several spans, so that each thread finds what is in its own.
TEST(Finite, AnywhereInALargeState) {
  Training run({.inputShape = {50000}, .learningRate = 0});
  const syl_tensor *weight = syl_find_tensor(run.model.get(), "optimizer.momentum_buffer.linear.weight");
  const std::string good = run.bytes();
  for (uint64_t index : {0, 1, 7777, 49999, 50000, 149999}) {
    std::memcpy(run.state.get(), good.data(), good.size());
    set(run.state, weight, index, nan);
    syl_step step = checked(3);
    EXPECT_EQ(run.step(0, 8, &step, nullptr), SYL_ERROR_NONFINITE) << index;
    // The slot's NaN is in the weight too when the step is done: the first in the order of the table.
    EXPECT_STREQ(syl_last_error(), "found nan or infinity in 'linear.weight' after step 1");
  }
}

TEST(Finite, ASlotThatNeverReachesItsWeight) {
  Training run({.learningRate = 0});
  const float huge = 3e38f; // times momentum, and the gradient added, it stays finite
  const syl_tensor *slot = syl_find_tensor(run.model.get(), "optimizer.momentum_buffer.linear.bias");
  set(run.state, slot, 1, double(huge));
  syl_step step = checked(1);
  EXPECT_EQ(run.step(0, 8, &step, nullptr), SYL_OK) << syl_last_error();
}

TEST(Finite, InputsAndTargetsAreFoundAndTheStateIsUnchanged) {
  for (double value : bad) {
    Training run({.several = true});
    const std::string good = run.bytes();
    syl_step step = checked(2);
    run.samples.input[3 * 5 + 2] = float(value);
    EXPECT_EQ(run.step(0, 8, &step, nullptr), SYL_ERROR_NONFINITE);
    EXPECT_EQ(std::string(syl_last_error()), std::string("found ") +
                                                 (std::isnan(value) ? "nan"
                                                  : value > 0       ? "infinity"
                                                                    : "-infinity") +
                                                 " in input 'input', sample 3 of the batch, expected a finite number");
    EXPECT_EQ(run.step(0, 3, &step, nullptr), SYL_OK) << "samples that are not in the call do not count";
    run.samples.input[3 * 5 + 2] = 0;
    run.samples.wanted[7 * 3 + 2] = float(value);
    std::memcpy(run.state.get(), good.data(), good.size());
    EXPECT_EQ(run.step(0, 8, &step, nullptr), SYL_ERROR_NONFINITE);
    EXPECT_NE(std::string(syl_last_error()).find(" in target 'wanted', sample 7 of the batch"), std::string::npos);
    EXPECT_EQ(run.bytes(), good);
  }
}

TEST(Finite, ALossIsFoundBeforeTheUpdate) {
  Training run;
  syl_step step = checked(2);
  run.samples.input[3 * 5 + 2] = 3e38f; // finite; its logits are not
  const syl_tensor *weight = syl_find_tensor(run.model.get(), "linear.weight");
  set(run.state, weight, 2, 100);
  const std::string good = run.bytes();
  EXPECT_EQ(run.step(0, 8, &step, nullptr), SYL_ERROR_NONFINITE);
  EXPECT_NE(std::string(syl_last_error()).find(" in step 1, expected a finite one"), std::string::npos);
  EXPECT_EQ(run.bytes(), good);
  step.check_finite = 0;
  EXPECT_EQ(run.step(0, 8, &step, nullptr), SYL_OK) << "nobody looks";
  EXPECT_NE(syl_find_nonfinite(run.model.get(), run.state.get()), nullptr);
  step.check_finite = 2;
  EXPECT_EQ(run.step(0, 8, &step, nullptr), SYL_ERROR_ARGUMENT);
}

TEST(Finite, NumbersThatOnlyLookLikeIt) {
  Training run;
  auto *tracked = syl_find_tensor(run.model.get(), "input.num_batches_tracked");
  for (int64_t count : {INT64_C(0x7f800000), INT64_C(0x7fc00000), INT64_C(-1), INT64_C(0x7ff0000000000000)}) {
    ASSERT_EQ(syl_import_tensor(tracked, run.state.get(), &count), SYL_OK);
    syl_step step = checked(2);
    EXPECT_EQ(run.step(0, 8, &step, nullptr), SYL_OK) << syl_last_error();
  }
  const syl_tensor *mean = syl_find_tensor(run.model.get(), "input.running_mean");
  for (float value : {3.4028235e38f, -3.4028235e38f, 1e-45f, -0.f})
    set(run.state, mean, 0, double(value));
  EXPECT_EQ(syl_find_nonfinite(run.model.get(), run.state.get()), nullptr);
  EXPECT_EQ(syl_find_nonfinite(nullptr, nullptr), nullptr);
}

} // namespace
