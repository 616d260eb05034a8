// The order of samples: a permutation, known from seed and epoch. Layer: tests.
#include "runtime/train/Shuffle.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>

namespace {

TEST(Shuffle, IsAPermutationThatSeedAndEpochDecide) {
  std::vector<uint32_t> order = syl::epochOrder(1, 0, 1000);
  EXPECT_EQ(order, syl::epochOrder(1, 0, 1000));
  EXPECT_NE(order, syl::epochOrder(1, 1, 1000));
  EXPECT_NE(order, syl::epochOrder(2, 0, 1000));
  std::sort(order.begin(), order.end());
  for (uint32_t i = 0; i < 1000; ++i)
    ASSERT_EQ(order[i], i);
  EXPECT_EQ(syl::epochOrder(1, 0, 1), std::vector<uint32_t>{0});
}

TEST(Shuffle, EveryOrderOfThreeIsEquallyLikely) {
  std::map<std::vector<uint32_t>, int> seen;
  for (uint64_t epoch = 0; epoch < 6000; ++epoch)
    ++seen[syl::epochOrder(5, epoch, 3)];
  ASSERT_EQ(seen.size(), 6u);
  for (auto &[order, count] : seen)
    EXPECT_NEAR(count, 1000, 150); // 5 standard deviations
}

} // namespace
