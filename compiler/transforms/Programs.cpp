//===- Programs.cpp - nn-programs: train, evaluate and predict from one network -----------------------------------===//
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/Regions.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace sylvite::nn {
#define GEN_PASS_DEF_NNPROGRAMS
#include "compiler/transforms/Passes.h.inc"

namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// batch_norm in training: per-slice sums, then scale and shift, then the running statistics after this batch.
void expandTrainingNorm(BatchNormOp op, OpBuilder &builder, int64_t slices) {
  Location loc = op.getLoc();
  RankedTensorType type = typeOf(op.getInput());
  int64_t channels = type.getShape().back(), pixels = 1;
  for (int64_t extent : type.getShape().drop_front().drop_back())
    pixels *= extent;
  Type element = type.getElementType();
  Value sums =
      ChannelSumsOp::create(builder, loc, tensorOf(Kind::Slices, {slices, channels, 3}, element), op.getInput());
  Value scaleShift =
      BatchNormScalarsOp::create(builder, loc, tensorOf(Kind::Whole, {channels, 2}, element), sums, op.getWeight(),
                                 op.getBiasValue(), op.getEpsAttr(), builder.getI64IntegerAttr(pixels));
  BatchNormRunningOp::create(builder, loc, op.getRunningMean().getType(), op.getRunningVar().getType(),
                             op.getRunningMean(), op.getRunningVar(), sums, op.getMomentumAttr(),
                             builder.getI64IntegerAttr(pixels));
  op.replaceAllUsesWith(ScaleShiftOp::create(builder, loc, type, op.getInput(), scaleShift).getResult());
}

void expandInferenceNorm(BatchNormOp op, OpBuilder &builder) {
  Location loc = op.getLoc();
  RankedTensorType type = typeOf(op.getInput());
  Value scaleShift = BatchNormInferenceScalarsOp::create(
      builder, loc, tensorOf(Kind::Whole, {type.getShape().back(), 2}, type.getElementType()), op.getRunningMean(),
      op.getRunningVar(), op.getWeight(), op.getBiasValue(), op.getEpsAttr());
  op.replaceAllUsesWith(ScaleShiftOp::create(builder, loc, type, op.getInput(), scaleShift).getResult());
}

Value rowMax(OpBuilder &builder, Value logits) {
  RankedTensorType type = typeOf(logits);
  return RowMaxOp::create(builder, logits.getLoc(),
                          tensorOf(Kind::Batch, type.getShape().take_front(1), type.getElementType()), logits);
}

/// Removes what nothing needs; a program's in-place updates are needed.
void removeUnused(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (op.use_empty() && isMemoryEffectFree(&op) && !op.hasTrait<OpTrait::IsTerminator>())
      op.erase();
}

/// Predictions are written to the caller's arrays: one that is also read elsewhere, or given twice, is copied there.
void copyPredictions(ReturnOp last) {
  OpBuilder builder(last);
  MutableOperandRange predictions = last.getPredictionMutable();
  for (OpOperand &prediction : predictions)
    if (Value value = prediction.get(); !value.hasOneUse() || isa<InputOp, VariableOp>(value.getDefiningOp()))
      prediction.set(IdentityOp::create(builder, value.getLoc(), value.getType(), value));
}

/// Averages of the trained parameters stand for them, where the optimizer keeps them.
void useAverages(Block &block, DictionaryAttr optimizer) {
  if (optimizer.get("ema"))
    for (VariableOp variable : block.getOps<VariableOp>())
      if (variable.getKind() == "parameter" && !variable.getFrozen()) {
        variable.setName((averagePrefix + variable.getName()).str());
        variable.setKind("slot");
      }
}

struct ProgramsPass : impl::NnProgramsBase<ProgramsPass> {
  void runOnOperation() override {
    for (NetworkOp network : llvm::make_early_inc_range(getOperation().getOps<NetworkOp>()))
      for (StringRef name : {"train", "evaluate", "predict"})
        makeProgram(network, name);
  }

  void makeProgram(NetworkOp network, StringRef name) {
    OpBuilder builder(&getContext());
    builder.setInsertionPointToEnd(getOperation().getBody());
    auto program = ProgramOp::create(builder, network.getLoc(), name, network.getBatch(), network.getSlices(),
                                     network.getOptimizer());
    IRMapping mapping;
    network.getBody().cloneInto(&program.getBody(), mapping);
    Block &block = program.getBody().front();

    auto last = cast<ReturnOp>(block.getTerminator());
    bool training = name == "train";
    if (training)
      last.getPredictionMutable().clear();
    else if (name == "predict") {
      last.getLogitsMutable().clear();
      last.getLossMutable().clear();
      last.getCorrectMutable().clear();
    } else {
      last.getPredictionMutable().clear();
    }
    removeUnused(block);
    if (name == "predict")
      copyPredictions(last);
    if (!training)
      useAverages(block, network.getOptimizer());

    DenseMap<Value, Value> maxima;
    auto maximumOf = [&](Value logits) {
      Value &maximum = maxima[logits];
      return maximum ? maximum : maximum = rowMax(builder, logits);
    };
    for (Operation &op : llvm::make_early_inc_range(block)) {
      builder.setInsertionPoint(&op);
      if (auto norm = dyn_cast<BatchNormOp>(op)) {
        training ? expandTrainingNorm(norm, builder, network.getSlices()) : expandInferenceNorm(norm, builder);
        norm.erase();
      } else if (auto loss = dyn_cast<CrossEntropyOp>(op)) {
        loss.getRowMaxMutable().assign(maximumOf(loss.getLogits()));
      } else if (auto softmax = dyn_cast<SoftmaxOp>(op)) {
        softmax.getRowMaxMutable().assign(maximumOf(softmax.getLogits()));
      }
    }
    removeUnused(block);
  }
};

} // namespace
} // namespace sylvite::nn
