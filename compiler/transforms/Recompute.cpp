//===- Recompute.cpp - nn-recompute: what the backward pass computes again instead of reading it ------------------===//
//
// Marks regions of @train, after nn-fuse and before nn-differentiate, whose results the backward pass does not read but
// computes again, as late as possible, by a copy of the region: the result then lives from its forward readers to no
// further, and the copy in its reader's phase, often in the thread's local block. Bits do not change.
//
// Marked are elementwise chains whose own derivative reads their inputs (relu, batch-norm's scale and shift, …), so
// that these live that long anyway; transforms of weights; and those whose numbers the option `also` lists, which
// codegen chooses where the scratch block is limited (Budget.h). Every region gets its number as `nn.id`.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/Layout.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/Regions.h"

using namespace mlir;

namespace sylvite::nn {
#define GEN_PASS_DEF_NNRECOMPUTE
#include "compiler/transforms/Passes.h.inc"

namespace {

struct RecomputePass : impl::NnRecomputeBase<RecomputePass> {
  using Base::Base;

  void runOnOperation() override {
    if (getOperation().getSymName() != "train")
      return;
    Builder builder(&getContext());
    int64_t number = 0;
    cheapOnes.clear();
    for (RegionOp region : getOperation().getBody().front().getOps<RegionOp>()) {
      int64_t id = number++;
      if (region.getUpdates())
        continue;
      region->setAttr(idName, builder.getI64IntegerAttr(id));
      bool isMarked = llvm::is_contained(also, id);
      if (cheap && isCheap(region)) {
        cheapOnes.insert(region);
        isMarked = true;
      }
      if (isMarked)
        region->setAttr(recomputeName, builder.getUnitAttr());
    }
  }

  DenseSet<Operation *> cheapOnes;

  /// Whether the result costs one pass over values that the backward pass reads anyway.
  bool isCheap(RegionOp region) {
    if (coreOf(region)->hasTrait<WholeWeights>()) // transformed weights are larger than the weights
      return true;
    if (kindOf(region.getResult(0).getType()) != Kind::Batch)
      return false;
    SmallVector<Operation *> ops;
    for (Operation &op : region.getBody().front().without_terminator()) {
      if (!op.hasTrait<Elementwise>() || op.hasTrait<DrawsRandom>())
        return false;
      ops.push_back(&op);
    }
    if (anchorOf(ops)->hasTrait<LinearMap>() || isa<IdentityOp>(anchorOf(ops))) // its derivative reads no inputs
      return false;
    // An input that is computed again itself would need its own inputs that long, and so on up to the first layer.
    return llvm::none_of(region.getInputs(), [&](Value input) { return cheapOnes.contains(input.getDefiningOp()); });
  }
};

} // namespace
} // namespace sylvite::nn
