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
  double localBytes = 0;       ///< of `bytes`, in values that live within one phase and slice
};

/// One entry of the object: phases of calls.
struct Program {
  std::string name; ///< train, evaluate, predict; without phases where it was not asked for
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
  int init = 0; ///< syl_init
  double initA = 0, initB = 0, initC = 0, initD = 0;
  int64_t initFrom = 0; ///< row of the tensor to copy
  bool frozen = false, batched = false;
  std::vector<Factor> factors;
  int64_t copies = 1, copyStride = 0, offset = 0; ///< bytes
};

/// An array that the caller passes; see syl_array.
struct ArrayRow {
  std::string name;
  int dtype = 0;
  std::vector<int64_t> shape; ///< of one sample, as the caller lays it out
  int64_t classes = 0, ignoreIndex = INT64_MIN;
  std::string kind; ///< of an output
};

/// A loss and what it compares; see syl_head.
struct HeadRow {
  std::string loss;
  double weight = 1;
  int64_t target = 0, value = -1;
};

/// Everything that object, header and manifest tell about a network.
struct Plan {
  std::string net, compiler, yaml, optimizer;
  std::string training; ///< JSON: settings of the training loop
  const Target *target = nullptr;
  int64_t batch = 1, epochs = 1;
  uint64_t seed = 0, layoutHash = 0;
  int dtype = 3;
  std::vector<ArrayRow> inputs, targets, outputs; ///< in the order of the network file
  std::vector<HeadRow> heads;                     ///< one an output
  int64_t stateBytes = 0, scratchBytes = 0, localBytes = 0, heapBytes = 0;
  std::vector<Program> programs;
  std::vector<TensorRow> tensors;
  std::vector<CompiledKernel> kernels;
};

/// Calls and tensors of a planned module; kernels are filled in by compileKernels.
Plan makePlan(mlir::ModuleOp module, bool keepGradients);

/// syl_dtype of an element type.
int dtypeOf(mlir::Type type);

/// Inputs, targets, outputs, heads and the loop's settings, from the network as the frontend made it (Arrays.cpp).
void describeArrays(Plan &plan, nn::NetworkOp network);

} // namespace sylvite::codegen

#endif
