//===- Schedules.h - shows and compares the rules of schedule files -----------------------------------------------===//
#ifndef SYLVITE_TOOLS_SCHEDULES_H
#define SYLVITE_TOOLS_SCHEDULES_H

#include "compiler/tools/Build.h"

namespace sylvite {

/// All rules that name `kernel` (* and ? stand for any), in the order in which they are tried. With a network: its
/// kernels of this name, key or layer:name, what rules may test of them, which rules fit and why others do not, and the
/// rule taken. Nothing where there is an error.
std::optional<std::string> showSchedules(const std::string &kernel, const BuildRequest &request,
                                         const Installation &here, Diagnostics &diagnostics);

/// What differs between the rules of two files; empty where nothing does.
std::optional<std::string> diffSchedules(const std::string &before, const std::string &after, Diagnostics &diagnostics);

} // namespace sylvite

#endif
