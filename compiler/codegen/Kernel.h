//===- Kernel.h - a region as a Halide pipeline -------------------------------------------------------------------===//
//
// Builds the Funcs of a region from the ops' definitions and, for nn.vjp, from their derivative. Layer: codegen.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef SYLVITE_CODEGEN_KERNEL_H
#define SYLVITE_CODEGEN_KERNEL_H

#include "compiler/codegen/Signature.h"
#include "compiler/ops/Op.h"
#include "compiler/schedule/KernelFuncs.h"

namespace sylvite::codegen {

/// The Funcs of one kernel, unscheduled.
struct Kernel {
  Signature signature;
  KernelFuncs funcs;                       ///< by role, for schedules
  Halide::Func output;                     ///< a Tuple where the region replaces several variables
  std::vector<Halide::Argument> arguments; ///< the scalars of ops::Scalars, `part`, then buffers
};

/// Builds a region's kernel. Throws Halide::Error where Halide refuses a definition, and
/// std::logic_error where an op has no definition or no derivative.
Kernel buildKernel(nn::RegionOp region);

/// Halide's type of an MLIR element type.
Halide::Type halideType(mlir::Type type);

} // namespace sylvite::codegen

#endif
