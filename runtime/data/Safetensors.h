// The safetensors format (https://github.com/huggingface/safetensors), read strictly and written atomically.
// Layer: runtime/data.
//
// A file that Sylvite writes carries `sha256` in its metadata: the SHA-256 of the whole file with that field's 64
// digits replaced by zeros.
#pragma once

#include "runtime/data/Array.h"
#include "runtime/data/File.h"

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace syl {

using Metadata = std::vector<std::pair<std::string, std::string>>;

/// One tensor of a file's header.
struct TensorEntry {
  std::string name;
  std::string dtype; // "F32", "I64", …
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0; // bytes from the start of the data
};

/// "F32" of SYL_FLOAT32, …
const char *safetensorsName(syl_dtype dtype);
/// The element type of "F32", "F64", "I32", "I64", "U8"; none for the format's other types.
std::optional<syl_dtype> safetensorsType(const std::string &name);

/// An open file whose header has been checked: at most 100 MB, JSON of the format's structure without doubled names,
/// sizes by checked multiplication, offsets contiguous from 0 to the end of the file.
class SafetensorsFile {
public:
  /// Reads and checks the header. Throws Error where the file cannot be read or breaks a rule.
  explicit SafetensorsFile(const std::string &path);

  const std::string &path() const { return file.path(); }
  /// In the order of the header.
  const std::vector<TensorEntry> &tensors() const { return entries; }
  /// Null where there is none of this name.
  const TensorEntry *find(const std::string &name) const;
  std::optional<std::string> metadata(const std::string &key) const;
  /// Whether the metadata shows that Sylvite wrote the file, so that its SHA-256 must be right.
  bool isSealed() const;
  const InputFile &input() const { return file; }
  /// Where in the file the data start.
  uint64_t dataOffset() const { return dataStart; }
  /// Bytes of all tensors.
  uint64_t dataBytes() const { return file.size() - dataStart; }
  /// Reads all tensors, and checks the SHA-256 of a sealed file. Throws Error (SYL_ERROR_FORMAT) where it is wrong.
  void load();
  /// Bytes of a tensor, after load().
  const char *data(const TensorEntry &tensor) const { return content.data() + tensor.begin; }

private:
  void checkOffsets() const;

  InputFile file;
  std::string header; // the 8 bytes of its length, then the JSON
  uint64_t dataStart = 0;
  std::vector<TensorEntry> entries;
  std::unordered_map<std::string, size_t> byName;
  Metadata keys;
  Buffer content;
};

/// Collects tensors and writes them.
class SafetensorsWriter {
public:
  /// Adds a tensor of packed elements; `data` is copied.
  void add(const std::string &name, syl_dtype dtype, const std::vector<int64_t> &shape, const void *data);
  /// Names in the order in which they were added.
  std::vector<std::string> names() const;
  /// Writes the file atomically, sealed with its SHA-256; what was there stays as `keepAs` where that is not empty.
  /// Throws Error (SYL_ERROR_IO).
  void save(const std::string &path, const Metadata &metadata, const std::string &keepAs = {}) const;

private:
  struct Item {
    std::string name;
    syl_dtype dtype;
    std::vector<int64_t> shape;
    std::string data;
  };
  std::vector<Item> items;
};

} // namespace syl
