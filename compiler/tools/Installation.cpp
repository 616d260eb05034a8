//===- Installation.cpp - where this command's own files are --------------------------------------------------------===//
#include "compiler/tools/Installation.h"

#include "compiler/support/Hash.h"

#include <sys/stat.h>

namespace fs = std::filesystem;

namespace sylvite {

/// Size and time of last change: enough to tell two builds apart.
static std::string stamp(const fs::path &path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0)
    return "absent";
  return std::to_string(info.st_size) + "." + std::to_string(info.st_mtim.tv_sec) + "." +
         std::to_string(info.st_mtim.tv_nsec);
}

Installation Installation::find() {
  Installation here;
  std::error_code code;
  here.executable = fs::read_symlink("/proc/self/exe", code);
  fs::path prefix = here.executable.parent_path().parent_path();
  here.schedules = prefix / "share/sylvite/schedules";
  here.libraries = prefix / "lib";
  here.include = prefix / "include";
  here.version = "sylvite " SYLVITE_VERSION;
  here.salt = sha256Hex({here.version, stamp(here.executable)});
  return here;
}

std::vector<fs::path> Installation::shippedSchedules() const {
  std::vector<fs::path> files;
  for (const char *name : {"avx512.yaml", "avx2.yaml", "general.yaml", "plain.yaml"})
    if (fs::exists(schedules / name))
      files.push_back(schedules / name);
  return files;
}

} // namespace sylvite
