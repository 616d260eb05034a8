// Reading regular files and saving atomically, on POSIX calls. Layer: runtime/data.
#include "runtime/data/File.h"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace syl {

InputFile::InputFile(const std::string &path, const std::string &hint) : name(path) {
  fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    throw Error(SYL_ERROR_IO, path, "cannot open the file: " + systemText(errno), errno == ENOENT ? hint : "");
  struct stat status;
  if (fstat(fd, &status) != 0) {
    int reason = errno;
    close(fd);
    throw Error(SYL_ERROR_IO, path, "cannot examine the file: " + systemText(reason));
  }
  if (!S_ISREG(status.st_mode)) {
    close(fd);
    throw Error(SYL_ERROR_IO, path,
                std::string("found ") + (S_ISDIR(status.st_mode) ? "a folder" : "a device or pipe") +
                    ", expected a file");
  }
  bytes = uint64_t(status.st_size);
}

InputFile::~InputFile() { close(fd); }

size_t InputFile::readSome(void *out, size_t count, uint64_t offset) const {
  size_t done = 0;
  while (done < count) {
    size_t part = std::min<size_t>(count - done, size_t(1) << 30);
    ssize_t got = pread(fd, static_cast<char *>(out) + done, part, off_t(offset + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      throw Error(SYL_ERROR_IO, name, "cannot read the file: " + systemText(errno));
    if (got == 0)
      break;
    done += size_t(got);
  }
  return done;
}

void InputFile::readExactly(void *out, size_t count, uint64_t offset) const {
  size_t got = readSome(out, count, offset);
  if (got != count)
    throw Error(SYL_ERROR_FORMAT, name,
                format("found %llu bytes, expected at least %llu", (unsigned long long)(offset + got),
                       (unsigned long long)(offset + count)),
                "the file is truncated; copy or download it again");
}

bool pathExists(const std::string &path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0;
}

bool isFolder(const std::string &path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::vector<std::string> namesIn(const std::string &folder, int *problem) {
  // Not by std::filesystem::directory_iterator, whose constructor ends the process where it gets no memory.
  struct Close {
    void operator()(DIR *handle) const { closedir(handle); }
  };
  std::unique_ptr<DIR, Close> handle(opendir(folder.c_str()));
  std::vector<std::string> names;
  errno = handle ? 0 : errno;
  while (dirent *entry = handle ? readdir(handle.get()) : nullptr) {
    if (std::string name = entry->d_name; name != "." && name != "..")
      names.push_back(name);
    errno = 0;
  }
  if (problem)
    *problem = errno;
  std::sort(names.begin(), names.end());
  return names;
}

void makeFolders(const std::string &path) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), 0777) != 0 && errno != EEXIST)
      throw Error(SYL_ERROR_IO, path, "cannot create the folder: " + systemText(errno));
    if (end == std::string::npos)
      break;
  }
  if (!isFolder(path))
    throw Error(SYL_ERROR_IO, path, "found a file, expected a folder or nothing");
  if (access(path.c_str(), W_OK) != 0)
    throw Error(SYL_ERROR_IO, path, "cannot write into the folder: " + systemText(errno));
}

namespace {

/// A temporary file that is removed unless it was renamed.
class TemporaryFile {
public:
  explicit TemporaryFile(const std::string &target) : target(target) {
    size_t slash = target.rfind('/');
    folder = slash == std::string::npos ? "." : slash == 0 ? "/" : target.substr(0, slash);
    std::string stem = (slash == std::string::npos ? "" : target.substr(0, slash + 1)) + "." +
                       target.substr(slash == std::string::npos ? 0 : slash + 1);
    for (int attempt = 0; attempt < 100; ++attempt) {
      name = format("%s.%ld-%d", stem.c_str(), long(getpid()), attempt);
      fd = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (fd >= 0 || errno != EEXIST)
        break;
    }
    if (fd < 0)
      fail("create", errno);
  }

  ~TemporaryFile() {
    if (fd >= 0)
      close(fd);
    if (!renamed && !name.empty())
      unlink(name.c_str());
  }

  void write(const void *data, size_t count) {
    const char *bytes = static_cast<const char *>(data);
    while (count) {
      ssize_t wrote = ::write(fd, bytes, std::min<size_t>(count, size_t(1) << 30));
      if (wrote < 0 && errno == EINTR)
        continue;
      if (wrote <= 0)
        fail("write", wrote == 0 ? ENOSPC : errno);
      bytes += wrote;
      count -= size_t(wrote);
    }
  }

  void finish() {
    if (fsync(fd) != 0)
      fail("write", errno);
    int closing = fd;
    fd = -1;
    if (close(closing) != 0)
      fail("write", errno);
  }

  void rename() {
    if (::rename(name.c_str(), target.c_str()) != 0)
      fail("write", errno);
    renamed = true;
  }

  void syncFolder() {
    int handle = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0)
      fail("write", errno);
    int reason = fsync(handle) == 0 ? 0 : errno;
    close(handle);
    if (reason)
      fail("write", reason);
  }

  [[noreturn]] void fail(const char *verb, int reason) {
    throw Error(SYL_ERROR_IO, target, std::string("cannot ") + verb + " the file: " + systemText(reason));
  }

private:
  std::string target, folder, name;
  int fd = -1;
  bool renamed = false;
};

/// Gives the file at `path` the second name `keepAs`, replacing what had it; `path` exists throughout.
void keepOld(const std::string &path, const std::string &keepAs) {
  std::string link = format("%s.%ld", keepAs.c_str(), long(getpid()));
  unlink(link.c_str());
  if (::link(path.c_str(), link.c_str()) == 0) {
    if (::rename(link.c_str(), keepAs.c_str()) == 0) {
      unlink(link.c_str()); // rename does nothing where both are names of one file
      return;
    }
    unlink(link.c_str());
  } else if (errno == ENOENT) {
    return; // the first save
  }
  if (::rename(path.c_str(), keepAs.c_str()) != 0) // a file system without hard links
    throw Error(SYL_ERROR_IO, keepAs, "cannot write the file: " + systemText(errno));
}

} // namespace

void saveAtomically(const std::string &path, const void *data, size_t count, const std::string &keepAs) {
  TemporaryFile file(path);
  file.write(data, count);
  file.finish();
  if (!keepAs.empty())
    keepOld(path, keepAs);
  file.rename();
  file.syncFolder();
}

} // namespace syl
