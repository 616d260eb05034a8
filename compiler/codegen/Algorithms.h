//===- Algorithms.h - which formulation of a layer is compiled ----------------------------------------------------===//
//
// Layer: codegen.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef SYLVITE_CODEGEN_ALGORITHMS_H
#define SYLVITE_CODEGEN_ALGORITHMS_H

#include "compiler/codegen/Target.h"
#include "compiler/schedule/Rules.h"

#include "mlir/IR/BuiltinOps.h"

namespace sylvite::codegen {

/// Sets `nn.algorithm` on each convolution of the network for whose forward kernel the first fitting rule names another
/// algorithm than `direct`. The rule sees the dimensions of the direct kernel.
void chooseAlgorithms(mlir::ModuleOp module, const ScheduleSet &schedules, const Target &target);

} // namespace sylvite::codegen

#endif
