// Loading rule files and choosing a rule. Layer: schedule.
#include "compiler/schedule/Rules.h"

#include "compiler/schedule/RuleReader.h"
#include "compiler/schedule/YamlTree.h"

#include <algorithm>

namespace sylvite {

using namespace schedule;

namespace {

bool namesKernel(const Rule &rule, const std::string &kernel, const std::string &algorithm) {
  return (algorithm.empty() || rule.algorithm == algorithm) &&
         std::any_of(rule.kernels.begin(), rule.kernels.end(),
                     [&](const std::string &pattern) { return globFits(pattern, kernel); });
}

const Condition *firstUnfit(const Rule &rule, const KernelDims &dims) {
  for (const Condition &condition : rule.when)
    if (!condition.fits(dims))
      return &condition;
  return nullptr;
}

} // namespace

bool schedule::globFits(const std::string &pattern, const std::string &text) {
  // Greedy with one point to come back to: linear in practice, never exponential.
  size_t p = 0, t = 0, star = std::string::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

std::optional<ScheduleSet> ScheduleSet::load(const std::vector<std::filesystem::path> &files, Diagnostics &diagnostics,
                                             const std::vector<std::string> &dimNames) {
  size_t errorsBefore = diagnostics.errorCount();
  ScheduleSet set;
  for (const std::filesystem::path &file : files)
    if (auto document = readYaml(file, diagnostics))
      readRules(*document, file.string(), dimNames, set.list, diagnostics);
  return diagnostics.errorCount() > errorsBefore ? std::nullopt : std::optional<ScheduleSet>(std::move(set));
}

std::optional<ScheduleSet> ScheduleSet::parse(const std::vector<std::pair<std::string, std::string>> &files,
                                              Diagnostics &diagnostics, const std::vector<std::string> &dimNames) {
  size_t errorsBefore = diagnostics.errorCount();
  ScheduleSet set;
  for (const auto &[file, text] : files)
    if (auto document = parseYaml(text, file, diagnostics))
      readRules(*document, file, dimNames, set.list, diagnostics);
  return diagnostics.errorCount() > errorsBefore ? std::nullopt : std::optional<ScheduleSet>(std::move(set));
}

const Rule *ScheduleSet::find(const std::string &kernel, const KernelDims &dims, const std::string &algorithm) const {
  for (const Rule &rule : list)
    if (namesKernel(rule, kernel, algorithm) && !firstUnfit(rule, dims))
      return &rule;
  return nullptr;
}

std::vector<const Rule *> ScheduleSet::fitting(const std::string &kernel, const KernelDims &dims,
                                               const std::string &algorithm) const {
  std::vector<const Rule *> rules;
  for (const Rule &rule : list)
    if (namesKernel(rule, kernel, algorithm) && !firstUnfit(rule, dims))
      rules.push_back(&rule);
  return rules;
}

std::string ScheduleSet::explain(const std::string &kernel, const KernelDims &dims,
                                 const std::string &algorithm) const {
  std::string text;
  for (const Rule &rule : list) {
    if (!namesKernel(rule, kernel, algorithm))
      continue;
    const Condition *unfit = firstUnfit(rule, dims);
    if (!unfit)
      return text + rule.where() + ": taken\n";
    text += rule.where() + ": does not fit, " + unfit->str();
    if (auto value = dims.values.find(unfit->name()); value != dims.values.end())
      text += " (it is " + std::to_string(value->second) + ")";
    else if (auto word = dims.words.find(unfit->name()); word != dims.words.end())
      text += " (it is " + word->second + ")";
    else
      text += " (this kernel has none)";
    text += "\n";
  }
  return text + "no rule fits\n";
}

std::vector<TuneChoices> tuneSpace(const Rule &rule, const KernelDims &dims, size_t limit) {
  std::vector<TuneChoices> space = {{}};
  for (const Rule::Parameter &parameter : rule.tune) {
    std::vector<TuneChoices> larger;
    for (const TuneChoices &choice : space) {
      std::vector<int64_t> seen;
      for (const Arithmetic &expression : parameter.values) {
        Values values = dims.values;
        values.insert(choice.begin(), choice.end());
        std::string error;
        auto value = expression.evaluate(values, error);
        if (!value || std::find(seen.begin(), seen.end(), *value) != seen.end() || larger.size() >= limit)
          continue;
        seen.push_back(*value);
        larger.push_back(choice);
        larger.back()[parameter.name] = *value;
      }
    }
    space = std::move(larger);
  }
  return space;
}

} // namespace sylvite
