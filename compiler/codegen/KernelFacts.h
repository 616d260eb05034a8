//===- KernelFacts.h - what is known of a kernel before it is built -----------------------------------------------===//
#ifndef SYLVITE_CODEGEN_KERNELFACTS_H
#define SYLVITE_CODEGEN_KERNELFACTS_H

#include "compiler/codegen/Signature.h"
#include "compiler/codegen/Target.h"
#include "compiler/schedule/Rules.h"

namespace sylvite::codegen {

/// What makes kernels equal: the region's body, and extents, strides and alignment of its buffers. Regions of equal
/// text share a kernel.
std::string kernelText(nn::RegionOp region, const Signature &signature);
/// A short name for such a text, the same in every build and on every machine: what a rule's `key` tests.
std::string kernelKey(const std::string &text);

/// What rules can ask of the target and the element type, which has `bytes` bytes.
KernelDims targetDims(int64_t bytes, const Target &target);
/// The dimensions of a layer that rules can ask for: sizes, window, stride, padding, dilation, filters, channels,
/// groups.
void fillLayerDims(mlir::Operation *layer, std::map<std::string, int64_t> &dims);
/// What a rule's `when` may test, but for `key` and `cpu`.
KernelDims scheduleDims(nn::RegionOp region, const Signature &signature, const Target &target);
/// Names of everything that KernelDims can hold, for checks of schedule files.
std::vector<std::string> kernelDimNames();

/// This machine's CPU as LLVM calls it: znver4, skylake-avx512, ….
std::string hostCpu();

} // namespace sylvite::codegen

#endif
