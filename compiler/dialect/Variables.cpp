//===- Variables.cpp - how variables, and what lies like them, lie in memory --------------------------------------===//
#include "compiler/dialect/Variables.h"

using namespace mlir;

namespace sylvite::nn {

static ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

VariableOp findVariable(Block &block, StringRef name) {
  for (VariableOp variable : block.getOps<VariableOp>())
    if (variable.getName() == name)
      return variable;
  return {};
}

VariableOp variableBehind(Value value) {
  if (auto variable = value.getDefiningOp<VariableOp>()) {
    StringRef name = variable.getName();
    if (variable.getKind() != "slot")
      return variable;
    StringRef parameter = name.split('.').second; // ema.<parameter>, or optimizer.<slot>.<parameter>
    VariableOp behind =
        findVariable(*variable->getBlock(), name.starts_with("ema.") ? parameter : parameter.split('.').second);
    return behind ? behind : variable; // in evaluation the average stands for its parameter
  }
  auto region = value.getDefiningOp<RegionOp>();
  return region && region.getLike() ? findVariable(*region->getBlock(), *region.getLike()) : VariableOp();
}

SmallVector<VariableDim> defaultDims(ArrayRef<int64_t> shape) {
  static constexpr const char *taps[] = {"kx", "ky", "kz"};
  SmallVector<VariableDim> dims;
  auto add = [&](const char *name, int64_t axis, bool pad) {
    dims.push_back({name, axis, 1, shape[axis], pad ? paddedChannels(shape[axis]) : shape[axis]});
  };
  if (shape.size() == 1)
    add("c", 0, true);
  if (shape.size() < 2)
    return dims;
  add("o", 0, true);
  add(shape.size() == 2 ? "k" : "c", 1, true);
  for (size_t tap = 0; tap + 2 < shape.size(); ++tap)
    add(taps[tap], int64_t(shape.size()) - 1 - int64_t(tap), false);
  return dims;
}

bool isTransposed(Value value) {
  auto region = value.getDefiningOp<RegionOp>();
  return region && !region.getUpdates() && !region.getBody().front().getOps<TransposeWeightOp>().empty();
}

SmallVector<VariableDim> variableDims(Value value) {
  Operation *definition = value.getDefiningOp(); // a placeholder lies as the variable that it stands for
  if (!isa<PlaceholderOp>(definition))
    definition = variableBehind(value);
  ArrayRef<int64_t> shape = shapeOf(definition->getResult(0));
  auto names = definition->getAttrOfType<ArrayAttr>("nn.dim_names");
  auto numbers = definition->getAttrOfType<DenseI64ArrayAttr>("nn.dims");
  SmallVector<VariableDim> dims;
  if (names && numbers)
    for (auto [index, name] : llvm::enumerate(names.getAsValueRange<StringAttr>())) {
      ArrayRef<int64_t> row = numbers.asArrayRef().slice(4 * index, 4);
      dims.push_back({name.str(), row[0], row[1], row[2], row[3]});
    }
  else
    dims = defaultDims(shape);
  if (shape != shapeOf(value)) { // made of a variable's weights: filters and channels lie as theirs
    SmallVector<VariableDim> theirs = std::move(dims);
    dims = defaultDims(shapeOf(value));
    for (auto [dim, of] : llvm::zip(dims, theirs))
      if (dim.name == of.name && dim.extent == of.extent)
        dim.physical = of.physical;
  }
  if (isTransposed(value)) // whole vectors of channels
    for (VariableDim &dim : dims)
      if (dim.name == "c")
        dim.physical = paddedChannels(dim.extent);
  return dims;
}

void setVariableDims(Operation *variable, ArrayRef<VariableDim> dims) {
  if (dims.empty())
    return;
  Builder builder(variable->getContext());
  SmallVector<Attribute> names;
  SmallVector<int64_t> numbers;
  for (const VariableDim &dim : dims) {
    names.push_back(builder.getStringAttr(dim.name));
    numbers.append({dim.axis, dim.divisor, dim.extent, dim.physical});
  }
  variable->setAttr("nn.dim_names", builder.getArrayAttr(names));
  variable->setAttr("nn.dims", builder.getDenseI64ArrayAttr(numbers));
}

SmallVector<KernelDim> kernelDims(Value value) {
  SmallVector<KernelDim> dims;
  for (const VariableDim &dim : variableDims(value)) {
    if (!dims.empty() && dims.back().name == dim.name)
      dims.back().extent *= dim.physical;
    else
      dims.push_back({dim.name, dim.physical});
  }
  return dims;
}

int64_t tapsOf(Value weights) {
  const SmallVector<KernelDim> dims = kernelDims(weights);
  int64_t taps = 1;
  for (const KernelDim &dim : llvm::drop_begin(dims, 2))
    taps *= dim.extent;
  return taps;
}

} // namespace sylvite::nn
