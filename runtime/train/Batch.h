// The samples of one call, in the types that the model takes. Layer: runtime/train.
#pragma once

#include "runtime/data/DataSet.h"
#include "runtime/train/Session.h"

namespace syl {

/// Room for samples of every input and target, and pointers to them as the runtime's calls take them.
class Batch {
public:
  /// For up to `rows` samples.
  Batch(const syl_model &model, int64_t rows);
  /// Copies samples `rows[0 … count)` of a part to places `at` and after. Different places may be filled by different
  /// threads at a time. Throws Error where a sample cannot be read.
  void gather(const Part &part, const uint32_t *rows, size_t count, size_t at = 0);
  /// Samples [first, first + count) of a part: in place where they lie so in memory.
  void range(const Part &part, int64_t first, size_t count);

  const void *const *inputs() const { return inputPointers.data(); }
  const void *const *targets() const { return targetPointers.data(); }
  /// Bytes of `rows` samples with their targets.
  static uint64_t bytes(const syl_model &model, int64_t rows);

private:
  const syl_model &model;
  std::vector<Buffer> inputSpace, targetSpace;
  std::vector<const void *> inputPointers, targetPointers;
};

} // namespace syl
