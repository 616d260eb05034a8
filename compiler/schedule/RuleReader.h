// Reads the rules of one schedule file. Layer: schedule, internal.
#pragma once

#include "compiler/schedule/Rules.h"
#include "compiler/schedule/YamlTree.h"

#include <string>
#include <vector>

namespace sylvite::schedule {

/// Appends the rules of a document to `rules`; reports every error. `dimNames` as in ScheduleSet::load.
void readRules(const YamlNode &document, const std::string &file, const std::vector<std::string> &dimNames,
               std::vector<Rule> &rules, Diagnostics &diagnostics);

} // namespace sylvite::schedule
