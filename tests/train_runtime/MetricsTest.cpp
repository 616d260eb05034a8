// Metrics against counting by hand: a model whose evaluation leaves what the test wrote into its scratch block.
// Layer: tests.
#include "runtime/train/Metrics.h"
#include "Scratch.h"

#include <cmath>
#include <cstring>

namespace {

using namespace syltest;

constexpr int batch = 6;

/// Up to two losses, whose values [batch, …] lie one after the other in the scratch block.
struct Fixed {
  syl_model model{};
  syl_tensor tensors[2] = {};
  syl_factor factors[2][4] = {};
  syl_array input{}, targets[2] = {}, outputs[2] = {};
  syl_head heads[2] = {};
  int32_t count = 0;

  Fixed() {
    model.abi_version = SYL_ABI_VERSION;
    model.struct_bytes = sizeof model;
    model.name = "fixed";
    model.batch = batch;
    model.dtype = SYL_FLOAT32;
    input.name = "input";
    model.inputs = &input;
    model.input_count = 1;
    model.targets = targets;
    model.outputs = outputs;
    model.heads = heads;
    model.tensors = tensors;
    model.state_bytes = 128;
    model.scratch_bytes = 4096;
  }

  /// `shape` of one sample of what goes into the loss.
  void add(const char *name, const char *loss, std::vector<int64_t> shape, syl_dtype targetType,
           std::vector<int64_t> targetShape, int64_t classes) {
    syl_tensor &tensor = tensors[count];
    tensor.name = name;
    tensor.kind = SYL_VALUE;
    tensor.dtype = SYL_FLOAT32;
    tensor.batched = tensor.copies = 1;
    tensor.rank = int32_t(shape.size()) + 1;
    tensor.shape[0] = batch;
    std::copy(shape.begin(), shape.end(), tensor.shape + 1);
    int64_t stride = 1;
    for (int32_t axis = tensor.rank; axis-- > 0;) {
      factors[count][axis] = {axis, 0, 1, tensor.shape[axis], stride};
      stride *= tensor.shape[axis];
    }
    tensor.factors = factors[count];
    tensor.factor_count = tensor.rank;
    tensor.offset = uint64_t(count) * 2048;
    targets[count].name = outputs[count].name = name;
    targets[count].dtype = targetType;
    targets[count].rank = int32_t(targetShape.size());
    std::copy(targetShape.begin(), targetShape.end(), targets[count].shape);
    targets[count].classes = classes;
    targets[count].ignore_index = SYL_NO_CLASS;
    heads[count] = {loss, 1, count, count};
    ++count;
    model.tensor_count = model.target_count = model.output_count = count;
  }
};

class MetricsTest : public testing::Test {
protected:
  Fixed fixed;

  /// Values of `names` after one call for each of the batches of `n` rows.
  std::vector<syl::MetricValue> measure(const std::vector<std::string> &names,
                                        const std::vector<std::vector<float>> &values, const void *const *targets,
                                        int64_t n, std::string *tables = nullptr) {
    syl::Session session(fixed.model, 1);
    syl::Metrics metrics(fixed.model, names);
    for (size_t i = 0; i < values.size(); ++i)
      std::memcpy(session.scratch.get() + 2048 * i, values[i].data(), values[i].size() * sizeof(float));
    metrics.add(session, targets, n);
    if (tables)
      *tables = metrics.tables();
    return metrics.values();
  }
};

TEST_F(MetricsTest, ClassesAreCounted) {
  fixed.add("output", "cross_entropy", {3}, SYL_INT32, {}, 3);
  std::vector<float> rows = {5, 1, 0, /**/ 1, 1, 0, /**/ 0, 2, 1, /**/ 3, 2, 1, /**/ -1, -2, -3};
  std::vector<int32_t> labels = {0, 1, 2, 2, 1};
  const void *targets[] = {labels.data()};
  std::string tables;
  auto values = measure({"accuracy", "top_2", "top_3", "per_class", "confusion"}, {rows}, targets, 5, &tables);
  ASSERT_EQ(values.size(), 3u);
  EXPECT_EQ(values[0].label + " " + values[0].text(), "accuracy 20.00%"); // row 1 is a tie: the first wins
  EXPECT_EQ(values[1].label + " " + values[1].text(), "top-2 accuracy 80.00%");
  EXPECT_EQ(values[2].text(), "100.00%");
  EXPECT_EQ(tables, "class    samples   accuracy\n"
                    "    0          1    100.00%\n"
                    "    1          2      0.00%\n"
                    "    2          2      0.00%\n"
                    "confusion: rows are targets, columns what was taken\n"
                    "      0 1 2\n"
                    "    0 1 0 0\n"
                    "    1 2 0 0\n"
                    "    2 1 1 0\n");
}

TEST_F(MetricsTest, PixelsCountEachAndIgnoredOnesNot) {
  fixed.add("output", "cross_entropy", {2, 2, 2}, SYL_INT64, {2, 2}, 2); // [H, W, C]
  fixed.targets[0].ignore_index = -100;
  std::vector<float> rows = {1, 0, 0, 1, 1, 0, 0, 1, /**/ 0, 1, 0, 1, 0, 1, 0, 1};
  std::vector<int64_t> labels = {0, 1, 1, -100, /**/ 1, 1, 0, -100};
  const void *targets[] = {labels.data()};
  EXPECT_DOUBLE_EQ(measure({"accuracy"}, {rows}, targets, 2)[0].value, 4. / 6);
}

TEST_F(MetricsTest, LabelsOfZeroAndOne) {
  fixed.add("output", "binary_cross_entropy", {3}, SYL_FLOAT32, {3}, 0);
  std::vector<float> rows = {1, -1, -1, /**/ 1, 1, -1, /**/ -1, 1, -1}, wanted = {1, 0, 0, /**/ 0, 1, 0, /**/ 1, 0, 0};
  const void *targets[] = {wanted.data()};
  auto values = measure({"accuracy", "f1", "f1_micro"}, {rows}, targets, 3);
  EXPECT_DOUBLE_EQ(values[0].value, 6. / 9);
  // label 0: TP 1, FP 1, FN 1; label 1: TP 1, FP 1; label 2 never occurs
  EXPECT_DOUBLE_EQ(values[1].value, (0.5 + 2. / 3 + 0) / 3);
  EXPECT_DOUBLE_EQ(values[2].value, 2. * 2 / (2 * 2 + 2 + 1));
  EXPECT_EQ(values[2].label + " " + values[2].text(), "f1 micro 0.5714");
}

TEST_F(MetricsTest, ErrorsOfFloatsAndNamesOfSeveral) {
  fixed.add("depth", "mse", {2}, SYL_FLOAT32, {2}, 0);
  fixed.add("kind", "cross_entropy", {2}, SYL_INT32, {}, 2);
  std::vector<float> rows = {1, 2, /**/ 3, 4}, wanted = {1, 0, /**/ 3, 7}, logits = {0, 1, /**/ 0, 1};
  std::vector<int32_t> labels = {1, 0};
  const void *targets[] = {wanted.data(), labels.data()};
  auto values = measure({"rmse", "mae", "accuracy"}, {rows, logits}, targets, 2);
  EXPECT_EQ(values[0].label, "depth rmse");
  EXPECT_DOUBLE_EQ(values[0].value, std::sqrt((4. + 9) / 4));
  EXPECT_FALSE(values[0].higherIsBetter);
  EXPECT_DOUBLE_EQ(values[1].value, (2. + 3) / 4);
  EXPECT_EQ(values[1].text(), "1.2500");
  EXPECT_EQ(values[2].label + " " + values[2].text(), "kind accuracy 50.00%");
}

TEST_F(MetricsTest, WhatDoesNotFit) {
  fixed.add("output", "mse", {2}, SYL_FLOAT32, {2}, 0);
  auto message = [&](const std::string &name) { return errorOf([&] { syl::Metrics(fixed.model, {name}); }); };
  EXPECT_EQ(message("accuracy"), "fixed: error: found the metric 'accuracy', which fits none of the losses\n"
                                 "hint: accuracy, top_K, per_class and confusion take class numbers; f1 takes "
                                 "binary_cross_entropy; mae and rmse take float targets");
  for (const char *name : {"acuracy", "top_", "top_0", "top_x", "top_99999999999999999999"})
    EXPECT_EQ(message(name).find("fixed: error: found the metric '" + std::string(name) + "', expected one of"), 0u);
}

} // namespace
