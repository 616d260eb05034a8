//===- Augmentation.cpp - nn.random_crop, nn.horizontal_flip, nn.vertical_flip, nn.color_jitter, nn.cutout --------===//
//
// What is drawn for a sample is a Func (n) of its own, `draw`, so that a schedule computes it once a sample.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Philox.h"
#include "compiler/ops/Places.h"

using namespace Halide;

namespace sylvite::ops {

/// A Func (n) of this value.
static Expr drawn(OpContext &context, Expr value) {
  Func draw = context.func("draw");
  draw(vars().n) = value;
  return draw(vars().n);
}

static int sizeOf(const Value &value, unsigned axis) { return int(value.view.axes[axis].size); }

static std::vector<Value> randomCrop(OpContext &context) {
  auto op = mlir::cast<nn::RandomCropOp>(context.op);
  const Value &input = context.operand(0);
  const Vars &v = vars();
  Value result = imageResult(context, "random_crop");
  std::array<Expr, 4> words = randomWords(context, 0);
  std::vector<Expr> at{v.c};
  Expr inside = Internal::const_true();
  for (unsigned axis = 0; axis < 2; ++axis) {
    int size = sizeOf(input, axis), before = int(op.getPadding()[2 * (1 - axis)]);
    int after = int(op.getPadding()[2 * (1 - axis) + 1]), places = size + before + after - sizeOf(result, axis) + 1;
    Expr first = drawn(context, uniformBelow(words[axis], places));
    Expr place = v.axis[axis] + clamp(first, 0, places - 1) - before;
    if (before || after)
      inside = inside && place >= 0 && place < size;
    at.push_back(clamp(place, 0, size - 1));
  }
  at.push_back(v.n);
  result.func(dimsOf(result.view)) = select(inside, input.func(at), context.constant(op.getValue().convertToDouble()));
  return {result};
}
static Register registeredRandomCrop("nn.random_crop", randomCrop);

/// Mirrored along an axis with probability `p`.
static std::vector<Value> flip(OpContext &context, const std::string &role, unsigned axis, double p) {
  const Value &input = context.operand(0);
  Value result = imageResult(context, role);
  Expr mirrored = drawn(context, cast<int32_t>(happens(randomWords(context, 0)[0], p)));
  std::vector<Var> dims = dimsOf(result.view);
  std::vector<Expr> at(dims.begin(), dims.end());
  Expr &along = at[1 + axis];
  int last = sizeOf(input, axis) - 1;
  along = clamp(select(mirrored != 0, last - along, along), 0, last);
  result.func(dims) = input.func(at);
  return {result};
}
static std::vector<Value> horizontalFlip(OpContext &context) {
  return flip(context, "horizontal_flip", 0, mlir::cast<nn::HorizontalFlipOp>(context.op).getP().convertToDouble());
}
static Register registeredHorizontalFlip("nn.horizontal_flip", horizontalFlip);
static std::vector<Value> verticalFlip(OpContext &context) {
  return flip(context, "vertical_flip", 1, mlir::cast<nn::VerticalFlipOp>(context.op).getP().convertToDouble());
}
static Register registeredVerticalFlip("nn.vertical_flip", verticalFlip);

static std::vector<Value> colorJitter(OpContext &context) {
  auto op = mlir::cast<nn::ColorJitterOp>(context.op);
  const Value &input = context.operand(0);
  const Vars &v = vars();
  double brightness = op.getBrightness().convertToDouble(), contrast = op.getContrast().convertToDouble();
  Expr zero = context.constant(0), one = context.constant(1),
       most = context.constant(op.getMaximum().convertToDouble());
  std::array<Expr, 4> words = randomWords(context, 0);
  auto factor = [&](Expr word, double range) {
    double low = std::max(0., 1 - range), high = 1 + range;
    return drawn(context, context.constant(low) + uniform(context, word) * context.constant(high - low));
  };
  Expr bright = factor(words[0], brightness), strong = factor(words[1], contrast);
  Expr contrastFirst = drawn(context, cast<int32_t>(happens(words[2], 0.5))) != 0;

  auto brightened = [&](Expr value) { return clamp(value * bright, zero, most); };
  // The mean gray of what contrast is applied to, down the columns first.
  int width = sizeOf(input, 0), height = sizeOf(input, 1);
  RDom ry(0, height, "ry"), rx(0, width, "rx");
  auto pixelOf = [&](int channel) {
    Expr value = input.func(channel, v.x, ry, v.n);
    return select(contrastFirst, value, brightened(value));
  };
  Expr gray = pixelOf(0);
  if (input.view.realChannels == 3)
    gray =
        context.constant(0.2989) * gray + context.constant(0.587) * pixelOf(1) + context.constant(0.114) * pixelOf(2);
  Func column = context.func("column"), sum = context.func("sum");
  column(v.x, v.n) = zero;
  column(v.x, v.n) += gray;
  sum(v.n) = zero;
  sum(v.n) += column(rx, v.n);
  context.nameRVars(column, {"ry"});
  context.nameRVars(sum, {"rx"});
  Expr mean = sum(v.n) * context.constant(1.0 / (double(width) * height));

  auto contrasted = [&](Expr value) { return clamp(strong * value + (one - strong) * mean, zero, most); };
  Value result = imageResult(context, "color_jitter");
  Expr value = input.func(v.c, v.x, v.y, v.n);
  Expr changed = brightness == 0 ? contrasted(value)
                 : contrast == 0 ? brightened(value)
                                 : select(contrastFirst, brightened(contrasted(value)), contrasted(brightened(value)));
  result.func(dimsOf(result.view)) = changed;
  return {result};
}
static Register registeredColorJitter("nn.color_jitter", colorJitter);

static std::vector<Value> cutout(OpContext &context) {
  auto op = mlir::cast<nn::CutoutOp>(context.op);
  const nn::View &view = context.operand(0).view;
  std::array<Expr, 4> words = randomWords(context, 0);
  Expr cut = Internal::const_true();
  for (unsigned axis = 0; axis < 2; ++axis) {
    int size = int(op.getSize()[1 - axis]);
    Expr first = drawn(context, uniformBelow(words[axis], view.axes[axis].size)) - size / 2;
    Expr place = pixelAlong(view, axis);
    cut = cut && place >= first && place < first + size;
  }
  return {mapElements(context, context.operand(0), "cutout", [&](Expr value, Expr) {
    return select(cut, context.constant(op.getValue().convertToDouble()), value);
  })};
}
static Register registeredCutout("nn.cutout", cutout);

} // namespace sylvite::ops
