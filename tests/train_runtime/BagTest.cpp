// Files of several arrays (.npz, safetensors), element types and files that are read by row. Layer: tests.
#include "runtime/data/Bag.h"
#include "Scratch.h"
#include "ToyModel.h"

#include "runtime/data/DataSet.h"
#include "runtime/data/Idx.h"
#include "runtime/data/Npy.h"
#include "runtime/data/Zip.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <numeric>

namespace {

using namespace syltest;
using BagTest = Scratch;

std::string file(const std::string &name) { return std::string(SYLVITE_TEST_FILES) + "/" + name; }

std::vector<double> doubles(const syl::Column &column) {
  std::vector<double> values;
  syl::forEachWindow(column, [&](int64_t, size_t count, const char *data) {
    size_t elements = count * size_t(column.rowElements());
    size_t before = values.size();
    values.resize(before + elements);
    syl::convertElements(data, column.dtype(), values.data() + before, SYL_FLOAT64, elements);
  });
  return values;
}

std::vector<double> counting(size_t count, double divisor = 1) {
  std::vector<double> values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = double(i) / divisor;
  return values;
}

TEST_F(BagTest, NumpysArchivesStoredAndCompressed) {
  syl::Bag bag = syl::openNpz(file("stored.npz"));
  EXPECT_EQ(bag.names, (std::vector<std::string>{"X", "Y"}));
  syl::ColumnPointer x = bag.open("X", nullptr);
  EXPECT_EQ(x->shape(), (std::vector<int64_t>{4, 3, 2}));
  EXPECT_EQ(doubles(*x), counting(24, 4));
  EXPECT_EQ(x->path(), file("stored.npz") + ":X");
  bag = syl::openNpz(file("compressed.npz"));
  EXPECT_EQ(bag.names, (std::vector<std::string>{"x_train", "y_train", "x_test", "y_test"}));
  EXPECT_EQ(doubles(*bag.open("x_train", nullptr)), counting(24, 4));
  EXPECT_EQ(doubles(*bag.open("y_test", nullptr)), (std::vector<double>{2, 0}));
}

TEST_F(BagTest, ArchivesAreDataSets) {
  toy::Options options;
  options.inputShape = {3, 2};
  toy::Model model(options);
  syl::DataSet set = syl::readDataSet(file("stored.npz"), *model.get(), syl::Parts::All);
  EXPECT_EQ(set.train.count(), 4);
  EXPECT_FALSE(set.test);
  set = syl::readDataSet(file("compressed.npz"), *model.get(), syl::Parts::All);
  EXPECT_EQ(set.train.count(), 4);
  EXPECT_EQ(set.test->count(), 2);
  set = syl::readDataSet(file("pair.safetensors"), *model.get(), syl::Parts::All);
  EXPECT_EQ(set.train.count(), 4);
  EXPECT_EQ(doubles(*set.train.inputs[0]), counting(24, 4)); // float16
  EXPECT_EQ(doubles(*set.train.targets[0]), (std::vector<double>{2, 0, 1, 2}));
  write("both/train.npz", readAll(file("stored.npz")));
  write("both/test.npz", readAll(file("stored.npz")));
  set = syl::readDataSet(path("both"), *model.get(), syl::Parts::All);
  EXPECT_EQ(set.test->count(), 4);
  EXPECT_EQ(syl::readInputs(file("stored.npz"), *model.get()).count(), 4);
}

TEST_F(BagTest, NamesThatAreMissing) {
  toy::Options options;
  options.several = true;
  toy::Model several(options);
  auto message = [&](const std::string &name, const toy::Model &model) {
    return errorOf([&] { syl::readDataSet(name, *model.get(), syl::Parts::All); });
  };
  EXPECT_EQ(message(file("stored.npz"), several),
            file("stored.npz") + ": error: found the arrays X, Y, expected input, shift, target and wanted");
  EXPECT_EQ(message(file("pair.safetensors"), several),
            file("pair.safetensors") + ": error: found no array 'shift', expected it beside 'input'");
}

TEST_F(BagTest, EveryCutAndEveryChangedByteOfAnArchiveIsAnErrorOrReadsTheSame) {
  const std::string whole = readAll(file("compressed.npz"));
  std::vector<double> x = counting(24, 4);
  auto readsOrThrows = [&](const std::string &bytes, size_t at) {
    try {
      syl::Bag bag = syl::openNpz(write("d.npz", bytes));
      for (const std::string &name : bag.names) {
        syl::ColumnPointer column = bag.open(name, nullptr);
        if (name == "x_train" && column->shape() == std::vector<int64_t>{4, 3, 2}) {
          EXPECT_EQ(doubles(*column), x) << at;
        }
      }
      return true;
    } catch (const syl::Error &) {
      return false;
    }
  };
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(readsOrThrows(whole.substr(0, length), length)) << length;
  for (size_t at = 0; at < whole.size(); ++at)
    for (int change : {0x01, 0x80}) {
      std::string damaged = whole;
      damaged[at] = char(damaged[at] ^ change);
      readsOrThrows(damaged, at);
    }
}

TEST_F(BagTest, HostileArchives) {
  const std::string hint =
      "\nhint: the file is truncated or damaged; copy it again, or write it again with numpy.savez";
  EXPECT_EQ(errorOf([&] { syl::openNpz(write("a.npz", "PK\3\4 and no more")); }),
            path("a.npz") + ": error: found no directory at the end, expected that of a ZIP archive" + hint);
  std::string huge = readAll(file("compressed.npz"));
  size_t entry = huge.find("PK\1\2");
  huge.replace(entry + 24, 4, "\xff\xff\xff\x7f"); // 2 GB from a few hundred bytes
  EXPECT_NE(errorOf([&] { syl::openNpz(write("b.npz", huge)); }).find("of 2147483647 bytes, more than the file holds"),
            std::string::npos);
  std::string encrypted = readAll(file("stored.npz"));
  encrypted[encrypted.find("PK\1\2") + 8] |= 1;
  EXPECT_EQ(errorOf([&] { syl::openNpz(write("c.npz", encrypted)); }),
            path("c.npz") + ": error: found the encrypted member 'X.npy'");
  std::string other = readAll(file("stored.npz"));
  other[other.find("PK\1\2") + 10] = 12;
  EXPECT_EQ(errorOf([&] { syl::openNpz(write("d.npz", other)); }),
            path("d.npz") + ": error: found the compression method 12 of 'X.npy', expected 0 (none) or 8 (deflate)\n"
                            "hint: write it again with numpy.savez or numpy.savez_compressed");
}

TEST_F(BagTest, EveryNumericTypeOfNumpyInBothOrders) {
  const std::vector<double> values = {0, 1, 2, 100, 1, 0}, truths = {0, 1, 1, 1, 1, 0};
  for (const char *name : {"b1", "i1", "u2", "u2big", "i2", "u4", "u8", "f2", "f8big"})
    for (const char *order : {"", "_fortran"}) {
      const std::string from = file(std::string(name) + order + ".npy");
      const std::vector<double> &wanted = std::string(name) == "b1" ? truths : values;
      EXPECT_EQ(doubles(*syl::openNpy(from)), wanted) << from;
      EXPECT_EQ(doubles(*syl::openNpy(from, 0)), wanted) << from; // by row
    }
}

TEST_F(BagTest, HalfPrecision) {
  auto one = [&](const char *descr, uint16_t bits) {
    return doubles(*syl::openNpy(write("h.npy", npyBytes(descr, "(1,)", bytesOf<uint16_t>({bits})))))[0];
  };
  EXPECT_EQ(one("<f2", 0x3c00), 1);
  EXPECT_EQ(one("<f2", 0xc000), -2);
  EXPECT_EQ(one("<f2", 0x7bff), 65504);
  EXPECT_EQ(one("<f2", 0x0001), 0x1p-24);
  EXPECT_EQ(one("<f2", 0x83ff), -1023 * 0x1p-24);
  EXPECT_EQ(one("<f2", 0x0400), 0x1p-14);
  EXPECT_TRUE(std::isinf(one("<f2", 0x7c00)));
  EXPECT_TRUE(std::isnan(one("<f2", 0x7e00)));
  EXPECT_EQ(one(">f2", 0x003c), 1);
}

TEST_F(BagTest, ValuesThatNoTypeHolds) {
  const std::string bytes = npyBytes("<u8", "(2,)", bytesOf<uint64_t>({1, uint64_t(1) << 63}));
  for (uint64_t limit : {uint64_t(1) << 20, uint64_t(0)})
    EXPECT_EQ(errorOf([&] { doubles(*syl::openNpy(write("u.npy", bytes), limit)); }),
              path("u.npy") + ": error: found a value of 2^63 or more at index 1, expected values that an int64 holds");
}

TEST_F(BagTest, FilesByRowGiveWhatFilesInMemoryGive) {
  std::vector<double> all = counting(600);
  std::vector<int16_t> stored(all.begin(), all.end());
  std::string big;
  for (int16_t value : stored)
    big += {char(value >> 8), char(value)};
  const std::string npy = write("a.npy", npyBytes(">i2", "(100, 6)", big));
  const std::string idx = write("a.idx", idxBytes({100, 6}, big, 0x0b));
  for (const syl::ColumnPointer &column : {syl::openNpy(npy, 10), syl::openIdx(idx, 10)}) {
    EXPECT_EQ(column->array(), nullptr);
    EXPECT_EQ(doubles(*column), all);
    std::vector<uint32_t> rows = {99, 3, 4, 5, 0, 3};
    std::vector<float> values(36);
    syl::gatherRows(*column, rows.data(), rows.size(), SYL_FLOAT32, values.data());
    for (size_t i = 0; i < 36; ++i)
      EXPECT_EQ(values[i], float(rows[i / 6] * 6 + i % 6));
  }
}

TEST_F(BagTest, ValuesOfALargeFileAreCheckedAsTheyAreRead) {
  std::vector<float> values(60, 1);
  values[47] = NAN;
  syl::ColumnPointer column = syl::openNpy(write("n.npy", npyBytes("<f4", "(10, 6)", bytesOf(values))), 0);
  std::vector<float> out(12);
  std::vector<uint32_t> good = {1, 2}, bad = {3, 7};
  syl::gatherRows(*column, good.data(), 2, SYL_FLOAT32, out.data());
  EXPECT_EQ(errorOf([&] { syl::gatherRows(*column, bad.data(), 2, SYL_FLOAT32, out.data()); }),
            path("n.npy") + ": error: found nan at index 47, expected finite values");
  EXPECT_EQ(errorOf([&] { syl::gatherRows(*column, bad.data(), 2, SYL_INT32, out.data()); }),
            path("n.npy") + ": error: found float32, expected int32: the value nan at index 47 would change\n"
                            "hint: convert it yourself, in NumPy by array.astype('int32')");
}

TEST_F(BagTest, RowsOfNothingTakeNoTime) {
  const std::string idx = write("n.idx", idxBytes({0x36000000, 0, 8}, ""));
  for (uint64_t limit : {uint64_t(1) << 20, uint64_t(0)}) {
    syl::ColumnPointer column = syl::openIdx(idx, limit);
    EXPECT_EQ(column->count(), 0x36000000);
    EXPECT_EQ(doubles(*column).size(), 0u);
  }
}

TEST_F(BagTest, AFileThatShrinksIsAnError) {
  const std::string name = write("s.npy", npyBytes("|u1", "(10, 6)", std::string(60, 'x')));
  syl::ColumnPointer column = syl::openNpy(name, 0);
  write("s.npy", npyBytes("|u1", "(10, 6)", std::string(30, 'x')));
  char out[6];
  uint32_t row = 9;
  EXPECT_NE(errorOf([&] { column->read(&row, 1, out); }).find("expected at least"), std::string::npos);
}

TEST_F(BagTest, RawPairs) {
  toy::Options options;
  options.inputShape = {2, 2, 1};
  options.inputDtype = SYL_UINT8;
  toy::Model model(options);
  write("X.raw", "abcdefgh");
  write("Y.raw", bytesOf<int32_t>({1, 2}));
  syl::DataSet set = syl::readDataSet(path("X.raw") + "," + path("Y.raw"), *model.get(), syl::Parts::All);
  EXPECT_EQ(set.train.count(), 2);
  EXPECT_EQ(set.train.inputs[0]->shape(), (std::vector<int64_t>{2, 2, 2, 1}));
  EXPECT_EQ(syl::readDataSet(folder, *model.get(), syl::Parts::All).train.count(), 2);
  write("X.raw", "abcdefg");
  EXPECT_EQ(
      errorOf([&] { syl::readDataSet(folder, *model.get(), syl::Parts::All); }),
      path("X.raw") +
          ": error: found 7 bytes, expected a multiple of 4: uint8 of shape [2, 2, 1] for each sample of 'input'");
}

} // namespace
