//===- Installation.cpp - where this command's own files are ------------------------------------------------------===//
#include "compiler/tools/Installation.h"

#include "compiler/support/Files.h"
#include "compiler/support/Hash.h"

#include <sys/stat.h>

namespace fs = std::filesystem;

namespace sylvite {

/// Size and time of last change: enough to tell two builds apart.
static std::string stamp(const fs::path &path) {
  struct stat info{};
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
  here.scheduleFolder = prefix / "share/sylvite/schedules";
  here.libraries = prefix / "lib";
  here.include = prefix / "include";
  here.version = "sylvite " SYLVITE_VERSION;
  here.salt = sha256Hex({here.version, stamp(here.executable)});
  return here;
}

std::vector<std::pair<std::string, std::string>> Installation::schedules(const std::vector<std::string> &users,
                                                                         Diagnostics &diagnostics) const {
  std::vector<std::pair<std::string, std::string>> files;
  auto read = [&](const fs::path &path, const std::string &name) {
    std::string error;
    if (std::optional<std::string> text = readFile(path, kYamlSizeLimit, error))
      files.emplace_back(name, *text);
    else
      diagnostics.error({name, 0, 0}, error);
  };
  for (const std::string &path : users)
    read(path, path);
  for (const char *name : {"avx512.yaml", "avx2.yaml", "general.yaml", "plain.yaml"}) {
    fs::path path = scheduleFolder / name;
    if (fs::exists(path))
      read(path, std::string("schedules/") + name);
  }
  return files;
}

} // namespace sylvite
