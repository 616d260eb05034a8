//===- Fuse.cpp - nn-fuse: the graph becomes regions --------------------------------------------------------------===//
//
// A region is a set of ops that one kernel computes. Where to cut:
//   - a contraction, a sum over the batch, an in-place update begin a region of their own;
//   - an elementwise op joins the region of its data operand when it is that region's only reader, and the region has
//     not ended with a windowed op; a contraction's only where nothing is differentiated;
//   - a windowed op (pooling) joins elementwise ops under the same condition, and ends the region.
// A value that leaves a region is stored.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/Layout.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/Regions.h"

using namespace mlir;

namespace sylvite::nn {
#define GEN_PASS_DEF_NNFUSE
#include "compiler/transforms/Passes.h.inc"

namespace {

bool isLeaf(Operation *op) { return isa<VariableOp, InputOp, TargetOp>(op); }

struct FusePass : impl::NnFuseBase<FusePass> {
  void runOnOperation() override {
    Block &block = getOperation().getBody().front();
    SmallVector<SmallVector<Operation *>> groups;
    DenseMap<Operation *, unsigned> groupOf;
    for (Operation &op : block) {
      if (isLeaf(&op) || op.hasTrait<OpTrait::IsTerminator>())
        continue;
      std::optional<unsigned> joined = groupToJoin(&op, groups, groupOf);
      unsigned group = joined.value_or(groups.size());
      if (!joined)
        groups.emplace_back();
      groups[group].push_back(&op);
      groupOf[&op] = group;
    }
    for (ArrayRef<Operation *> group : groups)
      outline(group);
    copyPredictions(cast<ReturnOp>(block.getTerminator()));
  }

  /// The caller's arrays have no room for what a region writes over an image's edges.
  static void copyPredictions(ReturnOp last) {
    OpBuilder builder(last);
    MutableOperandRange predictions = last.getPredictionMutable();
    for (OpOperand &prediction : predictions)
      if (auto region = prediction.get().getDefiningOp<RegionOp>(); region && writtenView(region).written().any())
        prediction.set(copyRegion(builder, prediction.get()).getResult(0));
  }

  std::optional<unsigned> groupToJoin(Operation *op, ArrayRef<SmallVector<Operation *>> groups,
                                      const DenseMap<Operation *, unsigned> &groupOf) {
    bool elementwise = op->hasTrait<Elementwise>();
    bool pool = op->hasTrait<Windowed>() && !op->hasTrait<Contraction>() && !op->hasTrait<Tiled>();
    if (!elementwise && !pool)
      return std::nullopt;
    auto shapeOf = [](Value value) { return cast<RankedTensorType>(value.getType()).getShape(); };
    for (Value operand : op->getOperands()) {
      // An operand that is broadcast has coordinates of its own.
      if (elementwise && shapeOf(operand) != shapeOf(op->getResult(0)))
        continue;
      Operation *producer = operand.getDefiningOp();
      auto found = groupOf.find(producer);
      if (found == groupOf.end() || !operand.hasOneUse())
        continue;
      ArrayRef<Operation *> group = groups[found->second];
      if (group.back() != producer)
        continue;
      if (!group.front()->hasTrait<Elementwise>()) {
        if (elementwise && finishes(op, group.front(), operand))
          return found->second;
        continue;
      }
      if (!llvm::all_of(group, [](Operation *member) { return member->hasTrait<Elementwise>(); }))
        continue;
      // The caller's input has no halo and no padded channels: a window reads a copy of it.
      if (pool && llvm::any_of(group, [](Operation *member) {
            return llvm::any_of(member->getOperands(),
                                [](Value value) { return isa_and_present<InputOp>(value.getDefiningOp()); });
          }))
        continue;
      return found->second;
    }
    return std::nullopt;
  }

  /// Whether an elementwise op can be done where the region of a contraction, or of the transform that ends a Winograd
  /// convolution, writes its result. Gradients are not derived through it: the contraction would be computed again.
  bool finishes(Operation *op, Operation *contraction, Value result) {
    bool tiles = isa<WinogradOutputOp>(contraction);
    if (getOperation().getSymName() == "train" || op->hasTrait<DrawsRandom>() ||
        !(tiles || (contraction->hasTrait<Contraction>() && !contraction->hasTrait<Tiled>())) ||
        contraction->hasTrait<Transposed>() || groupsOf(contraction) > 1)
      return false;
    // A region that is cut along its channels does not know which of them are padding.
    int64_t channels = cast<RankedTensorType>(result.getType()).getShape().back();
    if (!op->hasTrait<KeepsZero>() && paddedChannels(channels) != channels)
      return false;
    return llvm::all_of(op->getOperands(), [&](Value other) {
      return other == result || (!llvm::is_contained(contraction->getOperands(), other) &&
                                 !(tiles && isa_and_present<InputOp>(other.getDefiningOp())));
    });
  }

  /// Moves the ops of a group into an nn.region at the place of the last of them.
  void outline(ArrayRef<Operation *> group) {
    OpBuilder builder(group.back());
    DenseSet<Operation *> members(group.begin(), group.end());
    SmallVector<Value> inputs;
    Operation *last = group.back();
    if (last->hasTrait<InPlace>()) {
      outlineInPlace(builder, last);
      return;
    }
    for (Operation *op : group)
      for (Value operand : op->getOperands())
        if (!members.contains(operand.getDefiningOp()) && !llvm::is_contained(inputs, operand))
          inputs.push_back(operand);
    Operation *anchor = group.front()->hasTrait<Elementwise>() ? last : group.front();
    auto region = createRegion(builder, anchor->getLoc(), inputs, last->getResultTypes(), kernelName(group, "forward"));
    if (last->hasTrait<WholeWeights>())
      region.setLikeAttr(variableBehind(inputs[0]).getNameAttr());
    IRMapping mapping = mapArguments(inputs, region.getBody().front());
    OpBuilder inside = OpBuilder::atBlockEnd(&region.getBody().front());
    for (Operation *op : group)
      inside.clone(*op, mapping);
    YieldOp::create(inside, last->getLoc(), mapping.lookup(last->getResult(0)));
    last->replaceAllUsesWith(region.getResults());
    for (Operation *op : llvm::reverse(group))
      op->erase();
  }
};

} // namespace
} // namespace sylvite::nn
