//===- Signature.cpp - the buffers of a region --------------------------------------------------------------------===//
#include "compiler/codegen/Signature.h"

using namespace mlir;
using namespace sylvite::nn;

namespace sylvite::codegen {

Operation *coreOf(RegionOp region) {
  Operation *last = region.getBody().front().getTerminator()->getOperand(0).getDefiningOp();
  while (auto add = dyn_cast<AddOp>(last)) {
    Operation *first = add.getInputs()[0].getDefiningOp();
    if (!first)
      break;
    last = first;
  }
  if (auto vjp = dyn_cast<VjpOp>(last))
    return vjp.getBody().front().getTerminator()->getOperand(0).getDefiningOp();
  return last;
}

namespace {

/// The image behind a vector that nn.flatten makes, or whose adjoint it takes: the region sees the vector's elements at
/// the image's coordinates.
std::optional<View> flattenedImage(RegionOp region, Value value) {
  auto flatten = dyn_cast<FlattenOp>(coreOf(region));
  if (!flatten || cast<RankedTensorType>(value.getType()).getRank() != 2)
    return std::nullopt;
  auto image = cast<RankedTensorType>(flatten.getInput().getType());
  if (image.getRank() != 4)
    return std::nullopt;
  View view;
  view.image = true;
  view.height = view.extentY = image.getDimSize(1);
  view.width = view.extentX = image.getDimSize(2);
  view.channels = view.realChannels = image.getDimSize(3);
  return view;
}

int64_t elementBytes(Type element) { return std::max(1u, element.getIntOrFloatBitWidth() / 8); }

/// Which dimension of a region's tensors the "output" axis cuts, or -1.
struct Cut {
  RegionOp region;
  bool forward = false, gradInput = false, gradWeight = false, transpose = false, transposeConv = false;

  explicit Cut(RegionOp region) : region(region) {
    if (region.getAxis() != "output" || *region.getTasks() < 2)
      return;
    Operation *core = coreOf(region);
    if (isa<TransposeWeightOp>(core)) {
      transpose = true;
      transposeConv = cast<RankedTensorType>(region.getInputs()[0].getType()).getRank() == 4;
      return;
    }
    StringRef name = region.getKernel();
    forward = name.ends_with(".forward");
    gradInput = name.ends_with(".grad_input");
    gradWeight = name.ends_with(".grad_weight");
  }
  bool any() const { return forward || gradInput || gradWeight || transpose; }

  /// For weights (o, k).
  int weightDim() const { return forward ? 0 : gradInput || gradWeight || (transpose && !transposeConv) ? 1 : -1; }
  /// For a vector (c, n) that is an input of the region.
  int vectorInputDim(bool adjoint) const { return gradWeight && !adjoint ? 0 : -1; }
  /// For a per-channel tensor (bias).
  int channelDim() const { return forward ? 0 : -1; }
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
  bool batchAxis, flat;

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
      cutDim(spec, output ? (cut.forward || cut.gradInput ? 0 : -1) : cut.vectorInputDim(adjoint));
      break;
    case Kind::Slices:
      spec.dims = {{"c", 0, layout.channels, 1}, {"j", 0, layout.unit / layout.channels, layout.channels}};
      spec.perSlice = batchAxis;
      if (batchAxis)
        spec.sliceStride = layout.unit * bytes;
      else
        spec.dims.push_back({"s", 0, layout.units, layout.unit});
      break;
    case Kind::Whole:
    case Kind::Partial:
      wholeDims(spec, value, layout);
      if (layout.kind == Kind::Partial) {
        if (batchAxis && output) {
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
    int64_t channels = layout.channels, columns = layout.columns(), bytes = elementBytes(spec.element);
    int64_t images = signature.maxImages;
    if (std::optional<View> image = flattenedImage(region, value)) {
      spec.view = *image;
      spec.dims = {{"c", 0, image->channels, image->height * image->width},
                   {"x", 0, image->width, 1},
                   {"y", 0, image->height, image->width}};
      if (!output && paddedChannels(image->channels) > image->channels)
        spec.padFrom = image->channels; // the gradient has padded channels again
    } else if (cast<RankedTensorType>(value.getType()).getRank() == 1) {
      // (n)
    } else if (!view.image) {
      assert(!layout.halo.any() && "a flat reader needs an image without halo");
      spec.dims.push_back({"c", 0, layout.image ? layout.unit : channels, 1});
    } else if (view.phased()) {
      spec.dims = {{"c", 0, channels, 1},
                   {"xi", 0, view.strideX, channels},
                   {"x", 0, view.extentX, view.strideX * channels},
                   {"yi", 0, view.strideY, columns * channels},
                   {"y", 0, view.extentY, view.strideY * columns * channels}};
      spec.offset += ((layout.halo.top - view.top) * columns + layout.halo.left - view.left) * channels * bytes;
    } else if (output) { // the interior, in the image's own coordinates
      spec.dims = {
          {"c", 0, channels, 1}, {"x", 0, layout.width, channels}, {"y", 0, layout.height, columns * channels}};
      spec.offset += layout.interior() * bytes;
    } else {
      spec.dims = {{"c", 0, channels, 1},
                   {"x", view.left - layout.halo.left, columns, channels},
                   {"y", view.top - layout.halo.top, layout.rows(), columns * channels}};
    }
    spec.dims.push_back({"n", 0, images, layout.unit});
    if (layout.packed && view.channels > channels)
      spec.padFrom = channels;
    auto buffer = value.getDefiningOp()->getAttrOfType<DictionaryAttr>("buffer");
    bool local = cast<StringAttr>(buffer.get("base")).getValue() == "local";
    if (batchAxis && !local)
      spec.sliceStride = signature.samplesPerSlice * layout.unit * bytes;
  }

  void wholeDims(BufferSpec &spec, Value value, const Layout &layout) {
    auto type = cast<RankedTensorType>(value.getType());
    auto producer = value.getDefiningOp<RegionOp>();
    bool variable = value.getDefiningOp<VariableOp>() || (producer && producer.getLike());
    if (!variable) {
      spec.dims.push_back({"c", 0, layout.channels, 1});
      if (type.getRank() > 1)
        spec.dims.push_back({"j", 0, type.getDimSize(1), layout.channels});
      return;
    }
    SmallVector<int64_t> extents = variableExtents(value);
    if (extents.size() == 1) {
      spec.dims.push_back({"c", 0, extents[0], 1});
      if (type.getRank() == 1)
        cutDim(spec, cut.channelDim());
      return;
    }
    static constexpr const char *conv[] = {"o", "c", "kx", "ky"}, *dense[] = {"o", "k"};
    int64_t stride = 1;
    SmallVector<int64_t> strides(extents.size());
    for (size_t i = 0; i < extents.size(); ++i) {
      strides[i] = stride;
      stride *= extents[i];
    }
    if (layout.transposed) {
      strides[0] = extents[1];
      strides[1] = 1;
    }
    for (size_t i = 0; i < extents.size(); ++i)
      spec.dims.push_back({(extents.size() == 4 ? conv : dense)[i], 0, extents[i], strides[i]});
    if (cut.transposeConv) {
      spec.dims[2].extent = spec.dims[3].extent = 1;
      spec.sliceStride = extents[0] * extents[1] * elementBytes(spec.element);
      signature.block = 1;
    } else {
      cutDim(spec, cut.weightDim());
    }
  }
};

} // namespace

std::vector<int64_t> cutExtents(RegionOp region, Value outer) {
  SmallVector<int64_t> extents = variableExtents(outer);
  Cut cut(region);
  if (extents.size() == 2 && cut.weightDim() >= 0)
    extents[cut.weightDim()] /= int64_t(*region.getTasks());
  return {extents.begin(), extents.end()};
}

Signature signatureOf(RegionOp region) {
  auto program = cast<ProgramOp>(region->getParentOp());
  Signature signature;
  signature.kernel = region.getKernel().str();
  signature.tasks = *region.getTasks();
  signature.samplesPerSlice = (program.getBatch() + program.getSlices() - 1) / program.getSlices();
  bool batchAxis = region.getAxis() == "batch", flat = region.getAxis() == "flat";
  signature.images = batchAxis ? Images::Slice : flat ? Images::Rows : Images::Whole;
  signature.maxImages = batchAxis ? signature.samplesPerSlice : int64_t(program.getBatch());
  if (flat) {
    signature.totalRows = layoutOf(region.getInputs()[0]).unit / 16;
    signature.maxImages = (signature.totalRows + signature.tasks - 1) / signature.tasks;
    assert(signature.maxImages <= maxRows && "nn-phases cuts updates finer");
  }
  SpecBuilder builder{region, Cut(region), signature, batchAxis, flat};
  Block &body = region.getBody().front();
  for (auto [index, input] : llvm::enumerate(region.getInputs())) {
    std::string role = roleOf(region, index);
    signature.inputs.push_back(
        builder.make(input, viewOf(body.getArgument(index)), role == "grad_output", false, role));
  }
  if (region.getUpdates()) {
    for (unsigned i = 0; i < region.getUpdates(); ++i)
      signature.outputs.push_back(
          builder.make(region.getInputs()[i], viewOf(body.getArgument(i)), false, true, "output"));
    return signature;
  }
  Value yielded = body.getTerminator()->getOperand(0);
  signature.outputs.push_back(builder.make(region.getResult(0), viewOf(yielded), false, true, "output"));
  Layout layout = layoutOf(region.getResult(0));
  if (layout.kind == Kind::Batch && layout.halo.any())
    signature.halo = layout;
  if (flattenedImage(region, region.getResult(0)) && layout.realChannels < layout.channels) {
    // The vector's padding is what a halo to its right would be.
    Layout row;
    row.width = layout.realChannels;
    row.halo.right = layout.channels - layout.realChannels;
    signature.halo = row;
  }
  return signature;
}

} // namespace sylvite::codegen
