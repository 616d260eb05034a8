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

} // namespace sylvite
