// Random batches. Layer: runtime/train.
#include "runtime/train/Synthetic.h"

namespace syl {

namespace {

/// Fills `count` elements of `type`: floats normal, bytes uniform, other integers uniform in [0, bound).
void fill(Buffer &buffer, syl_dtype type, size_t count, uint64_t bound, Random random) {
  for (size_t i = 0; i < count; ++i) {
    char *element = buffer.data() + i * syl_dtype_bytes(type);
    if (type == SYL_FLOAT32 || type == SYL_FLOAT64) {
      double value = random.normal();
      convertElements(&value, SYL_FLOAT64, element, type, 1);
    } else {
      int64_t value = int64_t(random.below(bound));
      convertElements(&value, SYL_INT64, element, type, 1);
    }
  }
}

} // namespace

SyntheticBatch::SyntheticBatch(const syl_model &model, int64_t n, uint64_t seed)
    : input(inputBytes(model) * size_t(n), model.name), target(targetBytes(model) * size_t(n), model.name) {
  syl_dtype inputType = syl_dtype(model.input_dtype), targetType = syl_dtype(model.target_dtype);
  fill(input, inputType, input.size() / syl_dtype_bytes(inputType), 256, Random(seed, SyntheticStream));
  fill(target, targetType, target.size() / syl_dtype_bytes(targetType), model.classes ? uint64_t(model.classes) : 256,
       Random(seed, SyntheticStream + 1));
}

} // namespace syl
