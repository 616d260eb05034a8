//===- MaxPool2d.cpp - nn.max_pool2d: largest value of each window ------------------------------------------------===//
//
// A chain of selects, one a window element: the first maximum wins and gets the whole gradient. Windows read stride
// phases as dimensions (see View), so that the derivative stays pure.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

static std::vector<Value> maxPool2d(OpContext &context) {
  auto window = *nn::windowOf(context.op);
  const Value &input = context.operand(0);
  const nn::View &view = input.view;
  const Vars &v = vars();
  bool padded = llvm::any_of(window.padding, [](int64_t side) { return side != 0; });

  Value result;
  result.kind = nn::Kind::Batch;
  result.view = nn::viewOf(context.op->getResult(0));
  result.func = context.func("max_pool2d");
  // A Func of its own, whatever comes before: its adjoint is what each window element adds to.
  Value pixels = input;
  pixels.func = context.func("pixels");
  pixels.func(input.dims()) = input.here();
  Expr best;
  for (int64_t ky = 0; ky < window.size[0]; ++ky)
    for (int64_t kx = 0; kx < window.size[1]; ++kx) {
      Expr value = pixel(pixels, v.c, v.x, int(kx), v.y, int(ky), v.n);
      if (padded) { // padding never wins
        Expr column = v.x * int(window.stride[1]) + int(kx), row = v.y * int(window.stride[0]) + int(ky);
        Expr inside = column >= int(view.left) && column < int(view.left + view.width) && row >= int(view.top) &&
                      row < int(view.top + view.height);
        value = select(inside, value, context.type().min());
      }
      best = best.defined() ? select(best >= value, best, value) : value;
    }
  result.func(v.c, v.x, v.y, v.n) = best;
  return {result};
}
static Register registered("nn.max_pool2d", maxPool2d);

} // namespace sylvite::ops
