// Applies a rule of a schedule file to the Funcs of a kernel. Layer: schedule; the only part of the compiler that makes
// scheduling calls to Halide.
#pragma once

#include "compiler/schedule/KernelFuncs.h"
#include "compiler/schedule/Rules.h"
#include "compiler/support/Diagnostics.h"

#include <string>
#include <utility>
#include <vector>

namespace sylvite {

/// What apply() did.
struct AppliedSchedule {
  bool ok = false;        ///< false if a directive did not fit; the kernel must then not be compiled
  std::string rule;       ///< `schedules/avx512.yaml:12`
  std::string algorithm;  ///< the rule's `algorithm:`
  TuneChoices parameters; ///< the values of `tune:` and `let:`
  /// One directive as it was performed, with its numbers: `output: split [c, co, ci, 32]`.
  struct Step {
    Location location;
    std::string role;
    std::string text;
  };
  std::vector<Step> steps;

  /// For `--explain`: the rule, its parameters, and every step.
  std::string str() const;

  /// Where a schedule is wrong that Halide refused only when it compiled the kernel: the last step that decides where
  /// the first Func named in Halide's message is computed or stored, else the rule itself.
  Location blame(const std::string &halideMessage, const KernelFuncs &funcs) const;

  Location ruleLocation;
};

/// Performs the directives of a rule in the order of the file. A directive that does not fit is an error at its place
/// (with what exists, and the nearest name), never skipped; the others are still tried, so that one run finds as many
/// errors as possible. Funcs that `in`, `clone_in` and `rfactor` make are added to `funcs`. `choices` sets `tune:`
/// parameters by name; the others take the first value of their list.
AppliedSchedule apply(const Rule &rule, KernelFuncs &funcs, const KernelDims &dims, const TuneChoices &choices,
                      Diagnostics &diagnostics);

/// A message of a Halide::Error in one line, without its prefix.
std::string halideMessage(const Halide::Error &error);
/// The same for the text of one, as an error reporter gets it.
std::string halideMessage(std::string text);

} // namespace sylvite
