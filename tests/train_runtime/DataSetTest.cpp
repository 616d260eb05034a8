// Data sets against a network: what is found, and the text of every refusal. Layer: tests.
#include "runtime/data/DataSet.h"
#include "Scratch.h"
#include "ToyModel.h"

#include <cmath>
#include <cstring>
#include <unistd.h>

namespace {

using namespace syltest;

toy::Options imageOptions() {
  toy::Options options;
  options.inputShape = {2, 2, 1};
  options.inputDtype = SYL_UINT8;
  return options;
}

class DataSetTest : public Scratch {
protected:
  toy::Model vectors, images{imageOptions()};

  std::string x(const std::string &descr, const std::string &shape, const std::string &data) const {
    return write("X.npy", npyBytes(descr, shape, data));
  }
  std::string y(const std::string &descr, const std::string &shape, const std::string &data) const {
    return write("Y.npy", npyBytes(descr, shape, data));
  }
  std::string pair() const { return path("X.npy") + "," + path("Y.npy"); }
  std::string error(const toy::Model &model) const {
    return errorOf([&] { syl::readDataSet(pair(), *model.get(), syl::Parts::All); });
  }
};

TEST_F(DataSetTest, FashionMnistFitsAnImageNetwork) {
  toy::Options options;
  options.inputShape = {28, 28, 1};
  options.inputDtype = SYL_UINT8;
  options.classes = 10;
  toy::Model model(options);
  if (!std::getenv("SYLVITE_DATASETS") && access("/usr/share/datasets/fashion-mnist", R_OK) != 0)
    GTEST_SKIP() << "apt-get install dataset-fashion-mnist";
  syl::DataSet set = syl::readDataSet("fashion-mnist", *model.get(), syl::Parts::All);
  EXPECT_EQ(set.train.count(), 60000);
  EXPECT_EQ(set.test->count(), 10000);
  EXPECT_EQ(set.train.inputs[0]->dtype(), SYL_UINT8);
  EXPECT_EQ(set.train.targets[0]->array()->data.data()[0], 9); // the first label: an ankle boot
  EXPECT_EQ(set.test->inputs[0]->shape(), (std::vector<int64_t>{10000, 28, 28}));
}

TEST_F(DataSetTest, IdxFolderPlainAndGzipped) {
  write("d/train-images-idx3-ubyte", idxBytes({3, 2, 2}, "abcdefghijkl"));
  write("d/train-labels-idx1-ubyte.gz", gzipped(idxBytes({3}, std::string("\0\1\2", 3))));
  syl::DataSet set = syl::readDataSet(path("d"), *images.get(), syl::Parts::All);
  EXPECT_EQ(set.train.count(), 3);
  EXPECT_FALSE(set.test);
  set = syl::readDataSet(path("d"), *images.get(), syl::Parts::Test);
  EXPECT_EQ(set.test->count(), 3); // no other part
  write("d/t10k-images-idx3-ubyte", idxBytes({1, 2, 2}, "abcd"));
  EXPECT_EQ(errorOf([&] { syl::readDataSet(path("d"), *images.get(), syl::Parts::All); }),
            path("d") +
                ": error: found t10k-images-idx3-ubyte alone, expected t10k-labels-idx1-ubyte (or .gz) beside it");
  write("d/t10k-labels-idx1-ubyte", idxBytes({1}, std::string("\1", 1)));
  EXPECT_EQ(syl::readDataSet(path("d"), *images.get(), syl::Parts::All).test->count(), 1);
}

TEST_F(DataSetTest, NpyFolderAndPair) {
  x("<f4", "(2, 5)", bytesOf(std::vector<float>(10, 1)));
  y("<i8", "(2,)", bytesOf<int64_t>({0, 2}));
  EXPECT_EQ(syl::readDataSet(folder, *vectors.get(), syl::Parts::All).train.count(), 2);
  EXPECT_EQ(syl::readDataSet(pair(), *vectors.get(), syl::Parts::All).train.count(), 2);
  write("X_test.npy", npyBytes("<f4", "(1, 5)", bytesOf(std::vector<float>(5, 1))));
  write("Y_test.npy", npyBytes("|u1", "(1, 1)", "\1")); // a column of labels
  EXPECT_EQ(syl::readDataSet(folder, *vectors.get(), syl::Parts::All).test->count(), 1);
}

TEST_F(DataSetTest, ValuesAreConvertedWithoutLoss) {
  x("<f8", "(1, 5)", bytesOf<double>({0, 1, 0.5, -3, 1e10}));
  y("<f4", "(1,)", bytesOf<float>({2}));
  syl::DataSet set = syl::readDataSet(pair(), *vectors.get(), syl::Parts::All);
  float row[5];
  uint32_t index = 0;
  syl::gatherRows(*set.train.inputs[0], &index, 1, SYL_FLOAT32, row);
  EXPECT_EQ(std::vector<float>(row, row + 5), (std::vector<float>{0, 1, 0.5f, -3, 1e10f}));
  int32_t label;
  syl::gatherRows(*set.train.targets[0], &index, 1, SYL_INT32, &label);
  EXPECT_EQ(label, 2);
}

TEST_F(DataSetTest, ConversionsThatLoseAreRefused) {
  auto lossless = [&](auto value, syl_dtype from, syl_dtype to) {
    try {
      syl::requireLossless(&value, from, 1, to, "X");
      return true;
    } catch (const syl::Error &) {
      return false;
    }
  };
  EXPECT_TRUE(lossless(int64_t(1) << 24, SYL_INT64, SYL_FLOAT32));
  EXPECT_FALSE(lossless((int64_t(1) << 24) + 1, SYL_INT64, SYL_FLOAT32));
  EXPECT_FALSE(lossless(INT64_MAX, SYL_INT64, SYL_FLOAT64));
  EXPECT_FALSE(lossless(INT64_MAX, SYL_INT64, SYL_FLOAT32));
  EXPECT_FALSE(lossless(INT32_MAX, SYL_INT32, SYL_FLOAT32));
  EXPECT_TRUE(lossless(INT64_MIN, SYL_INT64, SYL_FLOAT32));
  EXPECT_TRUE(lossless(int64_t(INT32_MIN), SYL_INT64, SYL_INT32));
  EXPECT_FALSE(lossless(int64_t(INT32_MIN) - 1, SYL_INT64, SYL_INT32));
  EXPECT_FALSE(lossless(int32_t(-1), SYL_INT32, SYL_UINT8));
  EXPECT_FALSE(lossless(int32_t(256), SYL_INT32, SYL_UINT8));
  EXPECT_TRUE(lossless(255.f, SYL_FLOAT32, SYL_UINT8));
  EXPECT_FALSE(lossless(255.5f, SYL_FLOAT32, SYL_UINT8));
  EXPECT_FALSE(lossless(NAN, SYL_FLOAT32, SYL_UINT8));
  EXPECT_TRUE(lossless(double(NAN), SYL_FLOAT64, SYL_FLOAT32));
  EXPECT_TRUE(lossless(double(INFINITY), SYL_FLOAT64, SYL_FLOAT32));
  EXPECT_FALSE(lossless(1e300, SYL_FLOAT64, SYL_FLOAT32));
  EXPECT_FALSE(lossless(0x1p63, SYL_FLOAT64, SYL_INT64));
  EXPECT_TRUE(lossless(-0x1p63, SYL_FLOAT64, SYL_INT64));
}

TEST_F(DataSetTest, ShapeAndLabelsAreBothReported) {
  x("|u1", "(2, 3, 2)", "abcdefghijkl");
  y("<i4", "(2,)", bytesOf<int32_t>({0, 3}));
  EXPECT_EQ(error(images),
            path("X.npy") + ": error: found samples of shape [3, 2], expected [2, 2, 1], the input of toy\n" +
                path("Y.npy") + ": error: found label 3 at index 1, expected 0 to 2: the network has 3 classes");
}

TEST_F(DataSetTest, TypeThatDoesNotFit) {
  x("<f4", "(1, 2, 2)", bytesOf<float>({0, 1, 2, 0.5f}));
  y("<i4", "(1,)", bytesOf<int32_t>({-1}));
  EXPECT_EQ(error(images), path("X.npy") +
                               ": error: found float32, expected uint8: the value 0.5 at index 3 would change\n"
                               "hint: convert it yourself, in NumPy by array.astype('uint8')\n" +
                               path("Y.npy") +
                               ": error: found label -1 at index 0, expected 0 to 2: the network has 3 classes");
}

TEST_F(DataSetTest, OtherRefusals) {
  x("<f4", "(2, 5)", bytesOf<float>({0, 1, 2, 3, 4, 5, 6, NAN, 8, 9}));
  y("<i4", "(2,)", bytesOf<int32_t>({0, 1}));
  EXPECT_EQ(error(vectors), path("X.npy") + ": error: found nan at index 7, expected finite values");
  x("<f4", "(2, 5)", bytesOf(std::vector<float>(10, 1)));
  y("<i4", "(3,)", bytesOf<int32_t>({0, 1, 2}));
  EXPECT_EQ(error(vectors),
            path("Y.npy") + ": error: found 3 targets, expected 2, one for each sample of " + path("X.npy"));
  y("<i4", "(2, 2)", bytesOf<int32_t>({0, 1, 2, 1}));
  EXPECT_EQ(error(vectors),
            path("Y.npy") + ": error: found targets of shape [2], expected one class number for each sample");
  x("<f4", "(0, 5)", "");
  y("<f4", "(2,)", bytesOf<float>({0, 0.5f}));
  EXPECT_EQ(error(vectors), path("X.npy") + ": error: found no samples, expected at least 1\n" + path("Y.npy") +
                                ": error: found float32, expected int64: the value 0.5 at index 1 would change\n"
                                "hint: convert it yourself, in NumPy by array.astype('int64')");
}

TEST_F(DataSetTest, WhatIsNotThere) {
  auto message = [&](const std::string &data) {
    return errorOf([&] { syl::readDataSet(data, *vectors.get(), syl::Parts::All); });
  };
  const std::string hint = "\nhint: --data takes fashion-mnist, a folder of IDX files, of X.npy and Y.npy, of class "
                           "folders of images or of CIFAR's files, a .npz, .safetensors or .csv file, or X.npy,Y.npy";
  EXPECT_EQ(message(path("none")), path("none") + ": error: found no such file or folder, expected a data set" + hint);
  x("<f4", "(1, 5)", bytesOf(std::vector<float>(5, 1)));
  EXPECT_EQ(message(path("X.npy")), path("X.npy") + ": error: found a single file, expected a data set" + hint);
  EXPECT_EQ(message(folder), folder +
                                 ": error: found no data set, expected train-images-idx3-ubyte and "
                                 "train-labels-idx1-ubyte (or .gz), or X.npy and Y.npy" +
                                 hint);
  EXPECT_EQ(message(path("X.npy") + "," + path("Z.npy")),
            path("Z.npy") + ": error: cannot open the file: No such file or directory");
  setenv("SYLVITE_DATASETS", path("nowhere").c_str(), 1);
  EXPECT_EQ(message("fashion-mnist"), path("nowhere/fashion-mnist") +
                                          ": error: found no such folder, expected the data set fashion-mnist\n"
                                          "hint: apt-get install dataset-fashion-mnist");
  unsetenv("SYLVITE_DATASETS");
}

TEST_F(DataSetTest, InputsAlone) {
  x("<f4", "(2, 5)", bytesOf(std::vector<float>(10, 1)));
  syl::Part part = syl::readInputs(path("X.npy"), *vectors.get());
  EXPECT_EQ(part.count(), 2);
  EXPECT_EQ(part.inputPaths, std::vector<std::string>{path("X.npy")});
  EXPECT_TRUE(part.targets.empty());
}

toy::Options severalOptions() {
  toy::Options options;
  options.several = true;
  return options;
}

TEST_F(DataSetTest, SeveralArraysByName) {
  toy::Model several(severalOptions());
  auto message = [&](const std::string &data) {
    return errorOf([&] { syl::readDataSet(data, *several.get(), syl::Parts::All); });
  };
  const std::string five = npyBytes("<f4", "(2, 5)", bytesOf(std::vector<float>(10, 1)));
  write("input.npy", five);
  write("shift.npy", five);
  write("target.npy", npyBytes("<i4", "(2,)", bytesOf<int32_t>({0, 2})));
  EXPECT_EQ(message(folder), folder + ": error: found no data set, expected input.npy, shift.npy, target.npy and "
                                      "wanted.npy\nhint: --data takes a folder with input.npy, shift.npy, target.npy "
                                      "and wanted.npy, or these files with commas between");
  write("wanted.npy", npyBytes("<f4", "(2, 3)", bytesOf(std::vector<float>(6, 0.5f))));
  syl::DataSet set = syl::readDataSet(folder, *several.get(), syl::Parts::All);
  EXPECT_EQ(set.train.count(), 2);
  EXPECT_EQ(set.train.inputs.size(), 2u);
  EXPECT_EQ(set.train.targets[1]->shape(), (std::vector<int64_t>{2, 3}));
  EXPECT_FALSE(set.test);
  std::string list = path("input.npy") + "," + path("shift.npy") + "," + path("target.npy") + "," + path("wanted.npy");
  EXPECT_EQ(syl::readDataSet(list, *several.get(), syl::Parts::Test).test->targets.size(), 2u);
  EXPECT_EQ(syl::readInputs(path("input.npy") + "," + path("shift.npy"), *several.get()).inputs.size(), 2u);
  EXPECT_EQ(message(path("input.npy") + "," + path("shift.npy")),
            "--data: error: found 2 files, expected 4, as in input.npy, shift.npy, target.npy and wanted.npy");

  write("input_test.npy", five); // a test part must be whole
  EXPECT_NE(message(folder).find(path("shift_test.npy") + ": error: cannot open the file"), std::string::npos);
  write("shift_test.npy", npyBytes("<f4", "(1, 5)", bytesOf(std::vector<float>(5, 1))));
  write("target_test.npy", npyBytes("<i4", "(2,)", bytesOf<int32_t>({0, 2})));
  write("wanted_test.npy", npyBytes("<f4", "(2, 4)", bytesOf(std::vector<float>(8, 0.5f))));
  EXPECT_EQ(message(folder), path("wanted_test.npy") + ": error: found targets of shape [4], expected [3]");
  write("wanted_test.npy", npyBytes("<f4", "(2, 3)", bytesOf(std::vector<float>(6, NAN))));
  EXPECT_EQ(message(folder), path("wanted_test.npy") + ": error: found nan at index 0, expected finite values");
  write("wanted_test.npy", npyBytes("<f4", "(2, 3)", bytesOf(std::vector<float>(6, 1))));
  EXPECT_EQ(message(folder), path("shift_test.npy") + ": error: found 1 samples, expected 2, one for each sample of " +
                                 path("input_test.npy"));
}

TEST_F(DataSetTest, FilesByName) {
  toy::Model several(severalOptions());
  auto paths = [&](const std::vector<std::string> &given, const toy::Model &model) {
    return syl::pathsByName(given, model.get()->inputs, model.get()->input_count, "--input");
  };
  EXPECT_EQ(paths({"a=b.npy"}, vectors), std::vector<std::string>{"a=b.npy"}); // a file's name
  EXPECT_EQ(paths({"input=b.npy"}, vectors), std::vector<std::string>{"b.npy"});
  EXPECT_EQ(paths({"shift=s", "input=i"}, several), (std::vector<std::string>{"i", "s"}));
  EXPECT_EQ(errorOf([&] { paths({"X.npy", "shift=s", "shift=t"}, several); }),
            "--input: error: found 'X.npy', expected NAME=FILE of one of input, shift\n"
            "--input: error: found two files for shift\n"
            "--input: error: found no file for input, expected --input input=FILE");
}

} // namespace
