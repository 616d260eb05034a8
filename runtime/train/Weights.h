// Weights to start a training from: those of another network that share names and shapes. Layer: runtime/train.
#pragma once

#include "runtime/train/Policies.h"

namespace syl {

/// Copies into `state`, which init has filled, what a safetensors file and the model share: parameters and running
/// statistics of equal name, shape and kind of type. A name of the file that begins with FROM of `prefix` counts with
/// TO in its place (the longest FROM that fits). Averages of parameters start anew from what was loaded. Optimizer
/// slots, and what `step` dumps, are passed over. Names that only one side has are reported, not refused; a name in
/// another shape is refused, and so is a file that shares nothing with the model: SYL_ERROR_MISMATCH, then `state` is
/// unchanged. Returns the report: a line on how many were taken, then a line for each that was missing or left over.
std::string startFromWeights(const WeightsSettings &weights, const syl_model &model, void *state);

} // namespace syl
