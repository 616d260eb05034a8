// Rules as text: for files that a tuner writes, and to show and compare those of others. Layer: schedule.
#pragma once

#include "compiler/schedule/Rules.h"

#include <string>
#include <utility>
#include <vector>

namespace sylvite {

/// A rule as YAML in block style, a directive a line, without comments; ends with a newline.
std::string ruleText(const schedule::YamlNode &rule);

/// The same rule for one kernel only: with these conditions (word or number, as YAML scalars) instead of its own, and
/// with `chosen` as the default of its `tune:` lists, the other values of `space` behind it.
std::string ruleTextFor(const Rule &rule, const std::string &kernel,
                        const std::vector<std::pair<std::string, std::string>> &when, const TuneChoices &chosen,
                        const std::vector<TuneChoices> &space);

/// What has changed from the rules of one set to those of another, a line each with `+` or `-`, under the rule's place.
/// Rules are the same where `kernel` and `when` are. Empty where all are equal and in the same order.
std::string ruleDifferences(const ScheduleSet &before, const ScheduleSet &after);

} // namespace sylvite
