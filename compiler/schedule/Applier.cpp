// Applying a rule: its parameters, which Funcs a block is about, and the names in a directive. Layer: schedule; Halide.
#include "compiler/schedule/Applier.h"

#include "compiler/support/Names.h"

#include <algorithm>
#include <cctype>
#include <exception>
#include <limits>

namespace sylvite {

using namespace schedule;

namespace {

std::string joined(const std::vector<std::string> &words) {
  std::string result;
  for (const std::string &word : words)
    result += (result.empty() ? "" : ", ") + word;
  return result.empty() ? "none" : result;
}

// Appended to, where operator+ of a literal and a temporary makes GCC 12 warn of overlaps (its bug 105329).
std::string quoted(const std::string &text) {
  std::string result = "'";
  result.append(text).append("'");
  return result;
}

std::string stageText(const std::string &role, size_t stage) {
  return StageName{{role, {}}, static_cast<int>(stage), stage > 0}.str();
}

} // namespace

std::string halideMessage(const Halide::Error &error) { return halideMessage(std::string(error.what())); }

std::string halideMessage(std::string text) {
  for (const char *prefix : {"Unhandled exception: ", "Internal Error: ", "Halide warns: ", "Warning: ", "Error: "})
    if (text.compare(0, std::string(prefix).size(), prefix) == 0)
      text.erase(0, std::string(prefix).size());
  std::string line;
  for (char c : text) {
    if (c == '\n' || c == '\r')
      c = ' ';
    if (c != ' ' || (!line.empty() && line.back() != ' '))
      line += c;
  }
  while (!line.empty() && (line.back() == ' ' || line.back() == '.'))
    line.pop_back();
  return line;
}

Halide::VarOrRVar halideLoop(const std::string &name, bool isRVar) { return Halide::VarOrRVar(name, isRVar); }

AppliedSchedule apply(const Rule &rule, KernelFuncs &funcs, const KernelDims &dims, const TuneChoices &choices,
                      Diagnostics &diagnostics) {
  return Applier(rule, funcs, dims, diagnostics).run(choices);
}

std::string AppliedSchedule::str() const {
  std::string text = "rule " + rule + ", algorithm " + algorithm;
  for (const auto &[name, value] : parameters)
    text += ", " + name + " = " + std::to_string(value);
  text += "\n";
  for (const Step &step : steps)
    text += "  " + step.text + "\n";
  return text;
}

Location AppliedSchedule::blame(const std::string &halideMessage, const KernelFuncs &funcs) const {
  auto isLetter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$'; };
  for (size_t start = 0; start < halideMessage.size();) {
    size_t end = start;
    while (end < halideMessage.size() && isLetter(halideMessage[end]))
      ++end;
    std::string role = funcs.roleOf(halideMessage.substr(start, end - start));
    start = std::max(end, start) + 1;
    if (role.empty())
      continue;
    for (auto step = steps.rbegin(); step != steps.rend(); ++step)
      if (step->role == role &&
          (step->text.find(": compute_") != std::string::npos || step->text.find(": store_") != std::string::npos))
        return step->location;
    for (auto step = steps.rbegin(); step != steps.rend(); ++step)
      if (step->role == role)
        return step->location;
  }
  return ruleLocation;
}

AppliedSchedule Applier::run(const TuneChoices &choices) {
  size_t errorsBefore = diagnostics.errorCount();
  AppliedSchedule result;
  result.rule = rule.where();
  result.ruleLocation = rule.location;
  result.algorithm = rule.algorithm;
  chooseParameters(choices, result);
  if (diagnostics.errorCount() == errorsBefore) {
    for (const Rule::Block &block : rule.blocks)
      for (const std::string &role : select(block))
        for (const Directive &directive : block.directives)
          perform(directive, role, static_cast<size_t>(block.stage), result);
    checkLevels();
  }
  result.ok = diagnostics.errorCount() == errorsBefore;
  if (result.ok)
    markUnscheduledUpdates();
  return result;
}

void Applier::chooseParameters(const TuneChoices &choices, AppliedSchedule &result) {
  auto define = [&](const Rule::Parameter &parameter, int64_t value) {
    if (!values.emplace(parameter.name, value).second)
      diagnostics.error(parameter.location,
                        "'" + parameter.name + "' is a dimension of this kernel and cannot be a parameter");
    result.parameters[parameter.name] = value;
  };
  std::vector<std::string> names;
  for (const Rule::Parameter &parameter : rule.tune) {
    names.push_back(parameter.name);
    auto choice = choices.find(parameter.name);
    std::vector<int64_t> allowed;
    for (const Arithmetic &expression : parameter.values)
      if (auto value = expression.evaluate(values, diagnostics))
        allowed.push_back(*value);
    if (allowed.empty())
      continue;
    if (choice != choices.end() && std::find(allowed.begin(), allowed.end(), choice->second) == allowed.end())
      diagnostics.error(parameter.location,
                        "tune: " + std::to_string(choice->second) + " is not a choice of '" + parameter.name + "'");
    define(parameter, choice == choices.end() ? allowed.front() : choice->second);
  }
  for (const Rule::Parameter &parameter : rule.let)
    if (auto value = parameter.values.front().evaluate(values, diagnostics))
      define(parameter, *value);
  for (const auto &[name, value] : choices)
    if (std::find(names.begin(), names.end(), name) == names.end())
      diagnostics.error(rule.location, "the rule has no parameter '" + name + "' to tune", didYouMean(name, names));
}

std::vector<std::string> Applier::select(const Rule::Block &block) {
  auto isGlob = [](const std::string &text) { return text.find('*') != std::string::npos; };
  auto named = [&](const std::string &role) {
    for (const Rule::Block &other : rule.blocks)
      for (const Word &pattern : other.patterns)
        if (pattern.text == role)
          return true;
    return false;
  };
  std::vector<std::string> result;
  for (const Word &pattern : block.patterns) {
    size_t before = result.size();
    for (const Entry &entry : funcs.entries) {
      bool fits = isGlob(pattern.text) ? !entry.input && globFits(pattern.text, entry.role) && !named(entry.role) &&
                                             static_cast<size_t>(block.stage) < entry.stages.size()
                                       : pattern.text == entry.role;
      if (fits)
        result.push_back(entry.role);
    }
    bool poisoned = std::count(poisonedRoles.begin(), poisonedRoles.end(), pattern.text) > 0;
    if (result.size() > before || block.optional || pattern.text == "*" || poisoned)
      continue;
    if (isGlob(pattern.text))
      diagnostics.error(block.selector.location,
                        "no Func of the kernel fits '" + pattern.text + "'; it has: " + joined(funcs.roles()));
    else
      diagnostics.error(block.selector.location,
                        "the kernel has no Func '" + pattern.text + "'; it has: " + joined(funcs.roles()),
                        didYouMean(pattern.text, funcs.roles()));
  }
  if (block.stage > 0)
    std::erase_if(result, [&](const std::string &role) {
      size_t updates = funcs.entry(role).stages.size() - 1;
      if (static_cast<size_t>(block.stage) <= updates)
        return false;
      if (!block.optional)
        diagnostics.error(block.selector.location, "'" + role + "' has " +
                                                       (updates == 0 ? "no update"
                                                                     : "only " + std::to_string(updates) +
                                                                           (updates == 1 ? " update" : " updates")));
      return true;
    });
  return result;
}

/// The directive without the optional Vars that the stage lacks; null where it has nothing to do then.
const Directive *Applier::resolve(const Directive &directive, const Entry &entry, size_t stage) {
  std::vector<std::string> names = entry.dims;
  if (!entry.input)
    for (const Loop &loop : KernelFuncs::loops(entry, stage))
      names.push_back(loop.name);
  auto missing = [&](const Word &var) { return var.optional && !std::count(names.begin(), names.end(), var.text); };
  bool someVars = std::any_of(directive.vars.begin(), directive.vars.end(), missing);
  bool someKept =
      std::any_of(directive.keep.begin(), directive.keep.end(), [&](const auto &item) { return missing(item.first); });
  if (!someVars && !someKept)
    return &directive;
  bool isList = directive.op == Op::Reorder || directive.op == Op::ReorderStorage ||
                directive.op == Op::AlwaysPartition || directive.op == Op::NeverPartition ||
                directive.op == Op::SkipZeros || directive.op == Op::Rfactor;
  if (!isList)
    return nullptr;
  Directive &present = resolved.emplace_back(directive);
  std::erase_if(present.vars, missing);
  std::erase_if(present.keep, [&](const auto &item) { return missing(item.first); });
  return present.vars.empty() && present.keep.empty() ? nullptr : &present;
}

void Applier::perform(const Directive &written, const std::string &role, size_t stage, AppliedSchedule &result) {
  const Entry &entry = funcs.entry(role);
  const Directive *present = resolve(written, entry, stage);
  if (!present)
    return;
  const Directive &directive = *present;
  Call call{directive, role, stage, ""};
  bool forInput = directive.op == Op::In || directive.op == Op::Dimension || directive.op == Op::HostAlignment;
  if (entry.input && !forInput) {
    fail(directive, directive.location, "'" + role + "' is an input of the kernel",
         "only in, dimension and host_alignment fit; schedule a copy, made by in: {of: " + role + ", as: name}");
    return;
  }
  bool done = isForWholeFunc(directive.op) ? applyToFunc(call) : applyToLoops(call);
  if (!done)
    return poison(directive, role, stage);
  std::string text =
      stageText(role, stage) + ": " + directive.name + (call.arguments.empty() ? "" : " " + call.arguments);
  result.steps.push_back({directive.location, role, text});
}

/// Halide warns about an update without directives in a Func that has some elsewhere; here that is the meaning of the
/// file.
void Applier::markUnscheduledUpdates() {
  for (const Entry &entry : funcs.entries) {
    bool touched = false;
    for (size_t s = 0; s < entry.stages.size(); ++s)
      touched = touched || KernelFuncs::stageOf(entry, s).get_schedule().touched();
    for (size_t s = 1; touched && s < entry.stages.size(); ++s)
      if (!KernelFuncs::stageOf(entry, s).get_schedule().touched())
        KernelFuncs::stageOf(entry, s).unscheduled();
  }
}

void Applier::checkLevels() {
  for (const Level &level : levels) {
    const Entry &consumer = funcs.entry(level.consumer);
    bool found = false;
    for (size_t s = 0; s < consumer.stages.size(); ++s)
      for (const Loop &loop : KernelFuncs::loops(consumer, s))
        found = found || loop.name == level.var;
    if (!found)
      fail(*level.directive, level.directive->vars[0].location,
           "'" + level.consumer + "' no longer has Var '" + level.var + "' at the end of the schedule",
           "a later directive splits, fuses or renames it; write this directive after that one");
  }
}

bool Applier::fail(const Directive &directive, const Location &location, const std::string &text, std::string hint) {
  diagnostics.error(location, directive.name + ": " + text, std::move(hint));
  return false;
}

bool Applier::halide(const Directive &directive, const std::function<void()> &calls) {
  try {
    calls();
    return true;
  } catch (const Halide::Error &error) {
    return fail(directive, directive.location, "Halide: " + inStableNames(halideMessage(error)));
  } catch (const std::exception &error) { // from a compile-time error reporter that throws
    return fail(directive, directive.location, "Halide: " + inStableNames(halideMessage(std::string(error.what()))));
  }
}

/// Puts the file's names where Halide writes generated ones (`conv$1`, `r4$x`).
std::string Applier::inStableNames(const std::string &message) const {
  std::map<std::string, std::string> names;
  for (const Entry &entry : funcs.entries) {
    names[entry.func.name()] = entry.role;
    for (const KernelFuncs::StageState &stage : entry.stages)
      for (const auto &[stable, halideName] : stage.halideNames)
        if (halideName.find('$') != std::string::npos)
          names[halideName] = stable;
  }
  auto isLetter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$'; };
  std::string result;
  for (size_t start = 0; start < message.size();) {
    size_t end = start;
    while (end < message.size() && isLetter(message[end]))
      ++end;
    std::string word = message.substr(start, end - start);
    result += names.count(word) ? names.at(word) : word;
    if (end < message.size())
      result += message[end];
    start = end + 1;
  }
  return result;
}

Applier::Entry *Applier::findFunc(const Directive &directive, const Word &role) {
  for (Entry &entry : funcs.entries)
    if (entry.role == role.text)
      return &entry;
  if (!std::count(poisonedRoles.begin(), poisonedRoles.end(), role.text))
    fail(directive, role.location, "the kernel has no Func '" + role.text + "'; it has: " + joined(funcs.roles()),
         didYouMean(role.text, funcs.roles()));
  return nullptr;
}

std::optional<Applier::Loop> Applier::findLoop(const Directive &directive, const Entry &entry, size_t stage,
                                               const Word &var) {
  std::vector<std::string> names;
  for (const Loop &loop : KernelFuncs::loops(entry, stage)) {
    if (loop.name == var.text)
      return loop;
    names.push_back(loop.name);
  }
  if (!entry.stages[stage].poisoned.count(var.text))
    fail(directive, var.location,
         quoted(stageText(entry.role, stage)) + " has no Var '" + var.text + "'; it has: " + joined(names),
         didYouMean(var.text, names));
  return std::nullopt;
}

std::optional<std::string> Applier::findDimension(const Directive &directive, const Entry &entry, const Word &var) {
  for (size_t i = 0; i < entry.dims.size(); ++i)
    if (entry.dims[i] == var.text)
      return entry.func.args()[i].name();
  fail(directive, var.location,
       "'" + entry.role + "' has no dimension '" + var.text + "'; it has: " + joined(entry.dims),
       didYouMean(var.text, entry.dims));
  return std::nullopt;
}

std::optional<int> Applier::number(const Directive &directive, const Arithmetic &expression, int64_t least) {
  auto value = expression.evaluate(values, diagnostics);
  if (!value)
    return std::nullopt;
  std::string is = std::to_string(*value);
  if (*value < least || *value > std::numeric_limits<int32_t>::max()) {
    std::string shown = expression.text() == is ? is : "'" + expression.text() + "' is " + is + ", which";
    fail(directive, expression.location(),
         shown + (*value < least ? " is less than " + std::to_string(least) : " does not fit in 32 bits"));
    return std::nullopt;
  }
  return static_cast<int>(*value);
}

bool Applier::isFree(const Directive &directive, const Entry &entry, size_t stage, const Word &name,
                     const std::vector<std::string> &replaced) {
  for (const Loop &loop : KernelFuncs::loops(entry, stage))
    if (loop.name == name.text && !std::count(replaced.begin(), replaced.end(), name.text))
      return fail(directive, name.location,
                  quoted(stageText(entry.role, stage)) + " already has a Var '" + name.text + "'");
  return true;
}

/// What a failed directive would have made is not reported as missing later.
void Applier::poison(const Directive &directive, const std::string &role, size_t stage) {
  for (const Word &var : directive.vars)
    funcs.entry(role).stages[stage].poisoned[var.text] = true;
  if (!directive.newRole.text.empty())
    poisonedRoles.push_back(directive.newRole.text);
}

} // namespace sylvite
