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

const LayerAttribute *LayerRecord::attribute(llvm::StringRef name) const {
  auto found = std::find_if(attributes.begin(), attributes.end(), [&](const auto &each) { return each.name == name; });
  return found == attributes.end() ? nullptr : &*found;
}

const LayerRecord *findLayer(llvm::StringRef name) {
  for (const LayerRecord &record : layerRecords())
    if (record.name == name)
      return &record;
  return nullptr;
}

std::vector<std::string> layerNames(LayerRole role) {
  std::vector<std::string> names;
  for (const LayerRecord &record : layerRecords())
    if (record.role == role)
      names.push_back(record.name);
  return names;
}

} // namespace sylvite
