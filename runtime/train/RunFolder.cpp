// The run's folder on disk. Layer: runtime/train.
#include "runtime/train/RunFolder.h"

#include "runtime/data/File.h"
#include "runtime/train/Session.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <unistd.h>
#include <vector>

namespace syl {

namespace fs = std::filesystem;

namespace {

/// What belongs to one run, beside event files.
const char *const runFiles[] = {"last.safetensors", "last-1.safetensors", "best.safetensors", "metrics.csv",
                                "run.json",         "network.yaml",       "report.html"};
const char *const moving = "previous.partial";

bool isEventFile(const std::string &name) { return name.rfind("events.out.tfevents.", 0) == 0; }

bool belongsToRun(const std::string &name) {
  for (const char *file : runFiles)
    if (name == file)
      return true;
  return isEventFile(name);
}

/// Whether `name` is `stem` and then digits, dots and dashes: what a save gives a file before it has its name.
bool isTemporary(const std::string &name, const std::string &stem) {
  return name.size() > stem.size() && name.rfind(stem, 0) == 0 &&
         name.find_first_not_of("0123456789-", stem.size()) == std::string::npos;
}

void moveFile(const std::string &from, const std::string &to) {
  std::error_code code;
  fs::rename(from, to, code);
  if (code)
    throw Error(SYL_ERROR_IO, from, "cannot move the file to " + to + ": " + code.message());
}

} // namespace

RunFolder::RunFolder(std::string folder) : path(std::move(folder)) {}

RunFolder::~RunFolder() {
  if (lockFile >= 0)
    close(lockFile); // and so unlocked
}

void RunFolder::lock() {
  makeFolders(path);
  lockFile = open(file(".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lockFile < 0)
    throw Error(SYL_ERROR_IO, file(".lock"), "cannot create the file: " + systemText(errno));
  int status;
  do
    status = flock(lockFile, LOCK_EX | LOCK_NB);
  while (status != 0 && errno == EINTR);
  if (status != 0 && errno == EWOULDBLOCK) // any other reason: a file system without locks
    throw Error(SYL_ERROR_IO, path, "found another run at work in this folder",
                "give this run a folder of its own with --out");
  removeStaleFiles();
}

void RunFolder::removeStaleFiles() const {
  for (const std::string &name : namesIn(path))
    for (const char *of : runFiles)
      if (isTemporary(name, format(".%s.", of)) || isTemporary(name, format("%s.", of)))
        unlink(file(name).c_str());
}

bool RunFolder::startAnew() {
  bool any = pathExists(file(moving));
  for (const std::string &name : namesIn(path)) {
    if (!belongsToRun(name))
      continue;
    makeFolders(file(moving));
    moveFile(file(name), file(moving) + "/" + name);
    any = true;
  }
  if (!any)
    return false;
  std::error_code code;
  fs::remove_all(file("previous"), code);
  moveFile(file(moving), file("previous"));
  return true;
}

void RunFolder::keepRun() {
  if (!pathExists(file(moving)))
    return;
  for (const std::string &name : namesIn(file(moving)))
    if (!pathExists(file(name)))
      moveFile(file(moving) + "/" + name, file(name));
  std::error_code code;
  fs::remove_all(file(moving), code);
}

bool RunFolder::hasCheckpoint() const { return pathExists(last()) || pathExists(previous()); }

std::string RunFolder::resume(const std::string &from, const syl_model &model, void *state, Progress &progress) const {
  std::string chosen = !from.empty() ? from : pathExists(last()) || !pathExists(previous()) ? last() : previous();
  if (!pathExists(chosen))
    throw Error(SYL_ERROR_IO, chosen, "found no checkpoint to resume from", "start the run without --resume");
  try {
    loadCheckpoint(chosen, model, state, &progress);
    return chosen;
  } catch (const Error &error) {
    if (chosen == previous() || !pathExists(previous()))
      throw;
    std::string offer;
    try {
      Block other(syl_state_bytes(&model));
      Progress there;
      loadCheckpoint(previous(), model, other.get(), &there);
      offer = format("\nhint: the checkpoint before it is whole, of epoch %llu, step %llu: --resume --from %s",
                     (unsigned long long)std::min(there.epoch + 1, there.epochs),
                     (unsigned long long)syl_state_step(&model, other.get()), previous().c_str());
    } catch (const Error &) {
    }
    throw Error::complete(error.status(), error.what() + offer);
  }
}

} // namespace syl
