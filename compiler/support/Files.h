// Reading and writing whole files, and where the cache lives. Layer: support.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace sylvite {

/// The largest YAML file that is read, in bytes.
inline constexpr size_t kYamlSizeLimit = size_t(1) << 20;

/// Reads a regular file of at most `limit` bytes. On failure returns nothing and sets `error` to a text without the
/// path, such as `no such file`, `is a folder` or `larger than 1048576 bytes`. Never reads more than `limit` + 1 bytes.
std::optional<std::string> readFile(const std::filesystem::path &path, size_t limit, std::string &error);

/// Writes `bytes` to a temporary file in the folder of `path` and renames it to `path`, so that a reader sees the old
/// file or the new one, never a part. Makes missing folders. On failure removes the temporary file, returns false and
/// sets `error` to a text without the path. The data is not forced to disk: this is for outputs that can be made again.
bool writeFileAtomically(const std::filesystem::path &path, std::string_view bytes, std::string &error);

/// `$XDG_CACHE_HOME/sylvite`, or `~/.cache/sylvite` when that variable is unset, empty or relative (XDG Base Directory
/// Specification); a `sylvite-cache-<uid>` in the folder for temporary files when there is no home. Does not create it.
std::filesystem::path cacheDirectory();

} // namespace sylvite
