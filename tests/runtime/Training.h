// A hand-built network with its blocks and data, for the tests of train_step, evaluate and predict.
#ifndef SYLVITE_TESTS_RUNTIME_TRAINING_H
#define SYLVITE_TESTS_RUNTIME_TRAINING_H

#include "ToyModel.h"
#include <array>
#include <gtest/gtest.h>

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

  // Pointers as the runtime's calls take them, from `sample` on.
  using Pointers = std::array<const void *, 2>;
  Pointers inputs(int64_t sample) const { return {input(sample), samples.shift.data() + sample * model.features()}; }
  Pointers targets(int64_t sample) const {
    return {target(sample), samples.wanted.data() + sample * model.options().classes};
  }
  syl_status step(int64_t first, int32_t n, const syl_step *step, syl_result *result) {
    return syl_train_step(model.get(), state.get(), scratch.get(), inputs(first).data(), targets(first).data(), n, step,
                          result);
  }
  syl_status evaluate(int64_t first, int32_t n, syl_result *result) {
    return syl_evaluate(model.get(), state.get(), scratch.get(), inputs(first).data(), targets(first).data(), n,
                        result);
  }

  // `count` steps on `threads` threads, the last of each ten with a batch cut short.
  syl_result train(int count, int32_t threads) {
    syl_step settings = {0, 0, threads, 0};
    syl_result result{};
    const int32_t batch = model.options().batch;
    for (int i = 0; i < count; ++i) {
      int32_t n = i % 10 == 9 ? batch - 3 : batch;
      int64_t first = i % 10 * batch;
      EXPECT_EQ(step(first, n, &settings, &result), SYL_OK) << syl_last_error();
      EXPECT_EQ(result.count, n);
    }
    return result;
  }

  std::string bytes() const { return std::string(static_cast<const char *>(state.get()), state.size()); }

  toy::Model model;
  toy::Block state, scratch;
  toy::Samples samples;
};

#endif
