//===- Signature.cpp - the buffers of a region --------------------------------------------------------------------===//
#include "compiler/codegen/Signature.h"

using namespace mlir;
using namespace sylvite::nn;

namespace sylvite::codegen {

namespace {

constexpr const char *axisNames[] = {"x", "y", "z"}, *phaseNames[] = {"xi", "yi", "zi"};

/// The image behind a vector that nn.flatten makes, or whose adjoint it takes: the region sees the vector's elements at
/// the image's coordinates.
std::optional<View> flattenedImage(RegionOp region, Value value) {
  auto flatten = dyn_cast<FlattenOp>(coreOf(region));
  if (!flatten || cast<RankedTensorType>(value.getType()).getRank() != 2)
    return std::nullopt;
  auto image = cast<RankedTensorType>(flatten.getInput().getType());
  if (image.getRank() < 3)
    return std::nullopt;
  View view = naturalView(image);
  view.channels = view.realChannels;
  return view;
}

int64_t elementBytes(Type element) { return std::max(1u, element.getIntOrFloatBitWidth() / 8); }

/// Which dimension of a region's tensors the "output" axis cuts, or -1.
struct Cut {
  RegionOp region;
  bool forward = false, gradInput = false, gradWeight = false, transpose = false;
  bool alongFilters = false; ///< else along the features
  bool taps = false;         ///< a transposition of weights with several taps: a task is one of them
  bool frequencies = false;  ///< axis "frequency": a task is one of a Winograd product's

  explicit Cut(RegionOp region) : region(region) {
    frequencies = region.getAxis() == "frequency";
    if (region.getAxis() != "output" || *region.getTasks() < 2)
      return;
    Operation *core = coreOf(region);
    if (isa<TransposeWeightOp>(core)) {
      transpose = true;
      taps = tapsOf(region.getInputs()[0]) > 1;
      return;
    }
    StringRef name = region.getKernel();
    forward = name.ends_with(".forward");
    gradInput = name.ends_with(".grad_input");
    gradWeight = name.ends_with(".grad_weight");
    alongFilters = forward || (gradWeight && core->hasTrait<Windowed>());
  }

  /// For weights (o, …).
  int weightDim() const { return alongFilters ? 0 : gradInput || gradWeight || (transpose && !taps) ? 1 : -1; }
  /// For the channels of a vector or an image that is an input of the region.
  int inputDim(Value input, bool adjoint) const {
    return followsResult(input) || (gradWeight && adjoint == alongFilters) ? 0 : -1;
  }
  /// Whether an input is read at the result's channels: by a transform, or by elementwise ops behind a contraction.
  bool followsResult(Value input) const {
    RegionOp of = region; // MLIR's accessors are not const
    if (!forward && !gradInput)
      return false;
    if (!coreOf(of)->hasTrait<Contraction>())
      return forward;
    auto place = llvm::find(of.getInputs(), input) - of.getInputs().begin();
    return place < of->getNumOperands() && !isContracted(of, place);
  }
  /// For a per-channel tensor: a bias, or what is read at the result's channels.
  int channelDim(Value value) const { return forward || followsResult(value) ? 0 : -1; }
};

std::string nameOfValue(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto variable = dyn_cast<VariableOp>(op))
    return variable.getName().str();
  if (isa<InputOp, TargetOp>(op)) {
    auto name = op->getAttrOfType<StringAttr>("nn.name");
    return name ? name.str() : isa<InputOp>(op) ? "input" : "target";
  }
  std::string layer;
  if (auto named = dyn_cast<NameLoc>(op->getLoc()))
    layer = named.getName().str() + ":";
  return layer + cast<RegionOp>(op).getKernel().str();
}

/// Role of an operand: by its first use inside the region.
std::string roleOf(RegionOp region, unsigned index) {
  Value argument = region.getBody().front().getArgument(index);
  for (OpOperand &use : argument.getUses()) {
    Operation *user = use.getOwner();
    unsigned position = use.getOperandNumber();
    if (auto vjp = dyn_cast<VjpOp>(user)) {
      Block &body = vjp.getBody().front();
      if (position >= body.getNumArguments())
        return "grad_output";
      for (OpOperand &inner : body.getArgument(position).getUses()) {
        user = inner.getOwner();
        position = inner.getOperandNumber();
        break;
      }
    }
    if (user->hasTrait<Contraction>()) {
      static constexpr const char *names[] = {"input", "weight", "bias"};
      return names[std::min(position, 2u)];
    }
    if (position == 0)
      return "input";
    if (isa<ScaleShiftOp>(user))
      return "scale_shift_values";
    return "operand" + std::to_string(position);
  }
  return "unused";
}

struct SpecBuilder {
  mutable RegionOp region; // MLIR's accessors are not const
  Cut cut;
  Signature &signature;
  bool batchAxis, rowAxis, flat;

  /// Block of the cut axis for an extent.
  int64_t block(int64_t extent) const { return extent / int64_t(*region.getTasks()); }

  void cutDim(BufferSpec &spec, int dim) {
    if (dim < 0)
      return;
    Dim &axis = spec.dims[dim];
    axis.extent = block(axis.extent);
    spec.sliceStride = axis.extent * axis.stride * elementBytes(spec.element);
    signature.block = axis.extent;
  }

  /// `bytes` lie between what a slice's tasks use and what the next one's do.
  void setSliceStride(BufferSpec &spec, int64_t bytes) const { (rowAxis ? spec.rowStride : spec.sliceStride) = bytes; }

  /// The rows of a result that one task computes.
  void cutRows(BufferSpec &spec) {
    for (auto [index, dim] : llvm::enumerate(spec.dims))
      if (dim.name == axisNames[spec.view.rowAxis()])
        signature.rowDim = index;
    Dim &rows = spec.dims[signature.rowDim];
    rows.extent /= signature.columns;
    spec.sliceStride = rows.extent * rows.stride * elementBytes(spec.element);
  }

  /// One frequency of transformed images or weights.
  void cutFrequencies(BufferSpec &spec, StringRef column, StringRef row) {
    if (!cut.frequencies)
      return;
    for (Dim &dim : spec.dims) {
      if (dim.name != column && dim.name != row)
        continue;
      (dim.name == column ? spec.sliceStride : spec.rowStride) = dim.stride * elementBytes(spec.element);
      if (dim.name == column)
        signature.columns = dim.extent;
      dim.extent = 1;
    }
  }

  void place(BufferSpec &spec, Value value) {
    auto buffer = value.getDefiningOp()->getAttrOfType<DictionaryAttr>("buffer");
    spec.base = cast<StringAttr>(buffer.get("base")).getValue().str();
    spec.offset += cast<IntegerAttr>(buffer.get("offset")).getInt();
    spec.bytes = cast<IntegerAttr>(buffer.get("bytes")).getInt();
    spec.origin = nameOfValue(value);
  }

  BufferSpec make(Value value, View view, bool adjoint, bool output, std::string role) {
    BufferSpec spec;
    spec.role = std::move(role);
    auto type = cast<RankedTensorType>(value.getType());
    spec.element = type.getElementType();
    spec.view = view;
    Layout layout = layoutOf(value);
    spec.kind = layout.kind;
    int64_t bytes = elementBytes(spec.element);
    if (flat && layout.kind != Kind::Batch && !(layout.kind == Kind::Whole && isScalars(value))) {
      spec.dims = {{"i", 0, 16, 1}, {"n", 0, maxRows, 16}}; // at most: one kernel serves all lengths
      spec.sliceStride = signature.maxImages * 16 * bytes;
      if (layout.kind == Kind::Partial)
        addCopies(spec, layout);
      place(spec, value);
      return spec;
    }
    switch (layout.kind) {
    case Kind::Batch:
      batchDims(spec, value, layout, output);
      cutFrequencies(spec, phaseNames[0], phaseNames[1]);
      if (rowAxis && output)
        cutRows(spec);
      cutDim(spec, output ? (cut.forward || cut.gradInput ? 0 : -1) : cut.inputDim(value, adjoint));
      break;
    case Kind::Slices:
      spec.dims = {{"c", 0, layout.channels, 1}, {"j", 0, layout.unit / layout.channels, layout.channels}};
      spec.perSlice = batchAxis || rowAxis;
      if (spec.perSlice)
        setSliceStride(spec, layout.unit * bytes);
      else
        spec.dims.push_back({"s", 0, layout.units, layout.unit});
      break;
    case Kind::Whole:
    case Kind::Partial:
      wholeDims(spec, value, layout);
      if (layout.kind == Kind::Partial) {
        if ((batchAxis && output) || readsOwnPart(region, value)) {
          spec.perSlice = true;
          spec.sliceStride = layout.copyStride * bytes;
        } else {
          addCopies(spec, layout);
        }
      }
      break;
    }
    place(spec, value);
    return spec;
  }

  static bool isScalars(Value value) {
    auto producer = value.getDefiningOp<RegionOp>();
    return producer && !producer.getLike();
  }

  void addCopies(BufferSpec &spec, const Layout &layout) {
    spec.copies = cast<ProgramOp>(region->getParentOp()).getSlices();
    if (spec.copies == 1)
      return;
    spec.dims.push_back({"s", 0, spec.copies, layout.copyStride});
  }

  void batchDims(BufferSpec &spec, Value value, const Layout &layout, bool output) {
    const View &view = spec.view;
    int64_t channels = layout.channels, bytes = elementBytes(spec.element), images = signature.maxImages;
    if (std::optional<View> image = flattenedImage(region, value)) {
      spec.view = *image;
      spec.dims = {{"c", 0, image->channels, image->pixels()}};
      int64_t stride = 1;
      for (unsigned axis = 0; axis < image->rank; ++axis) {
        spec.dims.push_back({axisNames[axis], 0, image->axes[axis].size, stride});
        stride *= image->axes[axis].size;
      }
      if (!output && paddedChannels(image->channels) > image->channels)
        spec.padFrom = image->channels; // the gradient has padded channels again
    } else if (cast<RankedTensorType>(value.getType()).getRank() == 1) {
      // (n)
    } else if (!view.image()) {
      assert(!layout.halo.any() && "a flat reader needs an image without halo");
      spec.dims.push_back({"c", 0, layout.rank ? layout.unit : channels, 1});
    } else {
      imageDims(spec, layout, output);
    }
    spec.dims.push_back({"n", 0, images, layout.unit});
    if (layout.packed && spec.view.channels > channels && view.groups == 1 &&
        cast<RankedTensorType>(value.getType()).getRank() > 1)
      spec.padFrom = channels;
    auto buffer = value.getDefiningOp()->getAttrOfType<DictionaryAttr>("buffer");
    bool local = cast<StringAttr>(buffer.get("base")).getValue() == "local";
    if ((batchAxis || rowAxis) && !local)
      setSliceStride(spec, signature.samplesPerSlice * layout.unit * bytes);
  }

  /// Channels, or those of a group and the groups, then the axes with their phases.
  void imageDims(BufferSpec &spec, const Layout &layout, bool output) {
    const View &view = spec.view;
    int64_t channelStride = 1, bytes = elementBytes(spec.element);
    if (layout.channelsFirst) // the caller's [C, …, W]
      for (unsigned axis = 0; axis < layout.rank; ++axis)
        channelStride *= layout.sizes[axis];
    if (view.groups > 1)
      spec.dims = {{"c", 0, view.groupChannels(), channelStride},
                   {"g", 0, view.groups, view.groupChannels() * channelStride}};
    else
      spec.dims = {{"c", 0, layout.channels, channelStride}};
    for (unsigned i = 0; i < view.rank; ++i) {
      const Axis &axis = view.axes[i];
      int64_t stride = layout.stride(i);
      if (view.phased())
        spec.dims.push_back({phaseNames[i], 0, axis.stride, stride});
      if (axis.stride > 1 || (view.phased() && output)) {
        const int64_t first = output ? axis.firstBlock() : 0, blocks = output ? axis.blocks() : axis.extent;
        spec.dims.push_back({axisNames[i], first, blocks, axis.stride * stride});
        spec.offset += (layout.halo.before[i] - axis.before + first * axis.stride) * stride * bytes;
      } else if (output) { // the interior, in the image's own coordinates
        spec.dims.push_back({axisNames[i], 0, layout.sizes[i], stride});
        spec.offset += layout.halo.before[i] * stride * bytes;
      } else {
        spec.dims.push_back({axisNames[i], axis.before - layout.halo.before[i], layout.extent(i), stride});
      }
    }
  }

  void wholeDims(BufferSpec &spec, Value value, const Layout &layout) {
    auto type = cast<RankedTensorType>(value.getType());
    auto producer = value.getDefiningOp<RegionOp>();
    bool variable = value.getDefiningOp<VariableOp>() || (producer && producer.getLike());
    if (!variable) {
      spec.dims.push_back({"c", 0, layout.channels, 1});
      if (type.getRank() > 1)
        spec.dims.push_back({"j", 0, type.getDimSize(1), layout.channels});
      cutDim(spec, cut.followsResult(value) ? 0 : -1);
      return;
    }
    SmallVector<KernelDim> dims = kernelDims(value);
    SmallVector<int64_t> strides(dims.size());
    int64_t stride = 1;
    for (auto [dim, of] : llvm::zip(dims, strides)) {
      of = stride;
      stride *= dim.extent;
    }
    if (layout.transposed) {
      strides[0] = dims[1].extent;
      strides[1] = 1;
    }
    for (auto [dim, of] : llvm::zip(dims, strides))
      spec.dims.push_back({dim.name, 0, dim.extent, of});
    int64_t groups = groupsOf(coreOf(region));
    if (dims.size() == 1 && groups > 1) { // a bias, by groups
      int64_t channels = cast<RankedTensorType>(value.getType()).getDimSize(0) / groups;
      spec.dims = {{"c", 0, channels, 1}, {"g", 0, groups, channels}};
    }
    cutFrequencies(spec, "kx", "ky");
    if (cut.taps) {
      for (Dim &tap : llvm::drop_begin(spec.dims, 2))
        tap.extent = 1;
      spec.sliceStride = dims[0].extent * dims[1].extent * elementBytes(spec.element);
      signature.block = 1;
    } else if (dims.size() == 1) {
      cutDim(spec, cut.channelDim(value));
    } else {
      cutDim(spec, cut.weightDim());
    }
  }
};

} // namespace

std::vector<int64_t> cutExtents(RegionOp region, Value outer) {
  std::vector<int64_t> extents;
  Cut cut(region);
  for (const KernelDim &dim : kernelDims(outer))
    extents.push_back(cut.frequencies && (dim.name == "kx" || dim.name == "ky") ? 1 : dim.extent);
  if (extents.size() > 1 && cut.weightDim() >= 0)
    extents[cut.weightDim()] /= int64_t(*region.getTasks());
  return extents;
}

bool isOurs(const BufferSpec &spec) { return spec.base == "state" || spec.base == "scratch" || spec.base == "local"; }

int64_t alignmentOf(const BufferSpec &spec) {
  const int64_t bytes = spec.element.getIntOrFloatBitWidth() / 8;
  int64_t known = isOurs(spec) ? 64 : bytes;
  while (known > bytes && (spec.offset % known || spec.sliceStride % known || spec.rowStride % known))
    known /= 2;
  return known;
}

Signature signatureOf(RegionOp region) {
  auto program = cast<ProgramOp>(region->getParentOp());
  Signature signature;
  signature.kernel = region.getKernel().str();
  signature.tasks = *region.getTasks();
  signature.samplesPerSlice = (program.getBatch() + program.getSlices() - 1) / program.getSlices();
  bool batchAxis = region.getAxis() == "batch", rowAxis = region.getAxis() == "row", flat = region.getAxis() == "flat";
  signature.images = batchAxis || rowAxis ? Images::Slice : flat ? Images::Rows : Images::Whole;
  signature.maxImages = batchAxis || rowAxis ? signature.samplesPerSlice : int64_t(program.getBatch());
  if (rowAxis)
    signature.columns = signature.tasks / int64_t(program.getSlices());
  if (flat) {
    signature.totalRows = layoutOf(region.getInputs()[0]).unit / 16;
    signature.maxImages = (signature.totalRows + signature.tasks - 1) / signature.tasks;
    assert(signature.maxImages <= maxRows && "nn-phases cuts updates finer");
  }
  signature.alongFilters = Cut(region).alongFilters;
  SpecBuilder builder{region, Cut(region), signature, batchAxis, rowAxis, flat};
  Block &body = region.getBody().front();
  for (auto [index, input] : llvm::enumerate(region.getInputs())) {
    std::string role = roleOf(region, index);
    signature.inputs.push_back(
        builder.make(input, viewOf(body.getArgument(index)), role == "grad_output", false, role));
  }
  signature.inPlace = region.getUpdates() != 0;
  if (region.getUpdates()) {
    for (unsigned i = 0; i < region.getUpdates(); ++i)
      signature.outputs.push_back(
          builder.make(region.getInputs()[i], viewOf(body.getArgument(i)), false, true, "output"));
    return signature;
  }
  Value yielded = body.getTerminator()->getOperand(0);
  signature.outputs.push_back(builder.make(region.getResult(0), viewOf(yielded), false, true, "output"));
  Value result = region.getResult(0);
  auto placeOf = [](Value value) {
    auto buffer = value.getDefiningOp()->getAttrOfType<DictionaryAttr>("buffer");
    return std::pair(buffer.get("base"), buffer.get("offset"));
  };
  signature.inPlace = llvm::any_of(region.getInputs(), [&](Value input) { return placeOf(input) == placeOf(result); });
  Layout layout = layoutOf(result);
  if (layout.kind != Kind::Batch)
    return signature;
  const View &view = signature.outputs.front().view;
  bool vector = flattenedImage(region, result).has_value();
  if (layout.realChannels < layout.channels && (vector || view.groups > 1)) {
    // The kernel writes the real channels alone: their padding is what a halo to the right of a row would be.
    ZeroFill padding;
    padding.extent[0] = layout.channels;
    padding.size[0] = layout.realChannels;
    padding.rows = layout.unit / layout.channels;
    signature.zeroFills.push_back(padding);
  }
  if (layout.halo.any()) {
    ZeroFill halo;
    halo.pixel = layout.channels;
    for (unsigned axis = 0; axis < layout.rank; ++axis) {
      halo.extent[axis] = layout.extent(axis);
      halo.before[axis] = layout.halo.before[axis];
      halo.size[axis] = layout.sizes[axis];
    }
    signature.zeroFills.push_back(halo);
  }
  return signature;
}

} // namespace sylvite::codegen
