//===- Regions.cpp - making nn.region ops -------------------------------------------------------------------------===//
#include "compiler/transforms/Regions.h"

#include "compiler/dialect/Layout.h"

using namespace mlir;

namespace sylvite::nn {

Operation *anchorOf(ArrayRef<Operation *> ops) {
  for (Operation *op : ops)
    if (op->hasTrait<Contraction>())
      return op;
  for (Operation *op : ops)
    if (op->hasTrait<Windowed>())
      return op;
  for (Operation *op : ops)
    if (!isa<IdentityOp, MeanSeedOp, PlaceholderOp>(op))
      return op;
  return ops.front();
}

std::string kernelName(ArrayRef<Operation *> ops, StringRef direction) {
  Operation *anchor = anchorOf(ops);
  return (anchor->getName().stripDialect() + (groupsOf(anchor) > 1 ? "_grouped." : ".") + direction).str();
}

bool isVectorContraction(Operation *op) { return op->hasTrait<Contraction>() && !op->hasTrait<Windowed>(); }

bool isElementwise(Operation *op) { return op->hasTrait<Elementwise>() || isa<VjpOp, YieldOp, PlaceholderOp>(op); }

RegionOp createRegion(OpBuilder &builder, Location loc, ArrayRef<Value> inputs, TypeRange results, StringRef kernel,
                      int64_t updates) {
  auto region =
      RegionOp::create(builder, loc, results, inputs, builder.getStringAttr(kernel), builder.getI64IntegerAttr(updates),
                       StringAttr(), IntegerAttr(), StringAttr(), IntegerAttr());
  Block &block = region.getBody().emplaceBlock();
  for (Value input : inputs)
    block.addArgument(input.getType(), input.getLoc());
  return region;
}

RegionOp copyRegion(OpBuilder &builder, Value value) {
  auto copy = createRegion(builder, value.getLoc(), value, value.getType(), "identity.forward");
  OpBuilder inside = OpBuilder::atBlockEnd(&copy.getBody().front());
  Value same = IdentityOp::create(inside, value.getLoc(), value.getType(), copy.getBody().getArgument(0));
  YieldOp::create(inside, value.getLoc(), same);
  return copy;
}

View writtenView(RegionOp region) { return viewOf(region.getBody().front().getTerminator()->getOperand(0)); }

IRMapping mapArguments(ArrayRef<Value> inputs, Block &block) {
  IRMapping mapping;
  for (auto [input, argument] : llvm::zip(inputs, block.getArguments()))
    mapping.map(input, argument);
  return mapping;
}

RegionOp outlineInPlace(OpBuilder &builder, Operation *op) {
  SmallVector<Value> inputs(op->getOperands());
  StringRef name = op->getName().stripDialect();
  std::string kernel = name.consume_back("_update") ? (name + ".update").str() : (name + ".forward").str();
  auto region = createRegion(builder, op->getLoc(), inputs, {}, kernel, op->getNumResults());
  IRMapping mapping = mapArguments(inputs, region.getBody().front());
  OpBuilder inside = OpBuilder::atBlockEnd(&region.getBody().front());
  Operation *clone = inside.clone(*op, mapping);
  YieldOp::create(inside, op->getLoc(), clone->getResults());
  op->erase();
  return region;
}

} // namespace sylvite::nn
