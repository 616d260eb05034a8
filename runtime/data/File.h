// Files as the readers need them: whole or in parts, with every failure an Error; and the atomic save.
// Layer: runtime/data.
#pragma once

#include "runtime/data/Error.h"

#include <string>
#include <vector>

namespace syl {

/// A regular file that is open for reading. Folders, pipes and devices are refused, so that no read blocks for ever.
class InputFile {
public:
  /// Throws Error (SYL_ERROR_IO) with a hint `hint` where the file does not exist.
  explicit InputFile(const std::string &path, const std::string &hint = {});
  ~InputFile();
  InputFile(const InputFile &) = delete;
  InputFile &operator=(const InputFile &) = delete;

  const std::string &path() const { return name; }
  /// Bytes, when it was opened.
  uint64_t size() const { return bytes; }
  /// Reads up to `count` bytes at `offset`; returns how many there were.
  size_t readSome(void *out, size_t count, uint64_t offset) const;
  /// Reads exactly `count` bytes at `offset`, else throws.
  void readExactly(void *out, size_t count, uint64_t offset) const;
  int descriptor() const { return fd; }

private:
  std::string name;
  int fd = -1;
  uint64_t bytes = 0;
};

/// Whether a file, folder or anything else of this name exists.
bool pathExists(const std::string &path);
bool isFolder(const std::string &path);
/// The names in a folder but . and .., sorted; none where it cannot be read, and then `problem`, if any, is the errno.
std::vector<std::string> namesIn(const std::string &folder, int *problem = nullptr);
/// Makes a folder and those above it. Throws Error (SYL_ERROR_IO) where that fails or the folder cannot be written.
void makeFolders(const std::string &path);

/// Replaces `path` by `count` bytes so that a reader, or a crash at any moment, finds the old file or the new one:
/// temporary file in the same folder, fsync, rename, fsync of the folder. With `keepAs`, the old file stays under that
/// name. Throws Error (SYL_ERROR_IO) and leaves the old file in place on any failure, a failed fsync included.
void saveAtomically(const std::string &path, const void *data, size_t count, const std::string &keepAs = {});

} // namespace syl
