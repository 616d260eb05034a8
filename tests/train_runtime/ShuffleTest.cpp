// The order of samples: a permutation, known from seed and epoch. Layer: tests.
#include "runtime/train/Shuffle.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>

namespace {

TEST(Philox, KnownAnswers) { // of the authors' Random123 library, kat_vectors: philox4x32 10
  EXPECT_EQ(syl::philox(0, 0, 0), (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(syl::philox(~0ull, ~0ull, ~0ull),
            (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

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
