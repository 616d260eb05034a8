//===- Values.cpp - typed values of a YAML document ---------------------------------------------------------------===//
//
// Numbers are those of YAML 1.2's core schema, in decimal. Layer: frontend; knows no MLIR.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/frontend/Values.h"

#include "compiler/support/Names.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace sylvite {

using yaml::Node;

namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/// What follows the sign.
std::string_view unsignedPart(std::string_view text) {
  return !text.empty() && (text[0] == '-' || text[0] == '+') ? text.substr(1) : text;
}

bool isWhole(std::string_view text) {
  text = unsignedPart(text);
  return !text.empty() && std::all_of(text.begin(), text.end(), isDigit);
}

/// A decimal number: digits with at most one point among them, then perhaps an exponent.
bool isNumber(std::string_view text) {
  text = unsignedPart(text);
  size_t at = 0, digits = 0, points = 0;
  for (; at < text.size() && (isDigit(text[at]) || text[at] == '.'); ++at)
    ++(text[at] == '.' ? points : digits);
  if (digits == 0 || points > 1)
    return false;
  return at == text.size() || ((text[at] == 'e' || text[at] == 'E') && isWhole(text.substr(at + 1)));
}

bool isPlainScalar(const Node &node) { return node.kind == Node::Kind::Scalar && !node.quoted; }

/// The value of a text that isWhole; nothing where it does not fit.
template <typename Integer> std::optional<Integer> parseWhole(std::string_view text) {
  if (text[0] == '+')
    text.remove_prefix(1);
  Integer value = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

} // namespace

std::string join(const std::vector<std::string> &words) {
  std::string text;
  for (const std::string &word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

ValueReader::Use::Use(ValueReader &reader, const std::string &block, const Node &use) : reader(reader) {
  if (reader.uses.empty())
    ++reader.useCount;
  reader.uses.push_back("in block '" + block + "', used in line " + std::to_string(use.line));
}

std::string ValueReader::useText() const { return join({uses.rbegin(), uses.rend()}); }

bool ValueReader::isRepeated(const Node &at) {
  return !uses.empty() && placesInUse.emplace(std::pair(at.line, at.column), useCount).first->second != useCount;
}

void ValueReader::warning(const Node &at, std::string text, std::string hint) {
  diagnostics.warning({file, at.line, at.column}, std::move(text), std::move(hint));
}

void ValueReader::error(const Node &at, std::string text, std::string hint) {
  if (isRepeated(at))
    return;
  if (!uses.empty())
    hint += (hint.empty() ? "" : "; ") + useText();
  if (count++ < messageLimit)
    diagnostics.error({file, at.line, at.column}, std::move(text), std::move(hint));
  else
    diagnostics.error({file}, "more than " + std::to_string(messageLimit) + " errors; the others are left out");
}

void ValueReader::error(std::string text, std::string hint) {
  diagnostics.error({file}, std::move(text), std::move(hint));
}

std::string ValueReader::describe(const Node &node) {
  switch (node.kind) {
  case Node::Kind::Null:
    return "nothing";
  case Node::Kind::Sequence:
    return "a list";
  case Node::Kind::Map:
    return "a map";
  case Node::Kind::Scalar:
    break;
  }
  if (!node.quoted && (isNumber(node.text) || node.text == "true" || node.text == "false"))
    return yaml::shown(node.text);
  return "the text '" + yaml::shown(node.text) + "'";
}

bool ValueReader::wrongType(const Node &node, const std::string &what, const std::string &expected, std::string hint) {
  error(node, what + " must be " + expected + ", found " + describe(node), std::move(hint));
  return false;
}

std::optional<int64_t> ValueReader::whole(const Node &node, const std::string &what, int64_t least, int64_t most) {
  std::optional<int64_t> value;
  if (isPlainScalar(node) && isWhole(node.text))
    value = parseWhole<int64_t>(node.text);
  if (value && *value >= least && *value <= most)
    return value;
  wrongType(node, what, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<uint64_t> ValueReader::wholeUnsigned(const Node &node, const std::string &what) {
  if (isPlainScalar(node) && isWhole(node.text))
    if (auto value = parseWhole<uint64_t>(node.text))
      return value;
  wrongType(node, what, "a whole number from 0 to 18446744073709551615");
  return std::nullopt;
}

std::optional<double> ValueReader::number(const Node &node, const std::string &what) {
  if (!isPlainScalar(node) || !isNumber(node.text)) {
    wrongType(node, what, "a number");
    return std::nullopt;
  }
  std::string_view text = node.text[0] == '+' ? std::string_view(node.text).substr(1) : node.text;
  double value = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code == std::errc() && end == text.data() + text.size() && std::isfinite(value))
    return value;
  error(node, what + " is beyond what a double holds: " + yaml::shown(node.text));
  return std::nullopt;
}

std::optional<bool> ValueReader::flag(const Node &node, const std::string &what) {
  if (isPlainScalar(node)) {
    for (const char *word : {"true", "True", "TRUE"})
      if (node.text == word)
        return true;
    for (const char *word : {"false", "False", "FALSE"})
      if (node.text == word)
        return false;
  }
  wrongType(node, what, "true or false");
  return std::nullopt;
}

std::optional<std::string> ValueReader::word(const Node &node, const std::string &what,
                                             const std::vector<std::string> &words) {
  if (node.kind == Node::Kind::Scalar && std::find(words.begin(), words.end(), node.text) != words.end())
    return node.text;
  std::string hint = node.kind == Node::Kind::Scalar ? didYouMean(node.text, words) : "";
  wrongType(node, what, words.size() == 1 ? words[0] : "one of " + join(words), hint);
  return std::nullopt;
}

std::optional<std::string> ValueReader::name(const Node &node, const std::string &what, bool isSymbol) {
  const std::string &text = node.text;
  bool isText = node.kind == Node::Kind::Scalar;
  if (!isText || text.empty() || !isLetter(text[0]) ||
      !std::all_of(text.begin(), text.end(), [](char c) { return isLetter(c) || isDigit(c); })) {
    wrongType(node, what, isSymbol ? "a C identifier" : "a name",
              "letters, digits and _, of which the first is no digit");
    return std::nullopt;
  }
  if (text.size() > nameLimit) {
    error(node, what + " has more than " + std::to_string(nameLimit) + " characters: " + yaml::shown(text));
    return std::nullopt;
  }
  if (!isSymbol)
    return text;
  if (!isCIdentifier(text)) {
    wrongType(node, what, "a C identifier",
              "'" + text + "' is a keyword of C or C++; every symbol starts with the name");
    return std::nullopt;
  }
  for (const char *prefix : {"syl", "halide"}) // the runtime's own functions
    if (text == prefix || text.starts_with(prefix + std::string("_"))) {
      error(node, what + " must not be '" + prefix + "' or start with '" + prefix + "_'",
            "the runtime's functions are called so; every symbol of the network starts with its name");
      return std::nullopt;
    }
  return text;
}

bool ValueReader::isMisspelt(const Node &node, const std::string &key, const std::vector<std::string> &known) {
  return std::any_of(node.entries.begin(), node.entries.end(), [&](const auto &entry) {
    const std::string &given = entry.first->text;
    return std::find(known.begin(), known.end(), given) == known.end() && nearestName(given, known) == key;
  });
}

bool ValueReader::checkKeys(const Node &node, const std::string &what, const std::vector<std::string> &known) {
  std::string prefix = what.empty() ? "" : what + ": ";
  if (node.kind != Node::Kind::Map)
    return wrongType(node, what, "a map of " + join(known));
  bool valid = true;
  for (const auto &[key, value] : node.entries) {
    if (std::find(known.begin(), known.end(), key->text) != known.end())
      continue;
    std::string hint = didYouMean(key->text, known);
    if (hint.empty())
      hint = known.empty() ? "there is nothing to set" : "known keys: " + join(known);
    error(*key, prefix + "unknown key '" + yaml::shown(key->text) + "'", hint);
    valid = false;
  }
  return valid;
}

} // namespace sylvite
