//===- Differentiate.cpp - nn-differentiate: reverse mode over regions --------------------------------------------===//
//
// Walks the regions of @train backwards from the loss. For each region operand that a trained variable (or, if asked,
// the input) reaches, the gradient is an nn.vjp that holds a copy of the region's body; Halide derives it later. A
// value with several readers has several contributions: where all are elementwise or pooling work they become one
// region with one nn.add; else each is stored and then added.
//
// A contraction is linear in each operand, so its gradient does not need the value of the operand it is taken by, nor
// of a bias: nn.placeholder stands there, and the value need not live that long.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/Layout.h"
#include "compiler/transforms/Axes.h"
#include "compiler/transforms/Passes.h"
#include "compiler/transforms/Regions.h"

using namespace mlir;

namespace sylvite::nn {
#define GEN_PASS_DEF_NNDIFFERENTIATE
#include "compiler/transforms/Passes.h.inc"

namespace {

/// One term of a value's gradient: operand `index` of `region`, whose result has the adjoint `seed`.
struct Contribution {
  mutable RegionOp region; // MLIR's accessors are not const
  unsigned index;
  Value seed;
};

Operation *bodyAnchor(RegionOp region) {
  SmallVector<Operation *> ops;
  for (Operation &op : region.getBody().front().without_terminator())
    ops.push_back(&op);
  return anchorOf(ops);
}

/// Whether the derivative is that of a linear map, which does not need the operand it is taken by.
bool isLinear(RegionOp region) {
  return bodyAnchor(region)->hasTrait<Contraction>() || bodyAnchor(region)->hasTrait<LinearMap>();
}

/// Whether the weights can lie with their input channel innermost.
bool canTranspose(Value weight) {
  SmallVector<KernelDim> dims = kernelDims(weight);
  return dims.size() > 1 && dims[0].name == "o" && (dims[1].name == "c" || dims[1].name == "k");
}

/// What the gradient by operand `index` of a region is called: by PyTorch's word for a parameter, else by the number of
/// the input.
std::string gradientName(RegionOp region, unsigned index) {
  auto isInput = [](Value value) { return kindOf(value.getType()) == Kind::Batch; };
  ValueRange inputs = region.getInputs();
  unsigned before = llvm::count_if(inputs.take_front(index), isInput), after = index - before;
  if (isInput(inputs[index]))
    return before ? "grad_input_" + std::to_string(before + 1) : "grad_input";
  return after ? "grad_bias" : before ? "grad_weight" : "grad_input";
}

struct DifferentiatePass : impl::NnDifferentiateBase<DifferentiatePass> {
  using Base::Base;

  DenseSet<Value> needsGradient;
  DenseMap<Value, SmallVector<Contribution>> contributions;
  DenseMap<Value, Value> transposed, again;

  void runOnOperation() override {
    ProgramOp program = getOperation();
    if (program.getSymName() != "train")
      return;
    Block &block = program.getBody().front();
    needsGradient.clear();
    contributions.clear();
    transposed.clear();
    again.clear();
    SmallVector<RegionOp> regions;
    for (Operation &op : block) {
      auto variable = dyn_cast<VariableOp>(op);
      bool source = variable && variable.getKind() == "parameter" && !variable.getFrozen();
      if (auto input = dyn_cast<InputOp>(op))
        source = keepGradients && isa<FloatType>(cast<RankedTensorType>(input.getType()).getElementType());
      if (source)
        needsGradient.insert(op.getResult(0));
      auto region = dyn_cast<RegionOp>(op);
      if (!region || region.getUpdates() || bodyAnchor(region)->hasTrait<NoGradient>())
        continue;
      regions.push_back(region);
      if (llvm::any_of(region.getInputs(), [&](Value input) { return needsGradient.contains(input); }))
        needsGradient.insert(region.getResult(0));
    }

    auto last = cast<ReturnOp>(block.getTerminator());
    OpBuilder builder(last);
    Value loss = last.getLoss();
    DenseMap<Value, Value> gradients;
    for (RegionOp region : llvm::reverse(regions)) {
      Value result = region.getResult(0);
      if (!needsGradient.contains(result))
        continue;
      Value seed;
      if (result == loss)
        seed = MeanSeedOp::create(builder, region.getLoc(), result.getType());
      else if (Value gradient = materialize(builder, result))
        seed = gradient;
      else
        continue;
      for (auto [index, input] : llvm::enumerate(region.getInputs()))
        if (needsGradient.contains(input))
          contributions[input].push_back({region, unsigned(index), seed});
    }
    // Leaves: parameters and the input. The order of the block keeps compilation reproducible.
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (!isa<VariableOp, InputOp>(op) || !needsGradient.contains(op.getResult(0)))
        continue;
      if (Value gradient = materialize(builder, op.getResult(0)))
        GradientOp::create(builder, op.getLoc(), gradient,
                           isa<InputOp>(op) ? inputName(op) : cast<VariableOp>(op).getNameAttr());
    }
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isa<MeanSeedOp>(op) && op.use_empty())
        op.erase();
  }

  static StringAttr inputName(Operation &input) {
    auto name = input.getAttrOfType<StringAttr>("nn.name");
    return name ? name : StringAttr::get(input.getContext(), "input");
  }

  /// The gradient of `value`, all its contributions added; null if there is none.
  Value materialize(OpBuilder &builder, Value value) {
    auto found = contributions.find(value);
    if (found == contributions.end())
      return {};
    ArrayRef<Contribution> terms = found->second;
    // Sums over the batch see an image in whatever coordinates the other term needs.
    bool together = llvm::none_of(terms, [](const Contribution &term) { return isLinear(term.region); }) &&
                    llvm::count_if(terms, [](const Contribution &term) {
                      return !bodyAnchor(term.region)->hasTrait<BatchReduction>();
                    }) <= 1;
    if (together || terms.size() == 1)
      return emit(builder, value, terms);
    SmallVector<Value> parts;
    for (const Contribution &term : terms)
      parts.push_back(emit(builder, value, term));
    // The gradient of shared weights is whole once the parts of all slices are added.
    auto type = cast<RankedTensorType>(parts[0].getType());
    if (kindOf(type) == Kind::Partial)
      type = tensorOf(Kind::Whole, type.getShape(), type.getElementType());
    auto region = createRegion(builder, value.getLoc(), parts, type, "gradient_sum.forward");
    OpBuilder inside = OpBuilder::atBlockEnd(&region.getBody().front());
    SmallVector<Value> arguments(region.getBody().getArguments());
    Value sum = GradientSumOp::create(inside, value.getLoc(), type, arguments);
    YieldOp::create(inside, value.getLoc(), sum);
    if (auto variable = value.getDefiningOp<VariableOp>())
      region.setLikeAttr(variable.getNameAttr());
    return region.getResult(0);
  }

  /// Whether a convolution's weight gradient is summed over the whole batch at once: where it has more tasks of its own
  /// than the batch has slices, or where its parts would take more memory than the images themselves.
  bool isSummedAtOnce(Operation *anchor, RankedTensorType weight) {
    if (!anchor->hasTrait<Contraction>() || anchor->hasTrait<Transposed>() || groupsOf(anchor) > 1)
      return false;
    auto elements = [](Value value) { return cast<RankedTensorType>(value.getType()).getNumElements(); };
    const int64_t slices = getOperation().getSlices();
    if (slices < fewSlices && isWorthCutting(anchor, slices) && weightGradientTasks(anchor) > slices)
      return true;
    return weight.getNumElements() * slices > elements(anchor->getOperand(0)) + elements(anchor->getResult(0));
  }

  bool hasLargeParts(Value sum) {
    auto type = cast<RankedTensorType>(sum.getType());
    int64_t bytes = layoutOf(sum).unit * type.getElementTypeBitWidth() / 8;
    return kindOf(type) == Kind::Partial && bytes * int64_t(getOperation().getSlices()) > largePartial;
  }

  /// Kind of the gradient of an operand: a region that runs a slice at a time leaves a part of a whole tensor's
  /// gradient. So does a linear map of whole weights whose adjoint has large parts: what it makes of them is smaller,
  /// and adds up to what it makes of their sum.
  RankedTensorType gradientType(const Contribution &term) {
    auto type = cast<RankedTensorType>(term.region.getInputs()[term.index].getType());
    Type element = cast<RankedTensorType>(term.region.getResult(0).getType()).getElementType();
    Kind kind = kindOf(type);
    Kind resultKind = kindOf(term.region.getResult(0).getType());
    bool sliced = resultKind == Kind::Batch || resultKind == Kind::Slices ||
                  (bodyAnchor(term.region)->hasTrait<WholeWeights>() && hasLargeParts(term.seed));
    // A linear layer's weights are its big operand: their gradient is computed from the whole batch at once, in parts
    // of the weights.
    Operation *anchor = bodyAnchor(term.region);
    bool whole = term.index == 1 && (isVectorContraction(anchor) || isSummedAtOnce(anchor, type));
    if (kind == Kind::Whole && sliced && !whole)
      kind = Kind::Partial;
    return tensorOf(kind, type.getShape(), element);
  }

  Value emit(OpBuilder &builder, Value value, ArrayRef<Contribution> terms) {
    // Outer operands, each once; `placeholders` are not among them.
    SmallVector<Value> inputs;
    auto addInput = [&](Value input) {
      if (!llvm::is_contained(inputs, input))
        inputs.push_back(input);
    };
    SmallVector<SmallVector<Value>> operands; // of each vjp; null for a placeholder
    SmallVector<Operation *> anchors;
    for (const Contribution &term : terms) {
      SmallVector<Value> values(term.region.getInputs());
      anchors.push_back(bodyAnchor(term.region));
      if (bodyAnchor(term.region)->hasTrait<LinearMap>()) {
        values.assign(values.size(), Value());
      } else if (isLinear(term.region)) {
        values[term.index] = {};
        if (values.size() > 2)
          values[2] = {};
        if (term.index == 0 && canTranspose(values[1]))
          values[1] = transpose(builder, values[1]);
        if (term.index == 2)
          values[0] = values[1] = {};
      }
      for (Value &input : values)
        if (input)
          input = recomputed(builder, input);
      if (!term.seed.getDefiningOp<MeanSeedOp>())
        values.push_back(term.seed);
      for (Value input : values)
        if (input)
          addInput(input);
      if (term.seed.getDefiningOp<MeanSeedOp>())
        values.push_back(term.seed);
      operands.push_back(values);
    }
    RankedTensorType type = gradientType(terms.front());
    std::string kernel = kernelName(anchors, gradientName(terms.front().region, terms.front().index));
    auto outer = createRegion(builder, value.getLoc(), inputs, type, kernel);
    if (kindOf(value.getType()) == Kind::Whole)
      if (auto variable = variableBehind(value))
        outer.setLikeAttr(variable.getNameAttr());
    IRMapping mapping = mapArguments(inputs, outer.getBody().front());
    OpBuilder inside = OpBuilder::atBlockEnd(&outer.getBody().front());
    SmallVector<Value> parts;
    for (auto [term, values] : llvm::zip(terms, operands)) {
      SmallVector<Value> arguments;
      for (auto [position, input] : llvm::enumerate(values)) {
        if (!input)
          arguments.push_back(makePlaceholder(inside, term.region.getInputs()[position]));
        else if (input.getDefiningOp<MeanSeedOp>())
          arguments.push_back(MeanSeedOp::create(inside, value.getLoc(), input.getType()));
        else
          arguments.push_back(mapping.lookup(input));
      }
      auto vjp = VjpOp::create(inside, value.getLoc(), type, arguments, inside.getI64IntegerAttr(term.index));
      IRMapping body;
      term.region.getBody().cloneInto(&vjp.getBody(), body);
      parts.push_back(vjp.getGradient());
    }
    Value result = parts[0];
    if (parts.size() > 1)
      result = GradientSumOp::create(inside, value.getLoc(), type, parts);
    YieldOp::create(inside, value.getLoc(), result);
    return outer.getResult(0);
  }

  /// Stands for a value that a linear op's derivative does not need.
  static Value makePlaceholder(OpBuilder &builder, Value value) {
    auto placeholder = PlaceholderOp::create(builder, value.getLoc(), value.getType());
    if (auto variable = value.getDefiningOp<VariableOp>())
      for (StringRef name : {"nn.dim_names", "nn.dims"})
        if (Attribute dims = variable->getAttr(name))
          placeholder->setAttr(name, dims);
    return placeholder;
  }

  /// The value itself, or, where nn-recompute or its op says so, the result of a second region like its own: what the
  /// forward pass made need not live until the backward pass.
  Value recomputed(OpBuilder &builder, Value value) {
    auto region = value.getDefiningOp<RegionOp>();
    if (!region || (!bodyAnchor(region)->hasTrait<Recomputed>() && !region->hasAttr(recomputeName)))
      return value;
    if (Value known = again.lookup(value))
      return known;
    SmallVector<Value> inputs;
    for (Value input : region.getInputs())
      inputs.push_back(recomputed(builder, input));
    Operation *copy = builder.clone(*region);
    copy->setOperands(inputs);
    copy->removeAttr(recomputeName);
    copy->setAttr(againName, builder.getUnitAttr());
    return again[value] = copy->getResult(0);
  }

  /// The weights with their input channel innermost, made once a step. What was made of weights is made again, of the
  /// transposed ones: they are smaller, and the forward pass's need not live until here.
  Value transpose(OpBuilder &builder, Value weight) {
    Value &result = transposed[weight];
    if (result)
      return result;
    auto made = weight.getDefiningOp<RegionOp>();
    Value source = made ? made.getInputs()[0] : weight;
    auto region = createRegion(builder, weight.getLoc(), source, weight.getType(),
                               made ? made.getKernel() : "transpose_weight.forward");
    OpBuilder inside = OpBuilder::atBlockEnd(&region.getBody().front());
    Value copy = TransposeWeightOp::create(inside, weight.getLoc(), source.getType(), region.getBody().getArgument(0));
    if (made) {
      IRMapping mapping;
      mapping.map(made.getBody().getArgument(0), copy);
      for (Operation &op : made.getBody().front().without_terminator())
        copy = inside.clone(op, mapping)->getResult(0);
    }
    YieldOp::create(inside, weight.getLoc(), copy);
    region.setLikeAttr(variableBehind(weight).getNameAttr());
    return result = region.getResult(0);
  }
};

} // namespace
} // namespace sylvite::nn
