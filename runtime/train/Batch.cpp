// Samples of a part as one call takes them. Layer: runtime/train.
#include "runtime/train/Batch.h"

namespace syl {

Batch::Batch(const syl_model &model, int64_t rows)
    : model(model), inputPointers(size_t(model.input_count)), targetPointers(size_t(model.target_count)) {
  for (int32_t i = 0; i < model.input_count; ++i)
    inputSpace.emplace_back(bytesOf(model.inputs[i]) * size_t(rows), model.name);
  for (int32_t i = 0; i < model.target_count; ++i)
    targetSpace.emplace_back(bytesOf(model.targets[i]) * size_t(rows), model.name);
}

void Batch::gather(const Part &part, const uint32_t *rows, size_t count) {
  for (size_t i = 0; i < part.inputs.size(); ++i) {
    gatherRows(part.inputs[i], rows, count, syl_dtype(model.inputs[i].dtype), inputSpace[i].data());
    inputPointers[i] = inputSpace[i].data();
  }
  for (size_t i = 0; i < part.targets.size(); ++i) {
    gatherRows(part.targets[i], rows, count, syl_dtype(model.targets[i].dtype), targetSpace[i].data());
    targetPointers[i] = targetSpace[i].data();
  }
}

void Batch::range(const Part &part, int64_t first, size_t count) {
  for (size_t i = 0; i < part.inputs.size(); ++i)
    inputPointers[i] = rowRange(part.inputs[i], first, count, syl_dtype(model.inputs[i].dtype), inputSpace[i]);
  for (size_t i = 0; i < part.targets.size(); ++i)
    targetPointers[i] = rowRange(part.targets[i], first, count, syl_dtype(model.targets[i].dtype), targetSpace[i]);
}

} // namespace syl
