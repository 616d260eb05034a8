// Whether a scheduled kernel stays within its buffers. Layer: schedule; Halide.
#pragma once

#include "compiler/schedule/Schedule.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sylvite {

/// Smallest and largest value, both included, of each scalar parameter of a kernel, by Halide's name of the Param.
using ParameterRanges = std::map<std::string, std::pair<int64_t, int64_t>>;

/// Kernels are compiled without Halide's run-time assertions, so a schedule that makes a loop run past a buffer (a tail
/// that rounds up, a bound or fold that is too small) would go unnoticed. This lowers the kernel once with assertions
/// and evaluates those about bounds for the constant extents and strides that its buffers are fixed to, and for each
/// value of each parameter (of more than 64 values the first 32 and the last 32). Reports every one that fails at the
/// directive to blame and returns false. Call it after apply(); takes about as long as Halide's lowering. `target` is
/// the kernel's own; its no_asserts is ignored. Halide's errors pass through.
bool checkBounds(Halide::Pipeline pipeline, const std::vector<Halide::Argument> &arguments,
                 const Halide::Target &target, const ParameterRanges &ranges, const KernelFuncs &funcs,
                 const AppliedSchedule &applied, Diagnostics &diagnostics);

} // namespace sylvite
