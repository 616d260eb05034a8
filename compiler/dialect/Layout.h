//===- Layout.h - how values lie in memory, and how kernels look at them ------------------------------------------===//
//
// Three notions, used by the memory plan and by codegen alike:
//   - the physical number of channels: a vector of channels is padded with zeros so that vector loops have no tails;
//   - a View: the coordinates in which a region looks at an image of one, two or three axes. A window that slides with
//     stride s sees stride phases as dimensions of their own (X % s, X / s), counted from as many pixels before the
//     image as hold its padding and are a multiple of s; a grouped layer sees the channels of one group and the group;
//   - a Layout: extents, halo and strides of a value's buffer.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef SYLVITE_DIALECT_LAYOUT_H
#define SYLVITE_DIALECT_LAYOUT_H

#include "compiler/dialect/Nn.h"
#include "compiler/dialect/Variables.h"

namespace sylvite::nn {

/// Most axes of an image: width, height, depth.
constexpr unsigned maxAxes = 3;

/// Pixels of zeros around an image, or what a reader needs there; axes innermost first (x, y, z).
struct Halo {
  std::array<int64_t, maxAxes> before{}, after{};
  void include(const Halo &other);
  bool any() const;
};

/// One axis of an image as a region sees it.
struct Axis {
  int64_t size = 1;   ///< pixels of the image
  int64_t stride = 1; ///< number of phases
  int64_t before = 0; ///< coordinate of the first pixel
  int64_t extent = 1; ///< of the coordinate X / stride
  /// Of the values of X / stride, those under which pixels of the image lie: the first, and how many.
  int64_t firstBlock() const;
  int64_t blocks() const;
};

/// Coordinates of an image (or of a vector, which has no axes) inside a region.
struct View {
  unsigned rank = 0;        ///< axes of the image
  int64_t channels = 0;     ///< physical
  int64_t realChannels = 0; ///< of the tensor type
  int64_t groups = 1;       ///< > 1: coordinates (channel of the group, group) in place of the channel
  std::array<Axis, maxAxes> axes;

  bool image() const { return rank > 0; }
  bool phased() const;
  /// Whether the coordinates are the image's pixels and no others.
  bool exact() const;
  /// Pixels around the image that the coordinates reach.
  Halo reach() const;
  /// Pixels around the image that a region writes, as it writes all phases of each coordinate.
  Halo written() const;
  int64_t groupChannels() const { return realChannels / groups; }
  /// Pixels of the image.
  int64_t pixels() const;
  /// The axis that a sample is cut along into tasks: y, or x where there is no other.
  unsigned rowAxis() const { return rank > 1 ? 1 : 0; }
};

/// Along one axis, the window through which an op reads its input: output X reads X * stride + tap * dilation, counted
/// from the first pixel of padding.
struct WindowAxis {
  int64_t size = 1, stride = 1, dilation = 1, before = 0, outputs = 1;
};
struct Window {
  unsigned rank = 0;
  std::array<WindowAxis, maxAxes> axes; ///< innermost first
};
/// The window of a Windowed op, or nothing.
std::optional<Window> windowOf(mlir::Operation *op);
/// Groups of channels that an op keeps apart; 1 for most.
int64_t groupsOf(mlir::Operation *op);
/// Multiplications of a contraction, of the whole batch, each with its addition; as many as either of its gradients
/// takes.
double multiplyAdds(mlir::Operation *contraction);

/// The view of a value of Kind::Batch inside a region.
View viewOf(mlir::Value value);
/// The view of a type's values where nothing asks for another.
View naturalView(mlir::RankedTensorType type);

/// What operand `index` of a region must have around it, in zeros where it is an adjoint.
Halo requiredHalo(RegionOp region, unsigned index);

/// Whether a region reads a slice's own part of a sum over the batch, not the sum: it makes a part of another.
bool readsOwnPart(RegionOp region, mlir::Value sum);

/// Whether input `index` of a region flows into its contraction, not into what it does with the result alone.
bool isContracted(RegionOp region, unsigned index);

/// The op that a region computes, or whose derivative it computes.
mlir::Operation *coreOf(RegionOp region);

/// How a value's buffer is laid out.
struct Layout {
  Kind kind = Kind::Whole;
  unsigned rank = 0;          ///< axes, of Kind::Batch
  bool packed = false;        ///< the caller's own buffer: no halo, no padding of channels
  bool channelsFirst = false; ///< packed as [C, ..., W]
  bool transposed = false;    ///< weights with the input channel innermost
  int64_t channels = 1, realChannels = 1;
  std::array<int64_t, maxAxes> sizes{1, 1, 1};
  Halo halo;
  int64_t unit = 0;       ///< elements of one sample (Batch), slice (Slices) or the whole tensor (Whole, Partial)
  int64_t units = 1;      ///< samples or slices
  int64_t copyStride = 0; ///< Partial: elements from one slice's part to the next

  /// Pixels along an axis, halo included.
  int64_t extent(unsigned axis) const { return halo.before[axis] + sizes[axis] + halo.after[axis]; }
  /// Elements from one pixel to the next along an axis.
  int64_t stride(unsigned axis) const;
  int64_t elements() const { return unit * units; }
  /// Elements from the buffer's start to the interior's first pixel.
  int64_t interior() const;
};

/// The layout of a value defined in a program's block, its halo read from its `buffer` attribute if there is one.
Layout layoutOf(mlir::Value value);

} // namespace sylvite::nn

#endif
