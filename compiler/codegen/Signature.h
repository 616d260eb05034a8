//===- Signature.h - the buffers of a region, as its kernel and as the driver see them ----------------------------===//
//
// One description serves both sides: the kernel is compiled for exactly these extents and strides, and the driver
// passes exactly these pointers. Layer: codegen; no Halide here.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef SYLVITE_CODEGEN_SIGNATURE_H
#define SYLVITE_CODEGEN_SIGNATURE_H

#include "compiler/dialect/Layout.h"
#include "compiler/dialect/Nn.h"

namespace sylvite::codegen {

struct Dim {
  std::string name; ///< c, g, xi, x, yi, y, zi, z, n, o, k, kx, ky, kz, j, s, i
  int64_t min = 0, extent = 1, stride = 1;
};

/// A buffer argument of a kernel.
struct BufferSpec {
  std::string role;
  mlir::Type element;
  std::vector<Dim> dims; ///< innermost first; the last is n for samples
  nn::View view;         ///< Kind::Batch
  nn::Kind kind = nn::Kind::Whole;
  bool perSlice = false; ///< Slices and Partial: this call's row only
  int64_t copies = 1;    ///< Partial read as a sum: the last dim, s, is to be added up
  int64_t padFrom = 0;   ///< > 0: the buffer holds this many channels, the view has more, which are 0
  // For the driver:
  std::string base;        ///< state, scratch, local, input, target, output
  int64_t offset = 0;      ///< bytes from the base to the first element of the dims
  int64_t sliceStride = 0; ///< bytes from one task to the next
  int64_t rowStride = 0;   ///< where Signature::columns: bytes from one row of tasks to the next, sliceStride within it
  int64_t bytes = 0;       ///< of the whole buffer
  std::string origin;      ///< name of the value, for --explain
};

/// Whether the buffer lies in a block of ours, not in an array of the caller's.
bool isOurs(const BufferSpec &spec);

/// Bytes that the first element's address is known to be a multiple of, in every task: at most 64, and no more than an
/// element where the memory is the caller's.
int64_t alignmentOf(const BufferSpec &spec);

/// Most rows of 16 elements that one call of a flat kernel works on.
constexpr int64_t maxRows = 512;

/// What `images` of a call is.
enum class Images {
  Slice, ///< samples of this slice
  Whole, ///< samples of the call
  Rows,  ///< rows of 16 elements of a flat tensor
};

/// What a kernel leaves unwritten of its result's buffer: all around the interiors of blocks, which syl_zero_halo
/// zeroes.
struct ZeroFill {
  std::array<int64_t, nn::maxAxes> extent{1, 1, 1}, before{}, size{1, 1, 1}; ///< in pixels, innermost first
  int64_t pixel = 1;                                                         ///< elements of a pixel
  int64_t rows = 1;                                                          ///< blocks in a sample
};

struct Signature {
  std::string kernel; ///< conv2d.forward
  std::vector<BufferSpec> inputs, outputs;
  Images images = Images::Whole;
  int64_t maxImages = 1; ///< largest value of `images`
  int64_t totalRows = 0; ///< Images::Rows: of the whole tensor
  int64_t samplesPerSlice = 1;
  int64_t tasks = 1;
  int64_t block = 0;               ///< axis "output": extent of the axis that one task computes, 0 where it is not cut
  bool inPlace = false;            ///< the result is written over something that is read
  bool alongFilters = false;       ///< that axis is the filters, or units, of a contraction; else its features
  int64_t columns = 0;             ///< axes "frequency" and "row": tasks of a row of frequencies or of a slice, else 0
  size_t rowDim = 0;               ///< axis "row": the result's dim that a slice's tasks are parts of, else 0
  std::vector<ZeroFill> zeroFills; ///< of the result's buffer, after the kernel has run

  /// Of Images::Slice: slices of the batch.
  int64_t slices() const { return rowDim ? tasks / columns : tasks; }
};

/// Describes a region of a planned program.
Signature signatureOf(nn::RegionOp region);

/// Extents of a variable-like tensor inside a region's kernel, after the cut along the output axis.
std::vector<int64_t> cutExtents(nn::RegionOp region, mlir::Value outer);

} // namespace sylvite::codegen

#endif
