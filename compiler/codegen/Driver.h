//===- Driver.h - the functions an app calls, in the LLVM dialect -------------------------------------------------===//
#ifndef SYLVITE_CODEGEN_DRIVER_H
#define SYLVITE_CODEGEN_DRIVER_H

#include "compiler/codegen/Program.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace sylvite::codegen {

/// A module in the LLVM dialect: one function a region, one a phase, constant tables, the descriptor `<net>_model`, and
/// the public functions of the header. With `version`, the name of one of several versions of the network in an object,
/// the descriptor has that name, and there are no public functions.
mlir::OwningOpRef<mlir::ModuleOp> buildDriver(const Plan &plan, mlir::MLIRContext &context,
                                              const std::string &version = "");

/// What several versions of a network share: the descriptor `<net>_model`, which a constructor fills with that of the
/// first version that the CPU runs, and the public functions.
mlir::OwningOpRef<mlir::ModuleOp> buildDispatcher(const Plan &plan, llvm::ArrayRef<std::string> versions,
                                                  mlir::MLIRContext &context);

/// Compiles it to `object`, the bytes of a relocatable object. Returns an empty text, or what went wrong. `llvmIr`, if
/// not null, gets the IR.
std::string emitDriverObject(mlir::ModuleOp driver, std::string &object, std::string *llvmIr);

} // namespace sylvite::codegen

#endif
