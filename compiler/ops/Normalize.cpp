//===- Normalize.cpp - nn.normalize: (input / divide - mean) / std, per channel -----------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

/// One constant a channel as an expression of the channel; 0 for padded channels.
static Expr perChannel(OpContext &context, llvm::ArrayRef<double> values, Expr channel) {
  if (llvm::all_equal(values))
    return context.constant(values.front());
  Expr result = context.constant(0);
  for (auto [index, value] : llvm::enumerate(values))
    result = select(channel == int(index), context.constant(value), result);
  return result;
}

static std::vector<Value> normalize(OpContext &context) {
  auto op = mlir::cast<nn::NormalizeOp>(context.op);
  double divide = op.getDivide().convertToDouble();
  // input * factor + offset, with both constants rounded once
  llvm::SmallVector<double> factors, offsets;
  for (auto [mean, deviation] : llvm::zip(op.getMean(), op.getStd())) {
    factors.push_back(1 / (divide * deviation));
    offsets.push_back(-mean / deviation);
  }
  const nn::View &view = context.operand(0).view;
  bool padded = view.channels != view.realChannels;
  return {mapElements(context, context.operand(0), "normalize", [&](Expr value, Expr channel) {
    Expr result = value * perChannel(context, factors, channel) + perChannel(context, offsets, channel);
    return padded ? select(channel < int(view.realChannels), result, context.constant(0)) : result;
  })};
}
static Register registered("nn.normalize", normalize);

} // namespace sylvite::ops
