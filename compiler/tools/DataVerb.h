//===- DataVerb.h - sylvite data: what a network reads, for the program that shows data
//----------------------------===//
#ifndef SYLVITE_TOOLS_DATAVERB_H
#define SYLVITE_TOOLS_DATAVERB_H

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace sylvite {

/// The inputs and targets of the one nn.network in `module` as JSON: what runtime/train/DataProgram.cpp reads from the
/// environment variable SYLVITE_ARRAYS.
std::string arraysText(mlir::ModuleOp module);

} // namespace sylvite

#endif
