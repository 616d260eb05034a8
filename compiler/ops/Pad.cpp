//===- Pad.cpp - nn.pad and nn.crop: more or fewer pixels around an image -----------------------------------------===//
//
// The input is zero outside of its extents (Reindexing).
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

/// The result, whose pixel (x, y, …) is the input's at `place(x, axis)` of each axis.
static Value moved(OpContext &context, const std::string &role, const std::function<Expr(Expr, unsigned)> &place) {
  Value result = imageResult(context, role);
  const Vars &v = vars();
  std::vector<Expr> at{v.c};
  for (unsigned axis = 0; axis < result.view.rank; ++axis)
    at.push_back(place(v.axis[axis], axis));
  at.push_back(v.n);
  result.func(dimsOf(result.view)) = context.operand(0).func(at);
  return result;
}

static std::vector<Value> pad(OpContext &context) {
  auto op = mlir::cast<nn::PadOp>(context.op);
  const nn::View &input = context.operand(0).view;
  llvm::StringRef mode = op.getMode();
  double value = op.getValue().convertToDouble();
  auto before = [&](unsigned axis) { return int(op.getPadding()[2 * (input.rank - 1 - axis)]); };
  Value result = moved(context, "pad", [&](Expr at, unsigned axis) {
    int size = int(input.axes[axis].size);
    Expr place = at - before(axis);
    if (mode == "replicate")
      return clamp(place, 0, size - 1);
    if (mode == "circular")
      return select(place < 0, place + size, place >= size, place - size, place);
    if (mode == "reflect")
      return select(place < 0, -place, place >= size, 2 * (size - 1) - place, place);
    return place;
  });
  if (mode != "constant" || value == 0)
    return {result};
  Expr inside = Internal::const_true();
  for (unsigned axis = 0; axis < input.rank; ++axis) {
    Expr place = vars().axis[axis] - before(axis);
    inside = inside && place >= 0 && place < int(input.axes[axis].size);
  }
  Value filled = imageResult(context, "filled");
  filled.func(result.dims()) = select(inside, result.here(), context.constant(value));
  return {filled};
}
static Register registeredPad("nn.pad", pad);

static std::vector<Value> crop(OpContext &context) {
  auto op = mlir::cast<nn::CropOp>(context.op);
  unsigned rank = context.operand(0).view.rank;
  return {
      moved(context, "crop", [&](Expr at, unsigned axis) { return at + int(op.getMargin()[2 * (rank - 1 - axis)]); })};
}
static Register registeredCrop("nn.crop", crop);

} // namespace sylvite::ops
