//===- Programs.cpp - nn-programs: train, evaluate and predict from one network -----------------------------------===//
#include "compiler/dialect/Layout.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/Regions.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace sylvite::nn {
#define GEN_PASS_DEF_NNPROGRAMS
#include "compiler/transforms/Passes.h.inc"

namespace {

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

/// Averages of the trained parameters stand for them, where the optimizer keeps them: slots of the program that trains,
/// parameters where there is none.
void useAverages(Block &block, DictionaryAttr optimizer, bool trained) {
  if (optimizer.get("ema"))
    for (VariableOp variable : block.getOps<VariableOp>())
      if (variable.getKind() == "parameter" && !variable.getFrozen()) {
        variable.setName((averagePrefix + variable.getName()).str());
        if (trained)
          variable.setKind("slot");
      }
}

/// Numbers the ops that draw random numbers, so that each has a stream of its own.
void numberStreams(NetworkOp network) {
  int64_t stream = 0;
  for (Operation &op : network.getBody().front())
    if (op.hasTrait<DrawsRandom>())
      op.setAttr("nn.stream", IntegerAttr::get(IntegerType::get(op.getContext(), 64), stream++));
}

struct ProgramsPass : impl::NnProgramsBase<ProgramsPass> {
  using NnProgramsBase::NnProgramsBase;

  void runOnOperation() override {
    for (NetworkOp network : llvm::make_early_inc_range(getOperation().getOps<NetworkOp>())) {
      numberStreams(network);
      for (StringRef name : {"train", "evaluate", "predict"})
        if (makes(name))
          makeProgram(network, name);
    }
  }

  bool makes(StringRef name) { return only.empty() || llvm::is_contained(only, name.str()); }

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
    if (directForward && !training)
      for (Operation &op : block)
        op.removeAttr("nn.algorithm");
    if (!training)
      useAverages(block, network.getOptimizer(), makes("train"));

    ProgramKind kind = training ? ProgramKind::Train : name == "predict" ? ProgramKind::Predict : ProgramKind::Evaluate;
    for (Operation &op : llvm::make_early_inc_range(block))
      if (auto layer = dyn_cast<ExpandOpInterface>(op)) {
        builder.setInsertionPoint(&op);
        layer.expand(builder, kind, network.getSlices());
        if (op.use_empty())
          op.erase();
      }
    removeUnused(block);
    if (name == "predict")
      copyPredictions(last);
  }
};

} // namespace
} // namespace sylvite::nn
