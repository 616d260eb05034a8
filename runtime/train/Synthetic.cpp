// Random batches. Layer: runtime/train.
#include "runtime/train/Synthetic.h"

namespace syl {

namespace {

/// Fills an array of `n` samples: bytes and other integers uniform in [0, classes), or in [0, 256) where the array has
/// no classes; floats normal, or uniform in (0, 1).
Buffer filled(const syl_array &array, int64_t n, bool normal, Random random, const std::string &what) {
  const syl_dtype type = syl_dtype(array.dtype);
  const size_t size = syl_dtype_bytes(type), count = size_t(elementsOf(array) * n);
  Buffer buffer(count * size, what);
  for (size_t i = 0; i < count; ++i) {
    if (type == SYL_FLOAT32 || type == SYL_FLOAT64) {
      double value = normal ? random.normal() : random.uniform();
      convertElements(&value, SYL_FLOAT64, buffer.data() + i * size, type, 1);
    } else {
      int64_t value = int64_t(random.below(array.classes ? uint64_t(array.classes) : 256));
      convertElements(&value, SYL_INT64, buffer.data() + i * size, type, 1);
    }
  }
  return buffer;
}

std::vector<const void *> pointersTo(const std::vector<Buffer> &buffers) {
  std::vector<const void *> pointers;
  for (const Buffer &buffer : buffers)
    pointers.push_back(buffer.data());
  return pointers;
}

/// Streams of the inputs are even, those of the targets odd numbers.
Random streamOf(uint64_t seed, int32_t index, bool target) {
  return Random(seed, SyntheticStream + (uint64_t(index) << 40) + target);
}

} // namespace

SyntheticBatch::SyntheticBatch(const syl_model &model, int64_t n, uint64_t seed) {
  for (int32_t i = 0; i < model.input_count; ++i)
    inputs.push_back(filled(model.inputs[i], n, true, streamOf(seed, i, false), model.name));
  for (int32_t i = 0; i < model.target_count; ++i)
    targets.push_back(filled(model.targets[i], n, false, streamOf(seed, i, true), model.name));
}

std::vector<const void *> SyntheticBatch::inputPointers() const { return pointersTo(inputs); }
std::vector<const void *> SyntheticBatch::targetPointers() const { return pointersTo(targets); }

} // namespace syl
