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
  std::string name;                    ///< with the blocks it is in; of losses and preprocessing steps: the kind
  mlir::DictionaryAttr attributes;     ///< null where a key or value is wrong or missing
  std::map<std::string, const yaml::Node *> values; ///< by attribute
  std::map<std::string, const yaml::Node *> common; ///< by key that is no attribute: commonKeys()

  /// `conv2d 'stem'`, or the kind alone where layers have no names.
  std::string label() const;
  /// The value of a common key, or null.
  const yaml::Node *find(const std::string &key) const;
};

/// Names of the layers in one list: of the network, or of one use of a block.
struct NameScope {
  std::string prefix;                ///< of full names: `layer1.`, empty in the network
  std::map<std::string, int> counts; ///< layers of each kind so far
  std::map<std::string, int> lines;  ///< by name without the prefix, the line where it stands
};

/// What an entry of a list of layers is: its kind, and the settings behind it.
struct EntryForm {
  const yaml::Node *kind = nullptr;     ///< a scalar; null: the entry has another form
  const yaml::Node *settings = nullptr; ///< null: none
};
EntryForm formOf(const yaml::Node &node);

/// Keys that entries of this role may have besides their attributes; with parameters, or without.
std::vector<std::string> commonKeys(LayerRole role, bool hasParameters);

class LayerReader {
public:
  LayerReader(mlir::MLIRContext &context, ValueReader &reader) : context(context), reader(reader) {}

  /// Reads one entry; problems are reported. `otherKinds` are names besides the layers' that the list may hold.
  LayerEntry read(const yaml::Node &node, LayerRole role, NameScope &names,
                  const std::vector<std::string> &otherKinds = {});

  /// The full name of a layer or a block's use: `given`, or made of kind and number. Doubled names are reported.
  std::string nameOf(const yaml::Node &place, const std::string &kind, const yaml::Node *given, NameScope &names);

private:
  const LayerRecord *findKind(const yaml::Node &node, LayerRole role, const std::vector<std::string> &otherKinds);
  /// Sorts the values of the map into entry.values and entry.common; false where there are others.
  bool collectValues(LayerEntry &entry, const yaml::Node &settings);

  mlir::MLIRContext &context;
  ValueReader &reader;
};

} // namespace sylvite

#endif
