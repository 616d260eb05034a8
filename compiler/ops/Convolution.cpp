//===- Convolution.cpp - nn.conv1d, nn.conv2d, nn.conv3d ----------------------------------------------------------===//
//
// conv(c,x,y,n) = bias(c) + sum over rc, rx, ry of weight(c, rc, rx, ry) * input(rc, x*stride + rx, y*stride + ry, n),
// the input counted from the first pixel of its zero halo; with groups (c, g, …) and weight(c, g, rc, rx, ry).
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

static std::vector<Value> convolution(OpContext &context) {
  const Value &input = context.operand(0), &weight = context.operand(1);
  const Vars &v = vars();
  nn::Window window = *nn::windowOf(context.op);
  Value result = startContraction(context, "conv");
  bool grouped = result.view.groups > 1;

  std::vector<Range> ranges; // input channels, then taps
  for (size_t d = grouped ? 2 : 1; d < weight.extents.size(); ++d)
    ranges.emplace_back(0, int(weight.extents[d]));
  RDom r(ranges, "r");
  std::vector<Expr> at, taps, weightAt{v.c}, channel{r[0]};
  if (grouped) {
    weightAt.push_back(v.g);
    channel.push_back(v.g);
  }
  weightAt.push_back(r[0]);
  for (unsigned axis = 0; axis < window.rank; ++axis) {
    at.push_back(v.axis[axis]);
    taps.push_back(r[int(axis) + 1]);
    weightAt.push_back(r[int(axis) + 1]);
  }
  result.func(dimsOf(result.view)) += weight.func(weightAt) * pixel(input, window, channel, at, taps, v.n);

  std::vector<std::string> sums{"rc", "rx", "ry", "rz"}, pixels{"rx", "ry", "rz"};
  sums.resize(1 + window.rank);
  pixels.resize(window.rank);
  pixels.push_back("rn");
  context.nameRVars(result.func, sums);
  context.nameGradientRVars(0, sums); // over filters and taps
  context.nameGradientRVars(1, pixels);
  context.nameGradientRVars(2, pixels);
  return {result};
}
static Register registered1("nn.conv1d", convolution);
static Register registered2("nn.conv2d", convolution);
static Register registered3("nn.conv3d", convolution);

} // namespace sylvite::ops
