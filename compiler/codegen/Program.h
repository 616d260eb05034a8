//===- Program.h - a planned network, ready to be emitted ---------------------------------------------------------===//
#ifndef SYLVITE_CODEGEN_PROGRAM_H
#define SYLVITE_CODEGEN_PROGRAM_H

#include "compiler/codegen/KernelCompiler.h"
#include "compiler/codegen/Signature.h"

namespace sylvite::codegen {

/// One region of a program and the kernel that computes it.
struct Call {
  nn::RegionOp region;
  Signature signature;
  size_t kernel = 0;
  std::string layer;           ///< the layer's name in the network file
  double flops = 0, bytes = 0; ///< of the whole program at the full batch
};

/// One entry of the object: phases of calls.
struct Program {
  std::string name; ///< train, evaluate, predict
  std::vector<std::vector<Call>> phases;
  int64_t slices = 1, batch = 1;
  int64_t losses = -1, correct = -1; ///< offsets in the scratch block, -1 where absent
};

struct Factor {
  int64_t axis, divisor, extent, stride;
};

/// A row of the descriptor's tensor table; see syl_tensor.
struct TensorRow {
  std::string name;
  int kind = 0; ///< syl_tensor_kind
  int dtype = 0;
  std::vector<int64_t> shape;
  int init = 0;
  double initA = 0, initB = 0;
  std::vector<Factor> factors;
  int64_t copies = 1, copyStride = 0, offset = 0; ///< bytes
};

/// Everything that object, header and manifest tell about a network.
struct Plan {
  std::string net, compiler, yaml, optimizer, outputKind;
  const Target *target = nullptr;
  int64_t batch = 1, epochs = 1, classes = 0;
  uint64_t seed = 0, layoutHash = 0;
  int dtype = 3, inputDtype = 0, targetDtype = 1;
  std::vector<int64_t> inputShape, outputShape;
  int64_t stateBytes = 0, scratchBytes = 0, localBytes = 0, heapBytes = 0;
  std::vector<Program> programs;
  std::vector<TensorRow> tensors;
  std::vector<CompiledKernel> kernels;
};

/// Calls and tensors of a planned module; kernels are filled in by compileKernels.
Plan makePlan(mlir::ModuleOp module, bool keepGradients);

/// syl_dtype of an element type.
int dtypeOf(mlir::Type type);

} // namespace sylvite::codegen

#endif
