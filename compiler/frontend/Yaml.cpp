//===- Yaml.cpp - yaml-cpp's events become a tree -----------------------------------------------------------------===//
//
// Limits are checked in the events, so that no file is walked deeper or further than they allow. Layer: frontend.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/frontend/Yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <unordered_map>

namespace sylvite::yaml {

const Node *Node::find(std::string_view key) const {
  for (const auto &[name, value] : entries)
    if (name->text == key)
      return value.get();
  return nullptr;
}

namespace {

/// Ends the parse: a problem that leaves no document.
struct Stop {
  int line;
  int column;
  std::string text;
  std::string hint;
};

class TreeBuilder : public YAML::EventHandler {
public:
  TreeBuilder(const std::string &file, Diagnostics &diagnostics) : file(file), diagnostics(diagnostics) {}

  NodeRef root;

  void OnDocumentStart(const YAML::Mark &mark) override {
    if (root)
      stop(mark, "a second document starts here", "a network file holds one map; check the indentation of this line");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark &mark, YAML::anchor_t anchor) override { add(make(mark, Node::Kind::Null, anchor), 1); }

  void OnAlias(const YAML::Mark &mark, YAML::anchor_t anchor) override {
    auto found = anchors.find(anchor);
    if (found == anchors.end() || !found->second.complete)
      stop(mark, "an alias stands inside the value that it refers to");
    if (stack.size() + found->second.height > depthLimit)
      stop(mark, depthText());
    if (!stack.empty())
      stack.back().height = std::max(stack.back().height, found->second.height + 1);
    add(found->second.node, found->second.size, mark);
  }

  void OnScalar(const YAML::Mark &mark, const std::string &tag, YAML::anchor_t anchor,
                const std::string &value) override {
    auto node = make(mark, Node::Kind::Scalar, anchor);
    checkTag(mark, tag);
    node->text = value;
    node->quoted = tag == "!";
    add(node, 1);
  }

  void OnSequenceStart(const YAML::Mark &mark, const std::string &tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::Sequence);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark &mark, const std::string &tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::Map);
  }
  void OnMapEnd() override { close(); }

private:
  struct Anchor {
    std::shared_ptr<Node> node;
    size_t size = 1;   ///< nodes, its aliases expanded
    size_t height = 0; ///< lists and maps on the deepest way down, its aliases expanded
    bool complete = false;
  };
  struct Open {
    std::shared_ptr<Node> node;
    YAML::anchor_t anchor;
    size_t size = 1, height = 1;
    NodeRef key;                                ///< of a map: the key whose value comes next
    std::unordered_map<std::string, int> lines; ///< of a map: the line of each key
  };

  [[noreturn]] void stop(const YAML::Mark &mark, std::string text, std::string hint = "") {
    throw Stop{mark.line + 1, mark.column + 1, std::move(text), std::move(hint)};
  }

  static std::string depthText() { return "lists and maps are nested deeper than " + std::to_string(depthLimit); }

  void checkTag(const YAML::Mark &mark, const std::string &tag) {
    if (!tag.empty() && tag != "?" && tag != "!")
      stop(mark, "tags are not supported", "remove the word that starts with `!`");
  }

  std::shared_ptr<Node> make(const YAML::Mark &mark, Node::Kind kind, YAML::anchor_t anchor) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->line = mark.line + 1;
    node->column = mark.column + 1;
    if (anchor != YAML::NullAnchor)
      anchors[anchor] = {node, 1, 0, kind == Node::Kind::Null || kind == Node::Kind::Scalar};
    return node;
  }

  void open(const YAML::Mark &mark, const std::string &tag, YAML::anchor_t anchor, Node::Kind kind) {
    checkTag(mark, tag);
    if (stack.size() == depthLimit)
      stop(mark, depthText());
    stack.push_back({make(mark, kind, anchor), anchor, 1, 1, nullptr, {}});
  }

  void close() {
    Open top = std::move(stack.back());
    stack.pop_back();
    if (!stack.empty())
      stack.back().height = std::max(stack.back().height, top.height + 1);
    if (top.anchor != YAML::NullAnchor) {
      anchors[top.anchor].size = top.size;
      anchors[top.anchor].height = top.height;
      anchors[top.anchor].complete = true;
    }
    add(top.node, top.size);
  }

  /// Puts a finished node of `size` nodes into what is open; `alias` is the place of the alias that stands for it.
  void add(std::shared_ptr<Node> node, size_t size, std::optional<YAML::Mark> alias = std::nullopt) {
    if (stack.empty()) {
      root = node;
      return;
    }
    Open &top = stack.back();
    top.size += size;
    if (top.size > nodeLimit)
      throw Stop{alias ? alias->line + 1 : node->line, alias ? alias->column + 1 : node->column,
                 "more than " + std::to_string(nodeLimit) + " values, aliases expanded", ""};
    if (top.node->kind == Node::Kind::Sequence)
      top.node->items.push_back(std::move(node));
    else if (!top.key)
      addKey(top, std::move(node));
    else
      addValue(top, std::move(node));
  }

  void addKey(Open &top, NodeRef key) {
    if (key->kind != Node::Kind::Scalar)
      throw Stop{key->line, key->column, "a key must be a word", ""};
    top.key = std::move(key);
  }

  void addValue(Open &top, std::shared_ptr<Node> value) {
    NodeRef key = std::exchange(top.key, nullptr);
    if (value->kind == Node::Kind::Null) { // yaml-cpp gives the place of what follows
      value = std::make_shared<Node>(*value);
      value->line = key->line;
      value->column = key->column;
    }
    auto [first, isNew] = top.lines.emplace(key->text, key->line);
    if (isNew)
      top.node->entries.emplace_back(std::move(key), std::move(value));
    else if (++doubledKeys > doubledKeyLimit)
      throw Stop{key->line, key->column, "more than " + std::to_string(doubledKeyLimit) + " doubled keys", ""};
    else
      diagnostics.error({file, key->line, key->column}, "doubled key '" + shown(key->text) + "'",
                        "it stands in line " + std::to_string(first->second) + " already");
  }

  const std::string &file;
  Diagnostics &diagnostics;
  std::vector<Open> stack;
  std::map<YAML::anchor_t, Anchor> anchors;
  static constexpr size_t doubledKeyLimit = 100;
  size_t doubledKeys = 0;
};

/// Length of the UTF-8 sequence at `at` (RFC 3629), 0 where there is none.
size_t sequenceLength(std::string_view text, size_t at) {
  auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u; };
  auto isNext = [&](size_t i) { return (byte(i) & 0xc0u) == 0x80u; };
  unsigned first = byte(0), second = byte(1);
  if (first < 0x80)
    return 1;
  if (first >= 0xc2 && first <= 0xdf)
    return isNext(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    bool valid = isNext(1) && isNext(2) && !(first == 0xe0 && second < 0xa0) && !(first == 0xed && second > 0x9f);
    return valid ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    bool valid =
        isNext(1) && isNext(2) && isNext(3) && !(first == 0xf0 && second < 0x90) && !(first == 0xf4 && second > 0x8f);
    return valid ? 4 : 0;
  }
  return 0;
}

/// YAML is text: UTF-8 without control characters. Returns false after a message about the first byte that is not.
bool isText(const std::string &text, const std::string &file, Diagnostics &diagnostics) {
  int line = 1, column = 1;
  for (size_t at = 0; at < text.size();) {
    unsigned char byte = static_cast<unsigned char>(text[at]);
    size_t length = sequenceLength(text, at);
    bool isControl = (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
    if (length == 0 || isControl) {
      static const char digits[] = "0123456789abcdef";
      std::string hex = {digits[byte >> 4], digits[byte & 15]};
      diagnostics.error({file, line, column}, "not YAML: byte 0x" + hex + " is no text",
                        "the file must be text in UTF-8");
      return false;
    }
    ++column;
    if (byte == '\n') {
      ++line;
      column = 1;
    }
    at += length;
  }
  return true;
}

/// True where the indentation of this line (from 1) holds a tab.
bool isIndentedByTab(const std::string &text, int line) {
  size_t start = 0;
  for (int i = 1; i < line && start != std::string::npos; ++i) {
    start = text.find('\n', start);
    start = start == std::string::npos ? start : start + 1;
  }
  if (start == std::string::npos)
    return false;
  size_t end = text.find_first_not_of(" \t", start);
  return text.substr(start, end == std::string::npos ? end : end - start).find('\t') != std::string::npos;
}

} // namespace

std::string shown(std::string_view text) {
  std::string result;
  size_t characters = 0;
  for (size_t at = 0; at < text.size(); ++characters) {
    if (characters == 40)
      return result + "...";
    size_t length = std::max<size_t>(1, sequenceLength(text, at));
    result += static_cast<unsigned char>(text[at]) < 0x20 ? std::string_view(" ") : text.substr(at, length);
    at += length;
  }
  return result;
}

NodeRef parse(const std::string &text, const std::string &file, Diagnostics &diagnostics) {
  if (!isText(text, file, diagnostics))
    return nullptr;
  TreeBuilder builder(file, diagnostics);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    if (!builder.root)
      diagnostics.error({file, 1, 1}, "the file is empty",
                        "a network file needs the keys name, input, network, loss and optimizer");
    return builder.root;
  } catch (const Stop &stop) {
    diagnostics.error({file, stop.line, stop.column}, stop.text, stop.hint);
  } catch (const YAML::Exception &exception) {
    bool isPlaced = !exception.mark.is_null();
    int line = isPlaced ? exception.mark.line + 1 : 1, column = isPlaced ? exception.mark.column + 1 : 1;
    diagnostics.error({file, line, column}, "not YAML: " + exception.msg,
                      isIndentedByTab(text, line) ? "YAML indents by spaces, not by tabs" : "");
  } catch (const std::exception &exception) {
    diagnostics.error({file}, std::string("internal error: yaml-cpp: ") + exception.what(), "please report this file");
  }
  return nullptr;
}

} // namespace sylvite::yaml
