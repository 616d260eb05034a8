// Columns in memory and in plain files. Layer: runtime/data.
#include "runtime/data/Column.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace syl {

namespace {
constexpr size_t windowBytes = size_t(4) << 20;
}

int64_t Column::rowElements() const {
  int64_t product = 1;
  for (size_t axis = 1; axis < extents.size(); ++axis)
    product *= extents[axis];
  return product;
}

MemoryColumn::MemoryColumn(const std::string &path, Array array, std::vector<std::string> classNames)
    : Column(path, array.dtype, array.shape), values(std::move(array)), names(std::move(classNames)) {}

void MemoryColumn::read(const uint32_t *rows, size_t count, void *out) const {
  gatherRows(values, rows, count, values.dtype, out);
}

FileColumn::FileColumn(std::shared_ptr<const InputFile> file, Placement placement)
    : Column(placement.name.empty() ? file->path() : placement.name, placement.element.dtype(), placement.shape),
      file(std::move(file)), place(std::move(placement)) {}

void FileColumn::read(const uint32_t *rows, size_t count, void *out) const {
  const size_t elements = size_t(rowElements()), stored = elements * place.element.bytes;
  if (!elements)
    return;
  const bool packed = place.stride == stored && !place.planes;
  std::string space;
  for (size_t at = 0; at < count;) {
    size_t run = 1; // rows that follow each other are one read
    while (packed && at + run < count && rows[at + run] == rows[at] + run && (run + 1) * stored <= windowBytes)
      ++run;
    char *target = static_cast<char *>(out) + at * rowBytes(), *raw = target;
    if (!place.element.isNative() || place.planes) {
      space.resize(run * stored);
      raw = space.data();
    }
    file->readExactly(raw, run * stored, place.offset + rows[at] * place.stride);
    if (place.planes) { // bytes: [C][H*W] to [H*W][C]
      const size_t channels = size_t(place.planes), pixels = elements / channels;
      for (size_t channel = 0; channel < channels; ++channel)
        for (size_t pixel = 0; pixel < pixels; ++pixel)
          target[pixel * channels + channel] = raw[channel * pixels + pixel];
    } else {
      size_t good = decodeElements(place.element, raw, run * elements, target);
      if (good < run * elements)
        throw Error(SYL_ERROR_MISMATCH, path(),
                    format("found a value of 2^63 or more at index %llu, expected values that an int64 holds",
                           (unsigned long long)(rows[at] * elements + good)));
    }
    at += run;
  }
}

ColumnPointer openPlacement(std::shared_ptr<const InputFile> file, const Placement &placement, uint64_t limit) {
  auto column = std::make_shared<FileColumn>(file, placement);
  uint64_t bytes;
  if (!checkedBytes(column->shape(), syl_dtype_bytes(column->dtype()), bytes) || bytes > limit ||
      column->shape().empty() || column->count() > INT32_MAX)
    return column;
  Array array;
  array.dtype = column->dtype();
  array.shape = column->shape();
  array.data = Buffer(bytes, column->path());
  std::vector<uint32_t> rows(static_cast<size_t>(std::min<int64_t>(column->count(), 1 << 16)));
  for (int64_t first = 0; bytes && first < column->count(); first += int64_t(rows.size())) {
    size_t count = size_t(std::min<int64_t>(int64_t(rows.size()), column->count() - first));
    std::iota(rows.begin(), rows.end(), uint32_t(first));
    column->read(rows.data(), count, array.data.data() + size_t(first) * column->rowBytes());
  }
  return std::make_shared<MemoryColumn>(column->path(), std::move(array));
}

void forEachWindow(const Column &column,
                   const std::function<void(int64_t first, size_t count, const char *values)> &use) {
  if (const Array *array = column.array()) {
    use(0, size_t(column.count()), array->data.data());
    return;
  }
  const size_t rowBytes = column.rowBytes();
  if (!rowBytes) // any number of rows of nothing
    return;
  const size_t window =
      size_t(std::clamp<int64_t>(int64_t(windowBytes / rowBytes), 1, std::max<int64_t>(column.count(), 1)));
  std::vector<uint32_t> rows(window);
  Buffer values(window * rowBytes, column.path());
  for (int64_t first = 0; first < column.count(); first += int64_t(window)) {
    size_t count = size_t(std::min<int64_t>(int64_t(window), column.count() - first));
    std::iota(rows.begin(), rows.end(), uint32_t(first));
    column.read(rows.data(), count, values.data());
    use(first, count, values.data());
  }
}

} // namespace syl
