// A YAML document as a plain tree with the place of every node. Layer: schedule.
// Limits that keep any file harmless: its size, its depth, and its number of nodes with aliases expanded.
#pragma once

#include "compiler/support/Diagnostics.h"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sylvite::schedule {

/// Deepest nesting of lists and maps that is read.
inline constexpr size_t kYamlDepthLimit = 64;
/// Most nodes in one document, where every use of an alias counts as a copy.
inline constexpr size_t kYamlNodeLimit = 100000;

/// One node. A map keeps its keys and values in the order of the file: `keys[i]` belongs to `items[i]`.
struct YamlNode {
  enum class Kind { Null, Scalar, List, Map };
  Kind kind = Kind::Null;
  std::string text;            ///< of a scalar
  std::vector<YamlNode> keys;  ///< of a map; always scalars
  std::vector<YamlNode> items; ///< of a list or map
  int line = 0;
  int column = 0;

  bool isScalar() const { return kind == Kind::Scalar; }
  bool isList() const { return kind == Kind::List; }
  bool isMap() const { return kind == Kind::Map; }
  /// `a list`, `a map`, `nothing` or `'text'`: how messages call it.
  std::string description() const;
};

/// Reads one document. Reports what is not YAML, keys written twice, keys that are no scalars, a second document, and
/// anything past the limits; returns nothing when there was such an error. `file` is the name for messages.
std::optional<YamlNode> parseYaml(std::string_view text, const std::string &file, Diagnostics &diagnostics);

/// A node as YAML text in flow style, on one line: equal for equal trees, whatever their layout and comments were.
std::string flowText(const YamlNode &node);

/// parseYaml() of a file of at most kYamlSizeLimit bytes.
std::optional<YamlNode> readYaml(const std::filesystem::path &path, Diagnostics &diagnostics);

} // namespace sylvite::schedule
