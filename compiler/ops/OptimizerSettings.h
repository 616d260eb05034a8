//===- OptimizerSettings.h - reading the dictionary of an optimizer -----------------------------------------------===//
#ifndef SYLVITE_OPS_OPTIMIZERSETTINGS_H
#define SYLVITE_OPS_OPTIMIZERSETTINGS_H

#include "mlir/IR/BuiltinAttributes.h"

#include <string>

namespace sylvite::ops {

/// Settings of nn.network's `optimizer`, or of a dictionary inside.
class OptimizerSettings {
public:
  explicit OptimizerSettings(mlir::DictionaryAttr attributes) : attributes(attributes) {}

  /// 0, or `otherwise`, where it is absent.
  double number(const std::string &key, double otherwise = 0) const {
    auto value = mlir::dyn_cast_or_null<mlir::FloatAttr>(attributes.get(key));
    return value ? value.getValueAsDouble() : otherwise;
  }
  bool has(const std::string &key) const { return bool(attributes.get(key)); }
  std::string word(const std::string &key) const {
    auto value = mlir::dyn_cast_or_null<mlir::StringAttr>(attributes.get(key));
    return value ? value.getValue().str() : "";
  }
  llvm::ArrayRef<double> numbers(const std::string &key) const {
    return mlir::cast<mlir::DenseF64ArrayAttr>(attributes.get(key)).asArrayRef();
  }
  OptimizerSettings inside(const std::string &key) const {
    return OptimizerSettings(mlir::cast<mlir::DictionaryAttr>(attributes.get(key)));
  }

private:
  mlir::DictionaryAttr attributes;
};

} // namespace sylvite::ops

#endif
