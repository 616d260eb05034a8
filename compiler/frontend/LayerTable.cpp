//===- LayerTable.cpp - the layers that a network file can name ---------------------------------------------------===//
#include "compiler/frontend/LayerTable.h"

#include <algorithm>

namespace sylvite {

const std::vector<LayerRecord> &layerRecords() {
  static const std::vector<LayerRecord> records = {
#include "compiler/dialect/Layers.inc"
  };
  return records;
}

unsigned LayerRecord::leastInputs() const {
  return std::count_if(operands.begin(), operands.end(), [](const LayerOperand &operand) {
    return operand.kind == OperandKind::Input || operand.kind == OperandKind::Inputs;
  });
}

unsigned LayerRecord::mostInputs() const {
  bool isOpen = std::any_of(operands.begin(), operands.end(),
                            [](const LayerOperand &operand) { return operand.kind == OperandKind::Inputs; });
  return isOpen ? inputLimit : leastInputs();
}

const LayerAttribute *LayerRecord::attribute(llvm::StringRef name) const {
  auto found = std::find_if(attributes.begin(), attributes.end(), [&](const auto &each) { return each.name == name; });
  return found == attributes.end() ? nullptr : &*found;
}

const LayerRecord *findLayer(llvm::StringRef name) {
  for (const LayerRecord &record : layerRecords())
    if (record.name == name || llvm::is_contained(record.aliases, name))
      return &record;
  return nullptr;
}

std::vector<std::string> layerNames(LayerRole role) {
  std::vector<std::string> names;
  for (const LayerRecord &record : layerRecords())
    if (record.role == role)
      names.push_back(record.name);
  for (const LayerRecord &record : layerRecords())
    if (record.role == role)
      names.insert(names.end(), record.aliases.begin(), record.aliases.end());
  return names;
}

} // namespace sylvite
