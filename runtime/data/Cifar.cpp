// Records of labels and planes of pixels. Layer: runtime/data.
#include "runtime/data/Cifar.h"

#include <algorithm>

namespace syl {

namespace {

constexpr uint64_t pixels = 3072;

/// Several columns, one after the other.
class JoinedColumn : public Column {
public:
  JoinedColumn(std::vector<ColumnPointer> parts, std::vector<int64_t> shape)
      : Column(parts[0]->path(), parts[0]->dtype(), std::move(shape)), parts(std::move(parts)) {}
  void read(const uint32_t *rows, size_t count, void *out) const override {
    for (size_t i = 0; i < count; ++i) {
      uint32_t row = rows[i];
      size_t part = 0;
      while (int64_t(row) >= parts[part]->count())
        row -= uint32_t(parts[part++]->count());
      parts[part]->read(&row, 1, static_cast<char *>(out) + i * rowBytes());
    }
  }

private:
  const std::vector<ColumnPointer> parts;
};

ColumnPointer join(std::vector<ColumnPointer> parts) {
  if (parts.size() == 1)
    return parts[0];
  std::vector<int64_t> shape = parts[0]->shape();
  shape[0] = 0;
  for (const ColumnPointer &part : parts)
    shape[0] += part->count();
  return std::make_shared<JoinedColumn>(std::move(parts), std::move(shape));
}

/// A column in memory with the values of `column`.
ColumnPointer loaded(const ColumnPointer &column) {
  Array array;
  array.dtype = column->dtype();
  array.shape = column->shape();
  array.data = Buffer(size_t(column->count()) * column->rowBytes(), column->path());
  forEachWindow(*column, [&](int64_t first, size_t count, const char *values) {
    std::copy(values, values + count * column->rowBytes(), array.data.data() + size_t(first) * column->rowBytes());
  });
  return std::make_shared<MemoryColumn>(column->path(), std::move(array));
}

} // namespace

bool isCifarSize(uint64_t bytes, bool hundred) { return bytes && bytes % (pixels + (hundred ? 2 : 1)) == 0; }

CifarColumns openCifar(const std::vector<std::string> &paths, bool hundred, bool planar, bool coarse) {
  const uint64_t labels = hundred ? 2 : 1, record = pixels + labels;
  std::vector<ColumnPointer> images, classes;
  ErrorCollector errors;
  for (const std::string &path : paths)
    errors.run([&] {
      auto file = std::make_shared<const InputFile>(path);
      if (!isCifarSize(file->size(), hundred))
        throw Error(SYL_ERROR_FORMAT, path,
                    format("found %llu bytes, expected a multiple of %llu, the bytes of a record of CIFAR-%d",
                           (unsigned long long)file->size(), (unsigned long long)record, hundred ? 100 : 10),
                    "the file is truncated or damaged; unpack or download it again");
      const int64_t count = int64_t(file->size() / record);
      Placement image, label;
      image.offset = labels;
      image.stride = label.stride = record;
      image.shape = planar ? std::vector<int64_t>{count, 3, 32, 32} : std::vector<int64_t>{count, 32, 32, 3};
      if (!planar)
        image.planes = 3;
      label.offset = hundred && !coarse ? 1 : 0;
      label.shape = {count};
      images.push_back(openPlacement(file, image));
      classes.push_back(openPlacement(file, label));
    });
  errors.finish();
  return {join(std::move(images)), loaded(join(std::move(classes)))};
}

} // namespace syl
