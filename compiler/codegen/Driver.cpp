//===- Driver.cpp - the functions an app calls, in the LLVM dialect -----------------------------------------------===//
//
// The structures are those of runtime/include/sylvite/sylvite.h and of Halide's halide_buffer_t, field by field; the
// test of the emitted descriptor compares them with the C compiler's.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/codegen/Driver.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace sylvite::codegen {
namespace {

enum Base { State, Scratch, Local, Arrays, MaxBases = 64 };

/// Place in syl_frame.base of a buffer's base: state, scratch, local, `input` or `input:NAME`, `target` likewise,
/// `output` or `output:INDEX`.
int32_t baseOf(const Plan &plan, llvm::StringRef base) {
  auto [kind, name] = base.split(':');
  auto indexOf = [&, wanted = name](const std::vector<ArrayRow> &rows) {
    for (auto [index, row] : llvm::enumerate(rows))
      if (row.name == wanted)
        return int32_t(index);
    return 0;
  };
  int32_t inputs = int32_t(plan.inputs.size()), targets = int32_t(plan.targets.size()), index = 0;
  if (kind == "input")
    return Arrays + indexOf(plan.inputs);
  if (kind == "target")
    return Arrays + inputs + indexOf(plan.targets);
  if (kind == "output") {
    name.getAsInteger(10, index);
    return Arrays + inputs + targets + index;
  }
  return kind == "state" ? State : kind == "scratch" ? Scratch : Local;
}

/// A rule's place without the folder of a user's file: the object does not depend on where that lies.
std::string ruleName(llvm::StringRef rule) {
  return rule.starts_with("schedules/") ? rule.str() : rule.substr(rule.rfind('/') + 1).str();
}

class DriverBuilder {
public:
  DriverBuilder(const Plan &plan, MLIRContext &context)
      : plan(plan), builder(&context), loc(builder.getUnknownLoc()), module(ModuleOp::create(loc)) {
    context.loadDialect<LLVM::LLVMDialect>();
    ptr = LLVM::LLVMPointerType::get(&context);
    i8 = builder.getIntegerType(8);
    i32 = builder.getI32Type();
    i64 = builder.getI64Type();
    f64 = builder.getF64Type();
    bufferType = structOf({i64, ptr, ptr, i64, i32, i32, ptr, ptr});
    frameType = structOf({LLVM::LLVMArrayType::get(ptr, MaxBases), i32, i32, i64, i64, f64, f64, ptr});
    Type shape = LLVM::LLVMArrayType::get(i64, 8);
    tensorType =
        structOf({ptr, i32, i32, i32, i32, shape, f64, f64, f64, f64, i32, i32, i32, i32, i32, i32, ptr, i64, i64});
    arrayType = structOf({ptr, i32, i32, shape, i64, i64, ptr});
    headType = structOf({ptr, f64, i32, i32});
    factorType = structOf({i32, i32, i64, i64, i64});
    phaseType = structOf({ptr, i32, i32, ptr});
    programType = structOf({ptr, i32, i32, i64, i64});
    kernelType = structOf({ptr, ptr, f64, f64, f64, ptr, i32, i32, i32, i32});
  }

  OwningOpRef<ModuleOp> build(const std::string &version) {
    declareRuntime();
    for (auto [index, program] : llvm::enumerate(plan.programs))
      buildProgram(program, index);
    buildModel(version.empty() ? plan.net + "_model" : version);
    if (version.empty())
      buildPublicFunctions();
    return OwningOpRef<ModuleOp>(module);
  }

  OwningOpRef<ModuleOp> buildDispatcher(ArrayRef<std::string> versions) {
    declareRuntime();
    buildChoice(versions);
    buildPublicFunctions();
    return OwningOpRef<ModuleOp>(module);
  }

private:
  const Plan &plan;
  OpBuilder builder;
  mlir::Location loc;
  ModuleOp module;
  Type ptr, i8, i32, i64, f64;
  LLVM::LLVMStructType bufferType, frameType, tensorType, arrayType, headType, factorType, phaseType, programType,
      kernelType;
  llvm::StringMap<LLVM::LLVMFuncOp> functions;
  llvm::StringMap<std::string> strings, numberTables;
  struct PhaseRow {
    std::string function, name;
    int64_t slices;
  };
  std::vector<std::vector<PhaseRow>> phases;
  struct KernelRow {
    std::string name, rule, function;
    double flops, bytes, localBytes;
    int64_t slices;
    size_t program, phase;
  };
  std::vector<KernelRow> kernelRows;

  LLVM::LLVMStructType structOf(ArrayRef<Type> fields) {
    return LLVM::LLVMStructType::getLiteral(builder.getContext(), fields);
  }
  Value constant(Type type, int64_t value) {
    return LLVM::ConstantOp::create(builder, loc, type, builder.getIntegerAttr(type, value));
  }
  Value real(double value) { return LLVM::ConstantOp::create(builder, loc, f64, builder.getF64FloatAttr(value)); }
  Value null() { return LLVM::ZeroOp::create(builder, loc, ptr); }
  void toModuleEnd() { builder.setInsertionPointToEnd(module.getBody()); }

  LLVM::LLVMFuncOp declare(StringRef name, Type result, ArrayRef<Type> arguments) {
    LLVM::LLVMFuncOp &function = functions[name];
    if (!function) {
      OpBuilder::InsertionGuard guard(builder);
      toModuleEnd();
      function = LLVM::LLVMFuncOp::create(builder, loc, name, LLVM::LLVMFunctionType::get(result, arguments));
    }
    return function;
  }
  /// A function with a body, entered.
  LLVM::LLVMFuncOp define(StringRef name, Type result, ArrayRef<Type> arguments, bool exported) {
    toModuleEnd();
    auto function = LLVM::LLVMFuncOp::create(builder, loc, name, LLVM::LLVMFunctionType::get(result, arguments),
                                             exported ? LLVM::Linkage::External : LLVM::Linkage::Internal);
    functions[name] = function;
    builder.setInsertionPointToStart(function.addEntryBlock(builder));
    return function;
  }
  Value call(StringRef name, ValueRange arguments) {
    auto call = LLVM::CallOp::create(builder, loc, functions.lookup(name), arguments);
    return call->getNumResults() ? call->getResult(0) : Value();
  }
  void ret(Value value) { LLVM::ReturnOp::create(builder, loc, value); }
  Value advance(Value base, Value bytes) {
    return LLVM::GEPOp::create(builder, loc, ptr, i8, base, ArrayRef<LLVM::GEPArg>{bytes});
  }
  Value fieldPointer(Type type, Value base, ArrayRef<int32_t> path) {
    SmallVector<LLVM::GEPArg> indices{int32_t(0)};
    for (int32_t index : path)
      indices.push_back(index);
    return LLVM::GEPOp::create(builder, loc, ptr, type, base, indices);
  }
  Value loadField(Type type, Value base, ArrayRef<int32_t> path, Type field) {
    return LLVM::LoadOp::create(builder, loc, field, fieldPointer(type, base, path));
  }

  // ---- constants

  /// Address of an internal constant that `fill` gives; the builder stands inside its initializer.
  void global(StringRef name, Type type, LLVM::Linkage linkage, llvm::function_ref<Value()> fill) {
    OpBuilder::InsertionGuard guard(builder);
    toModuleEnd();
    auto op = LLVM::GlobalOp::create(builder, loc, type, /*isConstant=*/true, linkage, name, Attribute());
    Block *block = builder.createBlock(&op.getInitializerRegion());
    builder.setInsertionPointToStart(block);
    LLVM::ReturnOp::create(builder, loc, fill());
  }
  Value address(StringRef name) { return LLVM::AddressOfOp::create(builder, loc, ptr, name); }
  Value text(StringRef value) {
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
  Value aggregate(Type type, ArrayRef<Value> values) {
    Value result = LLVM::UndefOp::create(builder, loc, type);
    for (auto [index, value] : llvm::enumerate(values))
      result = LLVM::InsertValueOp::create(builder, loc, result, value, ArrayRef<int64_t>{int64_t(index)});
    return result;
  }
  Value shapeArray(ArrayRef<int64_t> shape) {
    SmallVector<Value> values;
    for (size_t i = 0; i < 8; ++i)
      values.push_back(constant(i64, i < shape.size() ? shape[i] : 0));
    return aggregate(LLVM::LLVMArrayType::get(i64, 8), values);
  }

  /// halide_dimension_t[]: min, extent, stride, flags.
  std::string dimTable(const BufferSpec &spec) {
    std::vector<int32_t> numbers;
    for (const Dim &dim : spec.dims)
      for (int64_t number : {dim.min, dim.extent, dim.stride, int64_t(0)})
        numbers.push_back(int32_t(number));
    return numberTable(numbers);
  }

  /// An internal constant of these numbers; equal ones are one.
  std::string numberTable(const std::vector<int32_t> &numbers) {
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

  // ---- functions

  void declareRuntime() {
    declare("syl_zero_halo", LLVM::LLVMVoidType::get(builder.getContext()), {ptr, i32, ptr});
    declare("syl_check_written", LLVM::LLVMVoidType::get(builder.getContext()), {ptr, ptr, i64});
    declare("syl_state_bytes", i64, {ptr});
    declare("syl_scratch_bytes", i64, {ptr, i32, i32});
    declare("syl_init_state", i32, {ptr, ptr, i64});
    declare("syl_train_step", i32, {ptr, ptr, ptr, ptr, ptr, i32, ptr, ptr});
    declare("syl_evaluate", i32, {ptr, ptr, ptr, ptr, ptr, i32, ptr});
    declare("syl_predict", i32, {ptr, ptr, ptr, ptr, i32, ptr});
  }

  Value clampLow(Value value) {
    Value zero = constant(i32, 0);
    Value negative = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::slt, value, zero);
    return LLVM::SelectOp::create(builder, loc, negative, zero, value);
  }
  Value minimum(Value a, Value b) {
    Value less = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::slt, a, b);
    return LLVM::SelectOp::create(builder, loc, less, a, b);
  }

  /// Returns `result` where the condition holds.
  void returnIf(Value condition, Value result) {
    Block *here = builder.getBlock();
    Block *after = here->splitBlock(builder.getInsertionPoint());
    Block *leave = builder.createBlock(after);
    ret(result);
    builder.setInsertionPointToEnd(here);
    LLVM::CondBrOp::create(builder, loc, condition, leave, after);
    builder.setInsertionPointToEnd(after);
  }

  /// int32_t region(frame, worker, task): one call of a region's kernel.
  std::string buildRegion(const Call &region, const std::string &name) {
    const CompiledKernel &kernel = plan.kernels[region.kernel];
    const Signature &signature = region.signature;
    SmallVector<Type> types{ptr, i32, i32, f64, f64, f64, i64, i32};
    size_t buffers = signature.inputs.size() + signature.outputs.size();
    types.append(buffers, ptr);
    declare(kernel.symbol, i32, types);
    auto function = define(name, i32, {ptr, ptr, i32}, false);
    Value frame = function.getArgument(0), worker = function.getArgument(1), task = function.getArgument(2);
    Value n = loadField(frameType, frame, {1}, i32);
    Value images = n, firstSample = constant(i32, 0);
    if (signature.images == Images::Slice) {
      firstSample = LLVM::MulOp::create(builder, loc, task, constant(i32, signature.samplesPerSlice));
      images = clampLow(
          minimum(LLVM::SubOp::create(builder, loc, n, firstSample), constant(i32, signature.samplesPerSlice)));
    } else if (signature.images == Images::Rows) {
      Value before = LLVM::MulOp::create(builder, loc, task, constant(i32, signature.maxImages));
      images = clampLow(minimum(LLVM::SubOp::create(builder, loc, constant(i32, signature.totalRows), before),
                                constant(i32, signature.maxImages)));
    }
    // A batch that is smaller than the largest leaves slices without samples: they have nothing to compute but the
    // zeros of their partial sums, for which the caller's first samples stand in, as there are none at their place.
    Value callersTask = task;
    if (signature.images == Images::Slice) {
      Value none = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq, images, constant(i32, 0));
      if (llvm::all_of(signature.outputs, [](const BufferSpec &spec) { return spec.kind == nn::Kind::Batch; }))
        returnIf(none, constant(i32, 0));
      else
        callersTask = LLVM::SelectOp::create(builder, loc, none, constant(i32, 0), task);
    }
    Value stepNumber = LLVM::UIToFPOp::create(builder, loc, f64, loadField(frameType, frame, {3}, i64));
    Value seed = loadField(frameType, frame, {4}, i64);
    Value rateScale = loadField(frameType, frame, {5}, f64), stepsPerEpoch = loadField(frameType, frame, {6}, f64);
    Value wideTask = LLVM::ZExtOp::create(builder, loc, i64, task);
    Value wideCallersTask = LLVM::ZExtOp::create(builder, loc, i64, callersTask);
    SmallVector<Value> arguments{worker, images, n, stepNumber, rateScale, stepsPerEpoch, seed, firstSample};
    SmallVector<Value> bases(MaxBases);
    auto basePointer = [&](const std::string &base) {
      int32_t index = baseOf(plan, base);
      if (!bases[index])
        bases[index] = index == Local ? LLVM::LoadOp::create(builder, loc, ptr, worker).getResult()
                                      : loadField(frameType, frame, {0, int32_t(index)}, ptr);
      return bases[index];
    };
    auto pointerTo = [&](const BufferSpec &spec) {
      Value bytes = constant(i64, spec.offset);
      Value place = isOurs(spec) ? wideTask : wideCallersTask;
      if (spec.sliceStride)
        bytes = LLVM::AddOp::create(builder, loc, bytes,
                                    LLVM::MulOp::create(builder, loc, place, constant(i64, spec.sliceStride)));
      return advance(basePointer(spec.base), bytes);
    };
    auto type = LLVM::LLVMArrayType::get(bufferType, std::max<size_t>(1, buffers));
    Value storage = LLVM::AllocaOp::create(builder, loc, ptr, type, constant(i32, 1), 8);
    int32_t index = 0;
    for (const auto *list : {&signature.inputs, &signature.outputs})
      for (const BufferSpec &spec : *list) {
        auto store = [&](int32_t field, Value value) {
          LLVM::StoreOp::create(builder, loc, value, fieldPointer(type, storage, {index, field}));
        };
        store(0, constant(i64, 0));
        store(1, null());
        store(2, pointerTo(spec));
        store(3, constant(i64, 0));
        unsigned bits = spec.element.getIntOrFloatBitWidth();
        unsigned code = isa<FloatType>(spec.element) ? 2 : spec.element.isUnsignedInteger() ? 1 : 0;
        store(4, constant(i32, code | bits << 8 | 1 << 16));
        store(5, constant(i32, spec.dims.size()));
        store(6, address(dimTable(spec)));
        store(7, null());
        arguments.push_back(fieldPointer(type, storage, {index}));
        ++index;
      }
    Value status = call(kernel.symbol, arguments);
    for (const ZeroFill &fill : signature.zeroFills) {
      BufferSpec start = signature.outputs[0];
      auto buffer = const_cast<Call &>(region).region->getAttrOfType<DictionaryAttr>("buffer");
      start.offset = cast<IntegerAttr>(buffer.get("offset")).getInt();
      int64_t bytes = start.element.getIntOrFloatBitWidth() / 8;
      std::vector<int32_t> numbers;
      for (const auto *row : {&fill.extent, &fill.before, &fill.size})
        numbers.insert(numbers.end(), row->begin(), row->end());
      numbers.push_back(int32_t(fill.pixel * bytes));
      Value blocks = LLVM::MulOp::create(builder, loc, images, constant(i32, fill.rows));
      if (signature.block) { // a task computes some channels: the first of them zeroes around all
        start.sliceStride = 0;
        Value isFirst = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq, task, constant(i32, 0));
        blocks = LLVM::SelectOp::create(builder, loc, isFirst, blocks, constant(i32, 0));
      }
      call("syl_zero_halo", {pointerTo(start), blocks, address(numberTable(numbers))});
    }
    for (const BufferSpec &spec : signature.outputs) {
      if (spec.base != "state" || !isa<FloatType>(spec.element))
        continue;
      Value bytes = constant(i64, spec.bytes);
      if (signature.images == Images::Rows) // 16 elements each
        bytes = LLVM::MulOp::create(builder, loc, LLVM::ZExtOp::create(builder, loc, i64, images),
                                    constant(i64, 16 * int64_t(spec.element.getIntOrFloatBitWidth()) / 8));
      else if (spec.sliceStride) { // the last task may have less
        Value before = LLVM::MulOp::create(builder, loc, wideTask, constant(i64, spec.sliceStride));
        Value left = LLVM::SubOp::create(builder, loc, bytes, before), part = constant(i64, spec.sliceStride);
        Value less = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::slt, left, part);
        bytes = LLVM::SelectOp::create(builder, loc, less, left, part);
      }
      call("syl_check_written", {frame, pointerTo(spec), bytes});
    }
    ret(status);
    return name;
  }

  /// A phase's function: in a batch phase all regions in order; else the region that the task belongs to.
  void buildPhase(const Program &program, size_t number, ArrayRef<std::string> regions, const std::string &name) {
    const std::vector<Call> &calls = program.phases[number];
    auto function = define(name, i32, {ptr, ptr, i32}, false);
    Value frame = function.getArgument(0), worker = function.getArgument(1), task = function.getArgument(2);
    bool batch = calls.front().signature.images == Images::Slice;
    int64_t first = 0;
    for (auto [call_, region] : llvm::zip(calls, regions)) {
      if (batch) {
        Value status = call(region, {frame, worker, task});
        returnIf(LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ne, status, constant(i32, 0)), status);
        continue;
      }
      int64_t tasks = call_.signature.tasks;
      Value mine = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::slt, task, constant(i32, first + tasks));
      Block *here = builder.getBlock();
      Block *after = here->splitBlock(builder.getInsertionPoint());
      Block *run = builder.createBlock(after);
      Value local = LLVM::SubOp::create(builder, loc, task, constant(i32, first));
      ret(call(region, {frame, worker, local}));
      builder.setInsertionPointToEnd(here);
      LLVM::CondBrOp::create(builder, loc, mine, run, after);
      builder.setInsertionPointToEnd(after);
      first += tasks;
    }
    ret(constant(i32, 0));
  }

  void buildProgram(const Program &program, size_t index) {
    std::vector<PhaseRow> rows;
    size_t number = 0;
    for (size_t phase = 0; phase < program.phases.size(); ++phase) {
      std::vector<std::string> regions;
      std::string kernels;
      int64_t slices = 0;
      bool batch = program.phases[phase].front().signature.images == Images::Slice;
      for (const Call &call : program.phases[phase]) {
        std::string name = program.name + "_region_" + std::to_string(number++);
        regions.push_back(buildRegion(call, name));
        std::string label = (call.layer.empty() ? "" : call.layer + ":") + call.signature.kernel;
        kernels += (kernels.empty() ? "" : ", ") + label;
        slices = batch ? program.slices : slices + call.signature.tasks;
        kernelRows.push_back({label, ruleName(plan.kernels[call.kernel].rule), name, call.flops, call.bytes,
                              call.localBytes, batch ? program.slices : call.signature.tasks, index, phase});
      }
      std::string name = program.name + "_phase_" + std::to_string(phase);
      buildPhase(program, phase, regions, name);
      rows.push_back({name, kernels, slices});
    }
    phases.push_back(rows);
    if (rows.empty())
      return;
    auto type = LLVM::LLVMArrayType::get(phaseType, rows.size());
    global(program.name + "_phases", type, LLVM::Linkage::Internal, [&] {
      SmallVector<Value> values;
      for (const PhaseRow &row : rows)
        values.push_back(
            aggregate(phaseType, {address(row.function), constant(i32, row.slices), constant(i32, 0), text(row.name)}));
      return aggregate(type, values);
    });
  }

  /// syl_model, with the size that C gives it: every field is naturally aligned.
  LLVM::LLVMStructType modelType() {
    return structOf({i32,         i32,         ptr,         ptr, ptr, i64, i64, i32, i32, i32, i32,
                     i32,         i32,         ptr,         ptr, ptr, ptr, ptr, i64, i64, i64, i64,
                     programType, programType, programType, ptr, i32, i32, i64, ptr, ptr, ptr});
  }
  static constexpr int64_t modelBytes = 4 * 2 + 8 * 3 + 8 * 2 + 4 * 6 + 8 * 5 + 8 * 4 + 3 * 32 + 8 + 4 * 2 + 8 + 8 * 3;

  /// The descriptor as memory, and the constructor that fills it. It runs before any that an app brings.
  void buildChoice(ArrayRef<std::string> versions) {
    declare("syl_choose_version", LLVM::LLVMVoidType::get(builder.getContext()), {ptr, ptr, i32});
    for (const std::string &version : versions) {
      toModuleEnd();
      LLVM::GlobalOp::create(builder, loc, modelType(), true, LLVM::Linkage::External, version, Attribute());
    }
    toModuleEnd();
    auto model = LLVM::GlobalOp::create(builder, loc, modelType(), /*isConstant=*/false, LLVM::Linkage::External,
                                        plan.net + "_model", Attribute());
    builder.setInsertionPointToStart(builder.createBlock(&model.getInitializerRegion()));
    LLVM::ReturnOp::create(builder, loc, LLVM::ZeroOp::create(builder, loc, modelType()));
    auto table = LLVM::LLVMArrayType::get(ptr, versions.size());
    global("versions", table, LLVM::Linkage::Internal, [&] {
      SmallVector<Value> values;
      for (const std::string &version : versions)
        values.push_back(address(version));
      return aggregate(table, values);
    });
    auto function = define("choose_version", LLVM::LLVMVoidType::get(builder.getContext()), {}, false);
    LLVM::CallOp::create(
        builder, loc, functions.lookup("syl_choose_version"),
        ValueRange{address(plan.net + "_model"), address("versions"), constant(i32, int64_t(versions.size()))});
    LLVM::ReturnOp::create(builder, loc, ValueRange());
    toModuleEnd();
    constexpr int32_t beforeOthers = 101; // those below belong to the C library
    LLVM::GlobalCtorsOp::create(builder, loc, builder.getArrayAttr(FlatSymbolRefAttr::get(function.getSymNameAttr())),
                                builder.getI32ArrayAttr(beforeOthers),
                                builder.getArrayAttr(LLVM::ZeroAttr::get(builder.getContext())));
  }

  void buildModel(const std::string &name) {
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
    auto kernelTable = LLVM::LLVMArrayType::get(kernelType, kernelRows.size());
    global("kernels", kernelTable, LLVM::Linkage::Internal, [&] {
      SmallVector<Value> values;
      for (const KernelRow &row : kernelRows)
        values.push_back(
            aggregate(kernelType, {text(row.name), text(row.rule), real(row.flops), real(row.bytes),
                                   real(row.localBytes), address(row.function), constant(i32, row.slices),
                                   constant(i32, row.program), constant(i32, row.phase), constant(i32, 0)}));
      return aggregate(kernelTable, values);
    });
    buildArrays("inputs", plan.inputs);
    buildArrays("targets", plan.targets);
    buildArrays("outputs", plan.outputs);
    auto headTable = LLVM::LLVMArrayType::get(headType, plan.heads.size());
    global("heads", headTable, LLVM::Linkage::Internal, [&] {
      SmallVector<Value> values;
      for (const HeadRow &row : plan.heads)
        values.push_back(aggregate(
            headType, {text(row.loss), real(row.weight), constant(i32, row.target), constant(i32, row.value)}));
      return aggregate(headTable, values);
    });
    global(name, modelType(), LLVM::Linkage::External, [&] {
      auto program = [&](size_t index) {
        const Program &p = plan.programs[index];
        bool present = !p.phases.empty();
        return aggregate(programType, {present ? address(p.name + "_phases") : null(), constant(i32, p.phases.size()),
                                       constant(i32, 0), constant(i64, p.losses), constant(i64, p.correct)});
      };
      return aggregate(modelType(), {constant(i32, 4),
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
                                     constant(i32, kernelRows.size()),
                                     constant(i32, plan.epochs),
                                     constant(i64, int64_t(plan.seed)),
                                     text(plan.optimizer),
                                     text(plan.training),
                                     text(plan.yaml)});
    });
  }

  void buildArrays(const std::string &name, const std::vector<ArrayRow> &rows) {
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

  /// One argument of an exported function, or `pointers` of them that the runtime takes as an array.
  struct Argument {
    Type type;
    size_t pointers = 0;
  };

  /// An exported function that hands its arguments on to the runtime's, after the descriptor.
  void forward(StringRef suffix, StringRef runtime, Type result, ArrayRef<Argument> arguments) {
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

  void buildPublicFunctions() {
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
};

} // namespace

OwningOpRef<ModuleOp> buildDriver(const Plan &plan, MLIRContext &context, const std::string &version) {
  return DriverBuilder(plan, context).build(version);
}

OwningOpRef<ModuleOp> buildDispatcher(const Plan &plan, ArrayRef<std::string> versions, MLIRContext &context) {
  return DriverBuilder(plan, context).buildDispatcher(versions);
}

} // namespace sylvite::codegen
