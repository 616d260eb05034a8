//===- Canonicalize.cpp - canonical forms of the nn dialect -------------------------------------------------------===//
//
// A flatten is free before a linear layer: its order of features is a matter of how the weights are laid out.
// Elementwise ops move before a flatten so that the two meet.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/Nn.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace sylvite::nn {
namespace {

struct FoldFlattenIntoLinear : OpRewritePattern<LinearOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LinearOp op, PatternRewriter &rewriter) const override {
    auto flatten = op.getInput().getDefiningOp<FlattenOp>();
    if (!flatten)
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      op.getInputMutable().assign(flatten.getInput());
      if (cast<RankedTensorType>(flatten.getInput().getType()).getRank() != 2)
        op.setFlattenInput(true);
    });
    return success();
  }
};

struct MoveElementwiseBeforeFlatten : OpRewritePattern<ReluOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReluOp op, PatternRewriter &rewriter) const override {
    auto flatten = op.getInput().getDefiningOp<FlattenOp>();
    if (!flatten || !flatten->hasOneUse())
      return failure();
    Value image = ReluOp::create(rewriter, op.getLoc(), flatten.getInput().getType(), flatten.getInput());
    rewriter.replaceOpWithNewOp<FlattenOp>(op, op.getType(), image);
    return success();
  }
};

} // namespace

void LinearOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<FoldFlattenIntoLinear>(context);
}

void ReluOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<MoveElementwiseBeforeFlatten>(context);
}

} // namespace sylvite::nn
