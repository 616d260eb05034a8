//===- LayerReader.h - one entry of `network`, `preprocess` or `loss` ---------------------------------------------===//
//
// A layer's name and attributes, by the layer table. What it does not know: shapes. Layer: frontend.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_FRONTEND_LAYERREADER_H
#define SYLVITE_FRONTEND_LAYERREADER_H

#include "compiler/frontend/LayerTable.h"
#include "compiler/frontend/Values.h"

#include <map>

namespace sylvite {

/// An entry as it stands in the file.
struct LayerEntry {
  const LayerRecord *record = nullptr; ///< null: unknown
  const yaml::Node *place = nullptr;   ///< where the layer's kind stands
  std::string name;                    ///< the user's or made of kind and number; of losses and preprocessing: the kind
  mlir::DictionaryAttr attributes;     ///< null where a key or value is wrong or missing
  std::map<std::string, const yaml::Node *> values; ///< by attribute

  /// `conv2d 'stem'`, or the kind alone where layers have no names.
  std::string label() const;
};

class LayerReader {
public:
  LayerReader(mlir::MLIRContext &context, ValueReader &reader) : context(context), reader(reader) {}

  /// Reads one entry; problems are reported.
  LayerEntry read(const yaml::Node &node, LayerRole role);

private:
  const LayerRecord *findKind(const yaml::Node &node, LayerRole role);
  void readName(LayerEntry &entry, const yaml::Node *given);
  /// Puts the nodes of the attributes into entry.values; false where there are others.
  bool collectValues(LayerEntry &entry, const yaml::Node &settings);

  mlir::MLIRContext &context;
  ValueReader &reader;
  std::map<std::string, int> counts; ///< layers of each kind so far
  std::map<std::string, int> lines;  ///< by layer name, the line where it stands
};

} // namespace sylvite

#endif
