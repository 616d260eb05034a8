//===- LayerPlans.h - what the layers' plan() functions share -----------------------------------------------------===//
//
// Reading attributes, setting the output's type. Layer: dialect; included by the
// files that define plan(), by no others.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_DIALECT_LAYERPLANS_H
#define SYLVITE_DIALECT_LAYERPLANS_H

#include "compiler/dialect/Nn.h"

namespace sylvite::nn {

/// The whole number, the flag, the real number under `key`, or `otherwise`.
inline int64_t number(mlir::DictionaryAttr attributes, llvm::StringRef key, int64_t otherwise = 0) {
  auto attribute = mlir::dyn_cast_or_null<mlir::IntegerAttr>(attributes.get(key));
  return attribute ? attribute.getInt() : otherwise;
}
inline bool flag(mlir::DictionaryAttr attributes, llvm::StringRef key, bool otherwise) {
  auto attribute = mlir::dyn_cast_or_null<mlir::BoolAttr>(attributes.get(key));
  return attribute ? attribute.getValue() : otherwise;
}
inline double real(mlir::DictionaryAttr attributes, llvm::StringRef key, double otherwise) {
  auto attribute = mlir::dyn_cast_or_null<mlir::FloatAttr>(attributes.get(key));
  return attribute ? attribute.getValueAsDouble() : otherwise;
}

/// The output type, or an error where a dimension or the product of dimensions is too large.
void setOutput(LayerPlan &plan, mlir::RankedTensorType input, llvm::ArrayRef<int64_t> sample, mlir::Type element);

/// Refuses weights of more than maxElements elements, at attribute `key`. `extents` are all positive.
bool weightFits(LayerPlan &plan, llvm::ArrayRef<int64_t> extents, llvm::StringRef key);

/// nn.row_max of a value: its largest element along an axis of the sample, negative from the end; a constant of the
/// backward pass.
mlir::Value rowMaxOf(mlir::OpBuilder &builder, mlir::Value logits, int64_t axis = -1);

/// The axis under "axis" of the sample (-1, the channels, where it is absent), from 0, also set in the plan; -1 and an
/// error where it is out of range.
int64_t axisOf(mlir::RankedTensorType input, mlir::DictionaryAttr attributes, LayerPlan &plan);

} // namespace sylvite::nn

#endif
