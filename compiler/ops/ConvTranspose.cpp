//===- ConvTranspose.cpp - nn.conv_transpose1d, nn.conv_transpose2d, nn.conv_transpose3d --------------------------===//
//
// Output position u = stride * x + xi (counted from the first pixel that the padding crops) gets weight tap k of input
// pixel x - j where dilation * k = stride * j + xi. Each phase xi of the output is a convolution with the taps of that
// phase, `phase_weight`, so that output and derivative are pure in all coordinates.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

static std::vector<Value> convTranspose(OpContext &context) {
  const Value &input = context.operand(0), &weight = context.operand(1);
  const Vars &v = vars();
  nn::Window window = *nn::windowOf(context.op);
  auto numbers = [&](llvm::StringRef key) {
    return context.op->getAttrOfType<mlir::DenseI64ArrayAttr>(key).asArrayRef();
  };
  auto kernel = numbers("kernel"), stride = numbers("stride"), dilation = numbers("dilation");
  Value result = startContraction(context, "conv");
  bool grouped = result.view.groups > 1, phased = result.view.phased();

  // phase_weight(c, [g,] rc, xi, tx, …): tap tx reads input pixel x - (size - 1 - tx).
  Func phaseWeight = context.func("phase_weight");
  Var rc("ci"), taps[] = {Var("tx"), Var("ty"), Var("tz")};
  std::vector<Var> phaseDims{v.c};
  if (grouped)
    phaseDims.push_back(v.g);
  phaseDims.push_back(rc);
  std::vector<Expr> weightAt(phaseDims.begin(), phaseDims.end());
  Expr exists;
  for (unsigned axis = 0; axis < window.rank; ++axis) {
    unsigned outer = window.rank - 1 - axis;
    int size = int(window.axes[axis].size), step = int(stride[outer]), spread = int(dilation[outer]);
    Expr place = (size - 1 - taps[axis]) * step;
    if (phased) {
      phaseDims.push_back(v.phase[axis]);
      place = place + v.phase[axis];
    }
    phaseDims.push_back(taps[axis]);
    Expr here = place % spread == 0 && place / spread < int(kernel[outer]);
    exists = exists.defined() ? exists && here : here;
    weightAt.push_back(clamp(place / spread, 0, int(kernel[outer]) - 1));
  }
  phaseWeight(phaseDims) = select(exists, weight.func(weightAt), context.constant(0));

  std::vector<Range> ranges{{0, int(weight.extents[grouped ? 2 : 1])}};
  for (unsigned axis = 0; axis < window.rank; ++axis)
    ranges.emplace_back(0, int(window.axes[axis].size));
  RDom r(ranges, "r");
  std::vector<Expr> at, tap, phaseAt{v.c}, channel{r[0]};
  if (grouped) {
    phaseAt.push_back(v.g);
    channel.push_back(v.g);
  }
  phaseAt.push_back(r[0]);
  for (unsigned axis = 0; axis < window.rank; ++axis) {
    if (phased)
      phaseAt.push_back(v.phase[axis]);
    phaseAt.push_back(r[int(axis) + 1]);
    at.push_back(v.axis[axis]);
    tap.push_back(r[int(axis) + 1]);
  }
  result.func(dimsOf(result.view)) += phaseWeight(phaseAt) * pixel(input, window, channel, at, tap, v.n);

  std::vector<std::string> sums{"rc", "rx", "ry", "rz"};
  sums.resize(1 + window.rank);
  context.nameRVars(result.func, sums);
  return {result};
}
static Register registered1("nn.conv_transpose1d", convTranspose);
static Register registered2("nn.conv_transpose2d", convTranspose);
static Register registered3("nn.conv_transpose3d", convTranspose);

} // namespace sylvite::ops
