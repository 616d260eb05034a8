//===- Attributes.h - a layer's attributes as MLIR attributes -----------------------------------------------------===//
//
// What each AttributeType looks like in YAML, and what it becomes. Layer: frontend.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_FRONTEND_ATTRIBUTES_H
#define SYLVITE_FRONTEND_ATTRIBUTES_H

#include "compiler/frontend/LayerTable.h"
#include "compiler/frontend/Values.h"

namespace sylvite {

/// The attribute's value in `node`; null after a message, in which `what` names it (`conv2d 'stem': filters`).
mlir::Attribute readAttribute(const yaml::Node &node, const LayerAttribute &attribute, const std::string &what,
                              mlir::MLIRContext &context, ValueReader &reader);

/// What stands for a value in examples: `NUMBER or [H, W]`.
std::string placeholder(const LayerAttribute &attribute);

} // namespace sylvite

#endif
