// The grammar of each directive. Layer: schedule.
#include "compiler/schedule/Directive.h"

#include "compiler/schedule/DirectiveTable.h"
#include "compiler/support/Names.h"

#include <algorithm>
#include <map>

namespace sylvite::schedule {

namespace {

std::string joined(const std::vector<std::string> &words) {
  std::string result;
  for (const std::string &word : words)
    result += (result.empty() ? "" : ", ") + word;
  return result;
}

bool isName(const std::string &text) {
  auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && text.size() <= 100 && !(text[0] >= '0' && text[0] <= '9') &&
         std::all_of(text.begin(), text.end(), good);
}

/// Reads the arguments of one directive; `good` turns false at the first error.
class Reader {
public:
  Reader(Directive &directive, const std::string &usage, const std::string &file, Diagnostics &diagnostics)
      : directive(directive), usage(usage), file(file), diagnostics(diagnostics) {}

  bool good = true;

  void read(const YamlNode &value) {
    switch (directive.op) {
    case Op::AlwaysPartitionAll:
    case Op::ComputeInline:
    case Op::ComputeRoot:
    case Op::HoistStorageRoot:
    case Op::NeverPartitionAll:
    case Op::StoreRoot:
      if (value.kind != YamlNode::Kind::Null)
        fail(value, "takes no arguments");
      return;
    case Op::Serial:
      return vars(arguments(value, 1, 1), 1);
    case Op::HostAlignment:
      return numbers(arguments(value, 1, 1), 0, 1);
    case Op::StoreIn:
      return option(arguments(value, 1, 1), 0, kMemories, "memory type");
    case Op::AlwaysPartition:
    case Op::NeverPartition:
    case Op::SkipZeros: {
      auto list = arguments(value, 1, 64);
      return vars(list, list.size());
    }
    case Op::Reorder:
    case Op::ReorderStorage: {
      auto list = arguments(value, 2, 64);
      return vars(list, list.size());
    }
    case Op::Rename:
      return vars(arguments(value, 2, 2), 2);
    case Op::Fuse:
      return vars(arguments(value, 3, 3), 3);
    case Op::Parallel:
    case Op::Unroll:
    case Op::Vectorize:
      return loopKind(value);
    case Op::Split:
      return varsNumbersOption(value, 3, 1, 1, kTails, "tail");
    case Op::Tile:
      return tile(value);
    case Op::Partition: {
      auto list = arguments(value, 2, 2);
      vars(list, 1);
      return option(list, 1, kPolicies, "partition policy");
    }
    case Op::AlignBounds:
      return varsNumbersOption(value, 1, 1, 2, {}, "");
    case Op::AlignExtent:
    case Op::AlignStorage:
    case Op::BoundExtent:
    case Op::BoundStorage:
      return varsNumbersOption(value, 1, 1, 1, {}, "");
    case Op::Bound:
      return varsNumbersOption(value, 1, 2, 2, {}, "");
    case Op::FoldStorage:
      return varsNumbersOption(value, 1, 1, 1, kDirections, "direction");
    case Op::ComputeAt:
    case Op::HoistStorage:
    case Op::StoreAt: {
      auto list = arguments(value, 2, 2);
      target(list);
      return vars(list, 2, 1);
    }
    case Op::ComputeWith: {
      auto list = arguments(value, 2, 3);
      target(list);
      vars(list, 2, 1);
      return list.size() == 3 ? option(list, 2, kAlignments, "alignment") : void();
    }
    case Op::CloneIn:
    case Op::In:
      return wrapper(value);
    case Op::Dimension:
      return dimension(value);
    case Op::Prefetch:
      return prefetch(value);
    case Op::Rfactor:
      return rfactor(value);
    }
  }

private:
  using Arguments = std::vector<const YamlNode *>;

  Location at(const YamlNode &node) const { return {file, node.line, node.column}; }

  void fail(const YamlNode &node, const std::string &text, std::string hint = "") {
    if (good)
      diagnostics.error(at(node), directive.name + ": " + text, hint.empty() ? "write " + usage : hint);
    good = false;
  }

  /// The items of a list, or the one scalar; empty after an error.
  Arguments arguments(const YamlNode &value, size_t least, size_t most) {
    Arguments list;
    if (value.isList())
      for (const YamlNode &item : value.items)
        list.push_back(&item);
    else if (value.isScalar())
      list.push_back(&value);
    if (list.size() >= least && list.size() <= most)
      return list;
    std::string wanted = least == most ? std::to_string(least)
                         : most >= 64  ? "at least " + std::to_string(least)
                                       : std::to_string(least) + " to " + std::to_string(most);
    std::string found = value.isList() || value.isScalar() ? std::to_string(list.size()) : value.description();
    fail(value, "needs " + wanted + (wanted == "1" ? " argument" : " arguments") + ", found " + found);
    return {};
  }

  Word word(const YamlNode &node, const std::string &what) {
    if (!node.isScalar() || !isName(node.text))
      fail(node, "expected " + what + ", found " + node.description());
    return {node.text, at(node)};
  }

  /// The name of a Var that exists, or may (`ry?`).
  Word loop(const YamlNode &node, const std::string &what) {
    YamlNode name = node;
    bool optional = node.isScalar() && node.text.ends_with('?');
    if (optional)
      name.text.pop_back();
    Word result = word(name, what);
    result.optional = optional;
    return result;
  }

  /// Vars in the arguments from `begin` up to `end`.
  void vars(const Arguments &list, size_t end, size_t begin = 0) {
    for (size_t i = begin; i < end && i < list.size(); ++i)
      directive.vars.push_back(loop(*list[i], "the name of a Var"));
  }

  std::optional<Arithmetic> number(const YamlNode &node) {
    if (!node.isScalar()) {
      fail(node, "expected a number, found " + node.description());
      return std::nullopt;
    }
    auto result = Arithmetic::parse(node.text, at(node), diagnostics);
    good = good && result;
    return result;
  }

  void numbers(const Arguments &list, size_t begin, size_t end) {
    for (size_t i = begin; i < end && i < list.size(); ++i)
      if (auto value = number(*list[i]))
        directive.numbers.push_back(std::move(*value));
  }

  void option(const Arguments &list, size_t index, const std::vector<std::string> &allowed, const std::string &what) {
    if (index >= list.size())
      return;
    const YamlNode &node = *list[index];
    if (!node.isScalar())
      return fail(node, "expected a " + what + ", found " + node.description());
    if (std::find(allowed.begin(), allowed.end(), node.text) == allowed.end()) {
      std::string hint = didYouMean(node.text, allowed);
      return fail(node, "unknown " + what + " '" + node.text + "'",
                  (hint.empty() ? "" : hint + " ") + "it is one of: " + joined(allowed));
    }
    directive.option = {node.text, at(node)};
  }

  /// `varCount` Vars, then `least` to `most` numbers, then perhaps an option.
  void varsNumbersOption(const YamlNode &value, size_t varCount, size_t least, size_t most,
                         const std::vector<std::string> &allowed, const std::string &what) {
    auto list = arguments(value, varCount + least, varCount + most + (allowed.empty() ? 0 : 1));
    vars(list, varCount);
    bool hasOption = !allowed.empty() && list.size() > varCount + most;
    numbers(list, varCount, list.size() - (hasOption ? 1 : 0));
    if (hasOption)
      option(list, list.size() - 1, allowed, what);
  }

  void loopKind(const YamlNode &value) {
    if (value.isMap()) { // {rc: 4}
      if (value.keys.size() != 1)
        return fail(value, "needs one Var, found " + std::to_string(value.keys.size()));
      directive.vars.push_back(loop(value.keys[0], "the name of a Var"));
      if (auto factor = number(value.items[0]))
        directive.numbers.push_back(std::move(*factor));
      return;
    }
    auto list = arguments(value, 1, 3);
    vars(list, 1);
    numbers(list, 1, 2);
    option(list, 2, kTails, "tail");
  }

  void tile(const YamlNode &value) {
    auto list = arguments(value, 6, 9);
    size_t varCount = list.size() >= 8 ? 6 : 4;
    vars(list, varCount);
    numbers(list, varCount, varCount + 2);
    option(list, varCount + 2, kTails, "tail");
  }

  void target(const Arguments &list) {
    if (list.empty())
      return;
    if (!list[0]->isScalar())
      return fail(*list[0], "expected the name of a Func, found " + list[0]->description());
    directive.target = parseStageName(list[0]->text, at(*list[0]), diagnostics);
    good = good && directive.target;
  }

  /// The value of each of `known` in a map, null where it is absent; reports other keys.
  std::map<std::string, const YamlNode *> fields(const YamlNode &map, const std::vector<std::string> &known) {
    std::map<std::string, const YamlNode *> result;
    for (size_t i = 0; i < map.keys.size(); ++i) {
      const std::string &key = map.keys[i].text;
      if (std::find(known.begin(), known.end(), key) == known.end())
        fail(map.keys[i], "unknown key '" + key + "'", didYouMean(key, known));
      result[key] = &map.items[i];
    }
    return result;
  }

  void wrapper(const YamlNode &value) {
    auto setProducer = [&](const YamlNode &node) { directive.target = StageName{word(node, "the name of a Func")}; };
    auto addConsumers = [&](const YamlNode &node) {
      for (const YamlNode *consumer : arguments(node, 1, 64))
        directive.consumers.push_back(word(*consumer, "the name of a Func"));
    };
    if (value.isMap()) {
      auto field = fields(value, {"of", "for", "as"});
      if (field["of"])
        setProducer(*field["of"]);
      if (field["for"])
        addConsumers(*field["for"]);
      if (field["as"])
        directive.newRole = word(*field["as"], "a name");
    } else {
      auto list = arguments(value, 2, 2);
      if (list.empty())
        return;
      setProducer(*list[0]);
      addConsumers(*list[1]);
    }
  }

  void dimension(const YamlNode &value) {
    if (!value.isMap())
      return fail(value, "needs a map, found " + value.description());
    auto field = fields(value, {"axis", "min", "extent", "stride"});
    if (!field["axis"])
      return fail(value, "needs 'axis'");
    numbers({field["axis"]}, 0, 1);
    for (size_t i = 0; i < value.keys.size(); ++i)
      if (value.keys[i].text != "axis")
        if (auto setting = number(value.items[i]))
          directive.settings.push_back({{value.keys[i].text, at(value.keys[i])}, std::move(*setting)});
    if (good && directive.settings.empty())
      fail(value, "needs 'min', 'extent' or 'stride'");
  }

  void prefetch(const YamlNode &value) {
    if (!value.isMap())
      return fail(value, "needs a map, found " + value.description());
    auto field = fields(value, {"of", "at", "from", "offset", "bounds"});
    for (const char *key : {"of", "at"})
      if (!field[key])
        return fail(value, std::string("needs '") + key + "'");
    directive.target = StageName{word(*field["of"], "the name of a Func")};
    directive.vars.push_back(word(*field["at"], "the name of a Var"));
    directive.vars.push_back(word(*(field["from"] ? field["from"] : field["at"]), "the name of a Var"));
    if (field["offset"])
      numbers({field["offset"]}, 0, 1);
    if (field["bounds"])
      option({field["bounds"]}, 0, kPrefetchBounds, "way to treat bounds");
  }

  void rfactor(const YamlNode &value) {
    if (!value.isMap())
      return fail(value, "needs a map, found " + value.description());
    auto field = fields(value, {"into", "keep"});
    for (const char *key : {"into", "keep"})
      if (!field[key])
        return fail(value, std::string("needs '") + key + "'");
    directive.newRole = word(*field["into"], "a name");
    const YamlNode &keep = *field["keep"];
    if (!keep.isMap() || keep.keys.empty())
      return fail(keep, "'keep' needs a map from RVar to the name of a new Var, found " + keep.description());
    for (size_t i = 0; i < keep.keys.size(); ++i)
      directive.keep.push_back({loop(keep.keys[i], "the name of an RVar"), word(keep.items[i], "a name")});
  }

  Directive &directive;
  const std::string usage;
  const std::string &file;
  Diagnostics &diagnostics;
};

} // namespace

std::string StageName::str() const {
  if (stage == 0)
    return role.text;
  std::string text = role.text + ".update";
  if (stage > 1)
    text += std::to_string(stage - 1);
  return text;
}

std::optional<StageName> parseStageName(const std::string &text, const Location &location, Diagnostics &diagnostics) {
  StageName result;
  size_t dot = text.find('.');
  result.role = {text.substr(0, dot), location};
  std::string stage = dot == std::string::npos ? "" : text.substr(dot + 1);
  bool good = isName(result.role.text);
  if (dot != std::string::npos) {
    result.named = true;
    std::string digits = stage.compare(0, 6, "update") == 0 ? stage.substr(6) : "none";
    good = good && digits.size() <= 3 &&
           std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (good)
      result.stage = 1 + (digits.empty() ? 0 : std::stoi(digits));
  }
  if (good)
    return result;
  diagnostics.error(location, "'" + text + "' is not the name of a Func or a stage",
                    "a stage is written 'conv', 'conv.update' (the first update) or 'conv.update1'");
  return std::nullopt;
}

std::optional<Directive> parseDirective(const YamlNode &node, const std::string &file, Diagnostics &diagnostics) {
  Location location{file, node.line, node.column};
  if (!node.isScalar() && !(node.isMap() && node.keys.size() == 1)) {
    diagnostics.error(location,
                      node.isMap() ? "a directive has one key, found " + std::to_string(node.keys.size())
                                   : "expected a directive, found " + node.description(),
                      "write a list: [{reorder: [c, x]}, {vectorize: [c, 16]}]");
    return std::nullopt;
  }
  const YamlNode &key = node.isMap() ? node.keys[0] : node;
  auto form = directiveForms().find(key.text);
  if (form == directiveForms().end()) {
    if (auto refused = refusedDirectives().find(key.text); refused != refusedDirectives().end())
      diagnostics.error(location, "'" + key.text + "' is not offered: " + refused->second);
    else
      diagnostics.error(location, "unknown directive '" + key.text + "'", didYouMean(key.text, directiveNames()));
    return std::nullopt;
  }
  Directive directive;
  directive.op = form->second.op;
  directive.name = key.text;
  directive.location = {file, key.line, key.column};
  Reader reader(directive, form->second.usage, file, diagnostics);
  YamlNode nothing;
  nothing.line = node.line;
  nothing.column = node.column;
  reader.read(node.isMap() ? node.items[0] : nothing);
  return reader.good ? std::optional<Directive>(std::move(directive)) : std::nullopt;
}

std::vector<std::string> directiveNames() {
  std::vector<std::string> names;
  for (const auto &[name, form] : directiveForms())
    names.push_back(name);
  return names;
}

bool isForWholeFunc(Op op) {
  switch (op) {
  case Op::AlwaysPartition:
  case Op::AlwaysPartitionAll:
  case Op::ComputeWith:
  case Op::Fuse:
  case Op::NeverPartition:
  case Op::NeverPartitionAll:
  case Op::Parallel:
  case Op::Partition:
  case Op::Prefetch:
  case Op::Rename:
  case Op::Reorder:
  case Op::Rfactor:
  case Op::Serial:
  case Op::SkipZeros:
  case Op::Split:
  case Op::Tile:
  case Op::Unroll:
  case Op::Vectorize:
    return false;
  default:
    return true;
  }
}

} // namespace sylvite::schedule
