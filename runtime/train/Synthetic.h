// A random batch for bench and check: normal floats, uniform bytes and classes; float targets are uniform in (0, 1),
// which every loss takes. Layer: runtime/train.
#pragma once

#include "runtime/train/Random.h"
#include "runtime/train/Session.h"

namespace syl {

/// n samples and targets in the types and layout that the model takes.
struct SyntheticBatch {
  /// The same for the same model, n and seed.
  SyntheticBatch(const syl_model &model, int64_t n, uint64_t seed);

  std::vector<const void *> inputPointers() const;
  std::vector<const void *> targetPointers() const;

  std::vector<Buffer> inputs, targets;
};

} // namespace syl
