//===- Softmax.cpp - nn.softmax, nn.log_softmax, nn.row_max -------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

namespace {

/// Places along one axis of a value.
struct Along {
  Along(const Value &value, int64_t axis) : dims(dimsOf(value.view)) {
    int64_t rank = value.view.rank + 1;
    place = size_t(rank - 1 - (axis < 0 ? axis + rank : axis));
    size = place ? int(value.view.axes[place - 1].size) : int(value.view.realChannels);
    kept = dims;
    kept.erase(kept.begin() + place);
    name = place ? std::string("r") + "xyz"[place - 1] : "rc";
  }
  /// The value's coordinates with this one along the axis.
  std::vector<Expr> at(Expr coordinate) const {
    std::vector<Expr> all(dims.begin(), dims.end());
    all[place] = coordinate;
    return all;
  }
  /// What row_max gives here; of a vector it is one number a sample.
  Expr largest(const Value &rowMax) const { return dims.size() == 2 ? rowMax.func(vars().n) : rowMax.func(at(0)); }

  std::vector<Var> dims, kept;
  size_t place;
  int size;
  std::string name;
};

/// exp(value - its largest). In the padding of channels the value may be the larger one.
Func exponentials(OpContext &context, const Along &along) {
  Func result = context.func("exponentials");
  Expr shifted = context.operand(0).func(along.at(along.dims[along.place])) - along.largest(context.operand(1));
  result(along.dims) = exp(select(shifted <= 0, shifted, context.constant(0)));
  return result;
}

Func sumOf(OpContext &context, const Along &along, const Func &terms) {
  Func sum = context.func("sum_exp");
  RDom r(0, along.size, "r");
  sum(along.kept) = context.constant(0);
  sum(along.kept) += terms(along.at(r));
  context.nameRVars(sum, {along.name});
  return sum;
}

std::vector<Value> softmax(OpContext &context) {
  Along along(context.operand(0), mlir::cast<nn::SoftmaxOp>(context.op).getAxis());
  Func terms = exponentials(context, along), sum = sumOf(context, along, terms);
  Value result = imageResult(context, "softmax");
  result.func(along.dims) = terms(along.dims) / sum(along.kept);
  return {result};
}
Register registeredSoftmax("nn.softmax", softmax);

std::vector<Value> logSoftmax(OpContext &context) {
  Along along(context.operand(0), mlir::cast<nn::LogSoftmaxOp>(context.op).getAxis());
  Func sum = sumOf(context, along, exponentials(context, along)), shift = context.func("shift");
  shift(along.kept) = along.largest(context.operand(1)) + log(sum(along.kept));
  Value result = imageResult(context, "log_softmax");
  result.func(along.dims) = context.operand(0).func(along.at(along.dims[along.place])) - shift(along.kept);
  return {result};
}
Register registeredLogSoftmax("nn.log_softmax", logSoftmax);

std::vector<Value> rowMax(OpContext &context) {
  const Value &input = context.operand(0);
  Along along(input, mlir::cast<nn::RowMaxOp>(context.op).getAxis());
  Func largest = context.func("row_max");
  RDom r(0, along.size, "r");
  largest(along.kept) = context.type().min();
  largest(along.kept) = Halide::max(largest(along.kept), input.func(along.at(r)));
  context.nameRVars(largest, {along.name});
  if (along.dims.size() == 2)
    return {perSample(largest)};
  Value result = imageResult(context, "largest");
  result.func(along.dims) = largest(along.kept); // its extent along the axis is 1
  return {result};
}
Register registeredMax("nn.row_max", rowMax);

} // namespace

} // namespace sylvite::ops
