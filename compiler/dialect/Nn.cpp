//===- Nn.cpp - the nn dialect: registration, kinds, verifiers ----------------------------------------------------===//
#include "compiler/dialect/Nn.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

#include "compiler/dialect/NnDialect.cpp.inc"
#include "compiler/dialect/NnInterfaces.cpp.inc"

namespace sylvite::nn {

void NnDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "compiler/dialect/NnOps.cpp.inc"
      >();
}

Kind kindOf(Type type) {
  auto encoding = dyn_cast_or_null<StringAttr>(cast<RankedTensorType>(type).getEncoding());
  if (!encoding)
    return Kind::Whole;
  return llvm::StringSwitch<Kind>(encoding.getValue())
      .Case("batch", Kind::Batch)
      .Case("slices", Kind::Slices)
      .Case("partial", Kind::Partial)
      .Default(Kind::Whole);
}

RankedTensorType tensorOf(Kind kind, ArrayRef<int64_t> shape, Type element) {
  static constexpr const char *words[] = {"", "batch", "slices", "partial"};
  Attribute encoding;
  if (kind != Kind::Whole)
    encoding = StringAttr::get(element.getContext(), words[int(kind)]);
  return RankedTensorType::get(shape, element, encoding);
}

int64_t slicesOf(int64_t batch) {
  int64_t images = (batch + maxSlices - 1) / maxSlices;
  return (batch + images - 1) / images;
}

std::string sampleShape(RankedTensorType type) {
  std::string text;
  for (int64_t extent : type.getShape().drop_front())
    text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text.empty() ? "1" : text;
}

LogicalResult verifyLayer(Operation *op, unsigned inputs,
                          llvm::function_ref<void(ArrayRef<RankedTensorType>, LayerPlan &)> makePlan) {
  if (!inputs)
    inputs = op->getNumOperands();
  SmallVector<RankedTensorType> types;
  for (Value operand : op->getOperands().take_front(inputs))
    types.push_back(cast<RankedTensorType>(operand.getType()));
  LayerPlan plan;
  makePlan(types, plan);
  if (!plan.errors.empty())
    return op->emitOpError() << plan.errors.front().text;
  if (plan.output != op->getResult(0).getType())
    return op->emitOpError() << "output is " << op->getResult(0).getType() << ", expected " << plan.output;
  // What passes add stands last: values of the batch, such as the largest logits.
  unsigned given = op->getNumOperands() - inputs;
  if (plan.target)
    given = 0; // a loss
  while (given > plan.parameters.size() && kindOf(op->getOperand(inputs + given - 1).getType()) == Kind::Batch)
    --given;
  if (given != plan.parameters.size())
    return op->emitOpError() << "has " << given << " variables, expected " << plan.parameters.size();
  for (auto [index, parameter] : llvm::enumerate(plan.parameters)) {
    auto type = cast<RankedTensorType>(op->getOperand(inputs + index).getType());
    if (type.getShape() != ArrayRef(parameter.shape))
      return op->emitOpError()
             << "variable '" << parameter.suffix << "' is " << type << ", expected the shape "
             << llvm::formatv("[{0:$[, ]}]", llvm::make_range(parameter.shape.begin(), parameter.shape.end())).str();
  }
  return success();
}

} // namespace sylvite::nn

#define GET_OP_CLASSES
#include "compiler/dialect/NnOps.cpp.inc"
