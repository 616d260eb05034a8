//===- LayerReader.cpp - one entry of `network`, `preprocess` or `loss` -------------------------------------------===//
#include "compiler/frontend/LayerReader.h"

#include "compiler/frontend/Attributes.h"
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
      text += (text.empty() ? "" : ", ") + attribute.name + ": " + placeholder(attribute);
  return text.empty() ? record.name : record.name + ": {" + text + "}";
}

std::vector<std::string> commonKeysOf(const LayerRecord &record) {
  return commonKeys(record.role, llvm::any_of(record.operands, [](const LayerOperand &operand) {
                      return operand.kind == OperandKind::Parameter;
                    }));
}

std::vector<std::string> keysOf(const LayerRecord &record) {
  std::vector<std::string> keys;
  for (const LayerAttribute &attribute : record.attributes)
    keys.push_back(attribute.name);
  for (const std::string &key : commonKeysOf(record))
    keys.push_back(key);
  return keys;
}

} // namespace

std::vector<std::string> commonKeys(LayerRole role, bool hasParameters) {
  if (role == LayerRole::Loss)
    return {"from", "weight", "target"};
  if (role == LayerRole::Preprocess)
    return {};
  if (!hasParameters)
    return {"name", "from"};
  return {"name", "from", "weights", "init", "trainable", "learning_rate", "weight_decay"};
}

EntryForm formOf(const Node &node) {
  if (node.kind == Node::Kind::Scalar)
    return {&node, nullptr};
  if (node.kind != Node::Kind::Map || node.entries.size() != 1)
    return {};
  const Node *settings = node.entries[0].second.get();
  return {node.entries[0].first.get(), settings->kind == Node::Kind::Null ? nullptr : settings};
}

std::string LayerEntry::label() const {
  return record->role == LayerRole::Layer ? record->name + " '" + name + "'" : record->name;
}

const Node *LayerEntry::find(const std::string &key) const {
  auto found = common.find(key);
  return found == common.end() ? nullptr : found->second;
}

const LayerRecord *LayerReader::findKind(const Node &node, LayerRole role, const std::vector<std::string> &otherKinds) {
  const LayerRecord *record = findLayer(node.text);
  if (record && record->role == role)
    return record;
  std::vector<std::string> known = layerNames(role);
  known.insert(known.end(), otherKinds.begin(), otherKinds.end());
  std::string hint = didYouMean(node.text, known);
  if (record)
    hint = std::string("it is a ") + nounOf(record->role) + ": it stands under `" + sectionOf(record->role) + "`";
  else if (hint.empty())
    hint = std::string("known: ") + join(known);
  reader.error(node, std::string("unknown ") + nounOf(role) + " '" + yaml::shown(node.text) + "'", hint);
  return nullptr;
}

LayerEntry LayerReader::read(const Node &node, LayerRole role, NameScope &names,
                             const std::vector<std::string> &otherKinds) {
  LayerEntry entry;
  auto [kind, settings] = formOf(node);
  entry.place = kind ? kind : &node;
  if (!kind && node.kind == Node::Kind::Map) {
    bool isHanging = !node.entries.empty() && node.entries[0].second->kind == Node::Kind::Null;
    reader.error(node,
                 std::string("a ") + nounOf(role) + " must be a name, or one name with its settings, found a map of " +
                     std::to_string(node.entries.size()) + " keys",
                 isHanging ? "indent the settings of '" + yaml::shown(node.entries[0].first->text) + "' further" : "");
    return entry;
  }
  if (!kind) {
    reader.error(node, std::string("a ") + nounOf(role) + " must be a name, or a name with its settings, found " +
                           reader.describe(node));
    return entry;
  }
  bool isMap = settings && settings->kind == Node::Kind::Map;
  const Node *given = isMap ? settings->find("name") : nullptr;
  entry.record = findKind(*kind, role, otherKinds);
  if (!entry.record) {
    if (given && given->kind == Node::Kind::Scalar)
      entry.name = names.prefix + given->text; // others may name it all the same
    return entry;
  }
  const LayerRecord &record = *entry.record;
  entry.name = role == LayerRole::Layer ? nameOf(*entry.place, record.name, given, names) : record.name;
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
    } else if (auto value =
                   readAttribute(*found->second, attribute, entry.label() + ": " + attribute.name, context, reader)) {
      attributes.set(attribute.name, value);
    } else {
      valid = false;
    }
  }
  if (valid)
    entry.attributes = attributes.getDictionary(&context);
  return entry;
}

std::string LayerReader::nameOf(const Node &place, const std::string &kind, const Node *given, NameScope &names) {
  std::string name = kind + "_" + std::to_string(++names.counts[kind]);
  const Node *at = &place;
  if (given) {
    auto text = reader.name(*given, kind + ": name", false);
    if (!text)
      return names.prefix + name;
    name = *text;
    at = given;
  }
  auto [first, isNew] = names.lines.emplace(name, at->line);
  if (!isNew)
    reader.error(*at,
                 kind + " '" + names.prefix + name + "': there is a layer of this name already, in line " +
                     std::to_string(first->second),
                 given ? "" : "layers without a name are called by kind and number");
  return names.prefix + name;
}

bool LayerReader::collectValues(LayerEntry &entry, const Node &settings) {
  std::vector<std::string> common = commonKeysOf(*entry.record);
  for (const auto &[key, value] : settings.entries)
    if (entry.record->attribute(key->text))
      entry.values[key->text] = value.get();
    else if (llvm::is_contained(common, key->text))
      entry.common[key->text] = value.get();
  return reader.checkKeys(settings, entry.label(), keysOf(*entry.record));
}

} // namespace sylvite
