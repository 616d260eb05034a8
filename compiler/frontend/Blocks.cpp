//===- Blocks.cpp - the `blocks` of a network file ----------------------------------------------------------------===//
//
// Parameters are whole scalars, `$filters`, that are not in quotes; their values are YAML nodes, with the places where
// they stand in the file.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/frontend/Blocks.h"

#include "compiler/support/Names.h"

#include <algorithm>

namespace sylvite {

using yaml::Node;
using yaml::NodeRef;

namespace {

bool isParameter(const Node &node) {
  return node.kind == Node::Kind::Scalar && !node.quoted && node.text.size() > 1 && node.text[0] == '$';
}

/// Nodes below `node` and itself, counted up to `most`: arguments within arguments grow fast.
size_t sizeOf(const Node &node, size_t most) {
  size_t size = 1;
  for (const NodeRef &item : node.items)
    if (size <= most)
      size += sizeOf(*item, most - size);
  for (const auto &[key, value] : node.entries)
    if (size <= most)
      size += 1 + sizeOf(*value, most - size);
  return size;
}

} // namespace

const std::vector<std::string> &blockUseKeys() {
  static const std::vector<std::string> keys = {"name",      "from",          "repeat",      "weights",
                                                "trainable", "learning_rate", "weight_decay"};
  return keys;
}
const std::vector<std::string> &blockKeys() {
  static const std::vector<std::string> keys = {"parameters", "layers"};
  return keys;
}

std::vector<std::string> Block::parameterNames() const {
  std::vector<std::string> names;
  for (const auto &[name, value] : parameters)
    names.push_back(name);
  return names;
}

BlockTable::BlockTable(const Node &file, ValueReader &reader, const std::vector<std::string> &layerKinds)
    : reader(reader) {
  const Node *node = file.find("blocks");
  if (!node)
    return;
  if (node->kind != Node::Kind::Map)
    reader.error(*node, "blocks must be a map of names, found " + ValueReader::describe(*node),
                 "blocks: {residual: {parameters: {filters: 64}, layers: [...]}}");
  for (const auto &[name, settings] : node->entries)
    declare(name, *settings, layerKinds);
}

void BlockTable::declare(const NodeRef &name, const Node &settings, const std::vector<std::string> &layerKinds) {
  auto text = reader.name(*name, "blocks: the name of a block", false);
  if (!text)
    return;
  Block block;
  block.name = *text;
  block.place = name.get();
  std::string label = "block '" + block.name + "'";
  if (std::find(layerKinds.begin(), layerKinds.end(), block.name) != layerKinds.end())
    reader.error(*name, label + ": there is a layer of this name");
  if (reader.checkKeys(settings, label, blockKeys()) || settings.kind == Node::Kind::Map) {
    if (const Node *parameters = settings.find("parameters"); parameters && parameters->kind == Node::Kind::Map) {
      for (const auto &[parameter, value] : parameters->entries) {
        const auto &reserved = blockUseKeys();
        if (std::find(reserved.begin(), reserved.end(), parameter->text) != reserved.end())
          reader.error(*parameter, label + ": a parameter must not be called '" + parameter->text + "'",
                       "every use of a block has that key");
        else if (reader.name(*parameter, label + ": the name of a parameter", false))
          block.parameters.emplace_back(parameter->text, value);
      }
    } else if (parameters) {
      reader.error(*parameters,
                   label + ": parameters must be a map of names and defaults, found " +
                       ValueReader::describe(*parameters),
                   "parameters: {filters: null, stride: 1}; null: it has no default");
    }
    for (const auto &[key, value] : settings.entries)
      if (key->text == "layers")
        block.layers = value;
    if (!block.layers && !ValueReader::isMisspelt(settings, "layers", blockKeys()))
      reader.error(*name, label + ": the key 'layers' is missing", block.name + ": {layers: [relu]}");
  }
  if (block.layers && (block.layers->kind != Node::Kind::Sequence || block.layers->items.empty())) {
    reader.error(
        *block.layers,
        label + ": layers must be a list of one layer or more, found " +
            (block.layers->kind == Node::Kind::Sequence ? "an empty list" : ValueReader::describe(*block.layers)));
    block.layers = nullptr;
  }
  if (block.layers) {
    block.size = sizeOf(*block.layers, expansionLimit);
    std::unordered_set<std::string> used;
    findParameters(block, block.layers, used);
    for (const auto &[key, value] :
         settings.find("parameters") ? settings.find("parameters")->entries : decltype(settings.entries)())
      if (!used.contains(key->text) && std::any_of(block.parameters.begin(), block.parameters.end(),
                                                   [&](const auto &each) { return each.first == key->text; }))
        reader.error(*key, label + ": no layer uses the parameter '" + key->text + "'",
                     "a layer uses it as `$" + key->text + "`");
  }
  blocks.push_back(std::move(block));
}

bool BlockTable::findParameters(const Block &block, const NodeRef &node, std::unordered_set<std::string> &used) {
  bool found = isParameter(*node);
  if (found) {
    std::string name = node->text.substr(1);
    std::vector<std::string> known = block.parameterNames();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      std::string hint = didYouMean(name, known);
      reader.error(*node, "block '" + block.name + "': unknown parameter '" + yaml::shown(name) + "'",
                   !hint.empty()   ? hint
                   : known.empty() ? "it has no parameters; write `parameters: {" + yaml::shown(name) + ": null}`"
                                   : "its parameters: " + join(known));
    }
    used.insert(name);
  }
  for (const NodeRef &item : node->items)
    found |= findParameters(block, item, used);
  for (const auto &[key, value] : node->entries) {
    found |= findParameters(block, key, used);
    found |= findParameters(block, value, used);
  }
  if (found)
    parametric.insert(node.get());
  return found;
}

NodeRef BlockTable::substitute(const NodeRef &node, const BlockArguments &arguments) {
  if (!parametric.contains(node.get()))
    return node;
  if (isParameter(*node)) {
    auto found = arguments.find(node->text.substr(1));
    return found == arguments.end() ? node : found->second;
  }
  auto copy = std::make_shared<Node>(*node);
  for (NodeRef &item : copy->items)
    item = substitute(item, arguments);
  for (auto &[key, value] : copy->entries) {
    NodeRef name = substitute(key, arguments);
    if (name->kind == Node::Kind::Scalar)
      key = name;
    else
      reader.error(*name, "a list or map stands for the name '" + yaml::shown(key->text) + "' in line " +
                              std::to_string(key->line));
    value = substitute(value, arguments);
  }
  return copy;
}

NodeRef BlockTable::expand(const Block &block, const BlockArguments &arguments, const Node &use) {
  expanded.insert(block.name);
  if (!block.layers)
    return nullptr;
  expandedSize += block.size;
  for (const auto &[name, value] : arguments)
    expandedSize += sizeOf(*value, expansionLimit);
  if (expandedSize > expansionLimit) {
    reader.error(use, "blocks have more than " + std::to_string(expansionLimit) + " values, each use counted");
    return nullptr;
  }
  return substitute(block.layers, arguments);
}

const Block *BlockTable::find(const std::string &name) const {
  auto found = std::find_if(blocks.begin(), blocks.end(), [&](const Block &block) { return block.name == name; });
  return found == blocks.end() ? nullptr : &*found;
}

std::vector<std::string> BlockTable::names() const {
  std::vector<std::string> result;
  for (const Block &block : blocks)
    result.push_back(block.name);
  return result;
}

void BlockTable::warnAboutUnused() const {
  for (const Block &block : blocks)
    if (!expanded.contains(block.name))
      reader.warning(*block.place, "block '" + block.name + "': nothing uses it");
}

} // namespace sylvite
