//===- Layout.cpp - views and layouts -----------------------------------------------------------------------------===//
#include "compiler/dialect/Layout.h"

using namespace mlir;

namespace sylvite::nn {

int64_t paddedChannels(int64_t channels) {
  if (channels <= 4)
    return channels;
  return channels <= 8 ? 8 : (channels + 15) / 16 * 16;
}

void Halo::include(const Halo &other) {
  top = std::max(top, other.top);
  bottom = std::max(bottom, other.bottom);
  left = std::max(left, other.left);
  right = std::max(right, other.right);
}

Halo View::reach() const {
  Halo halo;
  halo.top = top;
  halo.left = left;
  halo.bottom = std::max<int64_t>(0, strideY * extentY - top - height);
  halo.right = std::max<int64_t>(0, strideX * extentX - left - width);
  return halo;
}

std::optional<Window> windowOf(Operation *op) {
  auto values = [](DenseI64ArrayAttr attribute) { return attribute.asArrayRef(); };
  auto make = [&](DenseI64ArrayAttr size, DenseI64ArrayAttr stride, DenseI64ArrayAttr padding) {
    ArrayRef<int64_t> s = values(size), t = values(stride), p = values(padding);
    return Window{{s[0], s[1]}, {t[0], t[1]}, {p[0], p[1], p[2], p[3]}};
  };
  if (auto conv = dyn_cast<Conv2dOp>(op))
    return make(conv.getKernelAttr(), conv.getStrideAttr(), conv.getPaddingAttr());
  if (auto pool = dyn_cast<MaxPool2dOp>(op))
    return make(pool.getWindowAttr(), pool.getStrideAttr(), pool.getPaddingAttr());
  return std::nullopt;
}

/// The windowed op that a value goes into, through elementwise ops and into vjp bodies.
static Operation *windowedReader(Value value) {
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (user->hasTrait<Windowed>() && use.getOperandNumber() == 0)
      return user;
    if (user->hasTrait<Elementwise>() && use.getOperandNumber() == 0)
      if (Operation *found = windowedReader(user->getResult(0)))
        return found;
    if (auto vjp = dyn_cast<VjpOp>(user)) {
      Block &body = vjp.getBody().front();
      if (use.getOperandNumber() < body.getNumArguments())
        if (Operation *found = windowedReader(body.getArgument(use.getOperandNumber())))
          return found;
    }
  }
  return nullptr;
}

/// Whether a linear layer reads the value as one vector of features.
static bool readFlat(Value value) {
  return llvm::any_of(value.getUses(), [](OpOperand &use) {
    if (auto linear = dyn_cast<LinearOp>(use.getOwner()))
      return linear.getFlattenInput() && use.getOperandNumber() == 0;
    auto vjp = dyn_cast<VjpOp>(use.getOwner());
    if (!vjp || use.getOperandNumber() >= vjp.getBody().front().getNumArguments())
      return false;
    return readFlat(vjp.getBody().front().getArgument(use.getOperandNumber()));
  });
}

View viewOf(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  View view;
  if (readFlat(value)) {
    view.channels = paddedChannels(type.getShape().back());
    for (int64_t extent : type.getShape().drop_front().drop_back())
      view.channels *= extent;
    view.realChannels = view.channels;
    return view;
  }
  if (kindOf(type) == Kind::Batch && type.getRank() == 4) {
    if (Operation *op = windowedReader(value)) {
      Window window = *windowOf(op);
      auto input = cast<RankedTensorType>(op->getOperand(0).getType());
      auto output = cast<RankedTensorType>(op->getResult(0).getType());
      view.image = true;
      view.realChannels = type.getDimSize(3);
      view.channels = paddedChannels(view.realChannels);
      view.height = input.getDimSize(1);
      view.width = input.getDimSize(2);
      view.strideY = window.stride[0];
      view.strideX = window.stride[1];
      view.top = window.padding[0];
      view.left = window.padding[2];
      auto extent = [](int64_t outputs, int64_t kernel, int64_t stride, int64_t before, int64_t size) {
        return std::max(outputs - 1 + (kernel - 1) / stride + 1, (before + size + stride - 1) / stride);
      };
      view.extentY = extent(output.getDimSize(1), window.size[0], view.strideY, view.top, view.height);
      view.extentX = extent(output.getDimSize(2), window.size[1], view.strideX, view.left, view.width);
      return view;
    }
    Operation *definition = value.getDefiningOp();
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      if (auto vjp = dyn_cast<VjpOp>(argument.getOwner()->getParentOp()))
        return viewOf(vjp.getInputs()[argument.getArgNumber()]);
    } else if (auto vjp = dyn_cast<VjpOp>(definition)) {
      return viewOf(vjp.getInputs()[vjp.getWrt()]);
    } else if (definition->hasTrait<Elementwise>()) {
      return viewOf(definition->getOperand(0));
    }
    view.image = true;
    view.height = view.extentY = type.getDimSize(1);
    view.width = view.extentX = type.getDimSize(2);
    view.realChannels = type.getDimSize(3);
  } else {
    view.realChannels = type.getRank() > 1 ? type.getDimSize(1) : 1;
  }
  view.channels = paddedChannels(view.realChannels);
  return view;
}

/// Zeros that the derivative of a body that ends with `op` reads around its adjoint.
static Halo adjointHalo(Operation *op) {
  Window window = *windowOf(op);
  View view = viewOf(op->getOperand(0));
  auto output = cast<RankedTensorType>(op->getResult(0).getType());
  auto sides = [](int64_t stride, int64_t kernel, int64_t before, int64_t size, int64_t extent, int64_t outputs) {
    int64_t low = stride == 1 ? std::max<int64_t>(0, kernel - 1 - before) : (kernel - 1) / stride;
    int64_t last = stride == 1 ? before + size - 1 : extent - 1;
    return std::pair(low, std::max<int64_t>(0, last - (outputs - 1)));
  };
  Halo halo;
  std::tie(halo.top, halo.bottom) = sides(view.phased() ? std::max<int64_t>(2, view.strideY) : 1, window.size[0],
                                          view.top, view.height, view.extentY, output.getDimSize(1));
  std::tie(halo.left, halo.right) = sides(view.phased() ? std::max<int64_t>(2, view.strideX) : 1, window.size[1],
                                          view.left, view.width, view.extentX, output.getDimSize(2));
  if (view.phased()) { // exact strides for the low side: the formula above only chose the branch
    halo.top = (window.size[0] - 1) / window.stride[0];
    halo.left = (window.size[1] - 1) / window.stride[1];
  }
  return halo;
}

Halo requiredHalo(RegionOp region, unsigned index) {
  Halo halo;
  Value argument = region.getBody().front().getArgument(index);
  auto type = cast<RankedTensorType>(argument.getType());
  if (kindOf(type) != Kind::Batch || type.getRank() != 4)
    return halo;
  halo = viewOf(argument).reach();
  for (OpOperand &use : argument.getUses()) {
    auto vjp = dyn_cast<VjpOp>(use.getOwner());
    if (!vjp || use.getOperandNumber() < vjp.getBody().front().getNumArguments())
      continue;
    Operation *last = vjp.getBody().front().getTerminator()->getOperand(0).getDefiningOp();
    if (last->hasTrait<Windowed>() && !(last->hasTrait<Contraction>() && vjp.getWrt() != 0))
      halo.include(adjointHalo(last));
  }
  return halo;
}

static int64_t product(ArrayRef<int64_t> extents) {
  int64_t result = 1;
  for (int64_t extent : extents)
    result *= extent;
  return result;
}

VariableOp findVariable(Block &block, StringRef name) {
  for (VariableOp variable : block.getOps<VariableOp>())
    if (variable.getName() == name)
      return variable;
  return {};
}

/// The variable that a value of Kind::Whole or Kind::Partial lies like: itself, a slot's parameter, or the one that a
/// region's `like` names; null for other tensors.
static VariableOp variableBehind(Value value) {
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

SmallVector<int64_t> variableExtents(Value value) {
  VariableOp variable = variableBehind(value);
  ArrayRef<int64_t> shape = cast<RankedTensorType>(variable.getType()).getShape();
  if (shape.size() == 4)
    return {paddedChannels(shape[0]), paddedChannels(shape[1]), shape[3], shape[2]};
  if (shape.size() == 1)
    return {paddedChannels(shape[0])};
  // Linear weights: the features lie as the layer's input lies, padded channels innermost.
  for (OpOperand &use : variable.getOutput().getUses()) {
    auto region = dyn_cast<RegionOp>(use.getOwner());
    if (!region)
      continue;
    for (OpOperand &inner : region.getBody().front().getArgument(use.getOperandNumber()).getUses())
      if (auto linear = dyn_cast<LinearOp>(inner.getOwner()); linear && inner.getOperandNumber() == 1) {
        auto input = cast<RankedTensorType>(linear.getInput().getType()).getShape();
        int64_t features = paddedChannels(input.back());
        for (int64_t extent : input.drop_front().drop_back())
          features *= extent;
        return {paddedChannels(shape[0]), features};
      }
  }
  return {paddedChannels(shape[0]), paddedChannels(shape[1])};
}

Layout layoutOf(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  ArrayRef<int64_t> shape = type.getShape();
  Layout layout;
  layout.kind = kindOf(type);
  Operation *definition = value.getDefiningOp();
  layout.packed = isa<InputOp, TargetOp>(definition);
  DictionaryAttr buffer = definition->getAttrOfType<DictionaryAttr>("buffer");
  auto field = [&](StringRef key) {
    auto attribute = buffer ? dyn_cast_or_null<IntegerAttr>(buffer.get(key)) : IntegerAttr();
    return attribute ? attribute.getInt() : 0;
  };
  switch (layout.kind) {
  case Kind::Batch:
    if (auto base = buffer ? dyn_cast_or_null<StringAttr>(buffer.get("base")) : StringAttr())
      layout.packed |= base.getValue().starts_with("output");
    layout.units = shape[0];
    layout.image = shape.size() == 4;
    layout.realChannels = shape.size() == 1 ? 1 : shape.back();
    layout.channels = layout.packed || shape.size() == 1 ? layout.realChannels : paddedChannels(layout.realChannels);
    if (layout.image) {
      layout.height = shape[1];
      layout.width = shape[2];
      layout.halo = {field("top"), field("bottom"), field("left"), field("right")};
    }
    layout.unit = layout.rows() * layout.columns() * layout.channels;
    break;
  case Kind::Slices:
    layout.units = shape[0];
    layout.realChannels = shape[1];
    layout.channels = paddedChannels(shape[1]);
    layout.unit = layout.channels * product(shape.drop_front(2));
    break;
  case Kind::Whole:
  case Kind::Partial:
    // Gradients and copies of a variable lie as the variable does; other tensors are [C, …].
    if (variableBehind(value)) {
      layout.unit = product(variableExtents(value));
      if (auto region = dyn_cast<RegionOp>(definition))
        layout.transposed = region.getKernel() == "transpose_weight.forward";
    } else {
      layout.realChannels = shape[0];
      layout.channels = shape.size() > 1 ? paddedChannels(shape[0]) : shape[0];
      layout.unit = layout.channels * product(shape.drop_front(1));
    }
    layout.unit = (layout.unit + 15) / 16 * 16;
    layout.copyStride = field("copy_stride");
    break;
  }
  return layout;
}

} // namespace sylvite::nn
