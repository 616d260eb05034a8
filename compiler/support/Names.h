// Names that users write: is it an identifier, and which known name did they mean. Layer: support.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sylvite {

/// The candidate with the smallest edit distance to `name` (insert, delete, replace, swap of neighbours; upper and
/// lower case count as equal, and so do `-` and `_`); the first of several equally near ones. Nothing when even the
/// nearest is farther than a third of the longer name's length, rounded up.
std::optional<std::string> nearestName(std::string_view name, const std::vector<std::string> &candidates);

/// `did you mean 'filters'?` for the nearest candidate, or an empty string: what goes into a message's hint.
std::string didYouMean(std::string_view name, const std::vector<std::string> &candidates);

/// True for a name that C and C++ accept as an identifier and that is a keyword of neither: ASCII letters, digits and
/// `_`, not starting with a digit.
bool isCIdentifier(std::string_view name);

} // namespace sylvite
