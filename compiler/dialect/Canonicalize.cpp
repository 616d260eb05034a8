//===- Canonicalize.cpp - canonical forms of the nn dialect -------------------------------------------------------===//
//
// A flatten is free before a linear layer: its order of features is a matter of how the weights are laid out.
// Elementwise ops move before a flatten so that the two meet. A reshape to a vector is a flatten: both count C, H, W.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/Layout.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace sylvite::nn {
namespace {

/// Weights [units, C*H*W] whose features lie as those of the image do, channels innermost.
SmallVector<VariableDim> flattenedDims(RankedTensorType image, int64_t units) {
  ArrayRef<int64_t> shape = image.getShape();
  SmallVector<VariableDim> dims{{"o", 0, 1, units, paddedChannels(units)}};
  int64_t pixels = 1;
  for (int64_t extent : shape.drop_front().drop_back())
    pixels *= extent;
  dims.push_back({"k", 1, pixels, shape.back(), paddedChannels(shape.back())});
  int64_t divisor = 1;
  for (int64_t extent : llvm::reverse(shape.drop_front().drop_back())) {
    dims.push_back({"k", 1, divisor, extent, extent});
    divisor *= extent;
  }
  return dims;
}

struct FoldFlattenIntoLinear : OpRewritePattern<LinearOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LinearOp op, PatternRewriter &rewriter) const override {
    auto flatten = op.getInput().getDefiningOp<FlattenOp>();
    auto variable = op.getWeight().getDefiningOp<VariableOp>();
    if (!flatten || !variable)
      return failure();
    auto image = cast<RankedTensorType>(flatten.getInput().getType());
    bool isVector = image.getRank() == 2;
    if (!isVector && !variable->hasOneUse())
      return failure(); // the layers that share these weights need not see images of this shape
    rewriter.modifyOpInPlace(op, [&] {
      op.getInputMutable().assign(flatten.getInput());
      if (!isVector)
        op.setFlattenInput(true);
    });
    if (!isVector)
      rewriter.modifyOpInPlace(variable, [&] { setVariableDims(variable, flattenedDims(image, op.getUnits())); });
    return success();
  }
};

/// A linear layer on each element of a sequence is a convolution with one tap.
struct LinearOnSequence : OpRewritePattern<LinearOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LinearOp op, PatternRewriter &rewriter) const override {
    if (op.getFlattenInput() || cast<RankedTensorType>(op.getInput().getType()).getRank() != 3)
      return failure();
    NamedAttrList attributes;
    attributes.set("filters", op.getUnitsAttr());
    attributes.set("kernel", rewriter.getDenseI64ArrayAttr({1}));
    attributes.set("bias", op.getBiasAttr());
    attributes.set("linear_weight", rewriter.getUnitAttr());
    LayerPlan plan;
    Conv1dOp::plan(cast<RankedTensorType>(op.getInput().getType()), attributes.getDictionary(op.getContext()), plan);
    rewriter.replaceOpWithNewOp<Conv1dOp>(op, op->getResultTypes(), op->getOperands(), plan.attributes.getAttrs());
    return success();
  }
};

/// Padding with other pixels than zeros is a layer of its own before the convolution.
template <typename Conv> struct SeparatePadding : OpRewritePattern<Conv> {
  using OpRewritePattern<Conv>::OpRewritePattern;
  LogicalResult matchAndRewrite(Conv op, PatternRewriter &rewriter) const override {
    if (op.getPaddingMode() == "zeros")
      return failure();
    Value input = op.getInput();
    SmallVector<int64_t> none(op.getPadding().size(), 0);
    if (op.getPadding() != ArrayRef(none)) {
      NamedAttrList attributes;
      attributes.set("padding", op.getPaddingAttr());
      attributes.set("mode", op.getPaddingModeAttr());
      LayerPlan plan;
      PadOp::plan(cast<RankedTensorType>(input.getType()), attributes.getDictionary(op.getContext()), plan);
      input =
          PadOp::create(rewriter, op.getLoc(), TypeRange{plan.output}, ValueRange{input}, plan.attributes.getAttrs());
    }
    rewriter.modifyOpInPlace(op, [&] {
      op.getInputMutable().assign(input);
      op.setPadding(none);
      op.setPaddingMode("zeros");
    });
    return success();
  }
};

struct MoveElementwiseBeforeFlatten : RewritePattern {
  explicit MoveElementwiseBeforeFlatten(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!op->hasTrait<Elementwise>() || op->getNumOperands() != 1)
      return failure();
    auto flatten = op->getOperand(0).getDefiningOp<FlattenOp>();
    if (!flatten || !flatten->hasOneUse())
      return failure();
    IRMapping mapping;
    mapping.map(op->getOperand(0), flatten.getInput());
    Operation *moved = rewriter.clone(*op, mapping);
    auto type = cast<RankedTensorType>(flatten.getInput().getType());
    moved->getResult(0).setType(type.clone(cast<RankedTensorType>(op->getResult(0).getType()).getElementType()));
    rewriter.replaceOpWithNewOp<FlattenOp>(op, op->getResult(0).getType(), moved->getResult(0));
    return success();
  }
};

struct ReshapeToVector : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    if (op.getInput().getType() == op.getType()) {
      rewriter.replaceOp(op, op.getInput());
      return success();
    }
    if (cast<RankedTensorType>(op.getType()).getRank() != 2)
      return failure();
    rewriter.replaceOpWithNewOp<FlattenOp>(op, op.getType(), op.getInput());
    return success();
  }
};

} // namespace

void LinearOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<FoldFlattenIntoLinear, LinearOnSequence>(context);
}

void Conv1dOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<SeparatePadding<Conv1dOp>>(context);
}
void Conv2dOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<SeparatePadding<Conv2dOp>>(context);
}
void Conv3dOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<SeparatePadding<Conv3dOp>>(context);
}

void NnDialect::getCanonicalizationPatterns(RewritePatternSet &patterns) const {
  patterns.add<MoveElementwiseBeforeFlatten, ReshapeToVector>(getContext());
}

} // namespace sylvite::nn
