//===- Regions.h - making nn.region ops ---------------------------------------------------------------------------===//
#ifndef SYLVITE_TRANSFORMS_REGIONS_H
#define SYLVITE_TRANSFORMS_REGIONS_H

#include "compiler/dialect/Layout.h"
#include "compiler/dialect/Nn.h"

#include "mlir/IR/IRMapping.h"

namespace sylvite::nn {

/// Variables of this name and a parameter's hold the parameter's average, which evaluation and prediction use.
constexpr llvm::StringLiteral averagePrefix = "ema.";

/// Attributes of regions: their number in @train after nn-fuse; that the backward pass computes their results again;
/// that they are such a copy.
constexpr llvm::StringLiteral idName = "nn.id", recomputeName = "nn.recompute", againName = "nn.again";

/// Bytes of the parts of a sum over the batch, in all slices: more do not stay in a core's cache.
constexpr int64_t largePartial = 1 << 20;

/// The op that a kernel is named after: the contraction, else the windowed op, else the first op that is not an
/// identity.
mlir::Operation *anchorOf(llvm::ArrayRef<mlir::Operation *> ops);
/// Whether an op contracts vectors with weights: a linear layer, whose weights are its big operand.
bool isVectorContraction(mlir::Operation *op);
/// Whether an op works element by element, or is a part of a region's frame: a derivative, the values it leaves out,
/// its end.
bool isElementwise(mlir::Operation *op);
/// "<anchor>.<direction>"; a contraction that keeps groups of channels apart is called "<anchor>_grouped".
std::string kernelName(llvm::ArrayRef<mlir::Operation *> ops, llvm::StringRef direction);

/// An nn.region with one block whose arguments have the inputs' types.
RegionOp createRegion(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<mlir::Value> inputs,
                      mlir::TypeRange results, llvm::StringRef kernel, int64_t updates = 0);
/// A region that copies a value, at the builder's place.
RegionOp copyRegion(mlir::OpBuilder &builder, mlir::Value value);
/// The coordinates in which a region writes its result.
View writtenView(RegionOp region);
/// The regions of a batch phase in an order in which what a slice has just written is read next, while it lies in the
/// core's caches: the reader of the newest value comes next, behind what makes its other operands; of several readers
/// the one that leaves the fewest bytes alive.
llvm::SmallVector<RegionOp> orderForCaches(llvm::ArrayRef<RegionOp> phase);
/// Maps each input to the block argument that stands for it.
mlir::IRMapping mapArguments(llvm::ArrayRef<mlir::Value> inputs, mlir::Block &block);
/// Wraps an in-place op, whose leading operands are replaced by its results, into a region of its own and erases it.
RegionOp outlineInPlace(mlir::OpBuilder &builder, mlir::Operation *op);

} // namespace sylvite::nn

#endif
