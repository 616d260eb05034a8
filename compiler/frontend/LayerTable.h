//===- LayerTable.h - the layers that a network file can name -----------------------------------------------------===//
//
// The table is generated from the records of compiler/dialect/NnOps.td: nothing here or in the rest of the frontend
// knows a layer by its name. Layer: frontend.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_FRONTEND_LAYERTABLE_H
#define SYLVITE_FRONTEND_LAYERTABLE_H

#include "compiler/dialect/Nn.h"

#include <string>
#include <vector>

namespace sylvite {

/// Where a network file may name the layer: under `network`, `preprocess` or `loss`.
enum class LayerRole { Layer, Preprocess, Loss };

/// How an attribute is written in YAML; the classes of attributes in NnBase.td.
enum class AttributeType {
  Count,   ///< a whole number, 1 or more
  Pair,    ///< [H, W] of Counts, or one for both
  Padding, ///< a whole number, 0 or more, a pair of them, same or valid
  Flag,    ///< true or false
  Number,  ///< a finite number
  Numbers, ///< a list of finite numbers, or one
};

struct LayerAttribute {
  std::string name;
  AttributeType type;
  bool isRequired;
  std::string defaultText; ///< as in YAML; empty where there is none or it depends on other attributes
};

struct LayerRecord {
  std::string name; ///< in YAML; the op is `nn.<name>`
  std::string summary;
  std::string description; ///< names its source: a page of PyTorch's documentation
  LayerRole role;
  std::string mainAttribute; ///< what a bare value stands for; may be empty
  std::string defaultOutput; ///< of a loss: the default of the file's `output`
  std::vector<std::string> operands;
  bool isSegmented; ///< the op has the attribute operandSegmentSizes
  std::vector<LayerAttribute> attributes;
  void (*plan)(llvm::ArrayRef<mlir::RankedTensorType> inputs, mlir::DictionaryAttr attributes, nn::LayerPlan &plan);

  /// Operands that are no parameters: the layer's input; the network's last value and the target for a loss.
  unsigned inputCount() const { return role == LayerRole::Loss ? 2 : 1; }
  const LayerAttribute *attribute(llvm::StringRef name) const;
};

/// All layers, by name.
const std::vector<LayerRecord> &layerRecords();
/// The layer of this name, or null.
const LayerRecord *findLayer(llvm::StringRef name);
/// Names of the layers of this role.
std::vector<std::string> layerNames(LayerRole role);

} // namespace sylvite

#endif
