//===- Activations.cpp - the layers that map each element ---------------------------------------------------------===//
//
// Their kinks are PyTorch's: which side of a comparison holds the equality decides the gradient there.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Functions.h"
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

/// The input with `element(context, value)` applied to each of its elements; the role is the op's name.
template <Expr (*element)(OpContext &, Expr)> static std::vector<Value> activation(OpContext &context) {
  return {mapElements(context, context.operand(0), context.op->getName().stripDialect().str(),
                      [&](Expr value, Expr) { return element(context, value); })};
}

template <typename Op> static Expr attribute(OpContext &context, llvm::APFloat (Op::*get)()) {
  return context.constant((mlir::cast<Op>(context.op).*get)().convertToDouble());
}

static Expr relu6(OpContext &context, Expr x) {
  Expr six = context.constant(6);
  return select(x > 0, select(x < six, x, six), context.constant(0));
}
static Register registeredRelu6("nn.relu6", activation<relu6>);

static Expr leakyRelu(OpContext &context, Expr x) {
  return select(x > 0, x, attribute(context, &nn::LeakyReluOp::getNegativeSlope) * x);
}
static Register registeredLeakyRelu("nn.leaky_relu", activation<leakyRelu>);

static std::vector<Value> prelu(OpContext &context) {
  const Value &weight = context.operand(1);
  bool isShared = mlir::cast<nn::PreluOp>(context.op).getNumParameters() == 1;
  return {mapElements(context, context.operand(0), "prelu", [&](Expr x, Expr channel) {
    return select(x > 0, x, weight.func(isShared ? Expr(0) : channel) * x);
  })};
}
static Register registeredPrelu("nn.prelu", prelu);

static Expr eluOf(OpContext &context, Expr x, Expr alpha) {
  return select(x > 0, x, alpha * expMinusOne(select(x > 0, context.constant(0), x)));
}
static Expr elu(OpContext &context, Expr x) { return eluOf(context, x, attribute(context, &nn::EluOp::getAlpha)); }
static Register registeredElu("nn.elu", activation<elu>);

static Expr selu(OpContext &context, Expr x) { // Klambauer et al. 2017, equation 14
  return context.constant(1.0507009873554804934193349852946) *
         eluOf(context, x, context.constant(1.6732632423543772848170429916717));
}
static Register registeredSelu("nn.selu", activation<selu>);

static Expr sigmoid(OpContext &, Expr x) { return sigmoidOf(x); }
static Register registeredSigmoid("nn.sigmoid", activation<sigmoid>);

static Expr tanh(OpContext &, Expr x) { return tanhOf(x); }
static Register registeredTanh("nn.tanh", activation<tanh>);

static Expr gelu(OpContext &context, Expr x) {
  Expr half = context.constant(0.5), one = context.constant(1);
  if (mlir::cast<nn::GeluOp>(context.op).getApproximate() == "none")
    return half * x * (one + erfOf(x * context.constant(0.70710678118654752440)));
  Expr inner = context.constant(0.79788456080286535588) * (x + context.constant(0.044715) * x * x * x);
  return half * x * (one + tanhOf(inner));
}
static Register registeredGelu("nn.gelu", activation<gelu>);

static Expr silu(OpContext &, Expr x) { return x * sigmoidOf(x); }
static Register registeredSilu("nn.silu", activation<silu>);

/// tanh(log(1 + e)) = (e*e + 2e) / (e*e + 2e + 2) with e = exp(x), by e*e where x is positive.
static Expr mish(OpContext &context, Expr x) {
  Expr small = expOfMinus(x), two = context.constant(2);
  Expr share = select(x >= 0, context.constant(1) + two * small, small * (small + two));
  return x * (share / (share + two * select(x >= 0, small * small, context.constant(1))));
}
static Register registeredMish("nn.mish", activation<mish>);

static Expr hardswish(OpContext &context, Expr x) {
  Expr three = context.constant(3);
  return select(x <= -three, context.constant(0), select(x < three, x * (x + three) * context.constant(1.0 / 6), x));
}
static Register registeredHardswish("nn.hardswish", activation<hardswish>);

static Expr hardsigmoid(OpContext &context, Expr x) {
  Expr three = context.constant(3);
  return select(x <= -three, context.constant(0),
                select(x < three, (x + three) * context.constant(1.0 / 6), context.constant(1)));
}
static Register registeredHardsigmoid("nn.hardsigmoid", activation<hardsigmoid>);

static Expr softplus(OpContext &context, Expr x) {
  Expr beta = attribute(context, &nn::SoftplusOp::getBeta), scaled = beta * x;
  return select(scaled > attribute(context, &nn::SoftplusOp::getThreshold), x, softplusOf(scaled) / beta);
}
static Register registeredSoftplus("nn.softplus", activation<softplus>);

} // namespace sylvite::ops
