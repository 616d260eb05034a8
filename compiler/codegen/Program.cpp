//===- Program.cpp - a planned module as calls and tables ---------------------------------------------------------===//
#include "compiler/codegen/Program.h"

#include "compiler/dialect/Layout.h"
#include "compiler/dialect/Optimizers.h"
#include "compiler/support/Hash.h"

using namespace mlir;
using namespace sylvite::nn;

namespace sylvite::codegen {

int dtypeOf(Type type) {
  if (type.isF32())
    return 3;
  if (type.isF64())
    return 4;
  return type.getIntOrFloatBitWidth() == 8 ? 0 : type.getIntOrFloatBitWidth() == 32 ? 1 : 2;
}

namespace {

int64_t field(Operation *op, StringRef key, int64_t otherwise = -1) {
  auto buffer = op->getAttrOfType<DictionaryAttr>("buffer");
  auto attribute = buffer ? dyn_cast_or_null<IntegerAttr>(buffer.get(key)) : IntegerAttr();
  return attribute ? attribute.getInt() : otherwise;
}

/// The base that a planned value's buffer lies in.
StringRef placeOf(Operation *op) {
  auto buffer = op->getAttrOfType<DictionaryAttr>("buffer");
  auto base = buffer ? dyn_cast_or_null<StringAttr>(buffer.get("base")) : StringAttr();
  return base ? base.getValue() : "";
}

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

int64_t bytesOf(Type element) { return std::max(1u, element.getIntOrFloatBitWidth() / 8); }

/// Multiply-adds count as two operations; other work as one an element.
double flopsOf(RegionOp region) {
  Operation *core = coreOf(region);
  auto elements = [](Value value) {
    double product = 1;
    for (int64_t extent : typeOf(value).getShape())
      product *= double(extent);
    return product;
  };
  if (core->hasTrait<Contraction>()) {
    if (region.getKernel().ends_with(".grad_bias"))
      return elements(core->getResult(0));
    return 2 * multiplyAdds(core);
  }
  Value first = region.getInputs().empty() ? region.getResult(0) : region.getInputs()[0];
  return elements(first);
}

/// Bytes of operands and results in the blocks, or of those in the local part.
double trafficOf(const Signature &signature, bool local) {
  double bytes = 0;
  for (const auto *list : {&signature.inputs, &signature.outputs})
    for (const BufferSpec &spec : *list)
      if ((spec.base == "local") == local)
        bytes += double(spec.bytes) * double(local ? signature.slices() : spec.copies);
  return bytes;
}

/// PyTorch's axes of a variable-like tensor and where their elements lie.
std::vector<Factor> variableFactors(Value value) {
  std::vector<Factor> factors;
  int64_t stride = 1;
  for (const VariableDim &dim : variableDims(value)) {
    factors.push_back({int32_t(dim.axis), dim.divisor, dim.extent, stride});
    stride *= dim.physical;
  }
  llvm::stable_sort(factors, [](const Factor &a, const Factor &b) {
    return std::pair(a.axis, -a.divisor) < std::pair(b.axis, -b.divisor);
  });
  return factors;
}

/// The axes of a value in a batch buffer, in the order that arrays of the caller have: [N, …, C].
std::vector<Factor> batchFactors(Value value, int64_t &start) {
  Layout layout = layoutOf(value);
  auto shape = typeOf(value).getShape();
  std::vector<Factor> factors{{0, 1, layout.units, layout.unit}};
  start = layout.interior();
  int32_t last = int32_t(shape.size()) - 1;
  for (unsigned axis = layout.rank; axis-- > 0;)
    factors.push_back({last - 1 - int32_t(axis), 1, layout.sizes[axis], layout.stride(axis)});
  if (shape.size() > 1)
    factors.push_back({last, 1, shape.back(), 1});
  return factors;
}

std::string layerOf(Operation *op) {
  if (auto named = dyn_cast<NameLoc>(op->getLoc()))
    return named.getName().str();
  return "";
}

void addVariables(Plan &plan, Block &block) {
  std::vector<std::pair<size_t, std::string>> copies; // row, name of the variable that it starts as
  for (StringRef kind : {"state", "slot"})
    for (VariableOp variable : block.getOps<VariableOp>()) {
      if ((variable.getKind() == "slot") != (kind == "slot"))
        continue;
      TensorRow row;
      row.name = variable.getName().str();
      row.kind = variable.getKind() == "parameter" ? 0 : variable.getKind() == "buffer" ? 1 : 2;
      RankedTensorType type = typeOf(variable);
      row.dtype = dtypeOf(type.getElementType());
      row.shape.assign(type.getShape().begin(), type.getShape().end());
      row.init = llvm::StringSwitch<int>(variable.getInit())
                     .Case("uniform", 1)
                     .Case("normal", 2)
                     .Case("truncated_normal", 3)
                     .Case("orthogonal", 4)
                     .Case("copy", 5)
                     .Case("normal_zero_row", 6)
                     .Default(0);
      row.initA = variable.getInitA().convertToDouble();
      row.initB = variable.getInitB().convertToDouble();
      row.initC = variable.getInitC().convertToDouble();
      row.initD = variable.getInitD().convertToDouble();
      if (variable.getInitFrom())
        copies.push_back({plan.tensors.size(), variable.getInitFrom()->str()});
      row.frozen = variable.getFrozen();
      row.factors = variableFactors(variable);
      row.offset = field(variable, "offset");
      plan.tensors.push_back(row);
    }
  for (auto &[copy, name] : copies)
    for (auto [index, row] : llvm::enumerate(plan.tensors))
      if (row.name == name)
        plan.tensors[copy].initFrom = index;
}

void addValue(Plan &plan, Value value, const std::string &name, int kind) {
  TensorRow row;
  row.name = name;
  row.kind = kind;
  RankedTensorType type = typeOf(value);
  row.dtype = dtypeOf(type.getElementType());
  row.shape.assign(type.getShape().begin(), type.getShape().end());
  row.offset = field(value.getDefiningOp(), "offset");
  row.batched = kindOf(type) == Kind::Batch;
  if (row.batched) {
    int64_t start = 0;
    row.factors = batchFactors(value, start);
    row.offset += start * bytesOf(type.getElementType());
  } else {
    row.factors = variableFactors(value);
    if (kindOf(type) == Kind::Partial) {
      row.copies = cast<ProgramOp>(value.getDefiningOp()->getParentOp()).getSlices();
      row.copyStride = layoutOf(value).copyStride * bytesOf(type.getElementType());
    }
  }
  plan.tensors.push_back(row);
}

/// Whether the caller's array for the input of this name has the channels first.
bool isChannelsFirst(Block &block, StringRef name) {
  return llvm::any_of(block.getOps<InputOp>(), [&](InputOp input) {
    auto its = input->getAttrOfType<StringAttr>("nn.name"), layout = input->getAttrOfType<StringAttr>("nn.layout");
    return its && its == name && layout && layout == "chw";
  });
}

/// [N, …, C] becomes [N, C, …].
void moveChannelsFirst(TensorRow &row) {
  int32_t last = int32_t(row.shape.size()) - 1;
  std::rotate(row.shape.begin() + 1, row.shape.end() - 1, row.shape.end());
  for (Factor &factor : row.factors)
    factor.axis = factor.axis == 0 ? 0 : factor.axis == last ? 1 : factor.axis + 1;
  llvm::stable_sort(row.factors, [](const Factor &a, const Factor &b) { return a.axis < b.axis; });
}

/// What goes into each loss, of train as `output` or `output.NAME`, of evaluate as `evaluate.output`, ….
void addLogits(Plan &plan, ModuleOp module) {
  for (ProgramOp program : module.getOps<ProgramOp>()) {
    auto last = cast<ReturnOp>(program.getBody().front().getTerminator());
    bool training = program.getSymName() == "train";
    for (auto [index, value] : llvm::enumerate(last.getLogits())) {
      if (!training)
        plan.heads[index].value = plan.tensors.size();
      std::string name = plan.outputs.size() == 1 ? "output" : "output." + plan.outputs[index].name;
      addValue(plan, value, training ? name : "evaluate." + name, 4);
    }
  }
}

/// The learning rate of the last step, as its schedule and the caller's scale made it: `learning_rate`, the first of
/// the optimizer's scalars.
void addLearningRate(Plan &plan, Block &train) {
  for (RegionOp region : train.getOps<RegionOp>()) {
    auto scalars = region.getBody().front().getOps<OptimizerScalarsOp>();
    if (scalars.empty() || placeOf(region) != "scratch")
      continue;
    static_assert(scalarRate == 0);
    TensorRow row;
    row.name = "learning_rate";
    row.kind = 4;
    row.dtype = dtypeOf(typeOf(region.getResult(0)).getElementType());
    row.offset = field(region, "offset");
    plan.tensors.push_back(row);
    return;
  }
}

Program makeProgram(ProgramOp op) {
  Program program;
  program.name = op.getSymName().str();
  program.slices = op.getSlices();
  program.batch = op.getBatch();
  Block &block = op.getBody().front();
  for (RegionOp region : block.getOps<RegionOp>()) {
    size_t phase = *region.getPhase();
    if (program.phases.size() <= phase)
      program.phases.resize(phase + 1);
    Call call{region, signatureOf(region), 0, layerOf(region), flopsOf(region), 0};
    call.localBytes = trafficOf(call.signature, true);
    call.bytes = call.localBytes + trafficOf(call.signature, false);
    program.phases[phase].push_back(call);
  }
  auto last = cast<ReturnOp>(block.getTerminator());
  if (last.getLoss())
    program.losses = field(last.getLoss().getDefiningOp(), "offset");
  if (last.getCorrect())
    program.correct = field(last.getCorrect().getDefiningOp(), "offset");
  return program;
}

} // namespace

Plan makePlan(ModuleOp module, bool keepGradients) {
  Plan plan;
  auto network = *module.getOps<NetworkOp>().begin();
  plan.net = network.getSymName().str();
  plan.batch = network.getBatch();
  plan.epochs = network.getEpochs();
  plan.seed = uint64_t(network.getSeed());
  std::string optimizer;
  llvm::raw_string_ostream(optimizer) << network.getOptimizer();
  plan.optimizer = optimizer;
  auto number = [&](StringRef name) { return cast<IntegerAttr>(module->getAttr(name)).getInt(); };
  plan.stateBytes = number("nn.state_bytes");
  plan.scratchBytes = number("nn.scratch_bytes");
  plan.localBytes = number("nn.local_bytes");

  for (const char *name : {"train", "evaluate", "predict"}) {
    plan.programs.emplace_back().name = name;
    for (ProgramOp op : module.getOps<ProgramOp>())
      if (op.getSymName() == name)
        plan.programs.back() = makeProgram(op);
  }
  // Train knows all variables, evaluate those of predict.
  auto first = *module.getOps<ProgramOp>().begin();
  Block &block = first.getBody().front();
  addVariables(plan, block);
  describeArrays(plan, network);
  plan.dtype = dtypeOf(typeOf(cast<ReturnOp>(network.getBody().front().getTerminator()).getLoss()).getElementType());
  addLogits(plan, module);
  addLearningRate(plan, block);
  if (keepGradients)
    for (GradientOp gradient : block.getOps<GradientOp>()) {
      addValue(plan, gradient.getGradient(), "grad." + gradient.getName().str(), 3);
      if (isChannelsFirst(block, gradient.getName()))
        moveChannelsFirst(plan.tensors.back());
    }

  std::vector<std::string> layout{plan.net};
  for (const TensorRow &row : plan.tensors)
    if (row.kind <= 2) {
      std::string text = row.name + " " + std::to_string(row.kind) + " " + std::to_string(row.offset);
      for (const Factor &factor : row.factors)
        text += " " + std::to_string(factor.axis) + ":" + std::to_string(factor.divisor) + ":" +
                std::to_string(factor.extent) + ":" + std::to_string(factor.stride);
      layout.push_back(text + " " + std::to_string(row.dtype));
    }
  plan.layoutHash = std::stoull(sha256Hex(layout).substr(0, 16), nullptr, 16);
  return plan;
}

} // namespace sylvite::codegen
