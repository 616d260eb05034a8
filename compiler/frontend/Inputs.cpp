//===- Inputs.cpp - `input` and `inputs` of a network file --------------------------------------------------------===//
#include "compiler/frontend/Inputs.h"

#include <algorithm>
#include <limits>

namespace sylvite {

using yaml::Node;

namespace {

constexpr const char *forms = "[H, W, C] for images (grayscale: C is 1), [T, H, W, C] for video, [W, C] for sequences, "
                              "[C] for vectors";

void readInput(const Node &node, ValueReader &reader, InputSettings &input) {
  std::string label = input.label();
  reader.checkKeys(node, label, inputKeys());
  if (node.kind != Node::Kind::Map)
    return;
  if (const Node *dtype = node.find("dtype"))
    input.dtype = reader.word(*dtype, label + ": dtype", inputTypes()).value_or(input.dtype);
  if (const Node *layout = node.find("layout"))
    input.isChannelsFirst = reader.word(*layout, label + ": layout", inputLayouts()) == "chw";
  const Node *shape = node.find("shape");
  if (!shape && ValueReader::isMisspelt(node, "shape", inputKeys()))
    return;
  if (!shape)
    return reader.error(node, label + ": the key 'shape' is missing", "input: {shape: [H, W, C]}");
  if (shape->kind != Node::Kind::Sequence)
    return reader.error(*shape, label + ": shape must be a list of numbers, found " + reader.describe(*shape), forms);
  if (shape->items.empty() || shape->items.size() > 4)
    return reader.error(
        *shape, label + ": shape must have 1 to 4 numbers, found " + std::to_string(shape->items.size()), forms);
  std::vector<int64_t> extents;
  for (const auto &item : shape->items)
    if (auto extent = reader.whole(*item, label + ": shape", 1, std::numeric_limits<int32_t>::max()))
      extents.push_back(*extent);
  if (extents.size() != shape->items.size())
    return;
  if (input.isChannelsFirst)
    std::rotate(extents.begin(), extents.begin() + 1, extents.end());
  input.shape = std::move(extents);
}

} // namespace

std::string InputSettings::label() const { return name == "input" ? "input" : "input '" + name + "'"; }

std::vector<InputSettings> readInputs(const Node &file, ValueReader &reader) {
  std::vector<InputSettings> inputs;
  if (const Node *node = file.find("input")) {
    inputs.push_back({"input", node, node, {}});
    readInput(*node, reader, inputs.back());
  }
  const Node *several = file.find("inputs");
  if (!several)
    return inputs;
  if (!inputs.empty()) {
    reader.error(*several, "a network has either `input` or `inputs`, found both");
    return inputs;
  }
  if (several->kind != Node::Kind::Map || several->entries.empty()) {
    reader.error(*several,
                 "inputs must be a map of names, found " +
                     (several->kind == Node::Kind::Map ? std::string("an empty one") : ValueReader::describe(*several)),
                 "inputs: {image: {shape: [H, W, C]}, meta: {shape: [C]}}");
    return inputs;
  }
  for (const auto &[key, value] : several->entries) {
    auto name = reader.name(*key, "inputs: the name of an input", false);
    inputs.push_back({name.value_or(yaml::shown(key->text)), key.get(), value.get(), {}});
    readInput(*value, reader, inputs.back());
  }
  return inputs;
}

const std::vector<std::string> &inputKeys() {
  static const std::vector<std::string> keys = {"shape", "dtype", "layout"};
  return keys;
}
const std::vector<std::string> &inputTypes() {
  static const std::vector<std::string> types = {"uint8", "int32", "float32"};
  return types;
}
const std::vector<std::string> &inputLayouts() {
  static const std::vector<std::string> layouts = {"hwc", "chw"};
  return layouts;
}

} // namespace sylvite
