// Philox against its authors' known answers, and the distributions of init.
#include "ToyModel.h"
#include "runtime/core/internal.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

namespace {

struct KnownAnswer {
  uint32_t counter[4], key[2], output[4];
};

TEST(Philox, KnownAnswersOfRandom123) {
  const KnownAnswer answers[] = {{{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
                                 {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
                                  {0xffffffff, 0xffffffff},
                                  {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
                                 {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                                  {0xa4093822, 0x299f31d0},
                                  {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
  for (const KnownAnswer &answer : answers) {
    uint32_t output[4];
    syl_philox(answer.counter, answer.key, output);
    for (int i = 0; i < 4; ++i)
      EXPECT_EQ(output[i], answer.output[i]);
  }
}

TEST(Philox, BitsComeFromKeyCounterAndWord) {
  const uint32_t key[2] = {0x55667788, 0x11223344};
  const uint64_t index = (UINT64_C(5) << 34) + 4 * 7 + 2; // element / 4 = (5 << 32) + 7
  uint32_t counter[4] = {7, 9, 5, 0}, high[4], low[4];
  syl_philox(counter, key, high);
  counter[3] = 1;
  syl_philox(counter, key, low);
  EXPECT_EQ(syl_random_bits(UINT64_C(0x1122334455667788), 9, index), uint64_t(high[2]) << 32 | low[2]);
}

struct Moments {
  double mean = 0, variance = 0, kurtosis = 0, smallest = INFINITY, largest = -INFINITY;
};

template <typename Draw> Moments momentsOf(Draw draw, int count) {
  Moments m;
  for (int i = 0; i < count; ++i) {
    double value = draw(i);
    m.mean += value / count;
    m.smallest = std::min(m.smallest, value);
    m.largest = std::max(m.largest, value);
  }
  for (int i = 0; i < count; ++i) {
    double d = draw(i) - m.mean;
    m.variance += d * d / count;
    m.kurtosis += d * d * d * d / count;
  }
  m.kurtosis /= m.variance * m.variance;
  return m;
}

constexpr int kDraws = 200000; // standard errors below are for this number; bounds are 5 of them

TEST(Distribution, Uniform) {
  const double a = -0.3, b = 0.7;
  auto check = [&](const Moments &m) {
    EXPECT_NEAR(m.mean, 0.2, 5 * std::sqrt(1 / 12. / kDraws));
    EXPECT_NEAR(m.variance, 1 / 12., 5 * std::sqrt(1 / 180. / kDraws));
    EXPECT_GE(m.smallest, float(a));
    EXPECT_LT(m.largest, b);
    EXPECT_LT(m.smallest, a + 1e-4);
    EXPECT_GT(m.largest, b - 1e-4);
  };
  check(momentsOf([&](int i) { return double(syl_random_float32(1, 0, i, SYL_INIT_UNIFORM, a, b)); }, kDraws));
  check(momentsOf([&](int i) { return syl_random_float64(1, 0, i, SYL_INIT_UNIFORM, a, b); }, kDraws));
}

TEST(Distribution, Normal) {
  auto check = [&](const Moments &m) {
    EXPECT_NEAR(m.mean, 2, 5 * 0.5 / std::sqrt(kDraws));
    EXPECT_NEAR(m.variance, 0.25, 5 * 0.25 * std::sqrt(2. / kDraws));
    EXPECT_NEAR(m.kurtosis, 3, 5 * std::sqrt(96. / kDraws));
    EXPECT_LT(m.smallest, 2 - 0.5 * 4);
    EXPECT_GT(m.largest, 2 + 0.5 * 4);
  };
  check(momentsOf([&](int i) { return double(syl_random_float32(1, 0, i, SYL_INIT_NORMAL, 2, 0.5)); }, kDraws));
  check(momentsOf([&](int i) { return syl_random_float64(1, 0, i, SYL_INIT_NORMAL, 2, 0.5); }, kDraws));
}

TEST(Distribution, NeighboursTensorsAndSeedsAreUncorrelated) {
  auto correlation = [](auto first, auto second) {
    double sum = 0;
    for (int i = 0; i < kDraws; ++i)
      sum += first(i) * second(i) / kDraws;
    return sum;
  };
  auto draw = [](uint64_t seed, uint32_t tensor, int shift) {
    return [=](int i) { return syl_random_float64(seed, tensor, i + shift, SYL_INIT_NORMAL, 0, 1); };
  };
  const double bound = 5 / std::sqrt(kDraws);
  for (int shift = 1; shift <= 4; ++shift)
    EXPECT_LT(std::abs(correlation(draw(1, 0, 0), draw(1, 0, shift))), bound);
  EXPECT_LT(std::abs(correlation(draw(1, 0, 0), draw(1, 1, 0))), bound);
  EXPECT_LT(std::abs(correlation(draw(1, 0, 0), draw(2, 0, 0))), bound);
}

TEST(Distribution, Float32AndFloat64StartAlike) {
  for (int i = 0; i < 1000; ++i) {
    EXPECT_NEAR(syl_random_float32(3, 1, i, SYL_INIT_UNIFORM, -1, 1),
                syl_random_float64(3, 1, i, SYL_INIT_UNIFORM, -1, 1), 2e-7);
    EXPECT_EQ(syl_random_float32(3, 1, i, SYL_INIT_NORMAL, 0, 1),
              float(syl_random_float64(3, 1, i, SYL_INIT_NORMAL, 0, 1)));
  }
}

// A range so narrow that rounding to float32 would often give b itself.
TEST(Distribution, UniformStaysBelowItsUpperBound) {
  const float a = 1, b = std::nextafter(std::nextafter(1.f, 2.f), 2.f);
  for (int i = 0; i < 1000; ++i) {
    float value = syl_random_float32(1, 0, i, SYL_INIT_UNIFORM, a, b);
    EXPECT_GE(value, a);
    EXPECT_LT(value, b);
  }
  EXPECT_EQ(syl_random_float32(1, 0, 0, SYL_INIT_UNIFORM, 0.5, 0.5), 0.5f);
}

TEST(Init, FillsEveryTensorAndZeroesPadding) {
  toy::Model model({.inputShape = {7}, .classes = 5}); // stored as 8 classes
  toy::Block state(syl_state_bytes(model.get()));
  ASSERT_EQ(syl_init_state(model.get(), state.get(), 42), SYL_OK) << syl_last_error();
  EXPECT_EQ(syl_state_seed(model.get(), state.get()), 42u);
  EXPECT_EQ(syl_state_step(model.get(), state.get()), 0u);
  const syl_tensor *weight = syl_find_tensor(model.get(), "linear.weight");
  std::vector<float> packed(35);
  ASSERT_EQ(syl_export_tensor(weight, state.get(), 0, packed.data()), SYL_OK);
  for (int i = 0; i < 35; ++i)
    EXPECT_EQ(packed[i], syl_random_float32(42, 0, i, SYL_INIT_UNIFORM, weight->init_a, weight->init_b));
  const float *stored = reinterpret_cast<const float *>(static_cast<char *>(state.get()) + weight->offset);
  for (int f = 0; f < 7; ++f)
    for (int k = 5; k < 8; ++k)
      EXPECT_EQ(stored[k / 4 * 28 + f * 4 + k % 4], 0.f);
  int64_t tracked = -1;
  ASSERT_EQ(syl_export_tensor(syl_find_tensor(model.get(), "input.num_batches_tracked"), state.get(), 0, &tracked),
            SYL_OK);
  EXPECT_EQ(tracked, 0);
}

TEST(Init, EqualSeedsGiveEqualBytesAndOthersDoNot) {
  toy::Model model;
  const size_t bytes = syl_state_bytes(model.get());
  toy::Block a(bytes), b(bytes), c(bytes);
  syl_init_state(model.get(), a.get(), 1);
  syl_init_state(model.get(), b.get(), 1);
  syl_init_state(model.get(), c.get(), 2);
  EXPECT_EQ(std::memcmp(a.get(), b.get(), bytes), 0);
  EXPECT_NE(std::memcmp(a.get(), c.get(), bytes), 0);
}

// Constants of every element type, and random numbers where the type has none.
TEST(Init, ConstantsAndTypes) {
  toy::Model toyModel;
  syl_model model = *toyModel.get();
  for (syl_dtype dtype : {SYL_UINT8, SYL_INT32, SYL_INT64, SYL_FLOAT32, SYL_FLOAT64}) {
    syl_factor factor = {0, 0, 1, 3, 2};
    syl_tensor tensor{};
    tensor.name = "t";
    tensor.kind = SYL_BUFFER;
    tensor.dtype = dtype;
    tensor.rank = 1;
    tensor.shape[0] = 3;
    tensor.init_a = 7;
    tensor.factor_count = 1;
    tensor.factors = &factor;
    tensor.copies = 1;
    tensor.offset = sizeof(syl_state_header);
    model.tensors = &tensor;
    model.tensor_count = 1;
    model.state_bytes = 256;
    toy::Block state(256);
    ASSERT_EQ(syl_init_state(&model, state.get(), 1), SYL_OK) << syl_last_error();
    char packed[24];
    ASSERT_EQ(syl_export_tensor(&tensor, state.get(), 0, packed), SYL_OK);
    const void *second = packed + syl_dtype_bytes(dtype);
    double value = dtype == SYL_UINT8     ? *static_cast<const uint8_t *>(second)
                   : dtype == SYL_INT32   ? *static_cast<const int32_t *>(second)
                   : dtype == SYL_INT64   ? *static_cast<const int64_t *>(second)
                   : dtype == SYL_FLOAT32 ? *static_cast<const float *>(second)
                                          : *static_cast<const double *>(second);
    EXPECT_EQ(value, 7) << syl_dtype_name(dtype);
    tensor.init = SYL_INIT_NORMAL;
    tensor.init_b = 1;
    bool real = dtype == SYL_FLOAT32 || dtype == SYL_FLOAT64;
    EXPECT_EQ(syl_init_state(&model, state.get(), 1), real ? SYL_OK : SYL_ERROR_ARGUMENT);
    EXPECT_EQ(static_cast<const syl_state_header *>(state.get())->magic == SYL_STATE_MAGIC, real);
  }
}

} // namespace
