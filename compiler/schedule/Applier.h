// The state of one application of a rule to a kernel. Layer: schedule, internal; Halide.
#pragma once

#include "compiler/schedule/Schedule.h"

#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace sylvite {

class Applier {
public:
  Applier(const Rule &rule, KernelFuncs &funcs, const KernelDims &dims, Diagnostics &diagnostics)
      : rule(rule), funcs(funcs), values(dims.values), diagnostics(diagnostics) {}

  AppliedSchedule run(const TuneChoices &choices);

private:
  using Directive = schedule::Directive;
  using Entry = KernelFuncs::Entry;
  using Loop = KernelFuncs::Loop;
  using Word = schedule::Word;

  /// One directive on one stage of one Func, while it is performed. `arguments` gathers the text of the step.
  struct Call {
    const Directive &directive;
    std::string role;
    size_t stage;
    std::string arguments;
  };
  /// A compute_at and the like, to be checked again when all is done.
  struct Level {
    const Directive *directive;
    std::string role;
    std::string consumer;
    std::string var;
  };

  // Applier.cpp: parameters, selectors, names.
  void chooseParameters(const TuneChoices &choices, AppliedSchedule &result);
  std::vector<std::string> select(const Rule::Block &block);
  const Directive *resolve(const Directive &directive, const Entry &entry, size_t stage);
  void perform(const Directive &written, const std::string &role, size_t stage, AppliedSchedule &result);
  void markUnscheduledUpdates();
  void checkLevels();
  /// Reports at `location`, prefixed with the directive's name; returns false.
  bool fail(const Directive &directive, const Location &location, const std::string &text, std::string hint = "");
  bool failNoFunc(const Directive &directive, const Word &role);
  /// Runs calls to Halide and reports its errors at the directive.
  bool halide(const Directive &directive, const std::function<void()> &calls);
  std::string inStableNames(const std::string &message) const;
  /// The entry of a role or null; reports it unless a failed directive should have made it.
  Entry *findFunc(const Directive &directive, const Word &role);
  std::optional<Loop> findLoop(const Directive &directive, const Entry &entry, size_t stage, const Word &var);
  std::optional<std::string> findDimension(const Directive &directive, const Entry &entry, const Word &var);
  /// A number from `least` to 2^31 - 1.
  std::optional<int> number(const Directive &directive, const schedule::Arithmetic &expression, int64_t least);
  /// True if `name` is free in this stage; `replaced` are loops that the directive takes away.
  bool isFree(const Directive &directive, const Entry &entry, size_t stage, const Word &name,
              const std::vector<std::string> &replaced);
  void poison(const Directive &directive, const std::string &role, size_t stage);

  // LoopDirectives.cpp: the loops of one stage.
  bool applyToLoops(Call &call);
  bool split(const Directive &directive, Entry &entry, size_t stage, const Word &old, const Word &outer,
             const Word &inner, int factor);
  bool splitCall(Call &call);
  bool tile(Call &call);
  bool fuse(Call &call);
  bool rename(Call &call);
  bool reorder(Call &call);
  bool loopKind(Call &call);
  bool partition(Call &call);
  bool skipZeros(Call &call);
  bool rfactor(Call &call);
  bool computeWith(Call &call);
  bool prefetch(Call &call);

  // FuncDirectives.cpp: where a Func is computed and stored, its bounds, layout and wrappers.
  bool applyToFunc(Call &call);
  bool computeOrStoreAt(Call &call);
  bool placement(Call &call);
  bool boundsAndStorage(Call &call);
  std::optional<bool> agreesWithBounds(const Directive &directive, const Entry &entry, const std::string &var,
                                       std::optional<int> min, int extent);
  bool reorderStorage(Call &call);
  bool dimension(Call &call);
  bool wrapper(Call &call);
  std::optional<std::vector<Halide::Func>> findConsumers(Call &call, std::string &defaultName);

  const Rule &rule;
  KernelFuncs &funcs;
  schedule::Values values;
  Diagnostics &diagnostics;
  std::vector<Level> levels;
  std::deque<Directive> resolved; ///< copies without the optional Vars that a stage lacks
  std::vector<std::string> poisonedRoles;
};

/// Halide's form of a loop found by findLoop.
Halide::VarOrRVar halideLoop(const std::string &name, bool isRVar);

} // namespace sylvite
