//===- Budget.h - what to compute again so that the scratch block is small ----------------------------------------===//
#ifndef SYLVITE_TRANSFORMS_BUDGET_H
#define SYLVITE_TRANSFORMS_BUDGET_H

#include "compiler/transforms/Passes.h"

#include "mlir/IR/BuiltinOps.h"

namespace sylvite::nn {

/// Regions that the backward pass computes again, the form of the other programs, and what the plan then takes.
struct Budget {
  llvm::SmallVector<int64_t> recomputed; ///< for PipelineOptions::recomputed
  bool directForward = false;            ///< for PipelineOptions::directForward
  int64_t bytes = 0; ///< of the scratch block that all threads share and of one thread's local block
};

/// Chooses what to compute again, and whether evaluation and prediction do without Winograd's form, until a network
/// takes at most `most` bytes, or the least that can be reached. `module` stays as it is: what buildPipeline starts
/// from.
Budget fitBudget(mlir::ModuleOp module, const PipelineOptions &options, int64_t most);

} // namespace sylvite::nn

#endif
