//===- Layout.cpp - views and layouts -----------------------------------------------------------------------------===//
#include "compiler/dialect/Layout.h"

using namespace mlir;

namespace sylvite::nn {

int64_t paddedChannels(int64_t channels) {
  if (channels <= 4)
    return channels;
  return channels <= 8 ? 8 : (channels + 15) / 16 * 16;
}

static int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// More elements than any buffer can have. Products stop there: the plan then refuses what would overflow 64 bits.
constexpr int64_t mostElements = int64_t(1) << 48;

static int64_t times(int64_t a, int64_t b) {
  int64_t result;
  return __builtin_mul_overflow(a, b, &result) || result > mostElements ? mostElements : result;
}

static int64_t product(ArrayRef<int64_t> extents) {
  int64_t result = 1;
  for (int64_t extent : extents)
    result = times(result, extent);
  return result;
}

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// Axes of an image of this type; 0 where it is a vector or a number a sample.
static unsigned axesOf(RankedTensorType type) { return std::max<int64_t>(type.getRank(), 2) - 2; }

/// Extent of axis `axis`, innermost first, of an image.
static int64_t sizeOf(RankedTensorType type, unsigned axis) { return type.getDimSize(type.getRank() - 2 - axis); }

// ---- halos and views

void Halo::include(const Halo &other) {
  for (unsigned axis = 0; axis < maxAxes; ++axis) {
    before[axis] = std::max(before[axis], other.before[axis]);
    after[axis] = std::max(after[axis], other.after[axis]);
  }
}

bool Halo::any() const {
  return llvm::any_of(before, [](int64_t n) { return n != 0; }) ||
         llvm::any_of(after, [](int64_t n) { return n != 0; });
}

bool View::phased() const {
  return llvm::any_of(axes, [](const Axis &axis) { return axis.stride > 1; });
}

bool View::exact() const {
  return llvm::all_of(axes, [](const Axis &axis) { return !axis.before && axis.stride * axis.extent == axis.size; });
}

Halo View::reach() const {
  Halo halo;
  for (unsigned i = 0; i < rank; ++i) {
    halo.before[i] = axes[i].before;
    halo.after[i] = std::max<int64_t>(0, axes[i].stride * axes[i].extent - axes[i].before - axes[i].size);
  }
  return halo;
}

int64_t Axis::firstBlock() const { return before / stride; }

int64_t Axis::blocks() const { return ceilDiv(before + size, stride) - firstBlock(); }

Halo View::written() const {
  Halo halo;
  for (unsigned i = 0; i < rank; ++i) {
    halo.before[i] = axes[i].before - axes[i].stride * axes[i].firstBlock();
    halo.after[i] = axes[i].stride * axes[i].blocks() - halo.before[i] - axes[i].size;
  }
  return halo;
}

int64_t View::pixels() const { return axes[0].size * axes[1].size * axes[2].size; }

int64_t groupsOf(Operation *op) {
  auto groups = op->hasTrait<Contraction>() ? op->getAttrOfType<IntegerAttr>("groups") : IntegerAttr();
  return groups ? groups.getInt() : 1;
}

double multiplyAdds(Operation *contraction) {
  auto elements = [](Value value) { return double(typeOf(value).getNumElements()); };
  // Each weight of a filter meets each pixel of the output, or of the input that a transposed convolution spreads.
  Value pixels = contraction->getOperand(0), weights = contraction->getOperand(1);
  if (!contraction->hasTrait<Transposed>())
    pixels = contraction->getResult(0);
  double filters = double(typeOf(weights).getDimSize(0));
  if (contraction->hasTrait<Tiled>()) { // each pixel is one frequency, which has weights of its own
    const Window window = *windowOf(contraction);
    filters *= double(window.axes[0].size * window.axes[1].size);
  }
  return elements(pixels) * elements(weights) / filters;
}

/// Taps of a kernel of `size` with dilation, as they span the input.
static int64_t span(int64_t size, int64_t dilation) { return (size - 1) * dilation + 1; }

std::optional<Window> windowOf(Operation *op) {
  if (!op->hasTrait<Windowed>())
    return std::nullopt;
  auto numbers = [&](StringRef key) { return op->getAttrOfType<DenseI64ArrayAttr>(key); };
  DenseI64ArrayAttr size = numbers("kernel") ? numbers("kernel") : numbers("window"), stride = numbers("stride"),
                    padding = numbers("padding"), dilation = numbers("dilation");
  RankedTensorType input = typeOf(op->getOperand(0)), output = typeOf(op->getResult(0));
  Window window;
  window.rank = size.size();
  for (unsigned axis = 0; axis < window.rank; ++axis) {
    unsigned outer = window.rank - 1 - axis; // attributes run outermost first
    WindowAxis &along = window.axes[axis];
    along = {size[outer], stride[outer], dilation ? dilation[outer] : 1, padding ? padding[2 * outer] : 0,
             sizeOf(output, axis)};
    if (op->hasTrait<Tiled>())
      along.outputs = numbers("tiles")[outer];
    // A stride of one output and a dilation of one tap change nothing, so no layout has to reach as far as they may.
    // Tiles are read by stride phases, whose number is that of the taps.
    if (along.outputs == 1 && along.stride > sizeOf(input, axis) && !op->hasTrait<Transposed>() &&
        !op->hasTrait<Tiled>())
      along.stride = 1;
    if (along.size == 1)
      along.dilation = 1;
    if (!op->hasTrait<Transposed>())
      continue;
    // Output pixel s * X + xi reads inputs X - j: a window of as many inputs as the kernel spans strides.
    int64_t inputs = ceilDiv(span(along.size, along.dilation), along.stride);
    int64_t outputs = std::max(ceilDiv(along.before + along.outputs, along.stride), sizeOf(input, axis) + inputs - 1);
    along = {inputs, 1, 1, inputs - 1, outputs};
  }
  return window;
}

View naturalView(RankedTensorType type) {
  View view;
  view.rank = kindOf(type) == Kind::Batch ? axesOf(type) : 0;
  view.realChannels = type.getRank() < 2            ? 1
                      : kindOf(type) == Kind::Batch ? type.getShape().back()
                                                    : type.getDimSize(1);
  view.channels = paddedChannels(view.realChannels);
  for (unsigned axis = 0; axis < view.rank; ++axis)
    view.axes[axis].size = view.axes[axis].extent = sizeOf(type, axis);
  return view;
}

/// What a windowed op makes of its input's coordinates.
static View windowView(Operation *op) {
  RankedTensorType input = typeOf(op->getOperand(0));
  View view = naturalView(input);
  Window window = *windowOf(op);
  for (unsigned i = 0; i < view.rank; ++i) {
    const WindowAxis &along = window.axes[i];
    Axis &axis = view.axes[i];
    axis.stride = along.stride;
    // Counted from so much padding that the image's first pixel has phase 0: of an image that the stride divides, the
    // phases have no other pixels. Tiles overlap their neighbours; they are counted from where the first begins.
    axis.before = op->hasTrait<Tiled>() ? along.before : ceilDiv(along.before, along.stride) * along.stride;
    int64_t shift = axis.before - along.before;
    axis.extent = std::max(along.outputs + (shift + span(along.size, along.dilation) - 1) / along.stride,
                           ceilDiv(axis.before + axis.size, along.stride));
  }
  view.groups = groupsOf(op);
  return view;
}

/// The coordinates in which an op gives its result, where they are its own.
static View resultView(Operation *op) {
  View view = naturalView(typeOf(op->getResult(0)));
  view.groups = groupsOf(op);
  if (op->hasTrait<Tiled>()) {
    Window window = *windowOf(op);
    auto stride = op->getAttrOfType<DenseI64ArrayAttr>("result_stride");
    for (unsigned i = 0; i < view.rank; ++i) {
      view.axes[i].stride = stride[view.rank - 1 - i];
      view.axes[i].extent = window.axes[i].outputs;
    }
    return view;
  }
  if (!op->hasTrait<Transposed>())
    return view;
  auto stride = op->getAttrOfType<DenseI64ArrayAttr>("stride"),
       padding = op->getAttrOfType<DenseI64ArrayAttr>("padding");
  Window window = *windowOf(op);
  for (unsigned i = 0; i < view.rank; ++i) {
    unsigned outer = view.rank - 1 - i;
    Axis &axis = view.axes[i];
    axis.stride = stride[outer];
    axis.before = padding[2 * outer];
    axis.extent = window.axes[i].outputs;
    if (axis.stride == 1)
      axis.extent = std::max(axis.extent, axis.before + axis.size);
  }
  return view;
}

/// Whether `use` hands on the coordinates of its value: an elementwise op's operand that is as large as its result.
static bool keepsCoordinates(OpOperand &use) {
  Operation *user = use.getOwner();
  return user->hasTrait<Elementwise>() && typeOf(use.get()).getShape() == typeOf(user->getResult(0)).getShape();
}

/// The windowed op that a value goes into, through elementwise ops and into vjp bodies.
static Operation *windowedReader(Value value) {
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (user->hasTrait<Windowed>() && use.getOperandNumber() == 0)
      return user;
    if (keepsCoordinates(use))
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

/// The vjp whose adjoint a value is, if it is one.
static VjpOp seededBy(Value value) {
  for (OpOperand &use : value.getUses())
    if (auto vjp = dyn_cast<VjpOp>(use.getOwner()))
      if (use.getOperandNumber() >= vjp.getBody().front().getNumArguments())
        return vjp;
  return {};
}

/// The op in whose coordinates an elementwise op works, where it stands before it in its region: a contraction or a
/// transform of tiles, through further elementwise ops.
static Operation *coordinatesBehind(Operation *op) {
  if (op->hasTrait<Contraction>() || op->hasTrait<Tiled>())
    return op;
  if (op->hasTrait<Elementwise>())
    for (OpOperand &operand : op->getOpOperands())
      if (Operation *before = operand.get().getDefiningOp(); before && keepsCoordinates(operand))
        if (Operation *found = coordinatesBehind(before))
          return found;
  return nullptr;
}

/// The transform of tiles whose result an elementwise op takes beside `value`.
static Operation *tilesBeside(Value value) {
  for (OpOperand &use : value.getUses())
    if (keepsCoordinates(use)) {
      Operation *found = coordinatesBehind(use.getOwner());
      if (!found)
        found = tilesBeside(use.getOwner()->getResult(0));
      if (found && found->hasTrait<Tiled>())
        return found;
    }
  return nullptr;
}

View viewOf(Value value) {
  RankedTensorType type = typeOf(value);
  if (readFlat(value)) {
    View view;
    view.channels = paddedChannels(type.getShape().back()) * product(type.getShape().drop_front().drop_back());
    view.realChannels = view.channels;
    return view;
  }
  if (kindOf(type) != Kind::Batch)
    return naturalView(type);
  if (Operation *op = windowedReader(value))
    return windowView(op);
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (auto vjp = dyn_cast<VjpOp>(argument.getOwner()->getParentOp()))
      return viewOf(vjp.getInputs()[argument.getArgNumber()]);
    if (VjpOp vjp = seededBy(value))
      return viewOf(vjp.getBody().front().getTerminator()->getOperand(0));
    if (Operation *tiles = tilesBeside(value))
      return resultView(tiles);
    return naturalView(type);
  }
  Operation *definition = value.getDefiningOp();
  if (auto vjp = dyn_cast<VjpOp>(definition))
    return viewOf(vjp.getInputs()[vjp.getWrt()]);
  if (definition->hasTrait<Elementwise>())
    for (OpOperand &operand : definition->getOpOperands())
      if (keepsCoordinates(operand))
        return viewOf(operand.get());
  return resultView(definition);
}

/// Zeros that the derivative of a body that ends with `op` reads around its adjoint.
static Halo adjointHalo(Operation *op) {
  Halo halo;
  if (op->hasTrait<Transposed>())
    return halo;
  const bool tiled = op->hasTrait<Tiled>();
  Window window = *windowOf(op);
  View view = viewOf(op->getOperand(0));
  for (unsigned i = 0; i < view.rank; ++i) {
    const WindowAxis &along = window.axes[i];
    if (tiled && along.stride > 1) // the region itself takes zeros outside of the tiles
      continue;
    int64_t shift = view.axes[i].before - along.before;
    int64_t reach = (shift + (along.size - 1) * along.dilation) / along.stride, last = view.axes[i].extent - 1;
    if (tiled || !view.phased()) { // the gradient is computed for the image's pixels alone
      reach = std::max<int64_t>(0, reach - view.axes[i].before);
      last = view.axes[i].before + view.axes[i].size - 1;
    }
    halo.before[i] = reach;
    halo.after[i] = std::max<int64_t>(0, last - (along.outputs - 1));
  }
  return halo;
}

Halo requiredHalo(RegionOp region, unsigned index) {
  Halo halo;
  Value argument = region.getBody().front().getArgument(index);
  RankedTensorType type = typeOf(argument);
  if (kindOf(type) != Kind::Batch || !axesOf(type))
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

bool readsOwnPart(RegionOp region, Value sum) {
  return kindOf(sum.getType()) == Kind::Partial && region.getAxis() == "batch" && !region.getUpdates() &&
         kindOf(region.getResult(0).getType()) == Kind::Partial;
}

bool isContracted(RegionOp region, unsigned index) {
  SmallVector<Value> values{region.getBody().getArgument(index)};
  for (size_t i = 0; i < values.size(); ++i)
    for (Operation *user : values[i].getUsers()) {
      auto vjp = dyn_cast<VjpOp>(user);
      Operation *op = vjp ? vjp.getBody().front().getTerminator()->getOperand(0).getDefiningOp() : user;
      if (op->hasTrait<Contraction>())
        return true;
      values.append(user->result_begin(), user->result_end());
    }
  return false;
}

Operation *coreOf(RegionOp region) {
  Operation *last = region.getBody().front().getTerminator()->getOperand(0).getDefiningOp();
  while (auto add = dyn_cast<GradientSumOp>(last)) { // a sum of contributions to one gradient
    Operation *first = add.getInputs()[0].getDefiningOp();
    if (!first)
      break;
    last = first;
  }
  if (auto vjp = dyn_cast<VjpOp>(last))
    return vjp.getBody().front().getTerminator()->getOperand(0).getDefiningOp();
  if (Operation *before = coordinatesBehind(last))
    return before;
  return last;
}

// ---- layouts

int64_t Layout::stride(unsigned axis) const {
  int64_t result = channelsFirst ? 1 : channels;
  for (unsigned inner = 0; inner < axis; ++inner)
    result = times(result, extent(inner));
  return result;
}

int64_t Layout::interior() const {
  int64_t result = 0;
  for (unsigned axis = 0; axis < rank; ++axis)
    result += times(halo.before[axis], stride(axis));
  return result;
}

Layout layoutOf(Value value) {
  RankedTensorType type = typeOf(value);
  ArrayRef<int64_t> shape = type.getShape();
  Layout layout;
  layout.kind = kindOf(type);
  Operation *definition = value.getDefiningOp();
  layout.packed = isa<InputOp, TargetOp>(definition);
  if (auto order = definition->getAttrOfType<StringAttr>("nn.layout"))
    layout.channelsFirst = order.getValue() == "chw";
  DictionaryAttr buffer = definition->getAttrOfType<DictionaryAttr>("buffer");
  switch (layout.kind) {
  case Kind::Batch: {
    if (auto base = buffer ? dyn_cast_or_null<StringAttr>(buffer.get("base")) : StringAttr())
      layout.packed |= base.getValue().starts_with("output");
    layout.units = shape[0];
    layout.rank = axesOf(type);
    layout.realChannels = shape.size() == 1 ? 1 : shape.back();
    layout.channels = layout.packed || shape.size() == 1 ? layout.realChannels : paddedChannels(layout.realChannels);
    auto sides = [&](StringRef key, std::array<int64_t, maxAxes> &into) {
      if (auto numbers = buffer ? dyn_cast_or_null<DenseI64ArrayAttr>(buffer.get(key)) : DenseI64ArrayAttr())
        llvm::copy(numbers.asArrayRef(), into.begin());
    };
    sides("halo_before", layout.halo.before);
    sides("halo_after", layout.halo.after);
    layout.unit = layout.channels;
    for (unsigned axis = 0; axis < layout.rank; ++axis) {
      layout.sizes[axis] = sizeOf(type, axis);
      layout.unit = times(layout.unit, layout.extent(axis));
    }
    break;
  }
  case Kind::Slices:
    layout.units = shape[0];
    layout.realChannels = shape[1];
    layout.channels = paddedChannels(shape[1]);
    layout.unit = times(layout.channels, product(shape.drop_front(2)));
    break;
  case Kind::Whole:
  case Kind::Partial:
    // Gradients and copies of a variable lie as the variable does; other tensors are [C, …].
    if (variableBehind(value)) {
      layout.unit = 1;
      for (const VariableDim &dim : variableDims(value))
        layout.unit = times(layout.unit, dim.physical);
      layout.transposed = isTransposed(value);
    } else {
      layout.realChannels = shape.empty() ? 1 : shape[0];
      layout.channels = shape.size() > 1 ? paddedChannels(shape[0]) : layout.realChannels;
      layout.unit = times(layout.channels, shape.empty() ? 1 : product(shape.drop_front(1)));
    }
    layout.unit = (layout.unit + 15) / 16 * 16;
    if (auto stride = buffer ? dyn_cast_or_null<IntegerAttr>(buffer.get("copy_stride")) : IntegerAttr())
      layout.copyStride = stride.getInt();
    break;
  }
  layout.unit = std::min(layout.unit, mostElements / std::max<int64_t>(1, layout.units)); // of all together
  return layout;
}

} // namespace sylvite::nn
