//===- Preprocess.cpp - nn.resize, nn.center_crop, nn.pad_to, nn.grayscale, nn.rgb --------------------------------===//
//
// Images in their natural coordinates (c, x, y, n). Adjoints are zero outside of their extents (Reindexing).
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

static int sizeOf(const Value &value, unsigned axis) { return int(value.view.axes[axis].size); }

/// PyTorch's place of the nearest pixel, in its 32-bit arithmetic.
static Expr nearest(Expr at, int from, int to) {
  Expr scale = float(from) / float(to);
  return clamp(cast<int32_t>(floor(cast<float>(at) * scale)), 0, from - 1);
}

/// One axis after the other. Mode area is another op: see expand.
static std::vector<Value> resize(OpContext &context) {
  const Value &input = context.operand(0);
  bool linear = mlir::cast<nn::ResizeOp>(context.op).getMode() == "bilinear";
  const Vars &v = vars();
  Value result = imageResult(context, "resize");
  if (!linear) {
    result.func(dimsOf(result.view)) = input.func(v.c, nearest(v.x, sizeOf(input, 0), sizeOf(result, 0)),
                                                  nearest(v.y, sizeOf(input, 1), sizeOf(result, 1)), v.n);
    return {result};
  }
  // Output X stands for the place (X + 1/2) * from / to - 1/2 of the input, in units of 1 / (2 to) a whole number.
  struct Between {
    Expr low, high, share;
  };
  auto between = [&](Expr at, int from, int to) {
    Expr place = max((2 * at + 1) * from - to, 0), low = clamp(place / (2 * to), 0, from - 1);
    return Between{low, min(low + 1, from - 1), cast(context.type(), place % (2 * to)) * context.constant(0.5 / to)};
  };
  Between x = between(v.x, sizeOf(input, 0), sizeOf(result, 0)), y = between(v.y, sizeOf(input, 1), sizeOf(result, 1));
  Expr one = context.constant(1);
  auto row = [&](Expr at) {
    return input.func(v.c, x.low, at, v.n) * (one - x.share) + input.func(v.c, x.high, at, v.n) * x.share;
  };
  result.func(dimsOf(result.view)) = row(y.low) * (one - y.share) + row(y.high) * y.share;
  return {result};
}
static Register registeredResize("nn.resize", resize);

/// The input moved by (left, top) pixels to the right and down; `value` where it has no pixel.
static std::vector<Value> placed(OpContext &context, const std::string &role, const std::array<int, 2> &move,
                                 double value) {
  const Value &input = context.operand(0);
  const Vars &v = vars();
  Value result = imageResult(context, role);
  std::vector<Expr> at{v.c};
  Expr inside = Internal::const_true();
  for (unsigned axis = 0; axis < 2; ++axis) {
    Expr place = v.axis[axis] - move[axis];
    int size = sizeOf(input, axis);
    if (move[axis] > 0)
      inside = inside && place >= 0;
    if (sizeOf(result, axis) - move[axis] > size)
      inside = inside && place < size;
    at.push_back(clamp(place, 0, size - 1));
  }
  at.push_back(v.n);
  result.func(dimsOf(result.view)) = select(inside, input.func(at), context.constant(value));
  return {result};
}

static std::vector<Value> centerCrop(OpContext &context) {
  auto size = mlir::cast<nn::CenterCropOp>(context.op).getSize();
  std::array<int, 2> move;
  for (unsigned axis = 0; axis < 2; ++axis) {
    int from = sizeOf(context.operand(0), axis), to = int(size[1 - axis]);
    int cut = from - to; // half of it goes first, a half pixel to the even side
    move[axis] = cut <= 0 ? -cut / 2 : -(cut / 2 + (cut % 2 && cut / 2 % 2));
  }
  return placed(context, "center_crop", move, 0);
}
static Register registeredCenterCrop("nn.center_crop", centerCrop);

static std::vector<Value> padTo(OpContext &context) {
  auto op = mlir::cast<nn::PadToOp>(context.op);
  std::array<int, 2> move;
  for (unsigned axis = 0; axis < 2; ++axis)
    move[axis] = (int((*op.getSize())[1 - axis]) - sizeOf(context.operand(0), axis)) / 2;
  return placed(context, "pad_to", move, op.getValue().convertToDouble());
}
static Register registeredPadTo("nn.pad_to", padTo);

static std::vector<Value> grayscale(OpContext &context) {
  const Func &input = context.operand(0).func;
  const Vars &v = vars();
  Value result = imageResult(context, "grayscale");
  result.func(dimsOf(result.view)) = context.constant(0.2989) * input(0, v.x, v.y, v.n) +
                                     context.constant(0.587) * input(1, v.x, v.y, v.n) +
                                     context.constant(0.114) * input(2, v.x, v.y, v.n);
  return {result};
}
static Register registeredGrayscale("nn.grayscale", grayscale);

static std::vector<Value> rgb(OpContext &context) {
  const Vars &v = vars();
  Value result = imageResult(context, "rgb");
  result.func(dimsOf(result.view)) = context.operand(0).func(0, v.x, v.y, v.n);
  return {result};
}
static Register registeredRgb("nn.rgb", rgb);

} // namespace sylvite::ops
