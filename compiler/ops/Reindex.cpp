//===- Reindex.cpp - nn.concat, nn.slice, nn.permute, nn.reshape, nn.pixel_shuffle, nn.upsample -------------------===//
//
// Operands are zero outside of their extents (Reindexing).
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

/// Extents of a value as its coordinates run: channels, then axes from the innermost.
static std::vector<int> extentsOf(mlir::Value value) {
  auto shape = mlir::cast<mlir::RankedTensorType>(value.getType()).getShape().drop_front();
  return {shape.rbegin(), shape.rend()};
}

/// The coordinates of the result but the sample: c, x, y, z.
static std::vector<Expr> coordinates(const Value &result) {
  std::vector<Var> dims = dimsOf(result.view);
  return {dims.begin(), dims.end() - 1};
}

static Expr read(const Value &operand, std::vector<Expr> at) {
  at.push_back(vars().n);
  return operand.func(at);
}

/// Coordinate that axis `axis` of the sample ([H, W, C]) is: 0 for the channels.
static size_t coordinateOf(int64_t axis, size_t rank) { return rank - 1 - size_t(axis); }

static std::vector<Value> concat(OpContext &context) {
  Value result = imageResult(context, "concat");
  std::vector<Expr> at = coordinates(result);
  size_t along = coordinateOf(mlir::cast<nn::ConcatOp>(context.op).getAxis(), at.size());
  Expr place = at[along], joined = context.constant(0);
  int begin = 0;
  for (unsigned i = 0; i < context.operandCount(); ++i) {
    int extent = extentsOf(context.op->getOperand(i))[along];
    at[along] = place - begin;
    joined = select(place >= begin && place < begin + extent, read(context.operand(i), at), joined);
    begin += extent;
  }
  result.func(dimsOf(result.view)) = joined;
  return {result};
}
static Register registeredConcat("nn.concat", concat);

static std::vector<Value> slice(OpContext &context) {
  auto op = mlir::cast<nn::SliceOp>(context.op);
  Value result = imageResult(context, "slice");
  std::vector<Expr> at = coordinates(result);
  size_t along = coordinateOf(op.getAxis(), at.size());
  at[along] = at[along] + int(op.getBegin());
  result.func(dimsOf(result.view)) = read(context.operand(0), at);
  return {result};
}
static Register registeredSlice("nn.slice", slice);

static std::vector<Value> permute(OpContext &context) {
  auto axes = mlir::cast<nn::PermuteOp>(context.op).getAxes();
  Value result = imageResult(context, "permute");
  std::vector<Expr> out = coordinates(result), in(out.size());
  for (size_t axis = 0; axis < axes.size(); ++axis)
    in[coordinateOf(axes[axis], in.size())] = out[coordinateOf(int64_t(axis), out.size())];
  result.func(dimsOf(result.view)) = read(context.operand(0), in);
  return {result};
}
static Register registeredPermute("nn.permute", permute);

/// Elements are counted C, H, W: x is the fastest, the channel the slowest.
static std::vector<Value> reshape(OpContext &context) {
  Value result = imageResult(context, "reshape");
  std::vector<int> from = extentsOf(context.op->getOperand(0)), to = extentsOf(context.op->getResult(0));
  std::vector<Expr> out = coordinates(result), in(from.size());
  Expr index = 0;
  int stride = 1;
  for (size_t axis = 1; axis < to.size(); ++axis) {
    index = index + out[axis] * stride;
    stride *= to[axis];
  }
  index = index + out[0] * stride;
  Expr rest = index;
  for (size_t axis = 1; axis < from.size(); ++axis) {
    in[axis] = rest % from[axis];
    rest = rest / from[axis];
  }
  in[0] = rest;
  result.func(dimsOf(result.view)) = read(context.operand(0), in);
  return {result};
}
static Register registeredReshape("nn.reshape", reshape);

/// floor(place / divisor) below `size`, read from a Func: Halide would invert the division itself, as if it were exact.
static Expr quotient(OpContext &context, Var place, int divisor, int64_t size) {
  Func table = context.func("quotient");
  table(place) = place / divisor;
  return clamp(table(place), 0, int(size) - 1);
}

static std::vector<Value> pixelShuffle(OpContext &context) {
  int factor = int(mlir::cast<nn::PixelShuffleOp>(context.op).getFactor());
  Value result = imageResult(context, "pixel_shuffle");
  const Vars &v = vars();
  result.func(dimsOf(result.view)) =
      read(context.operand(0), {(v.c * factor + v.y % factor) * factor + v.x % factor,
                                quotient(context, v.x, factor, context.operand(0).view.axes[0].size),
                                quotient(context, v.y, factor, context.operand(0).view.axes[1].size)});
  return {result};
}
static Register registeredShuffle("nn.pixel_shuffle", pixelShuffle);

static std::vector<Value> upsample(OpContext &context) {
  auto op = mlir::cast<nn::UpsampleOp>(context.op);
  Value result = imageResult(context, "upsample"), source = context.operand(0);
  unsigned rank = result.view.rank;
  auto scaleOf = [&](unsigned axis) { return int(op.getScale()[rank - 1 - axis]); };
  if (op.getMode() == "nearest") {
    std::vector<Expr> at = coordinates(result);
    for (unsigned axis = 0; axis < rank; ++axis)
      at[1 + axis] = quotient(context, vars().axis[axis], scaleOf(axis), source.view.axes[axis].size);
    result.func(dimsOf(result.view)) = read(source, at);
    return {result};
  }
  // One axis after the other: pixel x lies at (x + 0.5) / scale - 0.5 of the smaller image, not before its first.
  for (unsigned axis = 0; axis < rank; ++axis) {
    Func step = axis + 1 < rank ? context.func("along_" + std::string(1, "xyz"[axis])) : result.func;
    std::vector<Expr> low = coordinates(result);
    int last = int(context.operand(0).view.axes[axis].size) - 1, scale = scaleOf(axis);
    Expr doubled = max(2 * low[1 + axis] + 1 - scale, 0); // 2 * scale times the place
    Expr first = min(doubled / (2 * scale), last);
    Expr share = cast(context.type(), doubled % (2 * scale)) * context.constant(1.0 / (2 * scale));
    std::vector<Expr> high = low;
    low[1 + axis] = first;
    high[1 + axis] = min(first + 1, last);
    step(dimsOf(result.view)) = read(source, low) * (context.constant(1) - share) + read(source, high) * share;
    source.func = step;
  }
  return {result};
}
static Register registeredUpsample("nn.upsample", upsample);

} // namespace sylvite::ops
