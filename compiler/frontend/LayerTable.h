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
  Count,    ///< a whole number, 1 or more
  Counts,   ///< a list of them
  Integer,  ///< a whole number of either sign
  Integers, ///< a list of them
  Single,   ///< [W], a list of one Count, or that number
  Pair,     ///< [H, W] of Counts, or one for both
  Triple,   ///< [D, H, W] of Counts, or one for all
  Padding1, ///< a whole number, 0 or more, one a side, same or valid
  Padding,  ///< the same, or one an axis, for an image
  Padding3, ///< the same for a video
  Flag,     ///< true or false
  Number,   ///< a finite number
  Numbers,  ///< a list of finite numbers, or one
  Word,     ///< one of LayerAttribute::words
};

struct LayerAttribute {
  std::string name;
  AttributeType type;
  bool isRequired;
  std::string defaultText; ///< as in YAML; empty where there is none or it depends on other attributes
  std::vector<std::string> words;
};

/// What an operand of a layer's op is.
enum class OperandKind {
  Input,     ///< one entry of `from`
  Inputs,    ///< all entries of `from`, at least one
  Target,    ///< of a loss
  Parameter, ///< a variable of the layer; it may be absent
  Internal,  ///< absent: passes add it
};
struct LayerOperand {
  std::string name;
  OperandKind kind;
};

struct LayerRecord {
  std::string name; ///< in YAML; the op is `nn.<name>`
  std::string summary;
  std::string description; ///< names its source: a page of PyTorch's documentation
  LayerRole role;
  std::string mainAttribute; ///< what a bare value stands for; may be empty
  std::string defaultOutput; ///< of a loss: the default of the file's `output`
  std::vector<std::string> aliases;
  std::vector<LayerOperand> operands;
  bool isSegmented; ///< the op has the attribute operandSegmentSizes
  std::vector<LayerAttribute> attributes;
  void (*plan)(llvm::ArrayRef<mlir::RankedTensorType> inputs, mlir::DictionaryAttr attributes, nn::LayerPlan &plan);

  /// Fewest and most inputs that the layer takes.
  unsigned leastInputs() const;
  unsigned mostInputs() const;
  const LayerAttribute *attribute(llvm::StringRef name) const;
};

/// Limit of the inputs of a layer that takes any number of them.
constexpr unsigned inputLimit = 64;

/// All layers, by name.
const std::vector<LayerRecord> &layerRecords();
/// The layer of this name or alias, or null.
const LayerRecord *findLayer(llvm::StringRef name);
/// Names of the layers of this role, aliases after them.
std::vector<std::string> layerNames(LayerRole role);

} // namespace sylvite

#endif
