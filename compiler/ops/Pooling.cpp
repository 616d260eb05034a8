//===- Pooling.cpp - nn.max_pool*, nn.avg_pool*: windows over each channel ----------------------------------------===//
//
// A chain of terms, one a window element. Windows read stride phases as dimensions (see View), so that the derivative
// stays pure. Of a maximum, the first wins and gets the whole gradient.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

namespace {

/// What a pooling layer's window reads, tap by tap.
struct Pool {
  Value result;
  nn::Window window;
  std::vector<Expr> values, inside; ///< of each tap, in order of rows; `inside` is undefined where no tap is outside

  Pool(OpContext &context, const std::string &role) : window(*nn::windowOf(context.op)) {
    const Value &input = context.operand(0);
    const Vars &v = vars();
    result = imageResult(context, role);
    // A Func of its own, whatever comes before: its adjoint is what each window element adds to.
    Value pixels = input;
    pixels.func = context.func("pixels");
    pixels.func(input.dims()) = input.here();
    std::vector<Expr> at;
    int64_t taps = 1;
    for (unsigned axis = 0; axis < window.rank; ++axis) {
      at.push_back(v.axis[axis]);
      taps *= window.axes[axis].size;
    }
    for (int64_t index = 0; index < taps; ++index) {
      std::vector<Expr> tap;
      int64_t rest = index;
      for (unsigned axis = 0; axis < window.rank; ++axis) {
        tap.push_back(int(rest % window.axes[axis].size));
        rest /= window.axes[axis].size;
      }
      values.push_back(pixel(pixels, window, {v.c}, at, tap, v.n));
      inside.push_back(insideImage(input.view, window, at, tap));
    }
  }
};

} // namespace

static std::vector<Value> maxPool(OpContext &context) {
  Pool pool(context, context.op->getName().stripDialect().str());
  Expr best;
  for (auto [value, inside] : llvm::zip(pool.values, pool.inside)) {
    Expr candidate = inside.defined() ? select(inside, value, context.type().min()) : value; // padding never wins
    best = best.defined() ? select(best >= candidate, best, candidate) : candidate;
  }
  pool.result.func(dimsOf(pool.result.view)) = best;
  return {pool.result};
}
static Register registeredMax1("nn.max_pool1d", maxPool);
static Register registeredMax2("nn.max_pool2d", maxPool);
static Register registeredMax3("nn.max_pool3d", maxPool);

/// 1 / (pixels of the window that count): those of the image, or those within `padding` of it too.
static Expr averageFactor(OpContext &context, const nn::Window &window, bool countPadding) {
  auto padding = context.op->getAttrOfType<mlir::DenseI64ArrayAttr>("padding");
  nn::View input = nn::naturalView(mlir::cast<mlir::RankedTensorType>(context.op->getOperand(0).getType()));
  Expr count = context.constant(1);
  int64_t all = 1;
  for (unsigned axis = 0; axis < window.rank; ++axis) {
    const nn::WindowAxis &along = window.axes[axis];
    int64_t after = padding[2 * (window.rank - 1 - axis) + 1], before = along.before, size = input.axes[axis].size;
    int64_t low = countPadding ? 0 : before, high = before + size + (countPadding ? after : 0);
    if (low == 0 && (along.outputs - 1) * along.stride + along.size <= high) {
      all *= along.size;
      continue;
    }
    Expr start = vars().axis[axis] * int(along.stride);
    count = count * cast(context.type(), min(start + int(along.size), int(high)) - max(start, int(low)));
  }
  return context.constant(1) / (context.constant(double(all)) * count);
}

static std::vector<Value> avgPool(OpContext &context) {
  Pool pool(context, context.op->getName().stripDialect().str());
  auto counts = context.op->getAttrOfType<mlir::BoolAttr>("count_include_pad");
  bool countPadding = !counts || counts.getValue();
  Expr sum = context.constant(0);
  for (auto [value, inside] : llvm::zip(pool.values, pool.inside))
    sum = sum + (inside.defined() ? select(inside, value, context.constant(0)) : value);
  pool.result.func(dimsOf(pool.result.view)) = sum * averageFactor(context, pool.window, countPadding);
  return {pool.result};
}
static Register registeredAvg1("nn.avg_pool1d", avgPool);
static Register registeredAvg2("nn.avg_pool2d", avgPool);
static Register registeredAvg3("nn.avg_pool3d", avgPool);

} // namespace sylvite::ops
