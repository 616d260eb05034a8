// Every directive and how it is written; what Halide has and schedule files have not. Layer: schedule, internal.
#pragma once

#include "compiler/schedule/Directive.h"

#include <map>
#include <string>
#include <vector>

namespace sylvite::schedule {

struct DirectiveForm {
  Op op;
  const char *usage; ///< how it is written: the hint of every message about its arguments
};

/// By key.
const std::map<std::string, DirectiveForm> &directiveForms();

/// Halide's directives that are refused, by key, each with the reason.
const std::map<std::string, std::string> &refusedDirectives();

// The words that an option can be.
extern const std::vector<std::string> kTails;
extern const std::vector<std::string> kMemories;
extern const std::vector<std::string> kPolicies;
extern const std::vector<std::string> kAlignments;
extern const std::vector<std::string> kDirections;
extern const std::vector<std::string> kPrefetchBounds;

} // namespace sylvite::schedule
