//===- Blocks.h - the `blocks` of a network file ------------------------------------------------------------------===//
//
// Lists of layers with parameters, declared once and used like layers. A use is the list with the parameters' values in
// their places. Layer: frontend; knows no MLIR.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_FRONTEND_BLOCKS_H
#define SYLVITE_FRONTEND_BLOCKS_H

#include "compiler/frontend/Values.h"

#include <map>
#include <optional>
#include <unordered_set>

namespace sylvite {

/// A block as it is declared.
struct Block {
  std::string name;
  const yaml::Node *place;                                       ///< its name in the file
  std::vector<std::pair<std::string, yaml::NodeRef>> parameters; ///< with their defaults; Null: required
  yaml::NodeRef layers;                                          ///< a list of one entry or more
  size_t size = 0;                                               ///< nodes in `layers`

  std::vector<std::string> parameterNames() const;
};

/// Values of a block's parameters in one use.
using BlockArguments = std::map<std::string, yaml::NodeRef>;

class BlockTable {
public:
  /// Reads the file's `blocks`, which may be absent. Problems are reported; a block that has some is declared but holds
  /// what could be read. A block must not have the name of one of `layerKinds`.
  BlockTable(const yaml::Node &file, ValueReader &reader, const std::vector<std::string> &layerKinds);

  const Block *find(const std::string &name) const;
  std::vector<std::string> names() const;

  /// The block's layers for one use: each `$parameter` is replaced by its argument. Nothing after a message: the file's
  /// blocks have become larger than expansionLimit.
  yaml::NodeRef expand(const Block &block, const BlockArguments &arguments, const yaml::Node &use);

  /// Warns about blocks that were never expanded.
  void warnAboutUnused() const;

  /// Most values in all uses of blocks together.
  static constexpr size_t expansionLimit = 1'000'000;

private:
  void declare(const yaml::NodeRef &name, const yaml::Node &settings, const std::vector<std::string> &layerKinds);
  /// Finds the `$parameters` below `node`, and reports those that the block does not have. True where there are some.
  bool findParameters(const Block &block, const yaml::NodeRef &node, std::unordered_set<std::string> &used);
  yaml::NodeRef substitute(const yaml::NodeRef &node, const BlockArguments &arguments);

  ValueReader &reader;
  std::vector<Block> blocks;
  std::unordered_set<const yaml::Node *> parametric; ///< nodes of blocks with a `$parameter` in them
  std::unordered_set<std::string> expanded;
  size_t expandedSize = 0;
};

/// Keys of a block's use besides its parameters, and of a block's declaration.
const std::vector<std::string> &blockUseKeys();
const std::vector<std::string> &blockKeys();

} // namespace sylvite

#endif
