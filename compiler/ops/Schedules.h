//===- Schedules.h - the learning rate as an expression of the update's number ------------------------------------===//
#ifndef SYLVITE_OPS_SCHEDULES_H
#define SYLVITE_OPS_SCHEDULES_H

#include "compiler/ops/OptimizerSettings.h"

#include "Halide.h"

namespace sylvite::ops {

/// The learning rate of an update, float64. `update` counts from 0; `micro` is steps an update; `stepsPerEpoch` is 0
/// where the caller does not know. Learning-rate schedules are those of torch.optim.lr_scheduler in closed form.
Halide::Expr scheduledRate(const OptimizerSettings &optimizer, Halide::Expr update, Halide::Expr micro,
                           Halide::Expr stepsPerEpoch);

} // namespace sylvite::ops

#endif
