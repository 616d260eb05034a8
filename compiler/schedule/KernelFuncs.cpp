// Stable names over Halide's own. Layer: schedule; Halide.
#include "compiler/schedule/KernelFuncs.h"

#include "compiler/schedule/Directive.h"

#include <algorithm>
#include <stdexcept>

namespace sylvite {

namespace {

[[noreturn]] void misuse(const std::string &text) { throw std::logic_error("internal error: KernelFuncs: " + text); }

std::optional<int64_t> constant(const Halide::Expr &value) {
  if (!value.defined())
    return std::nullopt;
  Halide::Expr simple = Halide::Internal::simplify(value);
  if (auto number = Halide::Internal::as_const_int(simple))
    return *number;
  return std::nullopt;
}

/// Halide keeps `x.xo` for the outer half of a split x, and finds it by `xo`.
bool sameLoop(const std::string &loop, const std::string &name) {
  return loop == name || (loop.size() > name.size() && loop[loop.size() - name.size() - 1] == '.' &&
                          loop.compare(loop.size() - name.size(), name.size(), name) == 0);
}

std::vector<std::string> pureNames(const Halide::Func &func) {
  std::vector<std::string> names;
  for (const Halide::Var &var : func.args())
    names.push_back(var.name());
  return names;
}

} // namespace

KernelFuncs::Entry KernelFuncs::makeEntry(std::string role, Halide::Func func, std::vector<std::string> dims) const {
  Entry entry;
  entry.role = std::move(role);
  entry.func = func;
  entry.dims = std::move(dims);
  std::vector<std::string> actual = pureNames(func);
  if (entry.dims.size() != actual.size())
    misuse("'" + entry.role + "' has " + std::to_string(actual.size()) + " dimensions, not " +
           std::to_string(entry.dims.size()));
  entry.stages.resize(1 + static_cast<size_t>(func.num_update_definitions()));
  for (StageState &stage : entry.stages)
    for (size_t i = 0; i < actual.size(); ++i)
      stage.halideNames[entry.dims[i]] = actual[i];

  std::map<std::string, int64_t> extents;
  for (const Halide::Internal::Bound &bound : func.function().schedule().bounds())
    if (auto extent = constant(bound.extent))
      extents[bound.var] = *extent;
  for (size_t s = 0; s < entry.stages.size(); ++s) {
    for (size_t i = 0; i < actual.size(); ++i)
      if (auto found = extents.find(actual[i]); found != extents.end())
        entry.stages[s].extents[entry.dims[i]] = found->second;
    if (s > 0) {
      // RVars keep Halide's name without its prefix (`r$x` is x) until nameRVars says better.
      for (const auto &rvar : stageOf(entry, s).get_schedule().rvars()) {
        std::string name = rvar.var.substr(rvar.var.rfind('$') + 1);
        if (entry.stages[s].halideNames.count(name))
          name = rvar.var;
        entry.stages[s].halideNames[name] = rvar.var;
        if (auto extent = constant(rvar.extent))
          entry.stages[s].extents[name] = *extent;
      }
    }
  }
  return entry;
}

void KernelFuncs::add(std::string role, Halide::Func func, bool isOutput) {
  if (has(role))
    misuse("role '" + role + "' is registered twice");
  if (!func.defined())
    misuse("the Func of role '" + role + "' has no definition");
  Entry entry = makeEntry(std::move(role), func, pureNames(func));
  entry.isOutput = isOutput;
  if (isOutput && func.outputs() == 1) {
    for (int axis = 0; axis < func.dimensions(); ++axis)
      if (auto extent = constant(func.output_buffer().parameter().extent_constraint(axis)))
        for (StageState &stage : entry.stages)
          stage.extents[entry.dims[static_cast<size_t>(axis)]] = *extent;
  }
  entries.push_back(std::move(entry));
}

void KernelFuncs::addInput(std::string role, Halide::ImageParam input, std::vector<std::string> names) {
  if (has(role))
    misuse("role '" + role + "' is registered twice");
  Halide::Func func = input;
  Entry entry = makeEntry(std::move(role), func, names.empty() ? pureNames(func) : std::move(names));
  entry.input = input;
  entries.push_back(std::move(entry));
}

void KernelFuncs::nameVars(const std::string &role, std::vector<std::string> names) {
  Entry &found = entry(role);
  if (names.size() != found.dims.size())
    misuse("'" + role + "' has " + std::to_string(found.dims.size()) + " dimensions, not " +
           std::to_string(names.size()));
  for (StageState &stage : found.stages) {
    std::map<std::string, std::string> halideNames;
    std::map<std::string, int64_t> extents;
    for (const auto &[stable, halideName] : stage.halideNames) {
      auto dim = std::find(found.dims.begin(), found.dims.end(), stable);
      std::string name = dim == found.dims.end() ? stable : names[static_cast<size_t>(dim - found.dims.begin())];
      halideNames[name] = halideName;
      if (stage.extents.count(stable))
        extents[name] = stage.extents[stable];
    }
    stage.halideNames = std::move(halideNames);
    stage.extents = std::move(extents);
  }
  found.dims = std::move(names);
}

void KernelFuncs::nameRVars(const std::string &role, int update, std::vector<std::string> names) {
  Entry &found = entry(role);
  auto rvars = reductionVars(role, update);
  if (names.size() != rvars.size())
    misuse("update " + std::to_string(update) + " of '" + role + "' has " + std::to_string(rvars.size()) +
           " RVars, not " + std::to_string(names.size()));
  StageState &stage = found.stages[static_cast<size_t>(update) + 1];
  for (const auto &[halideName, extent] : rvars)
    std::erase_if(stage.halideNames, [&, wanted = halideName](const auto &item) { return item.second == wanted; });
  for (size_t i = 0; i < names.size(); ++i) {
    if (!stage.halideNames.emplace(names[i], rvars[i].first).second)
      misuse("update " + std::to_string(update) + " of '" + role + "' has two Vars '" + names[i] + "'");
    if (rvars[i].second >= 0)
      stage.extents[names[i]] = rvars[i].second;
  }
}

void KernelFuncs::setNonzero(const std::string &role, int update, const std::string &rvar, Halide::Expr condition) {
  StageState &stage = entry(role).stages.at(static_cast<size_t>(update) + 1);
  auto [known, isNew] = stage.nonzero.emplace(rvar, condition);
  if (!isNew)
    known->second = known->second && condition;
}

void KernelFuncs::setExtent(const std::string &role, const std::string &var, int64_t extent) {
  Entry &found = entry(role);
  if (std::find(found.dims.begin(), found.dims.end(), var) == found.dims.end())
    misuse("'" + role + "' has no dimension '" + var + "'");
  for (StageState &stage : found.stages)
    stage.extents[var] = extent;
}

std::vector<std::pair<std::string, int64_t>> KernelFuncs::reductionVars(const std::string &role, int update) const {
  const Entry *found = findEntry(role);
  if (!found || update < 0 || static_cast<size_t>(update) + 1 >= found->stages.size())
    misuse("'" + role + "' has no update " + std::to_string(update));
  std::vector<std::pair<std::string, int64_t>> result;
  for (const auto &rvar : stageOf(*found, static_cast<size_t>(update) + 1).get_schedule().rvars())
    result.push_back({rvar.var, constant(rvar.extent).value_or(-1)});
  return result;
}

Halide::Func KernelFuncs::func(const std::string &role) const {
  const Entry *found = findEntry(role);
  if (!found)
    misuse("there is no role '" + role + "'");
  return found->func;
}

std::vector<std::string> KernelFuncs::roles() const {
  std::vector<std::string> result;
  for (const Entry &entry : entries)
    result.push_back(entry.role);
  return result;
}

std::string KernelFuncs::roleOf(const std::string &halideName) const {
  for (const Entry &entry : entries)
    if (entry.func.name() == halideName || (entry.input && entry.input->name() == halideName))
      return entry.role;
  return "";
}

std::string KernelFuncs::describe() const {
  std::string text;
  for (const Entry &entry : entries) {
    if (entry.input) {
      text += entry.role + ": input";
      for (const std::string &dim : entry.dims)
        text += " " + dim;
      text += "\n";
      continue;
    }
    for (size_t s = 0; s < entry.stages.size(); ++s) {
      text += schedule::StageName{{entry.role, {}}, static_cast<int>(s), s > 0}.str();
      text += ":";
      for (const Loop &loop : loops(entry, s)) {
        text += " " + loop.name;
        if (auto extent = entry.stages[s].extents.find(loop.name); extent != entry.stages[s].extents.end())
          text.append("[").append(std::to_string(extent->second)).append("]");
      }
      text += s == 0 && entry.isOutput ? "  (output)\n" : "\n";
    }
  }
  return text;
}

KernelFuncs::Entry &KernelFuncs::entry(const std::string &role) {
  for (Entry &entry : entries)
    if (entry.role == role)
      return entry;
  misuse("there is no role '" + role + "'");
}

const KernelFuncs::Entry *KernelFuncs::findEntry(const std::string &role) const {
  for (const Entry &entry : entries)
    if (entry.role == role)
      return &entry;
  return nullptr;
}

Halide::Stage KernelFuncs::stageOf(const Entry &entry, size_t stage) {
  Halide::Internal::Function function = entry.func.function();
  return stage == 0 ? Halide::Stage(function, function.definition(), 0)
                    : Halide::Stage(function, function.update(static_cast<int>(stage) - 1), stage);
}

std::vector<KernelFuncs::Loop> KernelFuncs::loops(const Entry &entry, size_t stage) {
  std::vector<Loop> result;
  for (const Halide::Internal::Dim &dim : stageOf(entry, stage).get_schedule().dims()) {
    if (dim.var == Halide::Var::outermost().name())
      continue;
    std::string name, halideName;
    for (const auto &[stable, known] : entry.stages[stage].halideNames)
      if (sameLoop(dim.var, known) && known.size() > halideName.size()) {
        name = stable;
        halideName = known;
      }
    if (name.empty())
      name = halideName = dim.var.substr(dim.var.rfind('.') + 1);
    result.push_back({name, halideName, dim.is_rvar()});
  }
  return result;
}

} // namespace sylvite
