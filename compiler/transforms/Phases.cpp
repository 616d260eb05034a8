//===- Phases.cpp - nn-phases: barriers, and the axis each region is sliced along ---------------------------------===//
//
// Between two barriers lies a phase. In an even phase the batch is cut into slices and one thread runs all of its
// regions back to back on one slice. In an odd phase stand regions that need the whole batch or no batch at all, each
// cut along an axis of its own. Every region runs in the first phase in which all it reads is complete; an update of a
// parameter in the first odd phase after its gradient in which other regions run too, else in the last one. The
// gradient of huge weights has a phase of its own after the odd one.
//
// A linear layer whose weights are larger than `bigWeights` bytes is cut along its output's features instead of the
// batch: each part of the weights is then read once, by one core. So are the convolutions of a batch of one sample.
// Winograd products whose weights are large beside their images are cut along the frequencies, which have nothing in
// common.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/Layout.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/Regions.h"

#include <set>

using namespace mlir;

namespace sylvite::nn {
#define GEN_PASS_DEF_NNPHASES
#include "compiler/transforms/Passes.h.inc"

namespace {

constexpr int64_t bigWeights = 64 << 10;
constexpr int64_t hugeWeights = 12 << 20; // a step has room for few of them
constexpr double worthCutting = 1 << 20;  // multiply-adds of a convolution, against two barriers
constexpr double elementCost = 16;        // of reading and writing an element of an image, in multiply-adds
constexpr int64_t minParts = 4;           // fewer would leave cores idle
/// Elements of one task of an update: with its slots in the L1 cache, where what it has written is looked at.
constexpr int64_t updateChunk = 1024;

int64_t elements(Value value) { return cast<RankedTensorType>(value.getType()).getNumElements(); }

/// Multiply-adds of one sample, or what a region without a contraction takes as long as.
double workOf(Operation *op) {
  double samples = double(cast<RankedTensorType>(op->getResult(0).getType()).getDimSize(0));
  if (op->hasTrait<Contraction>())
    return multiplyAdds(op) / samples;
  return elementCost * double(std::max(elements(op->getResult(0)), elements(op->getOperand(0)))) / samples;
}

/// Largest number of parts up to maxSlices that divides `extent` into blocks of a multiple of `multiple`, at least
/// `least` long.
int64_t partsOf(int64_t extent, int64_t multiple, int64_t least) {
  for (int64_t parts = maxSlices; parts > 1; --parts)
    if (extent % parts == 0 && (extent / parts) % multiple == 0 && extent / parts >= least)
      return parts;
  return 1;
}

struct PhasesPass : impl::NnPhasesBase<PhasesPass> {
  DenseMap<Operation *, int64_t> phaseOf;
  bool beforeBatch = false;

  void runOnOperation() override {
    ProgramOp program = getOperation();
    Block &block = program.getBody().front();
    phaseOf.clear();
    separateFlatImages(block);
    beforeBatch = llvm::none_of(block.getOps<RegionOp>(), [](RegionOp region) { return region.getUpdates() != 0; });
    int64_t last = 0;
    SmallVector<RegionOp> updates;
    for (RegionOp region : block.getOps<RegionOp>()) {
      chooseAxis(region, program);
      if (region.getUpdates()) {
        updates.push_back(region);
        continue;
      }
      int64_t phase = earliest(region);
      phaseOf[region] = phase;
      last = std::max(last, phase);
    }
    delayRecomputed(block);
    delayWeights(block);
    dropRepeated(block);
    // In-place work comes after every reader of what it replaces; an update in the first phase between batches after
    // its gradient that is there anyway, so that gradients take space for a short time.
    std::set<int64_t> between{last | 1};
    for (auto [region, phase] : phaseOf)
      if (phase & 1)
        between.insert(phase);
    for (RegionOp region : updates) {
      int64_t phase = earliest(region);
      for (Value replaced : region.getInputs().take_front(region.getUpdates()))
        for (Operation *reader : replaced.getUsers())
          if (auto other = dyn_cast<RegionOp>(reader); other && !other.getUpdates())
            phase = std::max(phase, phaseOf[other] + 1);
      phase |= 1;
      if (region.getKernel().ends_with(".update"))
        phase = between.lower_bound(phase) == between.end() ? phase : *between.lower_bound(phase);
      phaseOf[region] = phase;
    }
    number(block);
  }

  /// Copies of weights are made in the last phase between batches that is there anyway before their first reader, so
  /// that they take space for a short time.
  void delayWeights(Block &block) {
    auto isCopy = [](RegionOp region) {
      return !region.getUpdates() && region.getKernel().ends_with(".forward") &&
             (isa<TransposeWeightOp>(coreOf(region)) || coreOf(region)->hasTrait<WholeWeights>());
    };
    std::set<int64_t> phases;
    SmallVector<RegionOp> regions(block.getOps<RegionOp>());
    for (RegionOp region : regions)
      if (int64_t phase = phaseOf.lookup(region); !region.getUpdates() && (phase & 1) && !isCopy(region))
        phases.insert(phase);
    for (RegionOp region : llvm::reverse(regions)) {
      if (!isCopy(region) || region.getResult(0).use_empty())
        continue;
      int64_t latest = std::numeric_limits<int64_t>::max();
      for (Operation *reader : region.getResult(0).getUsers())
        latest = std::min(latest, phaseOf.lookup(reader) - 1);
      auto after = phases.upper_bound(latest);
      if (after != phases.begin())
        phaseOf[region] = std::max(phaseOf[region], *std::prev(after));
    }
  }

  /// What is computed again waits for its first reader, so that it lies in the thread's local block where it can.
  void delayRecomputed(Block &block) {
    SmallVector<RegionOp> regions(block.getOps<RegionOp>());
    for (RegionOp region : llvm::reverse(regions)) {
      bool waits = region->hasAttr(againName) || coreOf(region)->hasTrait<Recomputed>();
      if (region.getUpdates() || !waits || !isBatch(region) || !region.getKernel().ends_with(".forward"))
        continue;
      int64_t latest = std::numeric_limits<int64_t>::max();
      for (Operation *reader : region.getResult(0).getUsers()) {
        int64_t phase = phaseOf.lookup(reader);
        latest = std::min(latest, phase & 1 ? phase - 1 : phase); // odd: the whole batch is read
      }
      if (!region.getResult(0).use_empty())
        phaseOf[region] = std::max(phaseOf[region], latest);
    }
  }

  /// In one phase with what it repeats, a region is of no use.
  void dropRepeated(Block &block) {
    DenseMap<int64_t, RegionOp> firsts;
    for (RegionOp region : llvm::to_vector(block.getOps<RegionOp>())) {
      auto id = region->getAttrOfType<IntegerAttr>(idName);
      if (!id)
        continue;
      RegionOp &first = firsts[id.getInt()];
      if (!region->hasAttr(againName)) {
        first = region;
      } else if (phaseOf.lookup(region) == phaseOf.lookup(first)) {
        region.getResult(0).replaceAllUsesWith(first.getResult(0));
        phaseOf.erase(region);
        region.erase();
      }
    }
  }

  /// A linear layer reads or writes an image as one vector, which leaves no room for a halo: readers that need one get
  /// a copy; where the writer itself needs one, those that read a vector do.
  void separateFlatImages(Block &block) {
    auto isImage = [](Value value) { return cast<RankedTensorType>(value.getType()).getRank() > 2; };
    auto argumentOf = [](OpOperand &use) {
      return cast<RegionOp>(use.getOwner()).getBody().front().getArgument(use.getOperandNumber());
    };
    for (RegionOp region : llvm::to_vector(block.getOps<RegionOp>())) {
      if (region.getUpdates() || !isImage(region.getResult(0)) || kindOf(region.getResult(0).getType()) != Kind::Batch)
        continue;
      Value value = region.getResult(0);
      View written = writtenView(region);
      bool flat = !written.image();
      SmallVector<OpOperand *> vectors, padded;
      for (OpOperand &use : value.getUses()) {
        auto reader = dyn_cast<RegionOp>(use.getOwner());
        if (!reader)
          continue;
        if (!viewOf(argumentOf(use)).image())
          vectors.push_back(&use);
        if (requiredHalo(reader, use.getOperandNumber()).any())
          padded.push_back(&use);
      }
      bool wide = written.written().any();
      ArrayRef<OpOperand *> copied = wide ? vectors : padded;
      if (copied.empty() || (!flat && !wide && vectors.empty()))
        continue;
      OpBuilder builder(&getContext());
      builder.setInsertionPointAfter(region);
      auto copy = copyRegion(builder, value);
      for (OpOperand *use : copied)
        use->set(copy.getResult(0));
    }
  }

  bool isBatch(RegionOp region) { return *region.getAxis() == "batch"; }

  int64_t earliest(RegionOp region) {
    bool first = beforeBatch || coreOf(region)->hasTrait<WholeWeights>();
    int64_t phase = isBatch(region) ? 0 : first ? -1 : 1;
    for (Value input : region.getInputs()) {
      auto producer = input.getDefiningOp<RegionOp>();
      if (!producer)
        continue;
      int64_t ready = phaseOf[producer];
      Kind kind = kindOf(input.getType());
      bool sameSlice = isBatch(region) && isBatch(producer) &&
                       (kind == Kind::Batch || kind == Kind::Slices || readsOwnPart(region, input));
      phase = std::max(phase, sameSlice ? ready : ready + 1);
    }
    return isBatch(region) == !(phase & 1) ? phase : phase + 1;
  }

  /// Whether the tasks of a Winograd product are its frequencies, of the whole batch: each weight is then read once,
  /// not by every slice, but the transformed images do not stay in the cache of the core that made them. A batch of one
  /// sample has no slices to choose from, nor has the gradient of the weights that is not summed slice by slice.
  bool cutByFrequency(Operation *product, Kind kind, int64_t slices) {
    if (kind != Kind::Batch)
      return kind == Kind::Whole;
    if (slices == 1)
      return workOf(product) > worthCutting;
    int64_t images = elements(product->getOperand(0)) + elements(product->getResult(0));
    return elements(product->getOperand(1)) * slices >= 2 * images;
  }

  void chooseAxis(RegionOp region, ProgramOp program) {
    Builder builder(&getContext());
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
      return set("output", partsOf(dims[region.getKernel().ends_with(".forward") ? 0 : 1].extent, 16, 16));
    }
    if (isa<TransposeWeightOp>(core)) {
      SmallVector<KernelDim> dims = kernelDims(region.getInputs()[0]);
      int64_t taps = 1;
      for (const KernelDim &dim : ArrayRef(dims).drop_front(2))
        taps *= dim.extent;
      return set("output", dims.size() > 2 ? taps : partsOf(dims[1].extent, 1, 16));
    }
    if (core->hasTrait<Contraction>() && core->hasTrait<Tiled>() && cutByFrequency(core, kind, program.getSlices())) {
      const Window window = *windowOf(core);
      return set("frequency", window.axes[0].size * window.axes[1].size);
    }
    if (core->hasTrait<Contraction>() && !linear && kind == Kind::Whole && region.getKernel().ends_with(".grad_weight"))
      return set("output", partsOf(kernelDims(result)[0].extent, 16, 16)); // along the filters
    if (linear && kind == Kind::Whole) { // the gradient of the weights, cut along the features
      return set("output", partsOf(kernelDims(result)[1].extent, 1, 8));
    }
    if (linear && kind == Kind::Batch) {
      int64_t weights = layoutOf(region.getInputs()[weightIndex(region)]).unit * 4;
      Layout layout = layoutOf(result);
      int64_t parts = partsOf(layout.unit, std::min<int64_t>(16, layout.channels), 32);
      if (weights > bigWeights && parts >= minParts)
        return set("output", parts);
    }
    // A batch of one is one slice: its convolutions are cut along their filters, transforms of images along channels;
    // not where tiles reach over the image's edges, for one task zeroes what lies around all channels.
    bool overEdges = writtenView(region).written().any();
    if (!overEdges && program.getSlices() == 1 && kind == Kind::Batch &&
        (core->hasTrait<Tiled>() || (core->hasTrait<Contraction>() && core->hasTrait<Windowed>())) &&
        !core->hasTrait<Transposed>() && groupsOf(core) == 1 && region.getKernel().ends_with(".forward") &&
        workOf(core) > worthCutting) {
      int64_t filters = layoutOf(result).channels, parts = partsOf(filters, 16, 32);
      return set("output", parts < minParts ? partsOf(filters, 16, 16) : parts);
    }
    if (kind == Kind::Whole)
      return set("none", 1);
    if (kind == Kind::Slices &&
        llvm::none_of(region.getInputs(), [](Value input) { return kindOf(input.getType()) == Kind::Batch; }))
      return set("none", 1); // the gradient of per-slice sums, from whole tensors
    set("batch", program.getSlices());
  }

  /// Position of a contraction's weights among its inputs.
  unsigned weightIndex(RegionOp region) {
    for (auto [index, input] : llvm::enumerate(region.getInputs()))
      if (kindOf(input.getType()) == Kind::Whole && cast<RankedTensorType>(input.getType()).getRank() >= 2)
        return index;
    llvm_unreachable("a contraction without weights");
  }

  /// Whether this is a gradient of huge weights: it is computed after all else of its phase, behind a barrier of its
  /// own, when the copy of the weights for the gradient by the input, and the gradient before, need no space any more.
  bool comesLate(RegionOp region) {
    return region.getKernel().ends_with(".grad_weight") && kindOf(region.getResult(0).getType()) == Kind::Whole &&
           layoutOf(region.getResult(0)).unit * 4 > hugeWeights;
  }

  /// Numbers the phases without gaps and sorts the regions by phase.
  void number(Block &block) {
    using Key = std::pair<int64_t, bool>;
    std::map<Key, int64_t> numbers;
    auto keyOf = [&](RegionOp region) { return Key(phaseOf[region], comesLate(region)); };
    for (RegionOp region : block.getOps<RegionOp>())
      numbers[keyOf(region)] = 0;
    int64_t next = 0;
    for (auto &[key, number] : numbers)
      number = next++;
    Builder builder(&getContext());
    SmallVector<RegionOp> regions(block.getOps<RegionOp>());
    for (RegionOp region : regions)
      region.setPhaseAttr(builder.getI64IntegerAttr(numbers[keyOf(region)]));
    llvm::stable_sort(regions, [](RegionOp a, RegionOp b) { return *a.getPhase() < *b.getPhase(); });
    for (ArrayRef<RegionOp> rest = regions; !rest.empty();) {
      ArrayRef<RegionOp> phase =
          rest.take_while([&](RegionOp region) { return region.getPhase() == RegionOp(rest.front()).getPhase(); });
      rest = rest.drop_front(phase.size());
      for (RegionOp region : isBatch(phase.front()) ? orderForCaches(phase) : SmallVector<RegionOp>(phase))
        region->moveBefore(block.getTerminator());
    }
    for (GradientOp gradient : llvm::to_vector(block.getOps<GradientOp>()))
      gradient->moveBefore(block.getTerminator());
  }
};

} // namespace
} // namespace sylvite::nn
