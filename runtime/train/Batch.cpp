// Samples of a part as one call takes them. Layer: runtime/train.
#include "runtime/train/Batch.h"

#include <numeric>

namespace syl {

Batch::Batch(const syl_model &model, int64_t rows)
    : model(model), inputPointers(size_t(model.input_count)), targetPointers(size_t(model.target_count)) {
  for (int32_t i = 0; i < model.input_count; ++i)
    inputSpace.emplace_back(bytesOf(model.inputs[i]) * size_t(rows), model.name);
  for (int32_t i = 0; i < model.target_count; ++i)
    targetSpace.emplace_back(bytesOf(model.targets[i]) * size_t(rows), model.name);
  for (size_t i = 0; i < inputSpace.size(); ++i)
    inputPointers[i] = inputSpace[i].data();
  for (size_t i = 0; i < targetSpace.size(); ++i)
    targetPointers[i] = targetSpace[i].data();
}

uint64_t Batch::bytes(const syl_model &model, int64_t rows) {
  uint64_t bytes = 0;
  for (int32_t i = 0; i < model.input_count; ++i)
    bytes += bytesOf(model.inputs[i]) * size_t(rows);
  for (int32_t i = 0; i < model.target_count; ++i)
    bytes += bytesOf(model.targets[i]) * size_t(rows);
  return bytes;
}

void Batch::gather(const Part &part, const uint32_t *rows, size_t count, size_t at) {
  std::vector<uint32_t> chosen;
  if (part.rows) {
    for (size_t i = 0; i < count; ++i)
      chosen.push_back((*part.rows)[rows[i]]);
    rows = chosen.data();
  }
  for (size_t i = 0; i < part.inputs.size(); ++i)
    gatherRows(*part.inputs[i], rows, count, syl_dtype(model.inputs[i].dtype),
               inputSpace[i].data() + at * bytesOf(model.inputs[i]));
  for (size_t i = 0; i < part.targets.size(); ++i)
    gatherRows(*part.targets[i], rows, count, syl_dtype(model.targets[i].dtype),
               targetSpace[i].data() + at * bytesOf(model.targets[i]));
}

void Batch::range(const Part &part, int64_t first, size_t count) {
  std::vector<uint32_t> rows;
  if (part.rows || !part.isInMemory()) {
    rows.resize(count);
    std::iota(rows.begin(), rows.end(), uint32_t(first));
    gather(part, rows.data(), count);
  }
  auto place = [&](const ColumnPointer &column, const syl_array &want, Buffer &space) -> const void * {
    const Array *array = column->array();
    if (part.rows || !array || !rows.empty())
      return space.data();
    const char *source = array->data.data() + size_t(first) * column->rowBytes();
    if (array->dtype == syl_dtype(want.dtype))
      return source;
    convertElements(source, array->dtype, space.data(), syl_dtype(want.dtype), count * size_t(column->rowElements()));
    return space.data();
  };
  for (size_t i = 0; i < part.inputs.size(); ++i)
    inputPointers[i] = place(part.inputs[i], model.inputs[i], inputSpace[i]);
  for (size_t i = 0; i < part.targets.size(); ++i)
    targetPointers[i] = place(part.targets[i], model.targets[i], targetSpace[i]);
}

} // namespace syl
