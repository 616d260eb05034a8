//===- Axes.h - the axis along which a region's work is cut into tasks --------------------------------------------===//
#ifndef SYLVITE_TRANSFORMS_AXES_H
#define SYLVITE_TRANSFORMS_AXES_H

#include "compiler/dialect/Nn.h"

namespace sylvite::nn {

/// Sets a region's `axis` and `tasks`.
void chooseAxis(RegionOp region);

/// Whether a region's tasks are slices of the batch, or parts of their rows: those of a phase run all of its regions.
bool isSliced(RegionOp region);
/// Whether a region could be cut along its rows into as many tasks as `producer`, which is cut so.
bool canFollowRows(RegionOp region, RegionOp producer);
/// Whether both are cut so, and each task reads of the producer's result no more than the same task has made.
bool followsRows(RegionOp region, RegionOp producer);

/// Whether a batch has too few slices for many cores, and what an op does for one sample outweighs the barriers around
/// tasks that are cut finer.
bool isWorthCutting(mlir::Operation *op, int64_t slices);

/// Fewer would leave more than half of the cores idle in a gradient that is summed slice by slice.
constexpr int64_t fewSlices = maxSlices / 2;
/// Tasks of a convolution's weight gradient where it is computed from the whole batch at once.
int64_t weightGradientTasks(mlir::Operation *convolution);

} // namespace sylvite::nn

#endif
