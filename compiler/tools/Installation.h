//===- Installation.h - where this command's own files are --------------------------------------------------------===//
#ifndef SYLVITE_TOOLS_INSTALLATION_H
#define SYLVITE_TOOLS_INSTALLATION_H

#include "compiler/support/Diagnostics.h"

#include <filesystem>
#include <string>
#include <vector>

namespace sylvite {

/// Folders relative to the running executable: a build tree and an installation have the same shape.
struct Installation {
  std::filesystem::path executable;
  std::filesystem::path scheduleFolder; ///< ../share/sylvite/schedules
  std::filesystem::path libraries;      ///< ../lib
  std::filesystem::path include;        ///< ../include
  std::string version;                  ///< "sylvite 0.1.0"
  std::string salt;                     ///< changes with the executable: keys the cache

  static Installation find();
  /// The user's schedule files and then the shipped ones, in the order in which their rules are tried, as (name for
  /// messages, text). Shipped files are named schedules/FILE wherever they lie: what is compiled does not depend on it.
  std::vector<std::pair<std::string, std::string>> schedules(const std::vector<std::string> &users,
                                                             Diagnostics &diagnostics) const;
};

} // namespace sylvite

#endif
