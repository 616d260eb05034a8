//===- Arithmetic.cpp - nn.add, nn.multiply, nn.subtract, nn.gradient_sum -----------------------------------------===//
#include "compiler/ops/Places.h"

using namespace Halide;

namespace sylvite::ops {

/// Operand `index` at the coordinates of a result, whose view and Vars these are; extents of 1 stand for all.
static Expr broadcast(OpContext &context, unsigned index, const nn::View &view, const std::vector<Var> &dims) {
  const Value &operand = context.operand(index);
  auto shapeOf = [](mlir::Value value) { return mlir::cast<mlir::RankedTensorType>(value.getType()).getShape(); };
  if (shapeOf(context.op->getOperand(index)) == shapeOf(context.op->getResult(0)))
    return operand.func(std::vector<Expr>(dims.begin(), dims.end()));
  std::vector<Expr> at{operand.view.realChannels == 1 ? Expr(0) : Expr(vars().c)};
  for (unsigned axis = 0; axis < operand.view.rank; ++axis) {
    int size = int(operand.view.axes[axis].size);
    at.push_back(size == 1 ? Expr(0) : clamp(pixelAlong(view, axis), 0, size - 1));
  }
  at.push_back(vars().n);
  return operand.func(at);
}

static Value join(OpContext &context, const std::string &role, const std::function<Expr(Expr, Expr)> &combine) {
  Value result = imageResult(context, role);
  bool number = mlir::cast<mlir::RankedTensorType>(context.op->getResult(0).getType()).getRank() == 1;
  std::vector<Var> dims = number ? std::vector<Var>{vars().n} : dimsOf(result.view);
  Expr joined = broadcast(context, 0, result.view, dims);
  for (unsigned i = 1; i < context.operandCount(); ++i)
    joined = combine(joined, broadcast(context, i, result.view, dims));
  result.func(dims) = joined;
  return result;
}

static std::vector<Value> add(OpContext &context) {
  return {join(context, "add", [](Expr a, Expr b) { return a + b; })};
}
static Register registeredAdd("nn.add", add);

static std::vector<Value> multiply(OpContext &context) {
  return {join(context, "multiply", [](Expr a, Expr b) { return a * b; })};
}
static Register registeredMultiply("nn.multiply", multiply);

static std::vector<Value> subtract(OpContext &context) {
  return {join(context, "subtract", [](Expr a, Expr b) { return a - b; })};
}
static Register registeredSubtract("nn.subtract", subtract);

/// Of gradients of any kind, in the coordinates that they have in common.
static std::vector<Value> gradientSum(OpContext &context) {
  Value result = context.operand(0);
  result.detached = nullptr;
  result.func = context.func("gradient_sum");
  std::vector<Var> dims = context.operand(0).dims();
  Expr sum = context.operand(0).here();
  for (unsigned i = 1; i < context.operandCount(); ++i)
    sum = sum + context.operand(i).func(std::vector<Expr>(dims.begin(), dims.end()));
  result.func(dims) = sum;
  return {result};
}
static Register registeredSum("nn.gradient_sum", gradientSum);

} // namespace sylvite::ops
