//===- LlvmBuilder.cpp - functions and constants of a module in the LLVM dialect ----------------------------------===//
#include "compiler/codegen/LlvmBuilder.h"

using namespace mlir;

namespace sylvite::codegen {

LlvmBuilder::LlvmBuilder(MLIRContext &context)
    : builder(&context), loc(builder.getUnknownLoc()), module(ModuleOp::create(loc)) {
  context.loadDialect<LLVM::LLVMDialect>();
  ptr = LLVM::LLVMPointerType::get(&context);
  i8 = builder.getIntegerType(8);
  i32 = builder.getI32Type();
  i64 = builder.getI64Type();
  f64 = builder.getF64Type();
  none = LLVM::LLVMVoidType::get(&context);
}

LLVM::LLVMStructType LlvmBuilder::structOf(ArrayRef<Type> fields) {
  return LLVM::LLVMStructType::getLiteral(builder.getContext(), fields);
}

void LlvmBuilder::declare(StringRef name, Type result, ArrayRef<Type> arguments) {
  LLVM::LLVMFuncOp &function = functions[name];
  if (function)
    return;
  OpBuilder::InsertionGuard guard(builder);
  toModuleEnd();
  function = LLVM::LLVMFuncOp::create(builder, loc, name, LLVM::LLVMFunctionType::get(result, arguments));
}

LLVM::LLVMFuncOp LlvmBuilder::define(StringRef name, Type result, ArrayRef<Type> arguments, bool exported) {
  toModuleEnd();
  auto function = LLVM::LLVMFuncOp::create(builder, loc, name, LLVM::LLVMFunctionType::get(result, arguments),
                                           exported ? LLVM::Linkage::External : LLVM::Linkage::Internal);
  functions[name] = function;
  builder.setInsertionPointToStart(function.addEntryBlock(builder));
  return function;
}

Value LlvmBuilder::call(StringRef name, ValueRange arguments) {
  auto call = LLVM::CallOp::create(builder, loc, functions.lookup(name), arguments);
  return call->getNumResults() ? call->getResult(0) : Value();
}

void LlvmBuilder::returnIf(Value condition, llvm::function_ref<Value()> result) {
  Block *here = builder.getBlock();
  Block *after = here->splitBlock(builder.getInsertionPoint());
  Block *leave = builder.createBlock(after);
  ret(result());
  builder.setInsertionPointToEnd(here);
  LLVM::CondBrOp::create(builder, loc, condition, leave, after);
  builder.setInsertionPointToEnd(after);
}

Value LlvmBuilder::constant(Type type, int64_t value) {
  return LLVM::ConstantOp::create(builder, loc, type, builder.getIntegerAttr(type, value));
}

Value LlvmBuilder::real(double value) {
  return LLVM::ConstantOp::create(builder, loc, f64, builder.getF64FloatAttr(value));
}

Value LlvmBuilder::null() { return LLVM::ZeroOp::create(builder, loc, ptr); }

Value LlvmBuilder::advance(Value base, Value bytes) {
  return LLVM::GEPOp::create(builder, loc, ptr, i8, base, ArrayRef<LLVM::GEPArg>{bytes});
}

Value LlvmBuilder::fieldPointer(Type type, Value base, ArrayRef<int32_t> path) {
  SmallVector<LLVM::GEPArg> indices{int32_t(0)};
  for (int32_t index : path)
    indices.push_back(index);
  return LLVM::GEPOp::create(builder, loc, ptr, type, base, indices);
}

Value LlvmBuilder::loadField(Type type, Value base, ArrayRef<int32_t> path, Type field) {
  return LLVM::LoadOp::create(builder, loc, field, fieldPointer(type, base, path));
}

Value LlvmBuilder::aggregate(Type type, ArrayRef<Value> values) {
  Value result = LLVM::UndefOp::create(builder, loc, type);
  for (auto [index, value] : llvm::enumerate(values))
    result = LLVM::InsertValueOp::create(builder, loc, result, value, ArrayRef<int64_t>{int64_t(index)});
  return result;
}

Value LlvmBuilder::compare(LLVM::ICmpPredicate predicate, Value a, Value b) {
  return LLVM::ICmpOp::create(builder, loc, predicate, a, b);
}

Value LlvmBuilder::select(Value condition, Value yes, Value no) {
  return LLVM::SelectOp::create(builder, loc, condition, yes, no);
}

Value LlvmBuilder::minimum(Value a, Value b) { return select(compare(LLVM::ICmpPredicate::slt, a, b), a, b); }

Value LlvmBuilder::clampLow(Value value) {
  Value zero = constant(i32, 0);
  return select(compare(LLVM::ICmpPredicate::slt, value, zero), zero, value);
}

Value LlvmBuilder::address(StringRef name) { return LLVM::AddressOfOp::create(builder, loc, ptr, name); }

void LlvmBuilder::global(StringRef name, Type type, LLVM::Linkage linkage, llvm::function_ref<Value()> fill) {
  OpBuilder::InsertionGuard guard(builder);
  toModuleEnd();
  auto op = LLVM::GlobalOp::create(builder, loc, type, /*isConstant=*/true, linkage, name, Attribute());
  Block *block = builder.createBlock(&op.getInitializerRegion());
  builder.setInsertionPointToStart(block);
  LLVM::ReturnOp::create(builder, loc, fill());
}

Value LlvmBuilder::text(StringRef value) {
  std::string &name = strings[value];
  if (name.empty()) {
    name = "text_" + std::to_string(strings.size());
    OpBuilder::InsertionGuard guard(builder);
    toModuleEnd();
    std::string bytes = value.str() + '\0';
    LLVM::GlobalOp::create(builder, loc, LLVM::LLVMArrayType::get(i8, bytes.size()), true, LLVM::Linkage::Internal,
                           name, builder.getStringAttr(bytes));
  }
  return address(name);
}

std::string LlvmBuilder::numberTable(const std::vector<int32_t> &numbers) {
  std::string key;
  for (int32_t number : numbers)
    key += std::to_string(number) + ",";
  std::string &name = numberTables[key];
  if (name.empty()) {
    name = "numbers_" + std::to_string(numberTables.size());
    OpBuilder::InsertionGuard guard(builder);
    toModuleEnd();
    LLVM::GlobalOp::create(
        builder, loc, LLVM::LLVMArrayType::get(i32, numbers.size()), true, LLVM::Linkage::Internal, name,
        DenseElementsAttr::get(RankedTensorType::get(int64_t(numbers.size()), i32), ArrayRef(numbers)));
  }
  return name;
}

} // namespace sylvite::codegen
