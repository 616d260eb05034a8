// Directives about the loops of one stage. Layer: schedule; Halide.
#include "compiler/schedule/Applier.h"

#include <algorithm>

namespace sylvite {

using namespace schedule;
using Halide::TailStrategy;
using Halide::VarOrRVar;

namespace {

std::string bracketed(const std::vector<Word> &vars, const std::vector<int> &numbers = {},
                      const std::string &option = "") {
  std::string text = "[";
  auto append = [&](const std::string &part) { text += (text.size() > 1 ? ", " : "") + part; };
  for (const Word &var : vars)
    append(var.text);
  for (int number : numbers)
    append(std::to_string(number));
  if (!option.empty())
    append(option);
  return text + "]";
}

/// Halide's tail. `exact` is a promise that was checked where the extent is known: then nothing is to be done at the
/// end.
TailStrategy tailStrategy(const std::string &option, bool isRVar) {
  static const std::map<std::string, TailStrategy> table = {
      {"", TailStrategy::Auto},
      {"auto", TailStrategy::Auto},
      {"guard", TailStrategy::GuardWithIf},
      {"shift_inwards", TailStrategy::ShiftInwards},
      {"round_up", TailStrategy::RoundUp},
      {"predicate", TailStrategy::Predicate},
      {"predicate_loads", TailStrategy::PredicateLoads},
      {"predicate_stores", TailStrategy::PredicateStores},
      {"shift_inwards_and_blend", TailStrategy::ShiftInwardsAndBlend},
      {"round_up_and_blend", TailStrategy::RoundUpAndBlend},
  };
  if (option == "exact")
    return isRVar ? TailStrategy::GuardWithIf : TailStrategy::RoundUp;
  return table.at(option);
}

} // namespace

bool Applier::applyToLoops(Call &call) {
  switch (call.directive.op) {
  case Op::Split:
    return splitCall(call);
  case Op::Tile:
    return tile(call);
  case Op::Fuse:
    return fuse(call);
  case Op::Rename:
    return rename(call);
  case Op::Reorder:
    return reorder(call);
  case Op::Parallel:
  case Op::Serial:
  case Op::Unroll:
  case Op::Vectorize:
    return loopKind(call);
  case Op::AlwaysPartition:
  case Op::AlwaysPartitionAll:
  case Op::NeverPartition:
  case Op::NeverPartitionAll:
  case Op::Partition:
    return partition(call);
  case Op::SkipZeros:
    return skipZeros(call);
  case Op::Rfactor:
    return rfactor(call);
  case Op::ComputeWith:
    return computeWith(call);
  default:
    return prefetch(call);
  }
}

/// Splits the loop `old` and keeps account of names and extents.
bool Applier::split(const Directive &directive, Entry &entry, size_t stage, const Word &old, const Word &outer,
                    const Word &inner, int factor) {
  auto loop = findLoop(directive, entry, stage, old);
  if (!loop || !isFree(directive, entry, stage, outer, {old.text}) ||
      !isFree(directive, entry, stage, inner, {old.text}))
    return false;
  if (outer.text == inner.text)
    return fail(directive, inner.location, "both halves are called '" + inner.text + "'");
  KernelFuncs::StageState &state = entry.stages[stage];
  auto extent = state.extents.find(old.text);
  std::optional<int64_t> known;
  if (extent != state.extents.end())
    known = extent->second;
  if (directive.option.text == "exact" && known && *known % factor != 0)
    return fail(directive, old.location,
                "the extent " + std::to_string(*known) + " of '" + old.text + "' is no multiple of " +
                    std::to_string(factor),
                "choose a factor that divides it, or another tail than exact");
  TailStrategy tail = tailStrategy(directive.option.text, loop->isRVar);
  const bool twice = tail == TailStrategy::Auto || tail == TailStrategy::ShiftInwards;
  if (twice && funcs.inPlace && entry.isOutput && !(known && *known % factor == 0))
    tail = TailStrategy::GuardWithIf; // what is computed again would read its own result
  bool done = halide(directive, [&] {
    KernelFuncs::stageOf(entry, stage)
        .split(halideLoop(loop->halideName, loop->isRVar), halideLoop(outer.text, loop->isRVar),
               halideLoop(inner.text, loop->isRVar), factor, tail);
  });
  if (!done)
    return false;
  state.extents.erase(old.text);
  state.halideNames[outer.text] = outer.text;
  state.halideNames[inner.text] = inner.text;
  state.extents[inner.text] = factor;
  state.extents.erase(outer.text);
  if (known)
    state.extents[outer.text] = (*known + factor - 1) / factor;
  return true;
}

bool Applier::splitCall(Call &call) {
  const Directive &d = call.directive;
  auto factor = number(d, d.numbers[0], 1);
  if (!factor || !split(d, funcs.entry(call.role), call.stage, d.vars[0], d.vars[1], d.vars[2], *factor))
    return false;
  call.arguments = bracketed(d.vars, {*factor}, d.option.text);
  return true;
}

bool Applier::tile(Call &call) {
  const Directive &d = call.directive;
  Entry &entry = funcs.entry(call.role);
  auto factorX = number(d, d.numbers[0], 1), factorY = number(d, d.numbers[1], 1);
  if (!factorX || !factorY)
    return false;
  const Word &x = d.vars[0], &y = d.vars[1];
  bool isShort = d.vars.size() == 4;
  const Word &outerX = isShort ? x : d.vars[2], &outerY = isShort ? y : d.vars[3];
  const Word &innerX = d.vars[isShort ? 2 : 4], &innerY = d.vars[isShort ? 3 : 5];
  if (!split(d, entry, call.stage, x, outerX, innerX, *factorX) ||
      !split(d, entry, call.stage, y, outerY, innerY, *factorY))
    return false;
  std::vector<VarOrRVar> order;
  for (const Word *word : {&innerX, &innerY, &outerX, &outerY}) {
    auto loop = findLoop(d, entry, call.stage, *word);
    if (!loop)
      return false;
    order.push_back(halideLoop(loop->halideName, loop->isRVar));
  }
  call.arguments = bracketed(d.vars, {*factorX, *factorY}, d.option.text);
  return halide(d, [&] { KernelFuncs::stageOf(entry, call.stage).reorder(order); });
}

bool Applier::fuse(Call &call) {
  const Directive &d = call.directive;
  Entry &entry = funcs.entry(call.role);
  auto inner = findLoop(d, entry, call.stage, d.vars[0]);
  auto outer = findLoop(d, entry, call.stage, d.vars[1]);
  const Word &fused = d.vars[2];
  if (!inner || !outer || !isFree(d, entry, call.stage, fused, {inner->name, outer->name}))
    return false;
  if (inner->name == outer->name)
    return fail(d, d.vars[1].location, "'" + inner->name + "' cannot be fused with itself");
  bool isRVar = inner->isRVar || outer->isRVar;
  if (!halide(d, [&] {
        KernelFuncs::stageOf(entry, call.stage)
            .fuse(halideLoop(inner->halideName, inner->isRVar), halideLoop(outer->halideName, outer->isRVar),
                  halideLoop(fused.text, isRVar));
      }))
    return false;
  KernelFuncs::StageState &state = entry.stages[call.stage];
  std::optional<int64_t> extent;
  if (state.extents.count(inner->name) && state.extents.count(outer->name))
    extent = state.extents[inner->name] * state.extents[outer->name];
  state.extents.erase(inner->name);
  state.extents.erase(outer->name);
  state.halideNames[fused.text] = fused.text;
  if (extent)
    state.extents[fused.text] = *extent;
  call.arguments = bracketed(d.vars);
  return true;
}

bool Applier::rename(Call &call) {
  const Directive &d = call.directive;
  Entry &entry = funcs.entry(call.role);
  auto loop = findLoop(d, entry, call.stage, d.vars[0]);
  const Word &newName = d.vars[1];
  if (!loop || !isFree(d, entry, call.stage, newName, {}))
    return false;
  if (!halide(d, [&] {
        KernelFuncs::stageOf(entry, call.stage)
            .rename(halideLoop(loop->halideName, loop->isRVar), halideLoop(newName.text, loop->isRVar));
      }))
    return false;
  KernelFuncs::StageState &state = entry.stages[call.stage];
  state.halideNames[newName.text] = newName.text;
  if (auto extent = state.extents.extract(loop->name); !extent.empty()) {
    extent.key() = newName.text;
    state.extents.insert(std::move(extent));
  }
  call.arguments = bracketed(d.vars);
  return true;
}

bool Applier::reorder(Call &call) {
  const Directive &d = call.directive;
  const Entry &entry = funcs.entry(call.role);
  std::vector<VarOrRVar> order;
  std::vector<std::string> seen;
  bool good = true;
  for (const Word &var : d.vars) {
    auto loop = findLoop(d, entry, call.stage, var);
    if (loop && std::count(seen.begin(), seen.end(), loop->name))
      good = fail(d, var.location, "'" + var.text + "' is named twice");
    good = good && loop;
    if (loop) {
      seen.push_back(loop->name);
      order.push_back(halideLoop(loop->halideName, loop->isRVar));
    }
  }
  call.arguments = bracketed(d.vars);
  return good && halide(d, [&] { KernelFuncs::stageOf(entry, call.stage).reorder(order); });
}

/// serial, parallel, unroll, vectorize; with a factor the loop is split first. For parallel the tasks are the outer
/// half, which keeps the name; for unroll and vectorize the outer half keeps the name and the inner half is what
/// changes.
bool Applier::loopKind(Call &call) {
  const Directive &d = call.directive;
  Entry &entry = funcs.entry(call.role);
  Word var = d.vars[0], changed = var;
  std::vector<int> numbers;
  if (!d.numbers.empty()) {
    auto factor = number(d, d.numbers[0], 1);
    if (!factor)
      return false;
    numbers.push_back(*factor);
    Word inner{var.text + (d.op == Op::Vectorize ? "_v" : d.op == Op::Unroll ? "_u" : "_t"), var.location};
    auto taken = [&](const std::string &name) {
      auto loops = KernelFuncs::loops(entry, call.stage);
      return std::any_of(loops.begin(), loops.end(), [&](const Loop &loop) { return loop.name == name; });
    };
    for (int n = 2; taken(inner.text); ++n)
      inner.text = var.text + (d.op == Op::Vectorize ? "_v" : d.op == Op::Unroll ? "_u" : "_t") + std::to_string(n);
    if (!split(d, entry, call.stage, var, var, inner, *factor))
      return false;
    changed = d.op == Op::Parallel ? var : inner;
  }
  auto loop = findLoop(d, entry, call.stage, changed);
  if (!loop)
    return false;
  call.arguments = numbers.empty() ? var.text : bracketed({var}, numbers, d.option.text);
  return halide(d, [&] {
    Halide::Stage stage = KernelFuncs::stageOf(entry, call.stage);
    VarOrRVar target = halideLoop(loop->halideName, loop->isRVar);
    if (d.op == Op::Serial)
      stage.serial(target);
    else if (d.op == Op::Parallel)
      stage.parallel(target);
    else if (d.op == Op::Unroll)
      stage.unroll(target);
    else
      stage.vectorize(target);
  });
}

bool Applier::partition(Call &call) {
  const Directive &d = call.directive;
  const Entry &entry = funcs.entry(call.role);
  Halide::Stage stage = KernelFuncs::stageOf(entry, call.stage);
  if (d.op == Op::NeverPartitionAll)
    return halide(d, [&] { stage.never_partition_all(); });
  if (d.op == Op::AlwaysPartitionAll)
    return halide(d, [&] { stage.always_partition_all(); });
  Halide::Partition policy = Halide::Partition::Auto;
  if (d.op == Op::NeverPartition || d.option.text == "never")
    policy = Halide::Partition::Never;
  else if (d.op == Op::AlwaysPartition || d.option.text == "always")
    policy = Halide::Partition::Always;
  bool good = true;
  for (const Word &var : d.vars) {
    auto loop = findLoop(d, entry, call.stage, var);
    good = loop && halide(d, [&] { stage.partition(halideLoop(loop->halideName, loop->isRVar), policy); }) && good;
  }
  call.arguments = bracketed(d.vars, {}, d.option.text);
  return good;
}

/// Leaves out the terms of a sum that are known to be zero.
bool Applier::skipZeros(Call &call) {
  const Directive &d = call.directive;
  Entry &entry = funcs.entry(call.role);
  if (call.stage == 0)
    return fail(d, d.location, "is about an update, and '" + call.role + "' is a pure definition",
                "write it under '" + call.role + ".update'");
  Halide::Expr &predicate = entry.func.function().update(int(call.stage) - 1).predicate();
  for (const Word &var : d.vars) {
    auto loop = findLoop(d, entry, call.stage, var);
    if (!loop)
      return false;
    if (!loop->isRVar)
      return fail(d, var.location, "'" + var.text + "' is no RVar");
    auto nonzero = entry.stages[call.stage].nonzero.find(loop->halideName);
    if (nonzero != entry.stages[call.stage].nonzero.end())
      predicate = predicate.defined() ? predicate && nonzero->second : nonzero->second;
  }
  call.arguments = bracketed(d.vars);
  return true;
}

bool Applier::rfactor(Call &call) {
  const Directive &d = call.directive;
  Entry &entry = funcs.entry(call.role);
  const std::string &role = d.newRole.text;
  if (call.stage == 0)
    return fail(d, d.location, "is about an update, and '" + call.role + "' is a pure definition",
                "write it under '" + call.role + ".update'");
  if (funcs.has(role))
    return fail(d, d.newRole.location, "the kernel already has a Func '" + role + "'");
  std::vector<std::pair<Halide::RVar, Halide::Var>> keep;
  std::vector<std::string> dims = entry.dims, kept;
  for (const auto &[rvar, var] : d.keep) {
    auto loop = findLoop(d, entry, call.stage, rvar);
    if (!loop)
      return false;
    if (!loop->isRVar)
      return fail(d, rvar.location, "'" + rvar.text + "' is no RVar");
    kept.push_back(loop->name);
    if (std::count(dims.begin(), dims.end(), var.text) || !isFree(d, entry, call.stage, var, kept))
      return fail(d, var.location, "'" + call.role + "' already has a Var '" + var.text + "'");
    dims.push_back(var.text);
    keep.push_back({Halide::RVar(loop->halideName), Halide::Var(var.text)});
  }
  Halide::Func made;
  if (!halide(d, [&] { made = KernelFuncs::stageOf(entry, call.stage).rfactor(keep); }))
    return false;
  Entry intermediate = funcs.makeEntry(role, made, dims);
  intermediate.isMade = true;
  const KernelFuncs::StageState &before = entry.stages[call.stage];
  KernelFuncs::StageState &update = intermediate.stages[1];
  std::erase_if(update.halideNames,
                [&](const auto &item) { return !std::count(dims.begin(), dims.end(), item.first); });
  update.extents.clear();
  for (const auto &[name, halideName] : before.halideNames)
    if (!std::count(kept.begin(), kept.end(), name) && !std::count(dims.begin(), dims.end(), name))
      update.halideNames[name] = halideName;
  for (const auto &[name, extent] : before.extents)
    if (!std::count(kept.begin(), kept.end(), name))
      update.extents[name] = extent;
  for (size_t i = 0; i < kept.size(); ++i)
    if (auto extent = before.extents.find(kept[i]); extent != before.extents.end())
      for (KernelFuncs::StageState &stage : intermediate.stages)
        stage.extents[d.keep[i].second.text] = extent->second;
  call.arguments = "into " + role + " " + bracketed([&] {
                     std::vector<Word> words;
                     for (const auto &[rvar, var] : d.keep)
                       words.push_back({rvar.text + ": " + var.text, {}});
                     return words;
                   }());
  funcs.entries.push_back(std::move(intermediate));
  return true;
}

bool Applier::computeWith(Call &call) {
  const Directive &d = call.directive;
  const Entry *other = findFunc(d, d.target->role);
  if (!other)
    return false;
  size_t otherStage = static_cast<size_t>(d.target->stage);
  if (other->input || otherStage >= other->stages.size())
    return fail(d, d.target->role.location, std::string("there is no stage '").append(d.target->str()).append("'"));
  const Entry &entry = funcs.entry(call.role);
  auto loop = findLoop(d, *other, otherStage, d.vars[0]);
  if (!loop || !findLoop(d, entry, call.stage, d.vars[0]))
    return false;
  static const std::map<std::string, Halide::LoopAlignStrategy> table = {
      {"", Halide::LoopAlignStrategy::Auto},
      {"auto", Halide::LoopAlignStrategy::Auto},
      {"start", Halide::LoopAlignStrategy::AlignStart},
      {"end", Halide::LoopAlignStrategy::AlignEnd},
      {"none", Halide::LoopAlignStrategy::NoAlign},
  };
  call.arguments = bracketed({{d.target->str(), {}}, d.vars[0]}, {}, d.option.text);
  return halide(d, [&] {
    KernelFuncs::stageOf(entry, call.stage)
        .compute_with(KernelFuncs::stageOf(*other, otherStage), halideLoop(loop->halideName, loop->isRVar),
                      table.at(d.option.text));
  });
}

bool Applier::prefetch(Call &call) {
  const Directive &d = call.directive;
  const Entry *other = findFunc(d, d.target->role);
  const Entry &entry = funcs.entry(call.role);
  auto at = findLoop(d, entry, call.stage, d.vars[0]), from = findLoop(d, entry, call.stage, d.vars[1]);
  std::optional<int> offset = 1;
  if (!d.numbers.empty())
    offset = number(d, d.numbers[0], 0);
  if (!other || !at || !from || !offset)
    return false;
  auto strategy = d.option.text == "clamp"          ? Halide::PrefetchBoundStrategy::Clamp
                  : d.option.text == "non_faulting" ? Halide::PrefetchBoundStrategy::NonFaulting
                                                    : Halide::PrefetchBoundStrategy::GuardWithIf;
  call.arguments = bracketed({d.target->role, d.vars[0], d.vars[1]}, {*offset}, d.option.text);
  return halide(d, [&] {
    Halide::Stage stage = KernelFuncs::stageOf(entry, call.stage);
    VarOrRVar atLoop = halideLoop(at->halideName, at->isRVar), fromLoop = halideLoop(from->halideName, from->isRVar);
    if (other->input)
      stage.prefetch(other->input->parameter(), atLoop, fromLoop, *offset, strategy);
    else
      stage.prefetch(other->func, atLoop, fromLoop, *offset, strategy);
  });
}

} // namespace sylvite
