//===- Phases.cpp - nn-phases: barriers, and the axis each region is sliced along ---------------------------------===//
//
// Between two barriers lies a phase. In an even phase the batch is cut into slices and one thread runs all of its
// regions back to back on one slice. In an odd phase stand regions that need the whole batch or no batch at all, each
// cut along an axis of its own (Axes.cpp); those that are cut along the rows of each sample make phases of their own,
// in which one thread runs all regions on its rows. Every region runs in the first phase in which all it reads is
// complete; an update of a parameter in the first odd phase after its gradient in which other regions run too, else in
// the last one. The gradient of huge weights has a phase of its own after the odd one.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/Layout.h"
#include "compiler/transforms/Axes.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/Regions.h"

#include <set>

using namespace mlir;

namespace sylvite::nn {
#define GEN_PASS_DEF_NNPHASES
#include "compiler/transforms/Passes.h.inc"

namespace {

constexpr int64_t hugeWeights = 12 << 20; // a step has room for few of them

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
      chooseAxis(region);
      readOwnWeights(region);
      if (region.getUpdates()) {
        updates.push_back(region);
        continue;
      }
      int64_t phase = joinRows(region);
      phaseOf[region] = phase;
      last = std::max(last, phase);
    }
    dropUnread(block);
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

  /// Where each task of a linear layer's gradient reads weights that no other does, it transposes them by itself.
  void readOwnWeights(RegionOp region) {
    if (region.getAxis() != "output" || !isVectorContraction(coreOf(region)) ||
        kindOf(region.getResult(0).getType()) != Kind::Batch)
      return;
    for (OpOperand &weight : region->getOpOperands())
      if (auto copy = weight.get().getDefiningOp<RegionOp>(); copy && isa<TransposeWeightOp>(coreOf(copy)))
        weight.set(copy.getInputs()[0]);
  }

  /// Erases the transposed weights that nothing reads any more.
  void dropUnread(Block &block) {
    for (RegionOp region : llvm::to_vector(block.getOps<RegionOp>())) {
      if (region.getUpdates() || !isa<TransposeWeightOp>(coreOf(region)) || !region.getResult(0).use_empty())
        continue;
      phaseOf.erase(region);
      region.erase();
    }
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
      if (int64_t phase = phaseOf.lookup(region); !region.getUpdates() && !isSliced(region) && !isCopy(region))
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
      if (region.getUpdates() || !waits || !isSliced(region) || !region.getKernel().ends_with(".forward"))
        continue;
      int64_t latest = std::numeric_limits<int64_t>::max();
      for (Operation *user : region.getResult(0).getUsers()) {
        auto reader = dyn_cast<RegionOp>(user);
        int64_t phase = phaseOf.lookup(user);
        bool together = reader && (isBatch(region) ? isBatch(reader) : followsRows(reader, region));
        bool odd = phase & 1; // the last phase of the region's own kind before it
        latest = std::min(latest, together ? phase : odd == isBatch(region) ? phase - 1 : phase - 2);
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

  /// The phase that a region may run in at the earliest, where it follows the rows of what it reads in that phase if it
  /// can.
  int64_t joinRows(RegionOp region) {
    const StringAttr axis = region.getAxisAttr();
    const IntegerAttr tasks = region.getTasksAttr();
    for (Value input : region.getInputs()) {
      auto producer = input.getDefiningOp<RegionOp>();
      if (!producer || !canFollowRows(region, producer))
        continue;
      region.setAxisAttr(producer.getAxisAttr());
      region.setTasksAttr(producer.getTasksAttr());
      if (followsRows(region, producer) && earliest(region) == phaseOf[producer])
        return phaseOf[producer];
      region.setAxisAttr(axis);
      region.setTasksAttr(tasks);
    }
    return earliest(region);
  }

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
      sameSlice |= followsRows(region, producer);
      phase = std::max(phase, sameSlice ? ready : ready + 1);
    }
    return isBatch(region) == !(phase & 1) ? phase : phase + 1;
  }

  /// Whether this is a gradient of huge weights: it is computed after all else of its phase, behind a barrier of its
  /// own, when the copy of the weights for the gradient by the input, and the gradient before, need no space any more.
  bool comesLate(RegionOp region) {
    return region.getKernel().ends_with(".grad_weight") && kindOf(region.getResult(0).getType()) == Kind::Whole &&
           layoutOf(region.getResult(0)).unit * 4 > hugeWeights;
  }

  /// Numbers the phases without gaps and sorts the regions by phase.
  void number(Block &block) {
    using Key = std::tuple<int64_t, bool, int64_t>;
    std::map<Key, int64_t> numbers;
    auto keyOf = [&](RegionOp region) {
      return Key(phaseOf[region], comesLate(region), region.getAxis() == "row" ? int64_t(*region.getTasks()) : 0);
    };
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
      for (RegionOp region : isSliced(phase.front()) ? orderForCaches(phase) : SmallVector<RegionOp>(phase))
        region->moveBefore(block.getTerminator());
    }
    for (GradientOp gradient : llvm::to_vector(block.getOps<GradientOp>()))
      gradient->moveBefore(block.getTerminator());
  }
};

} // namespace
} // namespace sylvite::nn
