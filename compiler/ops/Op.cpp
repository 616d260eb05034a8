//===- Op.cpp - registry and building blocks of op definitions ----------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

const Vars &vars() {
  static Vars all;
  return all;
}

Expr Value::here() const {
  std::vector<Var> all = func.args();
  return func(std::vector<Expr>(all.begin(), all.end()));
}

OpContext::OpContext(mlir::Operation *op, std::vector<Value> operands, Type type, Scalars scalars,
                     int64_t samplesPerSlice, std::function<Func(std::string)> makeFunc)
    : op(op), operands(std::move(operands)), elementType(type), scalars(std::move(scalars)),
      sliceSamples(samplesPerSlice), makeFunc(std::move(makeFunc)) {}

static std::map<std::string, Definition> &registry() {
  static std::map<std::string, Definition> definitions;
  return definitions;
}

Register::Register(const char *name, Definition definition) { registry()[name] = definition; }

Definition find(llvm::StringRef name) {
  auto found = registry().find(name.str());
  return found == registry().end() ? nullptr : found->second;
}

Value mapElements(OpContext &context, const Value &input, const std::string &role,
                  const std::function<Expr(Expr, Expr)> &element) {
  Value result = input;
  result.detached = nullptr;
  result.func = context.func(role);
  std::vector<Var> dims = input.dims();
  bool channels = dims.size() > 1; // (n) has none
  result.func(dims) = element(input.here(), channels ? Expr(dims[0]) : Expr(0));
  return result;
}

Expr pixel(const Value &input, Expr channel, Expr x, Expr kx, Expr y, Expr ky, Expr n) {
  const nn::View &view = input.view;
  if (!view.phased())
    return input.func(channel, x + kx, y + ky, n);
  Expr sx = int(view.strideX), sy = int(view.strideY);
  return input.func(channel, kx % sx, x + kx / sx, ky % sy, y + ky / sy, n);
}

Value startContraction(OpContext &context, const std::string &role) {
  Value result;
  result.kind = nn::Kind::Batch;
  result.view = nn::viewOf(context.op->getResult(0));
  result.func = context.func(role);
  std::vector<Var> dims{vars().c, vars().n};
  if (result.view.image)
    dims = {vars().c, vars().x, vars().y, vars().n};
  result.func(dims) = context.operandCount() > 2 ? context.operand(2).func(vars().c) : context.constant(0);
  return result;
}

} // namespace sylvite::ops
