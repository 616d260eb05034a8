//===- Yaml.h - a YAML document with positions --------------------------------------------------------------------===//
//
// What a network file holds, as a tree of nodes that know their line and column. Only Yaml.cpp uses yaml-cpp, by its
// events: so limits hold while the file is read, and doubled keys are seen. Layer: frontend.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_FRONTEND_YAML_H
#define SYLVITE_FRONTEND_YAML_H

#include "compiler/support/Diagnostics.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sylvite::yaml {

/// Deepest nesting of lists and maps.
inline constexpr size_t depthLimit = 64;
/// Most values in a file; an alias counts as many as it stands for.
inline constexpr size_t nodeLimit = 100'000;

struct Node;
using NodeRef = std::shared_ptr<const Node>; ///< several aliases share one node; there are no cycles

/// A value of a YAML file. Line and column count from 1; columns count characters.
struct Node {
  enum class Kind { Null, Scalar, Sequence, Map };

  Kind kind = Kind::Null;
  int line = 0;
  int column = 0;
  std::string text;                                 ///< of a scalar
  bool quoted = false;                              ///< a quoted scalar is a text, whatever it looks like
  std::vector<NodeRef> items;                       ///< of a sequence
  std::vector<std::pair<NodeRef, NodeRef>> entries; ///< of a map, in order; keys are scalars and differ

  /// The value under `key`, or null.
  const Node *find(std::string_view key) const;
};

/// Text of the user as messages show it: on one line and at most 40 characters.
std::string shown(std::string_view text);

/// Parses the one document in `text`. Returns null after an error; doubled keys are errors too, but then the document
/// is returned, with the first of each. `file` stands in the messages. Throws nothing.
NodeRef parse(const std::string &text, const std::string &file, Diagnostics &diagnostics);

} // namespace sylvite::yaml

#endif
