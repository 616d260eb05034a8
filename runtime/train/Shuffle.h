// The order in which an epoch visits the samples. Layer: runtime/train.
#pragma once

#include "runtime/train/Random.h"

#include <numeric>
#include <utility>
#include <vector>

namespace syl {

/// The permutation of `count` samples for epoch `epoch` (from 0): Fisher and Yates's shuffle, driven by Philox, so that
/// it follows from seed and epoch alone.
inline std::vector<uint32_t> epochOrder(uint64_t seed, uint64_t epoch, uint32_t count) {
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  Random random(seed, ShuffleStream + epoch);
  for (uint32_t i = count; i > 1; --i)
    std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

} // namespace syl
