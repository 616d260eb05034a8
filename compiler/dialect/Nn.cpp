//===- Nn.cpp - the nn dialect: registration, kinds, verifiers ----------------------------------------------------===//
#include "compiler/dialect/LayerPlans.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"

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

LogicalResult NormalizeOp::verify() { return verifyLayer(*this, 1); }
LogicalResult Conv2dOp::verify() { return verifyLayer(*this, 1); }
LogicalResult LinearOp::verify() { return verifyLayer(*this, 1); }
LogicalResult BatchNormOp::verify() { return verifyLayer(*this, 1); }
LogicalResult ReluOp::verify() { return verifyLayer(*this, 1); }
LogicalResult MaxPool2dOp::verify() { return verifyLayer(*this, 1); }
LogicalResult FlattenOp::verify() { return verifyLayer(*this, 1); }
LogicalResult CrossEntropyOp::verify() {
  if (getRowMax())
    return success(); // the program form: row_max is no variable
  return verifyLayer(*this, 2);
}

} // namespace sylvite::nn

#define GET_OP_CLASSES
#include "compiler/dialect/NnOps.cpp.inc"
