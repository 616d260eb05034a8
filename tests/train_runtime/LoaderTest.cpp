// Batches that are read ahead: the same as those read in place, in order, whatever the threads do. Layer: tests.
#include "runtime/train/Loader.h"
#include "Scratch.h"
#include "ToyModel.h"

#include "runtime/train/Shuffle.h"

#include <atomic>
#include <cstring>
#include <unistd.h>

namespace {

using namespace syltest;

/// Row r holds r, r + 0.5, …; reading takes a while, now more, now less, and row `broken` cannot be read.
class SlowColumn : public syl::Column {
public:
  SlowColumn(int64_t rows, int64_t width, bool decoded, int64_t broken = -1)
      : Column("slow", SYL_FLOAT32, width ? std::vector<int64_t>{rows, width} : std::vector<int64_t>{rows}),
        decoded(decoded), broken(broken) {}
  void read(const uint32_t *rows, size_t count, void *out) const override {
    for (size_t i = 0; i < count; ++i) {
      if (int64_t(rows[i]) == broken)
        throw syl::Error(SYL_ERROR_FORMAT, "slow", "row " + std::to_string(rows[i]) + " is broken");
      usleep(rows[i] % 7 * 20);
      for (int64_t k = 0; k < rowElements(); ++k) {
        float value = rowElements() == 1 ? float(rows[i] % 3) : float(rows[i]) + 0.5f * float(k);
        std::memcpy(static_cast<char *>(out) + (int64_t(i) * rowElements() + k) * 4, &value, 4);
      }
      ++reads;
    }
  }
  bool isDecoded() const override { return decoded; }
  mutable std::atomic<int64_t> reads{0};

private:
  const bool decoded;
  const int64_t broken;
};

syl::Part slowPart(int64_t rows, bool decoded, int64_t broken = -1) {
  syl::Part part;
  part.inputs = {std::make_shared<SlowColumn>(rows, 5, decoded, broken)};
  part.targets = {std::make_shared<SlowColumn>(rows, 0, false)};
  return part;
}

/// The samples of all batches in order: the first number of each input, which tells the row.
std::vector<uint32_t> rowsOf(syl::Loader &loader, uint64_t samples, size_t batch) {
  std::vector<uint32_t> rows;
  while (rows.size() < samples) {
    uint64_t count;
    const syl::Batch &samplesOf = loader.next(count);
    EXPECT_EQ(count, std::min<uint64_t>(batch, samples - rows.size()));
    const auto *input = static_cast<const float *>(samplesOf.inputs()[0]);
    const auto *target = static_cast<const int32_t *>(samplesOf.targets()[0]);
    for (uint64_t i = 0; i < count; ++i) {
      rows.push_back(uint32_t(input[5 * i]));
      EXPECT_EQ(input[5 * i + 4], input[5 * i] + 2);
      EXPECT_EQ(target[i], int32_t(rows.back() % 3));
    }
  }
  return rows;
}

TEST(Loader, GivesTheSamplesOfTheOrder) {
  toy::Model model;
  const syl::Part part = slowPart(101, true), plain = slowPart(101, false);
  const std::vector<uint32_t> order = syl::epochOrder(7, 3, 101);
  for (const syl::Part *from : {&part, &plain})
    for (int threads : {1, 2, 5}) {
      syl::Loader loader(*model.get(), *from, 8, threads);
      loader.start(order, 0, 101);
      EXPECT_EQ(rowsOf(loader, 101, 8), order);
      loader.start(order, 40, 101); // as a run that resumes
      EXPECT_EQ(rowsOf(loader, 61, 8), std::vector<uint32_t>(order.begin() + 40, order.end()));
      loader.start({}, 0, 20);
      EXPECT_EQ(rowsOf(loader, 20, 8)[19], 19u);
      EXPECT_GE(loader.waited(), 0);
    }
}

TEST(Loader, GivesWhatAPartInMemoryGives) {
  toy::Model model;
  syl::Array input, target;
  input.dtype = SYL_FLOAT32;
  input.shape = {30, 5};
  input.data = syl::Buffer(600, "x");
  target.dtype = SYL_INT64;
  target.shape = {30};
  target.data = syl::Buffer(240, "y");
  for (int64_t i = 0; i < 30; ++i) {
    for (int64_t k = 0; k < 5; ++k) {
      float value = float(i) + 0.5f * float(k);
      std::memcpy(input.data.data() + (i * 5 + k) * 4, &value, 4);
    }
    int64_t label = i % 3;
    std::memcpy(target.data.data() + i * 8, &label, 8);
  }
  syl::Part part;
  part.inputs = {std::make_shared<syl::MemoryColumn>("x", std::move(input))};
  part.targets = {std::make_shared<syl::MemoryColumn>("y", std::move(target))};
  const std::vector<uint32_t> order = syl::epochOrder(1, 0, 30);
  syl::Loader loader(*model.get(), part, 8, 2);
  loader.start(order, 0, 30);
  EXPECT_EQ(rowsOf(loader, 30, 8), order);
  part.rows = std::make_shared<const std::vector<uint32_t>>(std::vector<uint32_t>{29, 3, 5});
  syl::Loader some(*model.get(), part, 2, 2);
  some.start({}, 0, 3);
  EXPECT_EQ(rowsOf(some, 3, 2), (std::vector<uint32_t>{29, 3, 5}));
  some.start({2, 0, 1}, 0, 3);
  EXPECT_EQ(rowsOf(some, 3, 2), (std::vector<uint32_t>{5, 29, 3}));
}

TEST(Loader, ABrokenSampleIsTheErrorOfItsBatch) {
  toy::Model model;
  const syl::Part part = slowPart(64, true, 20);
  syl::Loader loader(*model.get(), part, 8, 3);
  loader.start({}, 0, 64);
  EXPECT_EQ(rowsOf(loader, 16, 8).size(), 16u);
  uint64_t count;
  EXPECT_EQ(errorOf([&] { loader.next(count); }), "slow: error: row 20 is broken");
  loader.start({}, 24, 64); // and it can go on elsewhere
  EXPECT_EQ(rowsOf(loader, 40, 8)[0], 24u);
}

TEST(Loader, ReadsAheadButNotTooFarAndStopsAtOnce) {
  toy::Model model;
  const syl::Part part = slowPart(4000, true);
  {
    syl::Loader loader(*model.get(), part, 8, 2);
    loader.start({}, 0, 4000);
    uint64_t count;
    loader.next(count);
    usleep(200000);
  }
  const int64_t reads = static_cast<const SlowColumn &>(*part.inputs[0]).reads;
  EXPECT_GE(reads, 16);
  EXPECT_LE(reads, int64_t(8 * (syl::Loader::batchesAhead + 1)));
}

} // namespace
