// The samples of one input or target of a data set, read by row: from memory, from a large file, or decoded from
// images. Layer: runtime/data.
#pragma once

#include "runtime/data/Array.h"
#include "runtime/data/Element.h"
#include "runtime/data/File.h"

#include <memory>

namespace syl {

/// Files up to this size are read whole and checked at the start; larger ones are read, and their values checked, row
/// by row as the training takes them.
constexpr uint64_t wholeFileLimit = uint64_t(64) << 20;

/// Rows of one type and shape. What reads are safe from several threads at a time.
class Column {
public:
  virtual ~Column() = default;

  const std::string &path() const { return name; }
  syl_dtype dtype() const { return type; }
  /// Axis 0 counts the rows; empty for a single number.
  const std::vector<int64_t> &shape() const { return extents; }
  int64_t count() const { return extents.empty() ? 0 : extents[0]; }
  int64_t rowElements() const;
  size_t rowBytes() const { return size_t(rowElements()) * syl_dtype_bytes(type); }

  /// Copies rows `rows[0 … count)`, packed, as dtype(). Throws Error where they cannot be read.
  virtual void read(const uint32_t *rows, size_t count, void *out) const = 0;
  /// The whole array, or null where it is not in memory.
  virtual const Array *array() const { return nullptr; }
  /// Whether a row costs so much that all cores should share the work.
  virtual bool isDecoded() const { return false; }
  /// Names of the classes that the elements number, where the files have names for them.
  virtual std::vector<std::string> classNames() const { return {}; }

protected:
  Column(std::string path, syl_dtype dtype, std::vector<int64_t> shape)
      : name(std::move(path)), type(dtype), extents(std::move(shape)) {}

private:
  const std::string name;
  const syl_dtype type;
  const std::vector<int64_t> extents;
};
using ColumnPointer = std::shared_ptr<const Column>;

/// An array in memory.
class MemoryColumn : public Column {
public:
  MemoryColumn(const std::string &path, Array array, std::vector<std::string> classNames = {});
  void read(const uint32_t *rows, size_t count, void *out) const override;
  const Array *array() const override { return &values; }
  std::vector<std::string> classNames() const override { return names; }

private:
  const Array values;
  const std::vector<std::string> names;
};

/// Where the rows of an array lie in a file: `stride` bytes from one to the next, each of packed elements.
struct Placement {
  std::string name; // for messages; the file's path where it is empty
  uint64_t offset = 0, stride = 0;
  Element element;
  std::vector<int64_t> shape;
  int64_t planes = 0; // C for a row [H,W,C] of bytes that is stored as C planes of H x W
};

/// Rows of an uncompressed file. Nothing is kept in memory.
class FileColumn : public Column {
public:
  FileColumn(std::shared_ptr<const InputFile> file, Placement placement);
  void read(const uint32_t *rows, size_t count, void *out) const override;

private:
  const std::shared_ptr<const InputFile> file;
  const Placement place;
};

/// The rows of a file as a column: in memory where they have at most `limit` bytes. The file must be large enough.
ColumnPointer openPlacement(std::shared_ptr<const InputFile> file, const Placement &placement,
                            uint64_t limit = wholeFileLimit);

/// Calls `use` with (first row, rows, values as dtype()) for all rows in order, some megabytes at a time.
void forEachWindow(const Column &column,
                   const std::function<void(int64_t first, size_t count, const char *values)> &use);

} // namespace syl
