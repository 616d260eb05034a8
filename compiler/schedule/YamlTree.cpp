// Builds the tree from yaml-cpp's events, so that limits hold while the file is read. Layer: schedule.
#include "compiler/schedule/YamlTree.h"

#include "compiler/support/Files.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <istream>
#include <map>
#include <sstream>
#include <utility>

namespace sylvite::schedule {

namespace {

/// What stops reading at once; everything else is reported and reading goes on.
struct Stop {
  YAML::Mark mark;
  std::string text;
};

class TreeBuilder : public YAML::EventHandler {
public:
  TreeBuilder(const std::string &file, Diagnostics &diagnostics) : file(file), diagnostics(diagnostics) {}

  YamlNode root;

  void OnDocumentStart(const YAML::Mark &) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark &mark, YAML::anchor_t anchor) override {
    complete(make(YamlNode::Kind::Null, mark), anchor);
  }

  void OnScalar(const YAML::Mark &mark, const std::string &, YAML::anchor_t anchor, const std::string &value) override {
    YamlNode node = make(YamlNode::Kind::Scalar, mark);
    node.text = value;
    complete(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark &mark, YAML::anchor_t anchor) override {
    auto found = anchors.find(anchor);
    if (found == anchors.end())
      throw Stop{mark, "an alias stands inside its own anchor"};
    if (found->second.depth + open.size() > kYamlDepthLimit)
      throw Stop{mark, depthText()};
    if (!open.empty())
      open.back().height = std::max(open.back().height, found->second.depth + 1);
    countNodes(found->second.nodes, mark);
    complete(YamlNode(found->second.node), 0);
  }

  void OnSequenceStart(const YAML::Mark &mark, const std::string &, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(YamlNode::Kind::List, mark, anchor);
  }
  void OnMapStart(const YAML::Mark &mark, const std::string &, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    start(YamlNode::Kind::Map, mark, anchor);
  }
  void OnSequenceEnd() override { finish(); }
  void OnMapEnd() override { finish(); }

private:
  struct Frame {
    YamlNode node;
    YAML::anchor_t anchor;
    size_t firstNode; ///< nodes counted before this one
    size_t height;    ///< levels below and with this node
    std::map<std::string, int> keyLines;
  };
  struct Anchored {
    YamlNode node;
    size_t nodes;
    size_t depth;
  };

  static std::string depthText() {
    return "lists and maps are nested more than " + std::to_string(kYamlDepthLimit) + " deep";
  }

  void countNodes(size_t more, const YAML::Mark &mark) {
    nodes += more;
    if (nodes > kYamlNodeLimit)
      throw Stop{mark, "more than " + std::to_string(kYamlNodeLimit) + " values, with aliases expanded"};
  }

  YamlNode make(YamlNode::Kind kind, const YAML::Mark &mark) {
    countNodes(1, mark);
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }

  void start(YamlNode::Kind kind, const YAML::Mark &mark, YAML::anchor_t anchor) {
    if (open.size() >= kYamlDepthLimit)
      throw Stop{mark, depthText()};
    size_t before = nodes;
    open.push_back({make(kind, mark), anchor, before, 1, {}});
  }

  void finish() {
    Frame frame = std::move(open.back());
    open.pop_back();
    if (!open.empty())
      open.back().height = std::max(open.back().height, frame.height + 1);
    if (frame.anchor)
      anchors[frame.anchor] = {frame.node, nodes - frame.firstNode, frame.height};
    place(std::move(frame.node));
  }

  void complete(YamlNode node, YAML::anchor_t anchor) {
    if (anchor)
      anchors[anchor] = {node, 1, 0};
    place(std::move(node));
  }

  /// Puts a complete node where it belongs: the document, a list, or a map's next key or value.
  void place(YamlNode node) {
    if (open.empty()) {
      root = std::move(node);
      return;
    }
    Frame &frame = open.back();
    if (!frame.node.isMap() || frame.node.keys.size() > frame.node.items.size()) {
      frame.node.items.push_back(std::move(node));
      return;
    }
    if (!node.isScalar()) {
      diagnostics.error({file, node.line, node.column}, "a key must be a word, not " + node.description());
    } else if (auto [first, isNew] = frame.keyLines.emplace(node.text, node.line); !isNew) {
      diagnostics.error({file, node.line, node.column}, "key '" + node.text + "' is written twice",
                        "the first one is at line " + std::to_string(first->second));
    }
    frame.node.keys.push_back(std::move(node));
  }

  const std::string &file;
  Diagnostics &diagnostics;
  std::vector<Frame> open;
  std::map<YAML::anchor_t, Anchored> anchors;
  size_t nodes = 0;
};

} // namespace

std::string YamlNode::description() const {
  switch (kind) {
  case Kind::Null:
    return "nothing";
  case Kind::Scalar:
    return "'" + (text.size() > 60 ? text.substr(0, 57) + "..." : text) + "'";
  case Kind::List:
    return "a list";
  case Kind::Map:
    return "a map";
  }
  return "";
}

namespace {

/// A scalar that reads back as it is: plain where that is safe in a flow list, else in quotes.
std::string scalarText(const std::string &text) {
  static const std::string letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$";
  bool plain = !text.empty() && letters.find(text[0]) != std::string::npos && text.back() != ' ' &&
               text.find_first_not_of(letters + " .*+()/%-") == std::string::npos && text != "null" && text != "Null" &&
               text != "NULL";
  if (plain)
    return text;
  bool lines = text.find_first_of("\n\r\t") != std::string::npos;
  std::string result(1, lines ? '"' : '\'');
  for (char c : text) {
    if (!lines)
      result.append(c == '\'' ? 2 : 1, c);
    else if (c == '\n' || c == '\r' || c == '\t')
      result.append(c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
    else
      result.append(c == '"' || c == '\\' ? "\\" : "").append(1, c);
  }
  return result.append(1, lines ? '"' : '\'');
}

} // namespace

std::string flowText(const YamlNode &node) {
  if (node.isScalar())
    return scalarText(node.text);
  if (!node.isList() && !node.isMap())
    return "~";
  std::string text = node.isMap() ? "{" : "[";
  for (size_t i = 0; i < node.items.size(); ++i) {
    text.append(i ? ", " : "");
    if (node.isMap())
      text.append(scalarText(node.keys[i].text)).append(": ");
    text.append(flowText(node.items[i]));
  }
  return text.append(node.isMap() ? "}" : "]");
}

std::optional<YamlNode> parseYaml(std::string_view text, const std::string &file, Diagnostics &diagnostics) {
  size_t errorsBefore = diagnostics.errorCount();
  auto fail = [&](const YAML::Mark &mark, const std::string &message) -> std::optional<YamlNode> {
    Location location{file, mark.is_null() ? 0 : mark.line + 1, mark.is_null() ? 0 : mark.column + 1};
    diagnostics.error(location, message);
    return std::nullopt;
  };
  if (text.find('\0') != std::string_view::npos)
    return fail(YAML::Mark::null_mark(), "is not a text file");
  TreeBuilder builder(file, diagnostics);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    TreeBuilder second(file, diagnostics);
    if (parser.HandleNextDocument(second))
      return fail({}, "holds more than one YAML document");
  } catch (const Stop &stop) {
    return fail(stop.mark, stop.text);
  } catch (const YAML::Exception &error) {
    return fail(error.mark, "not YAML: " + error.msg);
  }
  if (diagnostics.errorCount() > errorsBefore)
    return std::nullopt;
  return std::move(builder.root);
}

std::optional<YamlNode> readYaml(const std::filesystem::path &path, Diagnostics &diagnostics) {
  std::string error;
  std::optional<std::string> text = readFile(path, kYamlSizeLimit, error);
  if (!text) {
    diagnostics.error({path.string()}, error);
    return std::nullopt;
  }
  return parseYaml(*text, path.string(), diagnostics);
}

} // namespace sylvite::schedule
