//===- LayerReader.cpp - one entry of `network`, `preprocess` or `loss` -------------------------------------------===//
#include "compiler/frontend/LayerReader.h"

#include "compiler/frontend/Settings.h"
#include "compiler/support/Names.h"

#include <algorithm>

namespace sylvite {

using yaml::Node;

namespace {

/// How messages call an entry of this role, and where it stands.
const char *nounOf(LayerRole role) {
  return role == LayerRole::Layer ? "layer" : role == LayerRole::Loss ? "loss" : "preprocessing step";
}
const char *sectionOf(LayerRole role) {
  return role == LayerRole::Layer ? "network" : role == LayerRole::Loss ? "loss" : "preprocess";
}

/// The layer with its required attributes, as one writes it: `conv2d: {filters: NUMBER, kernel: NUMBER or [H, W]}`.
std::string example(const LayerRecord &record) {
  std::string text;
  for (const LayerAttribute &attribute : record.attributes)
    if (attribute.isRequired)
      text += (text.empty() ? "" : ", ") + attribute.name +
              (attribute.type == AttributeType::Pair ? ": NUMBER or [H, W]" : ": NUMBER");
  return text.empty() ? record.name : record.name + ": {" + text + "}";
}

std::vector<std::string> keysOf(const LayerRecord &record) {
  std::vector<std::string> keys;
  for (const LayerAttribute &attribute : record.attributes)
    keys.push_back(attribute.name);
  if (record.role == LayerRole::Layer)
    keys.push_back("name");
  return keys;
}

} // namespace

std::string LayerEntry::label() const {
  return record->role == LayerRole::Layer ? record->name + " '" + name + "'" : record->name;
}

const LayerRecord *LayerReader::findKind(const Node &node, LayerRole role) {
  const LayerRecord *record = findLayer(node.text);
  if (record && record->role == role)
    return record;
  std::vector<std::string> known = layerNames(role);
  std::string hint = didYouMean(node.text, known);
  if (record)
    hint = std::string("it is a ") + nounOf(record->role) + ": it stands under `" + sectionOf(record->role) + "`";
  else if (llvm::is_contained(outputKinds(), node.text))
    hint = "write `output: " + node.text + "`; the loss takes the network's last value as it is";
  else if (hint.empty())
    hint = std::string("known: ") + join(known);
  reader.error(node, std::string("unknown ") + nounOf(role) + " '" + yaml::shown(node.text) + "'", hint);
  return nullptr;
}

LayerEntry LayerReader::read(const Node &node, LayerRole role) {
  LayerEntry entry;
  entry.place = &node;
  const Node *settings = nullptr; // a map, or the main attribute's value
  if (node.kind == Node::Kind::Map && node.entries.size() == 1) {
    entry.place = node.entries[0].first.get();
    if (node.entries[0].second->kind != Node::Kind::Null)
      settings = node.entries[0].second.get();
  } else if (node.kind == Node::Kind::Map) {
    bool isHanging = !node.entries.empty() && node.entries[0].second->kind == Node::Kind::Null;
    reader.error(node,
                 std::string("a ") + nounOf(role) + " must be a name, or one name with its settings, found a map of " +
                     std::to_string(node.entries.size()) + " keys",
                 isHanging ? "indent the settings of '" + yaml::shown(node.entries[0].first->text) + "' further" : "");
    return entry;
  } else if (node.kind != Node::Kind::Scalar) {
    reader.error(node, std::string("a ") + nounOf(role) + " must be a name, or a name with its settings, found " +
                           reader.describe(node));
    return entry;
  }
  entry.record = findKind(*entry.place, role);
  if (!entry.record)
    return entry;
  const LayerRecord &record = *entry.record;

  bool isMap = settings && settings->kind == Node::Kind::Map;
  readName(entry, isMap ? settings->find("name") : nullptr);
  bool valid = true;
  if (isMap) {
    valid = collectValues(entry, *settings);
  } else if (settings && !record.mainAttribute.empty()) {
    entry.values[record.mainAttribute] = settings;
  } else if (settings) {
    reader.error(*settings, entry.label() + ": takes no value, found " + reader.describe(*settings),
                 record.attributes.empty() ? "it has no settings"
                                           : "settings are written as `" + record.name + ": {key: value}`");
    valid = false;
  }
  mlir::NamedAttrList attributes;
  for (const LayerAttribute &attribute : record.attributes) {
    auto found = entry.values.find(attribute.name);
    if (found == entry.values.end()) {
      if (!attribute.isRequired)
        continue;
      valid = false;
      if (isMap && reader.isMisspelt(*settings, attribute.name, keysOf(record)))
        continue;
      reader.error(*entry.place, entry.label() + ": the key '" + attribute.name + "' is missing", example(record));
    } else if (auto value = readAttribute(*found->second, attribute, entry.label() + ": " + attribute.name)) {
      attributes.set(attribute.name, value);
    } else {
      valid = false;
    }
  }
  if (valid)
    entry.attributes = attributes.getDictionary(&context);
  return entry;
}

void LayerReader::readName(LayerEntry &entry, const Node *given) {
  entry.name = entry.record->name;
  if (entry.record->role != LayerRole::Layer)
    return;
  entry.name.append("_").append(std::to_string(++counts[entry.record->name]));
  const Node *place = entry.place;
  if (given) {
    auto name = reader.name(*given, entry.record->name + ": name", false);
    if (!name)
      return;
    entry.name = *name;
    place = given;
  }
  auto [first, isNew] = lines.emplace(entry.name, place->line);
  if (!isNew)
    reader.error(*place,
                 entry.label() + ": there is a layer of this name already, in line " + std::to_string(first->second),
                 given ? "" : "layers without a name are called by kind and number");
}

bool LayerReader::collectValues(LayerEntry &entry, const Node &settings) {
  for (const auto &[key, value] : settings.entries)
    if (entry.record->attribute(key->text))
      entry.values[key->text] = value.get();
  return reader.checkKeys(settings, entry.label(), keysOf(*entry.record));
}

mlir::Attribute LayerReader::readAttribute(const Node &node, const LayerAttribute &attribute, const std::string &what) {
  switch (attribute.type) {
  case AttributeType::Count: {
    auto value = reader.whole(node, what, 1, nn::maxDimension);
    return value ? mlir::IntegerAttr::get(mlir::IntegerType::get(&context, 64), *value) : nullptr;
  }
  case AttributeType::Flag: {
    auto value = reader.flag(node, what);
    return value ? mlir::BoolAttr::get(&context, *value) : nullptr;
  }
  case AttributeType::Number: {
    auto value = reader.number(node, what);
    return value ? mlir::FloatAttr::get(mlir::Float64Type::get(&context), *value) : nullptr;
  }
  case AttributeType::Pair:
    return readPair(node, what, 1, false);
  case AttributeType::Padding:
    return readPair(node, what, 0, true);
  case AttributeType::Numbers:
    return readNumbers(node, what);
  }
  llvm_unreachable("every attribute type is read");
}

mlir::Attribute LayerReader::readPair(const Node &node, const std::string &what, int64_t least, bool isPadding) {
  bool isList = node.kind == Node::Kind::Sequence;
  bool isWord = node.kind == Node::Kind::Scalar && reader.describe(node) != node.text; // neither number nor flag
  if (isPadding && node.kind == Node::Kind::Scalar && (node.text == "same" || node.text == "valid"))
    return mlir::StringAttr::get(&context, node.text);
  if (isList ? node.items.size() != 2 : node.kind != Node::Kind::Scalar || (isPadding && isWord)) {
    std::string found = isList ? "a list of " + std::to_string(node.items.size()) : reader.describe(node);
    reader.error(node,
                 what + " must be a number" + (isPadding ? ", a pair [H, W], same or valid" : " or a pair [H, W]") +
                     ", found " + found,
                 isWord ? didYouMean(node.text, {"same", "valid"}) : "");
    return nullptr;
  }
  auto height = reader.whole(isList ? *node.items[0] : node, what, least, nn::maxDimension);
  auto width = isList ? reader.whole(*node.items[1], what, least, nn::maxDimension) : height;
  if (!height || !width)
    return nullptr;
  if (isPadding)
    return mlir::DenseI64ArrayAttr::get(&context, {*height, *height, *width, *width});
  return mlir::DenseI64ArrayAttr::get(&context, {*height, *width});
}

mlir::Attribute LayerReader::readNumbers(const Node &node, const std::string &what) {
  llvm::SmallVector<double> values;
  bool valid = true;
  auto readOne = [&](const Node &item) {
    auto value = reader.number(item, what);
    valid &= value.has_value();
    values.push_back(value.value_or(0));
  };
  if (node.kind != Node::Kind::Sequence)
    readOne(node);
  for (const yaml::NodeRef &item : node.items)
    readOne(*item);
  return valid ? mlir::DenseF64ArrayAttr::get(&context, values) : nullptr;
}

} // namespace sylvite
