//===- LlvmBuilder.h - functions and constants of a module in the LLVM dialect ------------------------------------===//
#ifndef SYLVITE_CODEGEN_LLVMBUILDER_H
#define SYLVITE_CODEGEN_LLVMBUILDER_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringMap.h"

#include <string>
#include <vector>

namespace sylvite::codegen {

/// A module that grows: instructions go to where the builder stands, functions and globals to the module's end.
class LlvmBuilder {
public:
  explicit LlvmBuilder(mlir::MLIRContext &context);

  mlir::OpBuilder builder;
  mlir::Location loc;
  mlir::ModuleOp module;
  mlir::Type ptr, i8, i32, i64, f64, none;

  mlir::LLVM::LLVMStructType structOf(llvm::ArrayRef<mlir::Type> fields);
  void toModuleEnd() { builder.setInsertionPointToEnd(module.getBody()); }

  // ---- functions

  /// A function of elsewhere, once.
  void declare(llvm::StringRef name, mlir::Type result, llvm::ArrayRef<mlir::Type> arguments);
  /// A function with a body, entered.
  mlir::LLVM::LLVMFuncOp define(llvm::StringRef name, mlir::Type result, llvm::ArrayRef<mlir::Type> arguments,
                                bool exported);
  /// The result, or nothing where there is none.
  mlir::Value call(llvm::StringRef name, mlir::ValueRange arguments);
  void ret(mlir::Value value) { mlir::LLVM::ReturnOp::create(builder, loc, value); }
  /// Returns where the condition holds; `result` is asked for there.
  void returnIf(mlir::Value condition, llvm::function_ref<mlir::Value()> result);

  // ---- values

  mlir::Value constant(mlir::Type type, int64_t value);
  mlir::Value real(double value);
  mlir::Value null();
  /// `base` plus a number of bytes.
  mlir::Value advance(mlir::Value base, mlir::Value bytes);
  mlir::Value fieldPointer(mlir::Type type, mlir::Value base, llvm::ArrayRef<int32_t> path);
  mlir::Value loadField(mlir::Type type, mlir::Value base, llvm::ArrayRef<int32_t> path, mlir::Type field);
  mlir::Value aggregate(mlir::Type type, llvm::ArrayRef<mlir::Value> values);
  mlir::Value compare(mlir::LLVM::ICmpPredicate predicate, mlir::Value a, mlir::Value b);
  mlir::Value select(mlir::Value condition, mlir::Value yes, mlir::Value no);
  mlir::Value minimum(mlir::Value a, mlir::Value b);
  /// A value of 32 bits, or 0 where it is negative.
  mlir::Value clampLow(mlir::Value value);

  // ---- globals

  mlir::Value address(llvm::StringRef name);
  /// A constant that `fill` gives; the builder stands inside its initializer.
  void global(llvm::StringRef name, mlir::Type type, mlir::LLVM::Linkage linkage,
              llvm::function_ref<mlir::Value()> fill);
  /// Address of a text with a 0 at its end; equal ones are one.
  mlir::Value text(llvm::StringRef value);
  /// Name of an internal constant of these numbers; equal ones are one.
  std::string numberTable(const std::vector<int32_t> &numbers);

private:
  llvm::StringMap<mlir::LLVM::LLVMFuncOp> functions;
  llvm::StringMap<std::string> strings, numberTables;
};

} // namespace sylvite::codegen

#endif
