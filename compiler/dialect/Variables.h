//===- Variables.h - how variables, and what lies like them, lie in memory ----------------------------------------===//
//
// Which axis of PyTorch's shape lies where: of a variable, its slots, its gradient, its transposed copy.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef SYLVITE_DIALECT_VARIABLES_H
#define SYLVITE_DIALECT_VARIABLES_H

#include "compiler/dialect/Nn.h"

namespace sylvite::nn {

/// The variable of this name in a program's block, or null.
VariableOp findVariable(mlir::Block &block, llvm::StringRef name);
/// The variable that a value of Kind::Whole or Kind::Partial lies like: itself, a slot's parameter, or the one that a
/// region's `like` names; null for other tensors.
VariableOp variableBehind(mlir::Value value);
/// How a variable's elements lie, innermost first; also of what lies as a variable does: its slots, its gradient, its
/// transposed copy, a placeholder.
llvm::SmallVector<VariableDim> variableDims(mlir::Value value);
/// The dimensions in which kernels see it: neighbours of one name are one.
struct KernelDim {
  std::string name;
  int64_t extent;
};
llvm::SmallVector<KernelDim> kernelDims(mlir::Value value);
/// Taps of weights (o, c, kx, …); 1 of those of a linear layer.
int64_t tapsOf(mlir::Value weights);

/// Whether a value is a copy of weights with the input channel innermost, or made of one.
bool isTransposed(mlir::Value value);

} // namespace sylvite::nn

#endif
