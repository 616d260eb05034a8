// Export and import of tensors through their layouts, and the zeroing of halos.
#include "ToyModel.h"
#include <cstring>
#include <gtest/gtest.h>
#include <numeric>

namespace {

// A tensor record that owns its factors.
struct Tensor : syl_tensor {
  Tensor(std::vector<int64_t> extents, std::vector<syl_factor> layout, syl_tensor_kind kind = SYL_PARAMETER)
      : syl_tensor{}, layout(std::move(layout)) {
    name = "t";
    this->kind = kind;
    dtype = SYL_FLOAT32;
    rank = int32_t(extents.size());
    std::copy(extents.begin(), extents.end(), shape);
    factors = this->layout.data();
    factor_count = int32_t(this->layout.size());
    copies = 1;
  }
  std::vector<syl_factor> layout;

  // Place of an element by the definition in sylvite.h, in elements.
  int64_t place(uint64_t index) const {
    int64_t sum = 0;
    for (int32_t axis = rank - 1; axis >= 0; --axis) {
      int64_t i = index % shape[axis];
      index /= shape[axis];
      for (const syl_factor &factor : layout)
        if (factor.axis == axis)
          sum += i / factor.divisor % factor.extent * factor.stride;
    }
    return sum;
  }
};

// Import puts every element where the definition says and touches nothing else; export brings it back.
void roundTrip(const Tensor &tensor, size_t blockElements) {
  const uint64_t count = syl_tensor_elements(&tensor);
  std::vector<float> packed(count), back(count, -1), block(blockElements, -2), expected(blockElements, -2);
  std::iota(packed.begin(), packed.end(), 1.f);
  for (uint64_t i = 0; i < count; ++i) {
    float &element = expected.at(tensor.offset / 4 + tensor.place(i));
    ASSERT_EQ(element, -2) << "two elements at one place";
    element = packed[i];
  }
  ASSERT_EQ(syl_import_tensor(&tensor, block.data(), packed.data()), SYL_OK) << syl_last_error();
  EXPECT_EQ(block, expected);
  ASSERT_EQ(syl_export_tensor(&tensor, block.data(), 0, back.data()), SYL_OK) << syl_last_error();
  EXPECT_EQ(back, packed);
}

TEST(Tensor, Scalar) { roundTrip(Tensor({}, {}), 1); }

// OIHW of 5 filters, 3 channels, 3x2: stored as [O/4][H][W][I][4] with filters padded to 8, at an offset.
TEST(Tensor, BlockedAndPaddedConvolution) {
  Tensor tensor({5, 3, 3, 2}, {{0, 0, 1, 4, 1}, {1, 0, 1, 3, 4}, {3, 0, 1, 2, 12}, {2, 0, 1, 3, 24}, {0, 0, 4, 2, 72}});
  tensor.offset = 64;
  roundTrip(tensor, 16 + 144);
}

// [units, C*H*W] of a linear after a flatten: C,H,W order outside, H,W,C inside, units innermost.
TEST(Tensor, LinearAfterFlatten) {
  const int64_t c = 6, h = 5, w = 7, units = 10;
  Tensor tensor({units, c * h * w},
                {{0, 0, 1, units, 1}, {1, 0, h * w, c, 16}, {1, 0, 1, w, c * 16}, {1, 0, w, h, w * c * 16}});
  roundTrip(tensor, 16 * c * h * w);
}

// A last axis longer than the library's look-up table, and one that just fits.
TEST(Tensor, LongAxes) {
  for (int64_t length : {1023, 1024, 1025, 3136, 2048}) {
    Tensor rows({3, length}, {{1, 0, 1, length, 1}, {0, 0, 1, 3, length}});
    roundTrip(rows, 3 * length);
    Tensor columns({3, length}, {{1, 0, 1, length, 3}, {0, 0, 1, 3, 1}});
    roundTrip(columns, 3 * length);
    Tensor alone({length}, {{0, 0, 1, 8, 1}, {0, 0, 8, (length + 7) / 8, 8}});
    roundTrip(alone, (length + 7) / 8 * 8);
    Tensor many({2, 40, 40, 3}, {{0, 0, 1, 2, 4800}, {1, 0, 1, 40, 1}, {2, 0, 1, 40, 40}, {3, 0, 1, 3, 1600}});
    roundTrip(many, 9600);
  }
}

TEST(Tensor, EmptyTensorIsNothingToCopy) {
  Tensor tensor({4, 0}, {{0, 0, 1, 4, 1}, {1, 0, 1, 1, 4}});
  float value = 5;
  EXPECT_EQ(syl_export_tensor(&tensor, &value, 0, &value), SYL_OK);
  EXPECT_EQ(value, 5);
  EXPECT_EQ(syl_tensor_elements(&tensor), 0u);
}

TEST(Tensor, PartialSumsAreAddedInOrder) {
  // 1e8 + 1 - 1e8 in float is 0 in this order and 1 in another.
  Tensor tensor({1}, {{0, 0, 1, 1, 1}}, SYL_GRADIENT);
  tensor.copies = 3;
  tensor.copy_stride = 8;
  const float block[] = {1e8f, 0, 1, 0, -1e8f, 0};
  float sum = -1;
  ASSERT_EQ(syl_export_tensor(&tensor, block, 0, &sum), SYL_OK);
  EXPECT_EQ(sum, 0.f);
  const float swapped[] = {1e8f, 0, -1e8f, 0, 1, 0};
  ASSERT_EQ(syl_export_tensor(&tensor, swapped, 0, &sum), SYL_OK);
  EXPECT_EQ(sum, 1.f);
}

TEST(Tensor, RowsOfATensorWithABatchAxis) {
  Tensor value({4, 2}, {{0, 0, 1, 4, 3}, {1, 0, 1, 2, 1}}, SYL_VALUE);
  value.batched = 1;
  const float block[] = {1, 2, 0, 3, 4, 0, 5, 6, 0, 7, 8, 0};
  float packed[8] = {};
  ASSERT_EQ(syl_export_tensor(&value, block, 3, packed), SYL_OK);
  EXPECT_EQ(std::vector<float>(packed, packed + 8), (std::vector<float>{1, 2, 3, 4, 5, 6, 0, 0}));
  EXPECT_EQ(syl_export_tensor(&value, block, 5, packed), SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "found 5 rows of tensor 't', expected 0 to 4");
  Tensor gradInput({4, 2}, {{0, 0, 1, 4, 3}, {1, 0, 1, 2, 1}}, SYL_GRADIENT);
  gradInput.name = "grad.input";
  gradInput.batched = 1;
  float first[8] = {};
  ASSERT_EQ(syl_export_tensor(&gradInput, block, 1, first), SYL_OK);
  EXPECT_EQ(first[2], 0);
  Tensor gradient = gradInput; // of a parameter: n does not matter
  gradient.name = "grad.linear.weight";
  gradient.batched = 0;
  gradient.factors = gradient.layout.data();
  ASSERT_EQ(syl_export_tensor(&gradient, block, 0, first), SYL_OK);
  EXPECT_EQ(first[7], 8);
}

TEST(Tensor, ImpossibleRecordsAreRefused) {
  float block[16] = {}, packed[16] = {};
  auto refused = [&](const syl_tensor *tensor, const char *message) {
    EXPECT_EQ(syl_export_tensor(tensor, block, 0, packed), SYL_ERROR_ARGUMENT);
    EXPECT_STREQ(syl_last_error(), message);
    EXPECT_EQ(syl_import_tensor(tensor, block, packed), SYL_ERROR_ARGUMENT);
    EXPECT_STREQ(syl_last_error(), message);
  };
  refused(nullptr, "tensor is null");
  Tensor axis({2}, {{1, 0, 1, 2, 1}});
  refused(&axis, "tensor 't' has an impossible factor 0: axis 1, divisor 1, extent 2");
  Tensor divisor({2}, {{0, 0, 0, 2, 1}});
  refused(&divisor, "tensor 't' has an impossible factor 0: axis 0, divisor 0, extent 2");
  Tensor extent({2}, {{0, 0, 1, 0, 1}});
  refused(&extent, "tensor 't' has an impossible factor 0: axis 0, divisor 1, extent 0");
  Tensor rank({2}, {});
  rank.rank = 9;
  refused(&rank, "tensor 't' has rank 9, expected 0 to 8");
  Tensor negative({-1}, {});
  refused(&negative, "tensor 't' has an impossible shape at axis 0");
  Tensor huge({INT64_MAX, 4}, {});
  refused(&huge, "tensor 't' has an impossible shape at axis 1");
  Tensor dtype({2}, {{0, 0, 1, 2, 1}});
  dtype.dtype = 17;
  refused(&dtype, "tensor 't' has unknown element type 17");
  Tensor copies({2}, {{0, 0, 1, 2, 1}});
  copies.copies = 0;
  EXPECT_EQ(syl_export_tensor(&copies, block, 0, packed), SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "tensor 't' has 0 copies, expected 1 or more");
}

TEST(Tensor, ArgumentsOfExportAndImport) {
  Tensor tensor({2}, {{0, 0, 1, 2, 1}});
  float values[2] = {};
  EXPECT_EQ(syl_export_tensor(&tensor, nullptr, 0, values), SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "block is null");
  EXPECT_EQ(syl_export_tensor(&tensor, values, 0, nullptr), SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "packed is null");
  EXPECT_EQ(syl_import_tensor(&tensor, nullptr, values), SYL_ERROR_ARGUMENT);
  tensor.kind = SYL_VALUE;
  EXPECT_EQ(syl_import_tensor(&tensor, values, values), SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "tensor 't' does not lie in the state block");
  tensor.kind = SYL_PARAMETER;
  tensor.copies = 2;
  EXPECT_EQ(syl_import_tensor(&tensor, values, values), SYL_ERROR_ARGUMENT);
  EXPECT_STREQ(syl_last_error(), "tensor 't' is a sum of 2 parts and cannot be imported");
}

TEST(Tensor, FoundByName) {
  toy::Model model;
  const syl_tensor *weight = syl_find_tensor(model.get(), "linear.weight");
  ASSERT_NE(weight, nullptr);
  EXPECT_EQ(syl_tensor_elements(weight), 15u);
  EXPECT_EQ(syl_find_tensor(model.get(), "linear.weigh"), nullptr);
  EXPECT_EQ(syl_find_tensor(model.get(), nullptr), nullptr);
  EXPECT_EQ(syl_find_tensor(nullptr, "linear.weight"), nullptr);
  EXPECT_EQ(syl_tensor_elements(nullptr), 0u);
}

// Every halo of blocks of up to 4x3x3, 2 of them, with 3-byte pixels, against the definition.
TEST(Halo, ZeroesTheHaloAndNothingElse) {
  const int pixel = 3, count = 2;
  auto forEach = [](int most, auto &&visit) { // (extent, before, size) of one axis
    for (int extent = 1; extent <= most; ++extent)
      for (int before = 0; before < extent; ++before)
        for (int size = 1; before + size <= extent; ++size)
          visit(extent, before, size);
  };
  forEach(4, [&](int cols, int left, int width) {
    forEach(3, [&](int rows, int top, int height) {
      forEach(3, [&](int planes, int front, int depth) {
        std::vector<uint8_t> blocks(count * planes * rows * cols * pixel + 1, 7), expected = blocks;
        for (int i = 0; i < count * planes * rows * cols * pixel; ++i) {
          int x = i / pixel % cols - left, y = i / pixel / cols % rows - top,
              z = i / pixel / cols / rows % planes - front;
          if (x < 0 || x >= width || y < 0 || y >= height || z < 0 || z >= depth)
            expected[i] = 0;
        }
        syl_halo halo = {{cols, rows, planes}, {left, top, front}, {width, height, depth}, pixel};
        syl_zero_halo(blocks.data(), count, &halo);
        ASSERT_EQ(blocks, expected) << cols << "x" << rows << "x" << planes << " at " << left << "," << top << ","
                                    << front << ": " << width << "x" << height << "x" << depth;
      });
    });
  });
}

TEST(Halo, NoImagesIsNothingToDo) {
  uint8_t byte = 7;
  syl_halo halo = {{1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 1};
  syl_zero_halo(&byte, 0, &halo);
  EXPECT_EQ(byte, 7);
}

} // namespace
