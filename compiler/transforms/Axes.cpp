//===- Axes.cpp - the axis along which a region's work is cut into tasks ------------------------------------------===//
//
// Most regions are cut along the batch, a slice of samples a task. Others have tasks of their own, between two
// barriers:
//   - a linear layer whose weights are larger than `bigWeights` bytes, along its output's features: each part of the
//     weights is then read once, by one core;
//   - gradients of weights that are summed over the whole batch, along the filters or features;
//   - Winograd products with large weights, along the frequencies, which have nothing in common;
//   - convolutions whose slices would together read more weights than images, along the filters (in the gradient by the
//     input along its channels), where there are enough for all cores;
//   - of a batch with too few slices for many cores, what takes long: along the rows of each sample, or along the
//     filters where the weights are larger than the images, so that no core reads all of them.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/transforms/Axes.h"

#include "compiler/dialect/Layout.h"
#include "compiler/transforms/Regions.h"

using namespace mlir;

namespace sylvite::nn {

namespace {

constexpr int64_t bigWeights = 64 << 10;
constexpr double worthCutting = 1 << 20; // multiply-adds of one sample, against two barriers
constexpr double worthATask = 1 << 18;   // multiply-adds, against the start of a task
constexpr double elementCost = 16;       // of reading and writing an element of an image, in multiply-adds
constexpr double pixelsOfWeights = 64;   // that make up for reading weights once more
constexpr int64_t minParts = 4;          // fewer would leave cores idle
constexpr double wellShared = 0.75;      // busyShare of tasks that need not be shorter
/// Elements of one task of an update: with its slots in the L1 cache, where what it has written is looked at.
constexpr int64_t updateChunk = 1024;

int64_t elements(Value value) { return cast<RankedTensorType>(value.getType()).getNumElements(); }

/// The share of their time that `maxSlices` cores work on so many tasks of equal length.
double busyShare(int64_t tasks) { return double(tasks) / double((tasks + maxSlices - 1) / maxSlices * maxSlices); }

/// Multiply-adds of one sample, or what a region without a contraction takes as long as.
double workOf(Operation *op) {
  double samples = double(cast<RankedTensorType>(op->getResult(0).getType()).getDimSize(0));
  if (op->hasTrait<Contraction>())
    return multiplyAdds(op) / samples;
  return elementCost * double(std::max(elements(op->getResult(0)), elements(op->getOperand(0)))) / samples;
}

/// Whether `extent` falls into so many blocks of a multiple of `multiple`, at least `least` long.
bool hasParts(int64_t extent, int64_t parts, int64_t multiple, int64_t least) {
  return extent % (parts * multiple) == 0 && extent / parts >= least;
}

/// Largest number of such parts up to maxSlices.
int64_t partsOf(int64_t extent, int64_t multiple, int64_t least) {
  for (int64_t parts = maxSlices; parts > 1; --parts)
    if (hasParts(extent, parts, multiple, least))
      return parts;
  return 1;
}

/// Parts of a linear layer's units, or of its input's features in the gradient by it: at most `maxSlices`, each of 32
/// at least. Where these share the work badly, narrower ones of a batch of several samples: those that do it best.
int64_t linearParts(const Layout &result, int64_t slices) {
  const int64_t multiple = std::min<int64_t>(16, result.channels);
  int64_t best = partsOf(result.unit, multiple, 32);
  if (slices == 1 || busyShare(best) >= wellShared)
    return best;
  for (int64_t parts = best + 1; parts <= 2 * maxSlices; ++parts)
    if (hasParts(result.unit, parts, multiple, 16) && busyShare(parts) > busyShare(best))
      best = parts;
  return best;
}

/// Whether slices that all read a contraction's weights read more of them than twice the images of the whole batch.
bool weightsOutweighImages(Operation *contraction, int64_t slices) {
  int64_t images = elements(contraction->getOperand(0)) + elements(contraction->getResult(0));
  return elements(contraction->getOperand(1)) * slices >= 2 * images;
}

/// Whether the tasks of a Winograd product are its frequencies, of the whole batch: each weight is then read once, not
/// by every slice, but the transformed images do not stay in the cache of the core that made them. A batch of one
/// sample has no slices to choose from, nor has the gradient of the weights that is not summed slice by slice.
bool cutByFrequency(Operation *product, Kind kind, int64_t slices) {
  if (kind != Kind::Batch)
    return kind == Kind::Whole;
  return slices == 1 ? isWorthCutting(product, slices) : weightsOutweighImages(product, slices);
}

/// Whether a region computes the pixels of an image one by one, each from a window of what it reads.
bool isByPixel(RegionOp region) {
  View view = writtenView(region);
  bool all = view.image() && (region.getKernel().ends_with(".forward") || region.getKernel().ends_with(".grad_input"));
  region.getBody().walk([&](Operation *op) { all &= isElementwise(op) || op->hasTrait<Windowed>(); });
  return all;
}

/// Whether a region can be cut along its rows. Where tiles reach over the image's edges it cannot: one task zeroes what
/// lies around the others' results, too.
bool hasRows(RegionOp region) {
  return kindOf(region.getResult(0).getType()) == Kind::Batch && isByPixel(region) &&
         !writtenView(region).written().any();
}

/// Rows of a region's result, in the coordinates in which it is written.
int64_t rowsOf(RegionOp region) {
  const View view = writtenView(region);
  return view.axes[view.rowAxis()].blocks();
}

/// Parts of each sample's rows: as few as share the work well, where the rows allow it. Each task reads all weights, so
/// it has to use them for many pixels.
int64_t rowParts(RegionOp region, int64_t slices) {
  Operation *core = coreOf(region);
  const int64_t rows = rowsOf(region);
  double work = workOf(core);
  if (core->hasTrait<Contraction>()) {
    const View view = writtenView(region);
    int64_t pixels = 1; // of a Winograd product, those that one frequency's weights meet
    for (unsigned axis = 0; axis < view.rank; ++axis)
      pixels *= view.axes[axis].blocks();
    work = std::min(work, worthATask * double(pixels) / pixelsOfWeights);
  }
  int64_t best = 1;
  for (int64_t parts = 2; parts <= rows && work / double(parts) >= worthATask; ++parts) {
    if (busyShare(slices * best) >= wellShared)
      break;
    if (rows % parts == 0)
      best = parts;
  }
  return best;
}

/// Parts of the filters of a convolution, in the gradient of its input channels, or of the channels of an image's
/// transform.
int64_t filterParts(RegionOp region) {
  Operation *core = coreOf(region);
  const bool contraction = core->hasTrait<Contraction>();
  if (!core->hasTrait<Windowed>() || !(core->hasTrait<Tiled>() || contraction) || core->hasTrait<Transposed>() ||
      groupsOf(core) > 1 || !(contraction || region.getKernel().ends_with(".forward")))
    return 1;
  const Layout layout = layoutOf(region.getResult(0));
  if (layout.realChannels < layout.channels) // a task would not know its part of the padding
    return 1;
  int64_t filters = layout.channels, parts = partsOf(filters, 16, 32);
  return parts < minParts ? partsOf(filters, 16, 16) : parts;
}

/// The Winograd product that reads what a transform makes of images, or whose result it transforms; null for others.
RegionOp productBeside(RegionOp region) {
  if (!coreOf(region)->hasTrait<Tiled>() || coreOf(region)->hasTrait<Contraction>())
    return {};
  SmallVector<Operation *> neighbours(region.getResult(0).getUsers());
  for (Value input : region.getInputs())
    neighbours.push_back(input.getDefiningOp());
  for (Operation *neighbour : neighbours)
    if (auto product = dyn_cast<RegionOp>(neighbour);
        product && !product.getUpdates() && kindOf(product.getResult(0).getType()) == Kind::Batch &&
        coreOf(product)->hasTrait<Tiled>() && coreOf(product)->hasTrait<Contraction>())
      return product;
  return {};
}

/// Position of a contraction's weights among its inputs.
unsigned weightIndex(RegionOp region) {
  for (auto [index, input] : llvm::enumerate(region.getInputs()))
    if (kindOf(input.getType()) == Kind::Whole && cast<RankedTensorType>(input.getType()).getRank() >= 2)
      return index;
  llvm_unreachable("a contraction without weights");
}

/// Whether the rows of a region can be cut as those of another one are.
bool sharesRows(RegionOp region, RegionOp other) {
  const int64_t slices = cast<ProgramOp>(region->getParentOp()).getSlices();
  return other.getAxis() == "row" && hasRows(region) && rowsOf(region) % (int64_t(*other.getTasks()) / slices) == 0;
}

} // namespace

bool isSliced(RegionOp region) { return region.getAxis() == "batch" || region.getAxis() == "row"; }

bool followsRows(RegionOp region, RegionOp producer) {
  if (region.getAxis() != "row" || producer.getAxis() != "row" || region.getTasks() != producer.getTasks() ||
      groupsOf(coreOf(producer)) > 1)
    return false;
  bool own = true;
  region.getBody().walk([&](Operation *op) {
    if (std::optional<Window> window = windowOf(op)) {
      const WindowAxis &along = window->axes[window->rank > 1 ? 1 : 0];
      own &= along.before == 0 && (along.size - 1) * along.dilation < along.stride;
    }
  });
  for (auto [index, input] : llvm::enumerate(region.getInputs())) {
    if (input != producer.getResult(0))
      continue;
    const View view = viewOf(region.getBody().getArgument(index));
    const Axis &rows = view.axes[view.rowAxis()];
    own &= view.image() && rows.before == 0 && rows.blocks() * rows.stride == rows.size &&
           !requiredHalo(region, index).any(); // which is zeroed behind the first task
  }
  return own;
}

bool canFollowRows(RegionOp region, RegionOp producer) {
  if (coreOf(region)->hasTrait<Contraction>() ? region.getAxis() != "row" : !isSliced(region))
    return false;
  return sharesRows(region, producer);
}

bool isWorthCutting(Operation *op, int64_t slices) {
  if (busyShare(slices) >= wellShared || !op->getNumOperands())
    return false;
  // Elements are better worked on while they lie in a core's cache, unless hardly any core does so.
  bool heavy = op->hasTrait<Contraction>() || op->hasTrait<Tiled>();
  return (heavy || slices <= maxSlices / 8) && workOf(op) >= worthCutting * (slices > 1 ? 2 : 1);
}

int64_t weightGradientTasks(Operation *convolution) {
  if (convolution->hasTrait<Tiled>()) {
    const Window window = *windowOf(convolution);
    return window.axes[0].size * window.axes[1].size;
  }
  return partsOf(paddedChannels(cast<RankedTensorType>(convolution->getOperand(1).getType()).getDimSize(0)), 16, 16);
}

void chooseAxis(RegionOp region) {
  const int64_t slices = cast<ProgramOp>(region->getParentOp()).getSlices();
  Builder builder(region.getContext());
  auto set = [&](StringRef axis, int64_t tasks) {
    region.setAxisAttr(builder.getStringAttr(axis));
    region.setTasksAttr(builder.getI64IntegerAttr(tasks));
  };
  auto setFlat = [&](Value value) { set("flat", (layoutOf(value).unit + updateChunk - 1) / updateChunk); };
  if (region.getUpdates()) {
    if (region.getKernel().ends_with(".update"))
      return setFlat(region.getInputs()[0]);
    return set("none", 1);
  }
  Operation *core = coreOf(region);
  Value result = region.getResult(0);
  Kind kind = kindOf(result.getType());
  if (isa<GradientSumOp>(core) && region.getLike()) // the gradient of shared weights
    return setFlat(result);
  bool linear = isVectorContraction(core);
  // Cut along the filters, in the gradient along the input channels.
  if (core->hasTrait<WholeWeights>() && kind == Kind::Whole) {
    SmallVector<KernelDim> dims = kernelDims(result);
    const bool forward = region.getKernel().ends_with(".forward");
    return set("output", forward ? partsOf(dims[0].extent, 16, 16) : partsOf(dims[1].extent, 1, 2));
  }
  if (isa<TransposeWeightOp>(core)) {
    const int64_t taps = tapsOf(region.getInputs()[0]);
    return set("output", taps > 1 ? taps : partsOf(kernelDims(region.getInputs()[0])[1].extent, 1, 16));
  }
  if (core->hasTrait<Contraction>() && core->hasTrait<Tiled>() && cutByFrequency(core, kind, slices))
    return set("frequency", weightGradientTasks(core));
  if (core->hasTrait<Contraction>() && !linear && kind == Kind::Whole && region.getKernel().ends_with(".grad_weight"))
    return set("output", weightGradientTasks(core)); // along the filters
  if (linear && kind == Kind::Whole)                 // the gradient of the weights, cut along the features
    return set("output", partsOf(kernelDims(result)[1].extent, 1, 8));
  if (linear && kind == Kind::Batch) {
    int64_t weights = layoutOf(region.getInputs()[weightIndex(region)]).unit * 4;
    Layout layout = layoutOf(result);
    int64_t parts = linearParts(layout, slices);
    if (weights > bigWeights && parts >= minParts)
      return set("output", parts);
  }
  // A transform is cut as the product beside it is, so that a task goes through both.
  if (RegionOp product = productBeside(region)) {
    chooseAxis(product);
    if (product.getAxis() == "batch")
      return set("batch", slices);
    if (sharesRows(region, product))
      return set("row", *product.getTasks());
  }
  if (core->hasTrait<Contraction>() && hasRows(region) && slices > 1 && weightsOutweighImages(core, slices) &&
      filterParts(region) == maxSlices)
    return set("output", maxSlices);
  if (isWorthCutting(core, slices) && hasRows(region)) {
    const int64_t rows = rowParts(region, slices), filters = filterParts(region);
    double weights = core->hasTrait<Contraction>() ? double(elements(core->getOperand(1))) : 0;
    bool manyWeights = weights > double(elements(core->getOperand(0)) + elements(core->getResult(0)));
    if (filters > slices && (manyWeights || busyShare(slices * rows) < busyShare(filters)))
      return set("output", filters);
    if (rows > 1)
      return set("row", slices * rows);
  }
  if (kind == Kind::Whole)
    return set("none", 1);
  if (kind == Kind::Slices &&
      llvm::none_of(region.getInputs(), [](Value input) { return kindOf(input.getType()) == Kind::Batch; }))
    return set("none", 1); // the gradient of per-slice sums, from whole tensors
  set("batch", slices);
}

} // namespace sylvite::nn
