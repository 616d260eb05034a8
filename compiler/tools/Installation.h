//===- Installation.h - where this command's own files are ----------------------------------------------------------===//
#ifndef SYLVITE_TOOLS_INSTALLATION_H
#define SYLVITE_TOOLS_INSTALLATION_H

#include <filesystem>
#include <string>
#include <vector>

namespace sylvite {

/// Folders relative to the running executable: a build tree and an installation have the same shape.
struct Installation {
  std::filesystem::path executable;
  std::filesystem::path schedules; ///< ../share/sylvite/schedules
  std::filesystem::path libraries; ///< ../lib
  std::filesystem::path include;   ///< ../include
  std::string version;             ///< "sylvite 0.1.0"
  std::string salt;                ///< changes with the executable: keys the cache

  static Installation find();
  /// The shipped schedule files, in the order in which their rules are tried.
  std::vector<std::filesystem::path> shippedSchedules() const;
};

} // namespace sylvite

#endif
