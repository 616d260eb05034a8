//===- Passes.h - the graph passes --------------------------------------------------------------------------------===//
//
// From a network to regions with phases and buffers. Layer: transforms; knows the dialect, not Halide.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef SYLVITE_TRANSFORMS_PASSES_H
#define SYLVITE_TRANSFORMS_PASSES_H

#include "compiler/dialect/Nn.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace sylvite::nn {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/transforms/Passes.h.inc"

/// Whether nn-winograd can rewrite an op with tiles of some size: a convolution of images along two or three axes, with
/// a window of 2x2 to 7x7 along x and y, stride and dilation 1, one group, zeros around.
bool fitsWinograd(mlir::Operation *op);

/// M of the algorithm `winograd_MxM`, 2 to 7; 0 where the word is not of this form.
int64_t winogradTile(llvm::StringRef algorithm);

/// What buildPipeline may be asked for.
struct PipelineOptions {
  bool keepGradients = false;
  llvm::ArrayRef<std::string> only;        ///< names of the programs to make; empty for all
  llvm::ArrayRef<int64_t> recomputed = {}; ///< regions that nn-recompute marks beyond the cheap ones
  bool directForward = false; ///< evaluation and prediction without Winograd's form, whose weights take space
};

/// The whole way from a network to planned programs, in order.
void buildPipeline(mlir::OpPassManager &manager, const PipelineOptions &options);

} // namespace sylvite::nn

#endif
