//===- Update.cpp - nn-update: the optimizer's step ---------------------------------------------------------------===//
//
// Each nn.gradient of a parameter becomes an in-place region over the parameter and its optimizer slots. The slots are
// variables named as in a checkpoint: optimizer.<PyTorch's slot>.<parameter>, optimizer.accumulated.<parameter> for the
// gradients of an update's micro-batches so far, ema.<parameter> for the average that evaluation uses.
//
// Clipping by the global norm is a sum of squares of each gradient and one factor from all of them, before the updates.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/Optimizers.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/Regions.h"

using namespace mlir;

namespace sylvite::nn {
#define GEN_PASS_DEF_NNUPDATE
#include "compiler/transforms/Passes.h.inc"

namespace {

/// A parameter with its gradient.
struct Trained {
  mutable VariableOp parameter; // MLIR's accessors are not const
  Value gradient;
  Value accumulated; ///< slot, null where there is none
};

struct UpdatePass : impl::NnUpdateBase<UpdatePass> {
  DictionaryAttr optimizer;

  void runOnOperation() override {
    ProgramOp program = getOperation();
    if (program.getSymName() != "train")
      return;
    Block &block = program.getBody().front();
    optimizer = program.getOptimizer();
    SmallVector<Trained> trained;
    for (GradientOp gradient : block.getOps<GradientOp>())
      if (VariableOp parameter = find(block, gradient.getName())) // else the input's
        trained.push_back({parameter, gradient.getGradient(), Value()});
    if (trained.empty())
      return;
    OpBuilder builder(block.getTerminator());
    Value scalars = makeScalars(builder, trained.front().parameter);
    if (number("accumulate") > 1)
      for (Trained &each : trained)
        each.accumulated = slot(builder, each.parameter, "optimizer.accumulated.", 0);
    Value clip = number("clip_norm") ? makeClip(builder, trained, scalars) : Value();
    for (const Trained &each : trained)
      update(builder, each, scalars, clip);
  }

  static VariableOp find(Block &block, StringRef name) {
    for (VariableOp variable : block.getOps<VariableOp>())
      if (variable.getName() == name)
        return variable;
    return {};
  }

  /// A number of the optimizer's dictionary; 0 where it is absent.
  double number(StringRef key) {
    auto value = dyn_cast_or_null<FloatAttr>(optimizer.get(key));
    return value ? value.getValueAsDouble() : 0;
  }

  static Type elementOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

  static Value slot(OpBuilder &builder, VariableOp parameter, const Twine &prefix, double initial,
                    StringRef init = "constant") {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointAfter(parameter);
    return VariableOp::create(builder, parameter.getLoc(), parameter.getType(), (prefix + parameter.getName()).str(),
                              "slot", init, initial, 0.0);
  }

  /// A region of one op, which `make` builds from the region's arguments.
  template <typename Make>
  static Value region(OpBuilder &builder, Location loc, ArrayRef<Value> inputs, Type type, StringRef kernel,
                      Make make) {
    auto region = createRegion(builder, loc, inputs, type, kernel);
    OpBuilder inside = OpBuilder::atBlockEnd(&region.getBody().front());
    YieldOp::create(inside, loc, make(inside, ValueRange(region.getBody().getArguments())));
    return region.getResult(0);
  }

  Value makeScalars(OpBuilder &builder, VariableOp parameter) {
    Location loc = parameter.getLoc();
    auto type = tensorOf(Kind::Whole, {optimizerScalarCount}, elementOf(parameter));
    return region(builder, loc, {}, type, "optimizer_scalars.forward", [&](OpBuilder &inside, ValueRange) -> Value {
      return OptimizerScalarsOp::create(inside, loc, type, optimizer);
    });
  }

  Value makeClip(OpBuilder &builder, ArrayRef<Trained> trained, Value scalars) {
    auto type = tensorOf(Kind::Whole, {1}, elementOf(trained.front().parameter));
    SmallVector<Value> sums;
    for (const Trained &each : trained) {
      SmallVector<Value> inputs{each.gradient, scalars};
      if (each.accumulated)
        inputs.push_back(each.accumulated);
      Location loc = each.parameter.getLoc();
      sums.push_back(
          region(builder, loc, inputs, type, "square_sum.forward", [&](OpBuilder &inside, ValueRange values) {
            return SquareSumOp::create(inside, loc, type, values[0], values[1], each.accumulated ? values[2] : Value(),
                                       optimizer)
                .getResult();
          }));
    }
    Location loc = trained.front().parameter.getLoc();
    return region(builder, loc, sums, type, "clip_scale.forward", [&](OpBuilder &inside, ValueRange values) -> Value {
      return ClipScaleOp::create(inside, loc, type, values, inside.getF64FloatAttr(number("clip_norm")));
    });
  }

  void update(OpBuilder &builder, const Trained &each, Value scalars, Value clip) {
    VariableOp parameter = each.parameter;
    std::string kind = cast<StringAttr>(optimizer.get("kind")).getValue().str();
    SmallVector<Value> replaced{parameter};
    for (const OptimizerSlot &record : findOptimizer(kind)->slots)
      if (record.where.empty() || number(record.where))
        replaced.push_back(slot(builder, parameter, "optimizer." + record.name + ".",
                                record.initial.empty() ? 0 : number(record.initial)));
    if (each.accumulated)
      replaced.push_back(each.accumulated);
    if (number("ema")) {
      Value average = slot(builder, parameter, averagePrefix, 0, "copy");
      average.getDefiningOp<VariableOp>().setInitFrom(parameter.getName());
      replaced.push_back(average);
    }
    SmallVector<Type> types(replaced.size(), parameter.getType());
    bool isExempt = number("decay_exempt") && cast<RankedTensorType>(parameter.getType()).getRank() <= 1;
    auto op = OptimizerUpdateOp::create(builder, parameter.getLoc(), types, replaced, each.gradient, scalars, clip,
                                        optimizer, parameter.getRateScaleAttr(),
                                        isExempt ? builder.getF64FloatAttr(0) : parameter.getDecayScaleAttr());
    OpBuilder at(op);
    outlineInPlace(at, op).setKernel(kind + ".update");
  }
};

} // namespace
} // namespace sylvite::nn
