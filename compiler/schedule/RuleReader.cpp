// The keys of a rule: kernel, when, tune, let, algorithm, schedule. Layer: schedule.
#include "compiler/schedule/RuleReader.h"

#include "compiler/support/Names.h"

#include <algorithm>
#include <set>

namespace sylvite::schedule {

namespace {

const std::vector<std::string> kRuleKeys = {"kernel", "when", "tune", "let", "algorithm", "schedule"};

bool isWord(const std::string &text) {
  return !text.empty() && text.size() <= 100 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

class RuleReader {
public:
  RuleReader(const std::string &file, const std::vector<std::string> &dimNames, Diagnostics &diagnostics)
      : file(file), dimNames(dimNames), diagnostics(diagnostics) {}

  Rule read(const YamlNode &node) {
    rule.location = at(node);
    rule.source = node;
    const YamlNode *values[6] = {};
    for (size_t i = 0; i < node.keys.size(); ++i) {
      auto known = std::find(kRuleKeys.begin(), kRuleKeys.end(), node.keys[i].text);
      if (known == kRuleKeys.end())
        error(node.keys[i], "unknown key '" + node.keys[i].text + "' in a rule",
              didYouMean(node.keys[i].text, kRuleKeys));
      else
        values[known - kRuleKeys.begin()] = &node.items[i];
    }
    if (values[0])
      readKernels(*values[0]);
    else
      error(node, "a rule needs 'kernel'", "write the name of a kernel, such as conv2d.forward, or '*'");
    if (values[1])
      readWhen(*values[1]);
    if (values[2])
      readParameters(*values[2], "tune", rule.tune);
    if (values[3])
      readParameters(*values[3], "let", rule.let);
    if (values[4]) {
      if (values[4]->isScalar() && isWord(values[4]->text))
        rule.algorithm = values[4]->text;
      else
        error(*values[4], "'algorithm' needs a word, found " + values[4]->description());
    }
    if (values[5])
      readSchedule(*values[5]);
    else if (rule.algorithm == "direct") // another algorithm is made of kernels with rules of their own
      error(node, "a rule needs 'schedule'");
    return std::move(rule);
  }

private:
  Location at(const YamlNode &node) const { return {file, node.line, node.column}; }
  void error(const YamlNode &node, std::string text, std::string hint = "") {
    diagnostics.error(at(node), std::move(text), std::move(hint));
  }

  void readKernels(const YamlNode &node) {
    std::vector<YamlNode> list = node.isList() ? node.items : std::vector<YamlNode>{node};
    if (list.empty())
      error(node, "'kernel' needs at least one name");
    for (const YamlNode &kernel : list) {
      bool good = kernel.isScalar() && !kernel.text.empty() && kernel.text.size() <= 100 &&
                  std::all_of(kernel.text.begin(), kernel.text.end(), [](char c) {
                    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                           c == '.' || c == '*' || c == '?';
                  });
      if (good)
        rule.kernels.push_back(kernel.text);
      else
        error(kernel, "'kernel' needs the name of a kernel, found " + kernel.description(),
              "write a name such as conv2d.forward, with * for any characters");
    }
  }

  void readWhen(const YamlNode &node) {
    if (!node.isMap())
      return error(node, "'when' needs a map, found " + node.description(), "write when: {filters: '>= 32'}");
    for (size_t i = 0; i < node.keys.size(); ++i) {
      const YamlNode &key = node.keys[i];
      if (!dimNames.empty() && std::find(dimNames.begin(), dimNames.end(), key.text) == dimNames.end())
        error(key, "when: no kernel has '" + key.text + "'", didYouMean(key.text, dimNames));
      if (auto condition = Condition::parse(key.text, node.items[i], file, diagnostics)) {
        for (const Arithmetic &expression : condition->expressions())
          checkNames(expression);
        rule.when.push_back(std::move(*condition));
      }
    }
  }

  void readParameters(const YamlNode &node, const std::string &where, std::vector<Rule::Parameter> &parameters) {
    bool isTune = where == "tune";
    if (!node.isMap())
      return error(node, "'" + where + "' needs a map, found " + node.description(),
                   isTune ? "write tune: {tile_x: [14, 7]}" : "write let: {block: $vectors * $lanes}");
    for (size_t i = 0; i < node.keys.size(); ++i) {
      const YamlNode &key = node.keys[i], &value = node.items[i];
      Rule::Parameter parameter{key.text, at(key), {}};
      if (!isCIdentifier(key.text))
        error(key, where + ": '" + key.text + "' is no name for a parameter");
      else if (std::find(dimNames.begin(), dimNames.end(), key.text) != dimNames.end())
        error(key, where + ": '" + key.text + "' is a dimension of kernels and cannot be a parameter");
      else if (!parameterNames.insert(key.text).second)
        error(key, where + ": parameter '" + key.text + "' is already in 'tune'");
      std::vector<YamlNode> list = isTune && value.isList() ? value.items : std::vector<YamlNode>{value};
      if (list.empty())
        error(value, where + ": '" + key.text + "' needs at least one value");
      for (const YamlNode &item : list)
        if (auto expression = parseNumber(item, where + ": '" + key.text + "'"))
          parameter.values.push_back(std::move(*expression));
      if (!parameter.values.empty())
        parameters.push_back(std::move(parameter));
    }
  }

  std::optional<Arithmetic> parseNumber(const YamlNode &node, const std::string &what) {
    if (!node.isScalar()) {
      error(node, what + " needs a number, found " + node.description());
      return std::nullopt;
    }
    auto result = Arithmetic::parse(node.text, at(node), diagnostics);
    if (result)
      checkNames(*result);
    return result;
  }

  /// `$name` must be a parameter or, where all of them are known, a dimension.
  void checkNames(const Arithmetic &expression) {
    if (dimNames.empty())
      return;
    std::vector<std::string> known(parameterNames.begin(), parameterNames.end());
    known.insert(known.end(), dimNames.begin(), dimNames.end());
    for (const std::string &name : expression.names())
      if (std::find(known.begin(), known.end(), name) == known.end())
        diagnostics.error(expression.location(), "unknown name '$" + name + "'", didYouMean(name, known));
  }

  void readSchedule(const YamlNode &node) {
    if (node.isMap())
      return readBlocks(node);
    if (!node.isList())
      return error(node, "'schedule' needs a map from Funcs to lists of directives, found " + node.description());
    for (const YamlNode &part : node.items) {
      if (part.isMap())
        readBlocks(part);
      else
        error(part, "'schedule' needs a map from Funcs to lists of directives, found " + part.description());
    }
  }

  void readBlocks(const YamlNode &node) {
    for (size_t i = 0; i < node.keys.size(); ++i) {
      Rule::Block block;
      bool good = readSelector(node.keys[i], block);
      readDirectives(node.items[i], block);
      if (good)
        rule.blocks.push_back(std::move(block));
    }
  }

  /// `conv`, `conv.update1`, `bias?`, `*`, `grad_*`, or several names with commas between them.
  bool readSelector(const YamlNode &key, Rule::Block &block) {
    std::string text = key.text;
    block.selector = {text, at(key)};
    if (!text.empty() && text.back() == '?') {
      block.optional = true;
      text.pop_back();
    }
    std::optional<int> stage;
    for (size_t start = 0; start <= text.size();) {
      size_t comma = std::min(text.find(',', start), text.size());
      std::string name = text.substr(start, comma - start);
      name.erase(0, name.find_first_not_of(' '));
      name.erase(name.find_last_not_of(' ') + 1);
      std::string plain = name;
      std::replace(plain.begin(), plain.end(), '*', '_');
      auto parsed = parseStageName(plain, at(key), diagnostics);
      if (!parsed)
        return false;
      if (stage && *stage != parsed->stage) {
        error(key, "Funcs that share directives must name the same stage");
        return false;
      }
      stage = parsed->stage;
      block.patterns.push_back({name.substr(0, name.find('.')), at(key)});
      start = comma + 1;
    }
    block.stage = *stage;
    return true;
  }

  void readDirectives(const YamlNode &node, Rule::Block &block) {
    if (node.kind == YamlNode::Kind::Null)
      return error(node, "'" + block.selector.text + "' needs a list of directives");
    for (const YamlNode &item : node.isList() ? node.items : std::vector<YamlNode>{node}) {
      auto directive = parseDirective(item, file, diagnostics);
      if (!directive)
        continue;
      for (const Arithmetic &number : directive->numbers)
        checkNames(number);
      for (const auto &[key, number] : directive->settings)
        checkNames(number);
      if (block.stage > 0 && isForWholeFunc(directive->op))
        diagnostics.error(directive->location, directive->name + ": is about a whole Func, not a stage",
                          "write it under '" + block.patterns[0].text + "'");
      block.directives.push_back(std::move(*directive));
    }
  }

  const std::string &file;
  const std::vector<std::string> &dimNames;
  Diagnostics &diagnostics;
  Rule rule;
  std::set<std::string> parameterNames;
};

} // namespace

void readRules(const YamlNode &document, const std::string &file, const std::vector<std::string> &dimNames,
               std::vector<Rule> &rules, Diagnostics &diagnostics) {
  Location start{file, document.line, document.column};
  if (document.kind == YamlNode::Kind::Null)
    return diagnostics.error({file}, "the file has no rules");
  if (!document.isList())
    return diagnostics.error(start, "a schedule file is a list of rules, found " + document.description(),
                             "start each rule with '- kernel:'");
  for (const YamlNode &node : document.items) {
    if (node.isMap())
      rules.push_back(RuleReader(file, dimNames, diagnostics).read(node));
    else
      diagnostics.error({file, node.line, node.column}, "a rule is a map, found " + node.description());
  }
}

} // namespace sylvite::schedule
