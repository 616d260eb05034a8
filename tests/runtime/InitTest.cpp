// What init fills tensors with beyond plain uniform and normal numbers: truncated normal, orthogonal, copies.
#include "ToyModel.h"
#include "runtime/core/internal.h"
#include <cmath>
#include <gtest/gtest.h>

namespace {

// One tensor, or several, of a state that holds nothing else; the elements lie in C order.
struct State {
  syl_model model{};
  std::vector<syl_tensor> tensors;
  std::vector<std::vector<syl_factor>> factors;
  syl_array input{};
  std::unique_ptr<toy::Block> block;

  syl_tensor &add(std::vector<int64_t> shape, int32_t init, double a, double b = 0, double c = 0, double d = 0,
                  syl_dtype dtype = SYL_FLOAT64) {
    syl_tensor tensor{};
    tensor.name = "t";
    tensor.kind = SYL_PARAMETER;
    tensor.dtype = dtype;
    tensor.rank = int32_t(shape.size());
    std::copy(shape.begin(), shape.end(), tensor.shape);
    tensor.init = init;
    tensor.init_a = a, tensor.init_b = b, tensor.init_c = c, tensor.init_d = d;
    tensor.copies = 1;
    int64_t stride = 1;
    factors.emplace_back();
    for (int32_t axis = tensor.rank; axis-- > 0;) {
      factors.back().push_back({axis, 0, 1, tensor.shape[axis], stride});
      stride *= tensor.shape[axis];
    }
    tensor.factor_count = tensor.rank;
    tensor.offset = model.state_bytes ? model.state_bytes : sizeof(syl_state_header);
    model.state_bytes = (tensor.offset + uint64_t(stride) * 8 + 127) / 128 * 128;
    tensors.push_back(tensor);
    return tensors.back();
  }
  syl_status init(uint64_t seed) {
    model.abi_version = SYL_ABI_VERSION;
    model.struct_bytes = sizeof model;
    model.name = "state";
    model.inputs = &input;
    model.input_count = 1;
    for (size_t i = 0; i < tensors.size(); ++i)
      tensors[i].factors = factors[i].data();
    model.tensors = tensors.data();
    model.tensor_count = int32_t(tensors.size());
    block = std::make_unique<toy::Block>(model.state_bytes);
    return syl_init_state(&model, block->get(), seed);
  }
  template <typename T = double> std::vector<T> values(size_t index = 0) {
    std::vector<T> all(syl_tensor_elements(&tensors[index]));
    EXPECT_EQ(syl_export_tensor(&tensors[index], block->get(), 0, all.data()), SYL_OK);
    return all;
  }
};

TEST(Init, TruncatedNormalHasTheMomentsOfTheCutDistribution) {
  struct Case {
    double mean, deviation, low, high, expectedMean, expectedDeviation;
  };
  // mean and standard deviation by numerical integration of the density
  const Case cases[] = {{0, 1, -2, 2, 0, 0.8796256610342398},
                        {0.5, 0.02, 0.46, 0.54, 0.5, 0.017592513220684796},
                        {0, 1, 1, 3, 1.5100491419, 0.4164768906},
                        {0, 1, -9, -8, -8.1211887472, 0.1189476531}};
  for (const Case &c : cases) {
    State state;
    state.add({200000}, SYL_INIT_TRUNCATED_NORMAL, c.mean, c.deviation, c.low, c.high);
    ASSERT_EQ(state.init(3), SYL_OK) << syl_last_error();
    double sum = 0, squares = 0;
    for (double value : state.values()) {
      ASSERT_GE(value, c.low);
      ASSERT_LE(value, c.high);
      sum += value / 200000;
    }
    for (double value : state.values())
      squares += (value - sum) * (value - sum) / 200000;
    EXPECT_NEAR(sum, c.expectedMean, 0.01 * c.expectedDeviation);
    EXPECT_NEAR(std::sqrt(squares), c.expectedDeviation, 0.01 * c.expectedDeviation);
  }
}

TEST(Init, TruncatedNormalInvertsTheDistributionFunction) {
  for (uint64_t i = 0; i < 2000; ++i) {
    double uniform = (double(syl_random_bits(5, 0, i) >> 11) + 0.5) * 0x1p-53;
    double low = 0.5 * std::erfc(3 / std::sqrt(2.)), share = low + uniform * (1 - 2 * low);
    double value = syl_random_truncated(5, 0, i, 0, 1, -3, 3);
    EXPECT_NEAR(0.5 * std::erfc(-value / std::sqrt(2.)), share, 4e-16);
  }
  EXPECT_EQ(syl_random_truncated(1, 0, 0, 7, 0, 0, 10), 7); // no deviation
  EXPECT_EQ(syl_random_truncated(1, 0, 0, 7, 0, 0, 5), 5);
  State narrow;
  narrow.add({1000}, SYL_INIT_TRUNCATED_NORMAL, 0, 1, -0.1, 0.1, SYL_FLOAT32);
  ASSERT_EQ(narrow.init(3), SYL_OK);
  for (float value : narrow.values<float>())
    EXPECT_LE(std::fabs(value), 0.1f);
}

// Q^T A is upper triangular with a positive diagonal, where A is the normal matrix that was factored.
void expectOrthogonal(int64_t rows, std::vector<int64_t> rest, double gain) {
  State state;
  std::vector<int64_t> shape = {rows};
  shape.insert(shape.end(), rest.begin(), rest.end());
  state.add(shape, SYL_INIT_ORTHOGONAL, gain);
  ASSERT_EQ(state.init(11), SYL_OK) << syl_last_error();
  std::vector<double> values = state.values();
  const int64_t columns = int64_t(values.size()) / rows, m = std::max(rows, columns), k = std::min(rows, columns);
  // Column j of the tall matrix, element i.
  auto place = [&](int64_t i, int64_t j) { return size_t(rows >= columns ? i * columns + j : j * columns + i); };
  auto q = [&](int64_t i, int64_t j) { return values[place(i, j)] / gain; };
  auto a = [&](int64_t i, int64_t j) { return syl_random_float64(11, 0, place(i, j), SYL_INIT_NORMAL, 0, 1); };
  for (int64_t one = 0; one < k; ++one)
    for (int64_t other = 0; other < k; ++other) {
      double product = 0, r = 0;
      for (int64_t i = 0; i < m; ++i) {
        product += q(i, one) * q(i, other);
        r += q(i, one) * a(i, other);
      }
      EXPECT_NEAR(product, one == other, 1e-14) << one << " " << other;
      if (one == other) {
        EXPECT_GT(r, 0);
      }
      if (one > other) {
        EXPECT_NEAR(r, 0, 1e-13);
      }
    }
}

TEST(Init, OrthogonalIsQOfANormalMatrix) {
  expectOrthogonal(5, {5}, 1);
  expectOrthogonal(20, {7}, 1);
  expectOrthogonal(6, {3, 3, 3}, std::sqrt(2.));
  expectOrthogonal(1, {9}, 1);
  expectOrthogonal(9, {1}, 0.5);
  expectOrthogonal(64, {100}, 1);
}

TEST(Init, OrthogonalTakesAMatrix) {
  State state;
  state.add({5}, SYL_INIT_ORTHOGONAL, 1);
  EXPECT_EQ(state.init(1), SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "tensor 't' has rank 1 and cannot start orthogonal: that takes a matrix");
}

TEST(Init, ARowOfZerosAmongNormalOnes) {
  for (syl_dtype dtype : {SYL_FLOAT32, SYL_FLOAT64}) {
    State state;
    state.add({5, 3}, SYL_INIT_NORMAL, 0, 1, 0, 0, dtype);
    state.add({5, 3}, SYL_INIT_NORMAL_ZERO_ROW, 0, 1, 2, 0, dtype);
    ASSERT_EQ(state.init(7), SYL_OK) << syl_last_error();
    for (int i = 0; i < 15; ++i) {
      double value = dtype == SYL_FLOAT32 ? double(state.values<float>(1)[size_t(i)]) : state.values(1)[size_t(i)];
      double drawn = dtype == SYL_FLOAT32 ? double(syl_random_float32(7, 1, uint64_t(i), SYL_INIT_NORMAL, 0, 1))
                                          : syl_random_float64(7, 1, uint64_t(i), SYL_INIT_NORMAL, 0, 1);
      EXPECT_EQ(value, i / 3 == 2 ? 0 : drawn) << i;
    }
  }
}

TEST(Init, CopiesStartAsTheirSources) {
  State state;
  state.add({7, 3}, SYL_INIT_NORMAL, 0, 1);
  state.add({4, 6}, SYL_INIT_ORTHOGONAL, 1);
  state.add({3}, SYL_INIT_CONSTANT, 0.25);
  state.add({3}, SYL_INIT_TRUNCATED_NORMAL, 0, 1, -2, 2);
  for (int32_t source = 0; source < 4; ++source) {
    const syl_tensor &from = state.tensors[size_t(source)];
    state.add({from.shape, from.shape + from.rank}, SYL_INIT_COPY, 0).init_from = source;
  }
  ASSERT_EQ(state.init(2), SYL_OK) << syl_last_error();
  for (size_t source = 0; source < 4; ++source)
    EXPECT_EQ(state.values(source + 4), state.values(source)) << source;
  EXPECT_NE(state.values(3)[0], 0);
  for (int32_t wrong : {-1, 2, 7, 99}) { // no tensor, another shape, a copy
    state.tensors[4].init_from = wrong;
    EXPECT_EQ(state.init(2), SYL_ERROR_ARGUMENT);
    EXPECT_EQ(std::string(syl_last_error()).find("tensor 't' starts as a copy of tensor "), 0u);
  }
}

} // namespace
