//===- Driver.cpp - the functions that run a network's kernels, in the LLVM dialect -------------------------------===//
//
// syl_frame and syl_phase are those of runtime/include/sylvite/sylvite.h, the buffers Halide's halide_buffer_t, field
// by field.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/codegen/Driver.h"

#include "compiler/codegen/Descriptor.h"

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
class DriverBuilder : DescriptorBuilder {
public:
  DriverBuilder(const Plan &plan, MLIRContext &context) : DescriptorBuilder(plan, context) {
    bufferType = structOf({i64, ptr, ptr, i64, i32, i32, ptr, ptr});
    frameType = structOf({LLVM::LLVMArrayType::get(ptr, MaxBases), i32, i32, i64, i64, f64, f64, ptr});
    phaseType = structOf({ptr, i32, i32, ptr});
  }

  OwningOpRef<ModuleOp> build(const std::string &version) {
    declare("syl_zero_halo", none, {ptr, i32, ptr});
    declare("syl_check_written", none, {ptr, ptr, i64});
    for (auto [index, program] : llvm::enumerate(plan.programs))
      buildProgram(program, index);
    addDescriptor(kernelRows, version.empty() ? plan.net + "_model" : version);
    if (version.empty())
      addPublicFunctions();
    return OwningOpRef<ModuleOp>(module);
  }

private:
  LLVM::LLVMStructType bufferType, frameType, phaseType;
  std::vector<KernelRow> kernelRows;

  /// halide_dimension_t[]: min, extent, stride, flags.
  std::string dimTable(const BufferSpec &spec) {
    std::vector<int32_t> numbers;
    for (const Dim &dim : spec.dims)
      for (int64_t number : {dim.min, dim.extent, dim.stride, int64_t(0)})
        numbers.push_back(int32_t(number));
    return numberTable(numbers);
  }

  /// A copy of a buffer's dims in which dim `shifted` begins `part` times its extent later.
  Value shiftedDims(const BufferSpec &spec, size_t shifted, Value table, Value part) {
    auto type = LLVM::LLVMArrayType::get(i32, 4 * spec.dims.size());
    Value copy = LLVM::AllocaOp::create(builder, loc, ptr, type, constant(i32, 1), 8);
    const Dim &rows = spec.dims[shifted];
    Value all = LLVM::LoadOp::create(builder, loc, type, table);
    LLVM::StoreOp::create(builder, loc, all, copy);
    Value first = LLVM::MulOp::create(builder, loc, part, constant(i32, rows.extent));
    first = LLVM::AddOp::create(builder, loc, first, constant(i32, rows.min));
    LLVM::StoreOp::create(builder, loc, first, fieldPointer(type, copy, {int32_t(4 * shifted)}));
    return copy;
  }

  /// int32_t region(frame, worker, task): one call of a region's kernel.
  std::string buildRegion(const Call &region, const std::string &name) {
    const CompiledKernel &kernel = plan.kernels[region.kernel];
    const Signature &signature = region.signature;
    SmallVector<Type> types{ptr, i32, i32, f64, f64, f64, i64, i32, i32};
    size_t buffers = signature.inputs.size() + signature.outputs.size();
    types.append(buffers, ptr);
    declare(kernel.symbol, i32, types);
    auto function = define(name, i32, {ptr, ptr, i32}, false);
    Value frame = function.getArgument(0), worker = function.getArgument(1), task = function.getArgument(2);
    Value n = loadField(frameType, frame, {1}, i32);
    Value images = n, firstSample = constant(i32, 0), slice = task, part = constant(i32, 0);
    if (signature.rowDim) {
      Value parts = constant(i32, signature.columns);
      slice = LLVM::UDivOp::create(builder, loc, task, parts);
      part = LLVM::URemOp::create(builder, loc, task, parts);
    }
    if (signature.images == Images::Slice) {
      firstSample = LLVM::MulOp::create(builder, loc, slice, constant(i32, signature.samplesPerSlice));
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
      Value none = compare(LLVM::ICmpPredicate::eq, images, constant(i32, 0));
      if (llvm::all_of(signature.outputs, [](const BufferSpec &spec) { return spec.kind == nn::Kind::Batch; }))
        returnIf(none, [&] { return constant(i32, 0); });
      else
        callersTask = select(none, constant(i32, 0), task);
    }
    Value stepNumber = LLVM::UIToFPOp::create(builder, loc, f64, loadField(frameType, frame, {3}, i64));
    Value seed = loadField(frameType, frame, {4}, i64);
    Value rateScale = loadField(frameType, frame, {5}, f64), stepsPerEpoch = loadField(frameType, frame, {6}, f64);
    Value wideTask = LLVM::ZExtOp::create(builder, loc, i64, task);
    Value wideCallersTask = LLVM::ZExtOp::create(builder, loc, i64, callersTask);
    SmallVector<Value> arguments{worker, images, n, stepNumber, rateScale, stepsPerEpoch, seed, firstSample, part};
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
      auto add = [&](Value steps, int64_t stride) {
        if (stride)
          bytes =
              LLVM::AddOp::create(builder, loc, bytes, LLVM::MulOp::create(builder, loc, steps, constant(i64, stride)));
      };
      if (signature.columns) {
        Value columns = constant(i64, signature.columns);
        add(LLVM::UDivOp::create(builder, loc, place, columns), spec.rowStride);
        place = LLVM::URemOp::create(builder, loc, place, columns);
      }
      add(place, spec.sliceStride);
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
        Value dims = address(dimTable(spec));
        if (list == &signature.outputs && signature.rowDim)
          dims = shiftedDims(spec, signature.rowDim, dims, part);
        store(6, dims);
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
      if (signature.block || signature.columns) { // a task computes a part of each image: the first zeroes around it
        start.sliceStride = 0;
        if (!signature.rowDim)
          start.rowStride = 0;
        Value isFirst = compare(LLVM::ICmpPredicate::eq, signature.rowDim ? part : task, constant(i32, 0));
        blocks = select(isFirst, blocks, constant(i32, 0));
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
        bytes = minimum(left, part);
      }
      call("syl_check_written", {frame, pointerTo(spec), bytes});
    }
    ret(status);
    return name;
  }

  struct PhaseRow {
    std::string function, name;
    int64_t slices;
    size_t kernels; ///< as in syl_phase
  };

  /// A phase's function: in a phase of slices or of their rows all regions in order; else the region that the task
  /// belongs to.
  void buildPhase(const Program &program, size_t number, ArrayRef<std::string> regions, const std::string &name) {
    const std::vector<Call> &calls = program.phases[number];
    auto function = define(name, i32, {ptr, ptr, i32}, false);
    Value frame = function.getArgument(0), worker = function.getArgument(1), task = function.getArgument(2);
    bool batch = calls.front().signature.images == Images::Slice;
    int64_t first = 0;
    for (auto [call_, region] : llvm::zip(calls, regions)) {
      if (batch) {
        Value status = call(region, {frame, worker, task});
        returnIf(compare(LLVM::ICmpPredicate::ne, status, constant(i32, 0)), [&] { return status; });
        continue;
      }
      int64_t tasks = call_.signature.tasks;
      Value mine = compare(LLVM::ICmpPredicate::slt, task, constant(i32, first + tasks));
      returnIf(mine, [&] {
        Value local = LLVM::SubOp::create(builder, loc, task, constant(i32, first));
        return call(region, {frame, worker, local});
      });
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
        slices = batch ? call.signature.tasks : slices + call.signature.tasks;
        kernelRows.push_back({label, ruleName(plan.kernels[call.kernel].rule), name, call.flops, call.bytes,
                              call.localBytes, call.signature.tasks, index, phase});
      }
      std::string name = program.name + "_phase_" + std::to_string(phase);
      buildPhase(program, phase, regions, name);
      size_t firstKernel = kernelRows.size() - regions.size();
      rows.push_back({name, kernels, slices, !batch && regions.size() > 1 ? 1 + firstKernel : 0});
    }
    if (rows.empty())
      return;
    auto type = LLVM::LLVMArrayType::get(phaseType, rows.size());
    global(program.name + "_phases", type, LLVM::Linkage::Internal, [&] {
      SmallVector<Value> values;
      for (const PhaseRow &row : rows)
        values.push_back(aggregate(
            phaseType, {address(row.function), constant(i32, row.slices), constant(i32, row.kernels), text(row.name)}));
      return aggregate(type, values);
    });
  }
};

} // namespace

OwningOpRef<ModuleOp> buildDriver(const Plan &plan, MLIRContext &context, const std::string &version) {
  return DriverBuilder(plan, context).build(version);
}

OwningOpRef<ModuleOp> buildDispatcher(const Plan &plan, ArrayRef<std::string> versions, MLIRContext &context) {
  DescriptorBuilder builder(plan, context);
  builder.addChoice(versions);
  builder.addPublicFunctions();
  return OwningOpRef<ModuleOp>(builder.module);
}

} // namespace sylvite::codegen
