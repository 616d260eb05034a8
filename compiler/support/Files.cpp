// Whole files by POSIX calls, so that every error has its reason. Layer: support.
#include "compiler/support/Files.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace sylvite {

namespace {

std::string reason(int code) {
  if (code == ENOENT)
    return "no such file";
  if (code == EISDIR)
    return "is a folder";
  if (code == EACCES)
    return "permission denied";
  return std::generic_category().message(code);
}

/// A file descriptor that closes itself.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0)
      ::close(fd);
  }
};

bool writeAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

} // namespace

std::optional<std::string> readFile(const std::filesystem::path &path, size_t limit, std::string &error) {
  // O_NONBLOCK: opening a pipe that nobody writes to must not hang.
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat info;
  if (file.fd < 0 || ::fstat(file.fd, &info) != 0) {
    error = reason(errno);
    return std::nullopt;
  }
  if (S_ISDIR(info.st_mode)) {
    error = reason(EISDIR);
    return std::nullopt;
  }
  if (!S_ISREG(info.st_mode)) {
    error = "is not a regular file";
    return std::nullopt;
  }
  std::string text;
  char block[1 << 16];
  while (text.size() <= limit) {
    size_t wanted = std::min(sizeof(block), limit + 1 - text.size());
    ssize_t got = ::read(file.fd, block, wanted);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0) {
      error = reason(errno);
      return std::nullopt;
    }
    if (got == 0)
      return text;
    text.append(block, static_cast<size_t>(got));
  }
  error = "larger than " + std::to_string(limit) + " bytes";
  return std::nullopt;
}

bool writeFileAtomically(const std::filesystem::path &path, std::string_view bytes, std::string &error) {
  std::error_code code;
  if (path.has_parent_path()) {
    std::filesystem::create_directories(path.parent_path(), code);
    if (code) {
      error = "cannot make the folder: " + reason(code.value());
      return false;
    }
  }
  // The process and a counter make the name unique among those who write the same file at once.
  static std::atomic<unsigned> counter{0};
  std::filesystem::path temporary = path;
  temporary += ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
  Descriptor file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)};
  if (file.fd < 0) {
    error = reason(errno);
    return false;
  }
  bool written = writeAll(file.fd, bytes);
  int failure = written ? 0 : errno;
  if (::close(std::exchange(file.fd, -1)) != 0 && written) {
    written = false;
    failure = errno;
  }
  if (written && ::rename(temporary.c_str(), path.c_str()) == 0)
    return true;
  if (written)
    failure = errno;
  error = reason(failure);
  ::unlink(temporary.c_str());
  return false;
}

std::filesystem::path cacheDirectory() {
  auto absolutePath = [](const char *variable) -> std::filesystem::path {
    const char *value = std::getenv(variable);
    std::filesystem::path path = value ? value : "";
    return path.is_absolute() ? path : std::filesystem::path();
  };
  if (std::filesystem::path cache = absolutePath("XDG_CACHE_HOME"); !cache.empty())
    return cache / "sylvite";
  if (std::filesystem::path home = absolutePath("HOME"); !home.empty())
    return home / ".cache" / "sylvite";
  std::error_code code;
  std::filesystem::path temporary = std::filesystem::temp_directory_path(code);
  return (code ? std::filesystem::path("/tmp") : temporary) / ("sylvite-cache-" + std::to_string(::getuid()));
}

} // namespace sylvite
