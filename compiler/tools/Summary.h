//===- Summary.h - sylvite summary: a table of layers -------------------------------------------------------------===//
#ifndef SYLVITE_TOOLS_SUMMARY_H
#define SYLVITE_TOOLS_SUMMARY_H

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace sylvite {

/// A table of layers: kind, output shape, parameters, multiply-adds and output bytes of one sample; then totals and the
/// memory of state and scratch. `module` holds one nn.network and is not changed.
std::string summaryText(mlir::ModuleOp module);

} // namespace sylvite

#endif
