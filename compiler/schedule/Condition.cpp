// Reading and testing the conditions of `when:`. Layer: schedule.
#include "compiler/schedule/Condition.h"

#include <utility>

namespace sylvite::schedule {

namespace {

/// Takes spaces off the front of `text` and moves `location` along, and off its end.
void trim(std::string &text, Location &location) {
  size_t start = text.find_first_not_of(" \t\n");
  if (start == std::string::npos)
    start = text.size();
  location.column += static_cast<int>(start);
  text.erase(0, start);
  text.erase(text.find_last_not_of(" \t\n") + 1);
}

bool startsLikeWord(const std::string &text) {
  return !text.empty() && ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z') || text[0] == '_');
}

} // namespace

std::optional<Condition::Test> Condition::parseTest(std::string text, Location location, Diagnostics &diagnostics) {
  using Kind = Test::Kind;
  static const std::pair<const char *, Kind> prefixes[] = {{">=", Kind::AtLeast},
                                                           {"<=", Kind::AtMost},
                                                           {"!=", Kind::NotEqual},
                                                           {"==", Kind::Equal},
                                                           {">", Kind::More},
                                                           {"<", Kind::Less},
                                                           {"multiple of ", Kind::Multiple},
                                                           {"not multiple of ", Kind::NotMultiple}};
  trim(text, location);
  Test test{Kind::Equal, {}, {}, ""};
  for (const auto &[prefix, kind] : prefixes) {
    std::string start = prefix;
    if (text.compare(0, start.size(), start) == 0) {
      test.kind = kind;
      text.erase(0, start.size());
      location.column += static_cast<int>(start.size());
      trim(text, location);
      break;
    }
  }
  if ((test.kind == Kind::Equal || test.kind == Kind::NotEqual) && startsLikeWord(text)) {
    test.kind = test.kind == Kind::Equal ? Kind::Word : Kind::NotWord;
    test.word = text;
    return test;
  }
  size_t dots = test.kind == Kind::Equal ? text.find("..") : std::string::npos;
  if (dots != std::string::npos) {
    std::string end = text.substr(dots + 2);
    Location endLocation = location;
    endLocation.column += static_cast<int>(dots) + 2;
    trim(end, endLocation);
    auto last = Arithmetic::parse(end, endLocation, diagnostics);
    if (!last)
      return std::nullopt;
    test.kind = Kind::Range;
    test.last = *last;
    text.erase(dots);
    trim(text, location);
  }
  auto first = Arithmetic::parse(text, location, diagnostics);
  if (!first)
    return std::nullopt;
  test.first = *first;
  return test;
}

std::optional<Condition> Condition::parse(const std::string &name, const YamlNode &node, const std::string &file,
                                          Diagnostics &diagnostics) {
  Condition condition;
  condition.subject = name;
  condition.place = {file, node.line, node.column};
  if ((!node.isScalar() && !node.isList()) || (node.isList() && node.items.empty())) {
    diagnostics.error(condition.place, "when: '" + name + "' needs a condition, not " + node.description(),
                      "write a number, a word, '>= 32', 'multiple of 14', '14..28', or a list of these");
    return std::nullopt;
  }
  bool good = true;
  for (const YamlNode &choice : node.isScalar() ? std::vector<YamlNode>{node} : node.items) {
    Location location{file, choice.line, choice.column};
    if (!choice.isScalar()) {
      diagnostics.error(location, "when: '" + name + "' needs a condition, not " + choice.description());
      good = false;
      continue;
    }
    condition.source += (condition.source.empty() ? "" : ", ") + choice.text;
    std::vector<Test> tests;
    std::string rest = choice.text;
    for (bool more = true; more;) {
      size_t end = rest.find(" and ");
      more = end != std::string::npos;
      auto test = parseTest(rest.substr(0, end), location, diagnostics);
      good = good && test;
      if (test)
        tests.push_back(std::move(*test));
      if (more) {
        rest.erase(0, end + 5);
        location.column += static_cast<int>(end) + 5;
      }
    }
    condition.alternatives.push_back(std::move(tests));
  }
  if (node.isList())
    condition.source = "[" + condition.source + "]";
  return good ? std::optional<Condition>(std::move(condition)) : std::nullopt;
}

bool Condition::holds(const Test &test, const std::string &name, const KernelDims &dims) {
  using Kind = Test::Kind;
  if (test.kind == Kind::Word || test.kind == Kind::NotWord) {
    auto word = dims.words.find(name);
    return word != dims.words.end() && (word->second == test.word) == (test.kind == Kind::Word);
  }
  auto found = dims.values.find(name);
  std::string error;
  auto first = test.first.evaluate(dims.values, error);
  if (found == dims.values.end() || !first)
    return false;
  int64_t value = found->second;
  switch (test.kind) {
  case Kind::Equal:
    return value == *first;
  case Kind::NotEqual:
    return value != *first;
  case Kind::Less:
    return value < *first;
  case Kind::AtMost:
    return value <= *first;
  case Kind::More:
    return value > *first;
  case Kind::AtLeast:
    return value >= *first;
  case Kind::Multiple:
    return *first > 0 && value % *first == 0;
  case Kind::NotMultiple:
    return *first > 0 && value % *first != 0;
  case Kind::Range: {
    auto last = test.last.evaluate(dims.values, error);
    return last && value >= *first && value <= *last;
  }
  default:
    return false;
  }
}

bool Condition::fits(const KernelDims &dims) const {
  for (const std::vector<Test> &tests : alternatives) {
    bool all = true;
    for (const Test &test : tests)
      all = all && holds(test, subject, dims);
    if (all)
      return true;
  }
  return false;
}

std::vector<Arithmetic> Condition::expressions() const {
  std::vector<Arithmetic> result;
  for (const std::vector<Test> &tests : alternatives)
    for (const Test &test : tests) {
      result.push_back(test.first);
      result.push_back(test.last);
    }
  return result;
}

std::string Condition::str() const { return subject + ": " + source; }

} // namespace sylvite::schedule
