// Printing and comparing rules. Layer: schedule.
#include "compiler/schedule/RuleWriter.h"

#include <algorithm>
#include <sstream>

namespace sylvite {

using schedule::flowText;
using schedule::YamlNode;

namespace {

constexpr size_t lineWidth = 110;

YamlNode scalar(const std::string &text) {
  YamlNode node;
  node.kind = YamlNode::Kind::Scalar;
  node.text = text;
  return node;
}

void set(YamlNode &map, const std::string &key, YamlNode value, size_t place) {
  for (size_t i = 0; i < map.keys.size(); ++i)
    if (map.keys[i].text == key) {
      map.items[i] = std::move(value);
      return;
    }
  place = std::min(place, map.keys.size());
  map.keys.insert(map.keys.begin() + std::ptrdiff_t(place), scalar(key));
  map.items.insert(map.items.begin() + std::ptrdiff_t(place), std::move(value));
}

const YamlNode *find(const YamlNode &map, const std::string &key) {
  for (size_t i = 0; i < map.keys.size(); ++i)
    if (map.keys[i].text == key)
      return &map.items[i];
  return nullptr;
}

/// `output: [...]` on one line where it fits, else a directive a line.
void printFuncs(std::ostream &out, const YamlNode &map, const std::string &indent, std::string first) {
  if (map.items.empty())
    out << first << "{}\n";
  for (size_t i = 0; i < map.items.size(); ++i) {
    std::string key = flowText(map.keys[i]), value = flowText(map.items[i]);
    out << (i ? indent : first) << key << ":";
    if (!map.items[i].isList() || indent.size() + key.size() + value.size() + 2 <= lineWidth) {
      out << " " << value << "\n";
      continue;
    }
    out << "\n";
    for (const YamlNode &directive : map.items[i].items)
      out << indent << "  - " << flowText(directive) << "\n";
  }
}

std::vector<std::string> linesOf(const std::string &text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

/// Lines that only one of two texts has, in order, by their longest common subsequence.
std::string lineDifferences(const std::string &before, const std::string &after) {
  std::vector<std::string> a = linesOf(before), b = linesOf(after);
  std::vector<std::vector<size_t>> common(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = a.size(); i-- > 0;)
    for (size_t j = b.size(); j-- > 0;)
      common[i][j] = a[i] == b[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
  std::string text;
  for (size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    if (i < a.size() && j < b.size() && a[i] == b[j])
      ++i, ++j;
    else if (j == b.size() || (i < a.size() && common[i + 1][j] >= common[i][j + 1]))
      text += "- " + a[i++] + "\n";
    else
      text += "+ " + b[j++] + "\n";
  }
  return text;
}

std::string marked(const std::string &text, const char *mark) {
  std::string result;
  for (const std::string &line : linesOf(text))
    result += mark + line + "\n";
  return result;
}

/// What makes two rules the same one: the kernels and conditions that it is for.
std::string subjectOf(const Rule &rule) {
  const YamlNode *when = find(rule.source, "when");
  std::string text = flowText(*find(rule.source, "kernel"));
  return when && !when->items.empty() ? text + " when " + flowText(*when) : text;
}

} // namespace

std::string ruleText(const YamlNode &rule) {
  std::ostringstream out;
  std::string start = "- ";
  for (const char *key : {"kernel", "when", "tune", "let", "algorithm"})
    if (const YamlNode *value = find(rule, key)) {
      out << start << key << ": " << flowText(*value) << "\n";
      start = "  ";
    }
  const YamlNode *schedule = find(rule, "schedule");
  if (!schedule || (!schedule->isMap() && !schedule->isList()) || schedule->items.empty()) {
    if (schedule || !find(rule, "algorithm")) // another algorithm than direct needs none
      out << start << "schedule: {}\n";
  } else if (schedule->isMap()) {
    out << start << "schedule:\n";
    printFuncs(out, *schedule, "    ", "    ");
  } else {
    out << start << "schedule:\n";
    for (const YamlNode &part : schedule->items)
      printFuncs(out, part, "      ", "    - ");
  }
  return out.str();
}

std::string ruleTextFor(const Rule &rule, const std::string &kernel,
                        const std::vector<std::pair<std::string, std::string>> &when, const TuneChoices &chosen,
                        const std::vector<TuneChoices> &space) {
  YamlNode node = rule.source, conditions, lists;
  conditions.kind = lists.kind = YamlNode::Kind::Map;
  for (const auto &[name, value] : when) {
    conditions.keys.push_back(scalar(name));
    conditions.items.push_back(scalar(value));
  }
  for (const Rule::Parameter &parameter : rule.tune) {
    std::vector<int64_t> values;
    if (auto first = chosen.find(parameter.name); first != chosen.end())
      values.push_back(first->second);
    for (const TuneChoices &choice : space)
      if (auto other = choice.find(parameter.name);
          other != choice.end() && std::find(values.begin(), values.end(), other->second) == values.end())
        values.push_back(other->second);
    YamlNode list;
    list.kind = YamlNode::Kind::List;
    for (int64_t value : values)
      list.items.push_back(scalar(std::to_string(value)));
    lists.keys.push_back(scalar(parameter.name));
    lists.items.push_back(std::move(list));
  }
  set(node, "kernel", scalar(kernel), 0);
  set(node, "when", std::move(conditions), 1);
  if (!lists.keys.empty())
    set(node, "tune", std::move(lists), 2);
  return ruleText(node);
}

std::string ruleDifferences(const ScheduleSet &before, const ScheduleSet &after) {
  std::string text;
  std::vector<bool> met(after.rules().size());
  std::vector<size_t> order;
  for (const Rule &rule : before.rules()) {
    size_t other = 0;
    while (other < after.rules().size() && (met[other] || subjectOf(after.rules()[other]) != subjectOf(rule)))
      ++other;
    if (other == after.rules().size()) {
      text += rule.where() + ": removed: " + subjectOf(rule) + "\n" + marked(ruleText(rule.source), "- ");
      continue;
    }
    met[other] = true;
    order.push_back(other);
    const Rule &now = after.rules()[other];
    if (now.text() != rule.text())
      text += rule.where() + ", " + now.where() + ": changed: " + subjectOf(rule) + "\n" +
              lineDifferences(ruleText(rule.source), ruleText(now.source));
  }
  for (size_t i = 0; i < met.size(); ++i)
    if (!met[i])
      text += after.rules()[i].where() + ": added: " + subjectOf(after.rules()[i]) + "\n" +
              marked(ruleText(after.rules()[i].source), "+ ");
  if (!std::is_sorted(order.begin(), order.end()))
    text += "the rules that both have stand in another order\n";
  return text;
}

} // namespace sylvite
