//===- Descriptor.cpp - syl_model and the public functions, in the LLVM dialect -----------------------------------===//
#include "compiler/codegen/Descriptor.h"

using namespace mlir;

namespace sylvite::codegen {
namespace {

/// Of syl_model, as C lays it out: every field is naturally aligned.
constexpr int64_t modelBytes = 4 * 2 + 8 * 3 + 8 * 2 + 4 * 6 + 8 * 5 + 8 * 4 + 3 * 32 + 8 + 4 * 2 + 8 + 8 * 3;

} // namespace

DescriptorBuilder::DescriptorBuilder(const Plan &plan, MLIRContext &context) : LlvmBuilder(context), plan(plan) {
  Type shape = LLVM::LLVMArrayType::get(i64, 8);
  tensorType =
      structOf({ptr, i32, i32, i32, i32, shape, f64, f64, f64, f64, i32, i32, i32, i32, i32, i32, ptr, i64, i64});
  arrayType = structOf({ptr, i32, i32, shape, i64, i64, ptr});
  headType = structOf({ptr, f64, i32, i32});
  factorType = structOf({i32, i32, i64, i64, i64});
  programType = structOf({ptr, i32, i32, i64, i64});
  kernelType = structOf({ptr, ptr, f64, f64, f64, ptr, i32, i32, i32, i32});
  modelType = structOf({i32,         i32,         ptr,         ptr, ptr, i64, i64, i32, i32, i32, i32,
                        i32,         i32,         ptr,         ptr, ptr, ptr, ptr, i64, i64, i64, i64,
                        programType, programType, programType, ptr, i32, i32, i64, ptr, ptr, ptr});
}

Value DescriptorBuilder::shapeArray(ArrayRef<int64_t> shape) {
  SmallVector<Value> values;
  for (size_t i = 0; i < 8; ++i)
    values.push_back(constant(i64, i < shape.size() ? shape[i] : 0));
  return aggregate(LLVM::LLVMArrayType::get(i64, 8), values);
}

void DescriptorBuilder::addArrays(const std::string &name, const std::vector<ArrayRow> &rows) {
  auto table = LLVM::LLVMArrayType::get(arrayType, rows.size());
  global(name, table, LLVM::Linkage::Internal, [&] {
    SmallVector<Value> values;
    for (const ArrayRow &row : rows)
      values.push_back(
          aggregate(arrayType, {text(row.name), constant(i32, row.dtype), constant(i32, row.shape.size()),
                                shapeArray(row.shape), constant(i64, row.classes), constant(i64, row.ignoreIndex),
                                row.kind.empty() ? null() : text(row.kind)}));
    return aggregate(table, values);
  });
}

void DescriptorBuilder::addDescriptor(ArrayRef<KernelRow> kernels, const std::string &name) {
  for (auto [index, row] : llvm::enumerate(plan.tensors)) {
    auto type = LLVM::LLVMArrayType::get(factorType, row.factors.size());
    global("factors_" + std::to_string(index), type, LLVM::Linkage::Internal, [&] {
      SmallVector<Value> values;
      for (const Factor &factor : row.factors)
        values.push_back(
            aggregate(factorType, {constant(i32, factor.axis), constant(i32, 0), constant(i64, factor.divisor),
                                   constant(i64, factor.extent), constant(i64, factor.stride)}));
      return aggregate(type, values);
    });
  }
  auto tensorTable = LLVM::LLVMArrayType::get(tensorType, plan.tensors.size());
  global("tensors", tensorTable, LLVM::Linkage::Internal, [&] {
    SmallVector<Value> values;
    for (auto [index, row] : llvm::enumerate(plan.tensors))
      values.push_back(aggregate(
          tensorType,
          {text(row.name), constant(i32, row.kind), constant(i32, row.dtype), constant(i32, row.shape.size()),
           constant(i32, row.init), shapeArray(row.shape), real(row.initA), real(row.initB), real(row.initC),
           real(row.initD), constant(i32, row.initFrom), constant(i32, row.frozen), constant(i32, row.batched),
           constant(i32, 0), constant(i32, row.factors.size()), constant(i32, row.copies),
           address("factors_" + std::to_string(index)), constant(i64, row.offset), constant(i64, row.copyStride)}));
    return aggregate(tensorTable, values);
  });
  auto kernelTable = LLVM::LLVMArrayType::get(kernelType, kernels.size());
  global("kernels", kernelTable, LLVM::Linkage::Internal, [&] {
    SmallVector<Value> values;
    for (const KernelRow &row : kernels)
      values.push_back(aggregate(kernelType, {text(row.name), text(row.rule), real(row.flops), real(row.bytes),
                                              real(row.localBytes), address(row.function), constant(i32, row.slices),
                                              constant(i32, row.program), constant(i32, row.phase), constant(i32, 0)}));
    return aggregate(kernelTable, values);
  });
  addArrays("inputs", plan.inputs);
  addArrays("targets", plan.targets);
  addArrays("outputs", plan.outputs);
  auto headTable = LLVM::LLVMArrayType::get(headType, plan.heads.size());
  global("heads", headTable, LLVM::Linkage::Internal, [&] {
    SmallVector<Value> values;
    for (const HeadRow &row : plan.heads)
      values.push_back(
          aggregate(headType, {text(row.loss), real(row.weight), constant(i32, row.target), constant(i32, row.value)}));
    return aggregate(headTable, values);
  });
  global(name, modelType, LLVM::Linkage::External, [&] {
    auto program = [&](size_t index) {
      const Program &p = plan.programs[index];
      bool present = !p.phases.empty();
      return aggregate(programType, {present ? address(p.name + "_phases") : null(), constant(i32, p.phases.size()),
                                     constant(i32, 0), constant(i64, p.losses), constant(i64, p.correct)});
    };
    return aggregate(modelType, {constant(i32, 4),
                                 constant(i32, modelBytes),
                                 text(plan.net),
                                 text(plan.target->name),
                                 text(plan.compiler),
                                 constant(i64, plan.target->cpuFeatures),
                                 constant(i64, int64_t(plan.layoutHash)),
                                 constant(i32, plan.batch),
                                 constant(i32, plan.dtype),
                                 constant(i32, plan.inputs.size()),
                                 constant(i32, plan.targets.size()),
                                 constant(i32, plan.outputs.size()),
                                 constant(i32, plan.tensors.size()),
                                 address("inputs"),
                                 address("targets"),
                                 address("outputs"),
                                 address("heads"),
                                 address("tensors"),
                                 constant(i64, plan.stateBytes),
                                 constant(i64, plan.scratchBytes),
                                 constant(i64, plan.localBytes),
                                 constant(i64, plan.heapBytes),
                                 program(0),
                                 program(1),
                                 program(2),
                                 address("kernels"),
                                 constant(i32, kernels.size()),
                                 constant(i32, plan.epochs),
                                 constant(i64, int64_t(plan.seed)),
                                 text(plan.optimizer),
                                 text(plan.training),
                                 text(plan.yaml)});
  });
}

void DescriptorBuilder::addChoice(ArrayRef<std::string> versions) {
  declare("syl_choose_version", none, {ptr, ptr, i32});
  for (const std::string &version : versions) {
    toModuleEnd();
    LLVM::GlobalOp::create(builder, loc, modelType, true, LLVM::Linkage::External, version, Attribute());
  }
  toModuleEnd();
  auto model = LLVM::GlobalOp::create(builder, loc, modelType, /*isConstant=*/false, LLVM::Linkage::External,
                                      plan.net + "_model", Attribute());
  builder.setInsertionPointToStart(builder.createBlock(&model.getInitializerRegion()));
  LLVM::ReturnOp::create(builder, loc, LLVM::ZeroOp::create(builder, loc, modelType));
  auto table = LLVM::LLVMArrayType::get(ptr, versions.size());
  global("versions", table, LLVM::Linkage::Internal, [&] {
    SmallVector<Value> values;
    for (const std::string &version : versions)
      values.push_back(address(version));
    return aggregate(table, values);
  });
  auto function = define("choose_version", none, {}, false);
  call("syl_choose_version",
       {address(plan.net + "_model"), address("versions"), constant(i32, int64_t(versions.size()))});
  LLVM::ReturnOp::create(builder, loc, ValueRange());
  toModuleEnd();
  constexpr int32_t beforeOthers = 101; // those below belong to the C library
  LLVM::GlobalCtorsOp::create(builder, loc, builder.getArrayAttr(FlatSymbolRefAttr::get(function.getSymNameAttr())),
                              builder.getI32ArrayAttr(beforeOthers),
                              builder.getArrayAttr(LLVM::ZeroAttr::get(builder.getContext())));
}

void DescriptorBuilder::forward(StringRef suffix, StringRef runtime, Type result, ArrayRef<Argument> arguments) {
  SmallVector<Type> types;
  for (const Argument &argument : arguments)
    types.append(argument.type ? 1 : argument.pointers, argument.type ? argument.type : ptr);
  auto function = define(plan.net + suffix.str(), result, types, true);
  SmallVector<Value> values{address(plan.net + "_model")};
  size_t next = 0;
  for (const Argument &argument : arguments) {
    if (argument.type) {
      values.push_back(function.getArgument(next++));
      continue;
    }
    auto type = LLVM::LLVMArrayType::get(ptr, std::max<size_t>(1, argument.pointers));
    Value array = LLVM::AllocaOp::create(builder, loc, ptr, type, constant(i32, 1), 8);
    for (int32_t i = 0; i < int32_t(argument.pointers); ++i)
      LLVM::StoreOp::create(builder, loc, function.getArgument(next++), fieldPointer(type, array, {i}));
    values.push_back(array);
  }
  ret(call(runtime, values));
}

void DescriptorBuilder::addPublicFunctions() {
  declare("syl_state_bytes", i64, {ptr});
  declare("syl_scratch_bytes", i64, {ptr, i32, i32});
  declare("syl_init_state", i32, {ptr, ptr, i64});
  declare("syl_train_step", i32, {ptr, ptr, ptr, ptr, ptr, i32, ptr, ptr});
  declare("syl_evaluate", i32, {ptr, ptr, ptr, ptr, ptr, i32, ptr});
  declare("syl_predict", i32, {ptr, ptr, ptr, ptr, i32, ptr});
  Argument pointer{ptr}, count{i32}, inputs{Type(), plan.inputs.size()}, targets{Type(), plan.targets.size()},
      outputs{Type(), plan.outputs.size()};
  forward("_state_bytes", "syl_state_bytes", i64, {});
  forward("_scratch_bytes", "syl_scratch_bytes", i64, {count, count});
  forward("_init", "syl_init_state", i32, {pointer, {i64}});
  auto has = [&](size_t program) { return !plan.programs[program].phases.empty(); };
  if (has(0))
    forward("_train_step", "syl_train_step", i32, {pointer, pointer, inputs, targets, count, pointer, pointer});
  if (has(1))
    forward("_evaluate", "syl_evaluate", i32, {pointer, pointer, inputs, targets, count, pointer});
  if (has(2))
    forward("_predict", "syl_predict", i32, {pointer, pointer, inputs, count, outputs});
  define(plan.net + "_state_align", i64, {}, true);
  ret(constant(i64, 128));
}

} // namespace sylvite::codegen
