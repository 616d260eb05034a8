//===- Update.cpp - nn-update: the optimizer's step ---------------------------------------------------------------===//
//
// Each nn.gradient of a parameter becomes an in-place region over the parameter and its optimizer slots. The slots are
// variables named as in a checkpoint: optimizer.<PyTorch's slot>.<parameter>.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/Regions.h"

using namespace mlir;

namespace sylvite::nn {
#define GEN_PASS_DEF_NNUPDATE
#include "compiler/transforms/Passes.h.inc"

namespace {

struct UpdatePass : impl::NnUpdateBase<UpdatePass> {
  void runOnOperation() override {
    ProgramOp program = getOperation();
    if (program.getSymName() != "train")
      return;
    Block &block = program.getBody().front();
    DictionaryAttr optimizer = program.getOptimizer();
    OpBuilder builder(block.getTerminator());
    auto number = [&](StringRef key) {
      return builder.getF64FloatAttr(cast<FloatAttr>(optimizer.get(key)).getValueAsDouble());
    };
    StringRef kind = cast<StringAttr>(optimizer.get("kind")).getValue();
    bool adam = kind == "adam";

    Value scalars;
    llvm::StringMap<VariableOp> variables;
    for (VariableOp variable : block.getOps<VariableOp>())
      variables[variable.getName()] = variable;
    for (GradientOp gradient : llvm::to_vector(block.getOps<GradientOp>())) {
      auto found = variables.find(gradient.getName());
      if (found == variables.end())
        continue; // the input's
      VariableOp parameter = found->second;
      Type element = cast<RankedTensorType>(parameter.getType()).getElementType();
      Location loc = parameter.getLoc();
      if (!scalars)
        scalars = makeScalars(builder, loc, element, number("learning_rate"),
                              adam ? number("beta1") : builder.getF64FloatAttr(0),
                              adam ? number("beta2") : builder.getF64FloatAttr(0));
      auto slot = [&](StringRef name) -> Value {
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPointAfter(parameter);
        return VariableOp::create(builder, loc, parameter.getType(),
                                  ("optimizer." + name + "." + parameter.getName()).str(), "slot", "constant", 0, 0);
      };
      Operation *update;
      if (adam) {
        Value average = slot("exp_avg"), square = slot("exp_avg_sq");
        Type type = parameter.getType();
        update = AdamUpdateOp::create(builder, loc, TypeRange{type, type, type}, parameter, average, square,
                                      gradient.getGradient(), scalars, number("beta1"), number("beta2"), number("eps"),
                                      number("weight_decay"));
      } else {
        SmallVector<Value> replaced{parameter};
        if (number("momentum").getValueAsDouble() != 0)
          replaced.push_back(slot("momentum_buffer"));
        SmallVector<Type> types(replaced.size(), parameter.getType());
        update = SgdUpdateOp::create(builder, loc, types, replaced, gradient.getGradient(), scalars, number("momentum"),
                                     number("weight_decay"));
      }
      builder.setInsertionPoint(block.getTerminator());
      OpBuilder at(update);
      outlineInPlace(at, update);
    }
  }

  Value makeScalars(OpBuilder &builder, Location loc, Type element, FloatAttr rate, FloatAttr beta1, FloatAttr beta2) {
    auto type = tensorOf(Kind::Whole, {4}, element);
    auto region = createRegion(builder, loc, {}, type, "optimizer_scalars.forward");
    OpBuilder inside = OpBuilder::atBlockEnd(&region.getBody().front());
    Value value = OptimizerScalarsOp::create(inside, loc, type, rate, beta1, beta2);
    YieldOp::create(inside, loc, value);
    return region.getResult(0);
  }
};

} // namespace
} // namespace sylvite::nn
