//===- Layout.h - how values lie in memory, and how kernels look at them ------------------------------------------===//
//
// Three notions, used by the memory plan and by codegen alike:
//   - the physical number of channels: a vector of channels is padded with zeros so that vector loops have no tails;
//   - a View: the coordinates in which a region looks at an image. A window that slides with stride s sees stride
//   phases
//     as dimensions of their own (X % s, X / s), counted from the first pixel of padding;
//   - a Layout: rows, columns, halo and strides of a value's buffer.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef SYLVITE_DIALECT_LAYOUT_H
#define SYLVITE_DIALECT_LAYOUT_H

#include "compiler/dialect/Nn.h"

namespace sylvite::nn {

/// Channels as they lie in memory: up to 4 as they are, then multiples of 8 up to 8 and of 16 above. Padding is zero in
/// parameters and, by that, in every activation and gradient.
int64_t paddedChannels(int64_t channels);

/// Pixels of zeros around an image, or what a reader needs there.
struct Halo {
  int64_t top = 0, bottom = 0, left = 0, right = 0;
  void include(const Halo &other);
  bool any() const { return top || bottom || left || right; }
};

/// Coordinates of an image (or of a vector: width = height = 1, image = false) inside a region.
struct View {
  bool image = false;
  int64_t channels = 0;     ///< physical
  int64_t realChannels = 0; ///< of the tensor type
  int64_t width = 1, height = 1;
  int64_t strideX = 1, strideY = 1; ///< number of phases
  int64_t left = 0, top = 0;        ///< coordinate of the interior's first pixel
  int64_t extentX = 1, extentY = 1; ///< of the coordinates X / strideX, Y / strideY

  bool phased() const { return strideX > 1 || strideY > 1; }
  /// Whether the coordinates are the interior's pixels and no others.
  bool exact() const { return !left && !top && strideX * extentX == width && strideY * extentY == height; }
  /// Pixels around the interior that the coordinates reach.
  Halo reach() const;
};

/// A window of a Windowed op.
struct Window {
  std::array<int64_t, 2> size, stride; // [H, W]
  std::array<int64_t, 4> padding;      // [top, bottom, left, right]
};
std::optional<Window> windowOf(mlir::Operation *op);

/// The view of a value of Kind::Batch inside a region.
View viewOf(mlir::Value value);

/// What operand `index` of a region must have around it, in zeros where it is an adjoint.
Halo requiredHalo(RegionOp region, unsigned index);

/// How a value's buffer is laid out.
struct Layout {
  Kind kind = Kind::Whole;
  bool image = false;      ///< Batch, rank 4
  bool packed = false;     ///< the caller's own buffer: no halo, no padding of channels
  bool transposed = false; ///< weights with the input channel innermost
  int64_t channels = 1, realChannels = 1, width = 1, height = 1;
  Halo halo;
  int64_t unit = 0;       ///< elements of one sample (Batch), slice (Slices) or the whole tensor (Whole, Partial)
  int64_t units = 1;      ///< samples or slices
  int64_t copyStride = 0; ///< Partial: elements from one slice's part to the next

  int64_t columns() const { return halo.left + width + halo.right; }
  int64_t rows() const { return halo.top + height + halo.bottom; }
  int64_t elements() const { return unit * units; }
  /// Elements from the buffer's start to the interior's first pixel.
  int64_t interior() const { return (halo.top * columns() + halo.left) * channels; }
};

/// The layout of a value defined in a program's block, its halo read from its `buffer` attribute if there is one.
Layout layoutOf(mlir::Value value);
/// The variable of this name in a program's block, or null.
VariableOp findVariable(mlir::Block &block, llvm::StringRef name);
/// Physical extents of a variable's tensor as its readers see it, innermost first: conv weights (o, c, kx, ky), linear
/// weights (o, k), vectors (c). Also of what lies as a variable does: its slots, its gradient, its transposed copy.
llvm::SmallVector<int64_t> variableExtents(mlir::Value value);

} // namespace sylvite::nn

#endif
