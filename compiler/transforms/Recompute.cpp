//===- Recompute.cpp - nn-recompute: what the backward pass computes again instead of reading it ------------------===//
//
// Marks regions of @train, after nn-fuse and before nn-differentiate, whose results the backward pass does not read but
// computes again, as late as possible, by a copy of the region: the result then lives from its forward readers to no
// further, and the copy in its reader's phase, often in the thread's local block. Bits do not change.
//
// Marked are elementwise chains whose own derivative reads their inputs (relu, batch-norm's scale and shift, …), so
// that these live that long anyway; and those whose numbers the option `also` lists, which codegen chooses where the
// scratch block is limited (Budget.h). Every region gets its number as `nn.id`.
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

/// All of a row live from the first reader of its last on, so a row through the whole network would save nothing.
constexpr int64_t deepest = 3;

struct RecomputePass : impl::NnRecomputeBase<RecomputePass> {
  using Base::Base;

  void runOnOperation() override {
    if (getOperation().getSymName() != "train")
      return;
    Builder builder(&getContext());
    int64_t number = 0;
    depthOf.clear();
    for (RegionOp region : getOperation().getBody().front().getOps<RegionOp>()) {
      int64_t id = number++;
      if (region.getUpdates())
        continue;
      region->setAttr(idName, builder.getI64IntegerAttr(id));
      bool isMarked = llvm::is_contained(also, id);
      if (int64_t depth = depthIfCheap(region); cheap && depth && depth <= deepest) {
        depthOf[region] = depth;
        isMarked = true;
      }
      if (isMarked)
        region->setAttr(recomputeName, builder.getUnitAttr());
    }
  }

  DenseMap<Operation *, int64_t> depthOf; ///< of the elementwise ones: how many are computed again for it, with it

  /// The number of regions in a row to compute again for this one's result, where each costs one pass over values that
  /// the backward pass reads anyway or that are in the row; else 0.
  int64_t depthIfCheap(RegionOp region) {
    if (kindOf(region.getResult(0).getType()) != Kind::Batch)
      return 0;
    SmallVector<Operation *> ops;
    for (Operation &op : region.getBody().front().without_terminator()) {
      if (!op.hasTrait<Elementwise>() || op.hasTrait<DrawsRandom>())
        return 0;
      ops.push_back(&op);
    }
    if (anchorOf(ops)->hasTrait<LinearMap>() || isa<IdentityOp>(anchorOf(ops))) // its derivative reads no inputs
      return 0;
    int64_t depth = 1;
    for (Value input : region.getInputs())
      depth = std::max(depth, 1 + depthOf.lookup(input.getDefiningOp()));
    return depth;
  }
};

} // namespace
} // namespace sylvite::nn
