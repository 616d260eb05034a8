//===- Gradients.h - a gradient as the optimizer sees it: accumulated, clipped ------------------------------------===//
#ifndef SYLVITE_OPS_GRADIENTS_H
#define SYLVITE_OPS_GRADIENTS_H

#include "compiler/ops/Op.h"
#include "compiler/ops/OptimizerSettings.h"

namespace sylvite::ops {

/// The mean of the micro-batches' gradients so far, at dims(): operand `gradient` and, where not -1, the operand
/// `accumulated` of the ones before; `scalars` is the operand of nn.optimizer_scalars.
Halide::Expr totalGradient(OpContext &context, const OptimizerSettings &settings, unsigned gradient, int accumulated,
                           unsigned scalars);
/// Each element between -clip_value and clip_value, where that is set (torch.nn.utils.clip_grad_value_).
Halide::Expr clippedByValue(OpContext &context, const OptimizerSettings &settings, Halide::Expr gradient);

} // namespace sylvite::ops

#endif
