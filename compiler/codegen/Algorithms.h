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
/// algorithm than `direct`. The rule sees the dimensions of the direct kernel, and `batch`. Returns false, after an
/// error for each such rule, where there is no algorithm of that name.
bool chooseAlgorithms(mlir::ModuleOp module, const ScheduleSet &schedules, const Target &target,
                      Diagnostics &diagnostics);

} // namespace sylvite::codegen

#endif
