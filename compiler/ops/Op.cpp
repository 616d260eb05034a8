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

std::vector<Var> dimsOf(const nn::View &view) {
  const Vars &v = vars();
  std::vector<Var> dims{v.c};
  if (view.groups > 1)
    dims.push_back(v.g);
  for (unsigned axis = 0; axis < view.rank; ++axis) {
    if (view.phased())
      dims.push_back(v.phase[axis]);
    dims.push_back(v.axis[axis]);
  }
  dims.push_back(v.n);
  return dims;
}

Expr pixel(const Value &input, const nn::Window &window, const std::vector<Expr> &channel, const std::vector<Expr> &at,
           const std::vector<Expr> &tap, Expr n) {
  std::vector<Expr> place = channel;
  for (unsigned i = 0; i < window.rank; ++i) {
    const nn::WindowAxis &along = window.axes[i];
    Expr offset = along.dilation == 1 ? tap[i] : tap[i] * int(along.dilation);
    if (input.view.phased()) {
      int stride = int(along.stride), shift = int(input.view.axes[i].before - along.before);
      Expr block = offset / stride;
      if (shift) { // (offset + shift) / stride, into which Halide would fold each pixel of a tile: as many addresses
        int last = int((along.size - 1) * along.dilation + shift) / stride;
        block = unsafe_promise_clamped(block + cast<int>(offset % stride >= stride - shift), 0, last);
      }
      place.push_back((offset + shift) % stride);
      place.push_back(at[i] + block);
    } else {
      place.push_back(at[i] + offset);
    }
  }
  place.push_back(n);
  return input.func(place);
}

Expr insideImage(const nn::View &view, const nn::Window &window, const std::vector<Expr> &at,
                 const std::vector<Expr> &tap) {
  Expr inside;
  auto require = [&](Expr condition) { inside = inside.defined() ? inside && condition : condition; };
  for (unsigned i = 0; i < window.rank; ++i) {
    const nn::WindowAxis &along = window.axes[i];
    const nn::Axis &axis = view.axes[i];
    Expr place = at[i] * int(along.stride) + tap[i] * int(along.dilation);
    if (along.before)
      require(place >= int(along.before));
    if ((along.outputs - 1) * along.stride + (along.size - 1) * along.dilation >= along.before + axis.size)
      require(place < int(along.before + axis.size));
  }
  return inside;
}

Value startContraction(OpContext &context, const std::string &role) {
  Value result = imageResult(context, role);
  std::vector<Expr> channel{vars().c};
  if (result.view.groups > 1)
    channel.push_back(vars().g);
  result.func(dimsOf(result.view)) =
      context.operandCount() > 2 ? context.operand(2).func(channel) : context.constant(0);
  return result;
}

Value perSample(Func func) {
  Value result;
  result.kind = nn::Kind::Batch;
  result.view.realChannels = result.view.channels = 1;
  result.func = func;
  return result;
}

Value imageResult(OpContext &context, const std::string &role) {
  Value result;
  result.kind = nn::Kind::Batch;
  result.view = nn::viewOf(context.op->getResult(0));
  result.func = context.func(role);
  return result;
}

} // namespace sylvite::ops
