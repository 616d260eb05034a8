//===- Kernel.cpp - a region as a Halide pipeline -----------------------------------------------------------------===//
#include "compiler/codegen/Kernel.h"

#include "compiler/codegen/Derivative.h"

#include <stdexcept>

using namespace Halide;
using namespace sylvite::nn;
using sylvite::ops::OpContext;

namespace sylvite::codegen {

Type halideType(mlir::Type type) {
  if (type.isF32())
    return Float(32);
  if (type.isF64())
    return Float(64);
  unsigned bits = type.getIntOrFloatBitWidth();
  return type.isUnsignedInteger() ? UInt(bits) : Int(bits);
}

namespace {

class Builder {
public:
  Builder(RegionOp region, Kernel &kernel) : region(region), kernel(kernel), signature(kernel.signature) {}

  void build() {
    kernel.arguments = {images, batch, step, rate, stepsPerEpoch, seed, firstSample, part};
    element = elementOf();
    for (size_t i = 0; i < signature.inputs.size(); ++i)
      operands.push_back(makeOperand(signature.inputs[i], i));
    mlir::Block &body = region.getBody().front();
    std::map<void *, ops::Value> values;
    for (auto [argument, value] : llvm::zip(body.getArguments(), operands))
      values[argument.getAsOpaquePointer()] = value;
    std::vector<ops::Value> results = buildBody(body, values);
    makeOutput(results);
    registerFuncs();
  }

private:
  RegionOp region;
  Kernel &kernel;
  Signature &signature;
  Type element;
  std::vector<ops::Value> operands;
  std::set<std::string> roles;
  /// Funcs in the order in which they were made, with names for their RVars.
  struct Named {
    std::string role;
    Func func;
    std::vector<std::string> rvars;
    std::vector<NonzeroTerms> nonzero;
  };
  std::vector<Named> funcs;
  std::map<std::string, std::string> roleOfFunc; // by Halide's name
  Param<int32_t> images{"images"}, batch{"batch"}, firstSample{"first_sample"};
  Param<int32_t> part{"part"}; // of a sample's rows, where Signature::rowDim
  Param<double> step{"step"}, rate{"learning_rate_scale"}, stepsPerEpoch{"steps_per_epoch"};
  Param<uint64_t> seed{"seed"};
  std::vector<std::pair<std::string, ImageParam>> inputs;
  std::vector<std::vector<std::string>> inputDims;

  /// The element type the ops compute in: the result's, or the replaced variables'.
  Type elementOf() {
    mlir::Value value = region.getUpdates() ? region.getInputs()[0] : region.getResult(0);
    mlir::Type type = mlir::cast<mlir::RankedTensorType>(value.getType()).getElementType();
    if (mlir::isa<mlir::FloatType>(type))
      return halideType(type);
    for (mlir::Value input : region.getInputs())
      if (auto float_ =
              mlir::dyn_cast<mlir::FloatType>(mlir::cast<mlir::RankedTensorType>(input.getType()).getElementType()))
        return halideType(float_);
    return Float(32);
  }

  std::string uniqueRole(const std::string &role) {
    std::string name = role;
    for (int i = 2; !roles.insert(name).second; ++i)
      name = role + "_" + std::to_string(i);
    return name;
  }

  Func makeFunc(const std::string &role) {
    std::string name = uniqueRole(role);
    Func func(name);
    funcs.push_back({name, func, {}, {}});
    roleOfFunc[func.name()] = name;
    return func;
  }

  static Var varOf(const std::string &name) {
    static std::map<std::string, Var> all;
    return all.try_emplace(name, Var(name)).first->second;
  }

  /// An input buffer with constant bounds and strides behind a Func.
  ops::Value makeOperand(const BufferSpec &spec, size_t index) {
    ImageParam param(halideType(spec.element), spec.dims.size(), "in" + std::to_string(index));
    for (size_t d = 0; d < spec.dims.size(); ++d) {
      param.dim(d).set_bounds(int(spec.dims[d].min), int(spec.dims[d].extent));
      param.dim(d).set_stride(int(spec.dims[d].stride));
    }
    param.set_host_alignment(int(alignmentOf(spec)));
    kernel.arguments.push_back(param);
    std::vector<Var> dims;
    std::vector<std::string> names;
    for (const Dim &dim : spec.dims) {
      dims.push_back(varOf(dim.name));
      names.push_back(dim.name);
    }
    inputs.emplace_back(spec.role, param);
    inputDims.push_back(names);

    ops::Value value;
    value.kind = spec.kind;
    value.view = spec.view;
    bool summed = spec.copies > 1;
    std::vector<Var> outer(dims.begin(), dims.end() - (summed ? 1 : 0));
    for (size_t d = 0; d < outer.size(); ++d)
      value.extents.push_back(spec.dims[d].extent);
    value.func = makeFunc(spec.role);
    std::vector<Expr> at(dims.begin(), dims.end());
    if (summed) { // a sum over the batch, added in the order of slices
      RDom r(0, int(spec.copies), "rs");
      at.back() = r;
      value.func(outer) = cast(param.type(), 0);
      value.func(outer) += param(at);
      funcs.back().rvars = {"rs"};
    } else if (spec.padFrom) {
      Expr channel = at[0];
      at[0] = Halide::min(channel, int(spec.padFrom) - 1);
      value.func(outer) = select(channel < int(spec.padFrom), param(at), cast(param.type(), 0));
    } else if (spec.kind == Kind::Batch && readsOutside(spec)) {
      value.func(outer) = zeroOutside(param, spec, at);
    } else {
      value.func(outer) = param(at);
      value.detached = [param](std::vector<Expr> place) { return param(place); };
    }
    return value;
  }

  /// Whether places outside of a buffer are read: by ops that say so, and by the derivative of tiles that overlap.
  bool readsOutside(const BufferSpec &spec) {
    mlir::Operation *core = coreOf(region);
    if (!core->hasTrait<Tiled>() || spec.role != "grad_output")
      return core->hasTrait<Reindexing>();
    Window window = *windowOf(core);
    return window.axes[0].size > window.axes[0].stride;
  }

  /// The buffer at a place that may lie outside of it, where it is zero.
  Expr zeroOutside(ImageParam param, const BufferSpec &spec, std::vector<Expr> at) {
    Expr inside;
    for (size_t d = 0; d < spec.dims.size(); ++d) {
      const Dim &dim = spec.dims[d];
      if (dim.name == "n")
        continue;
      int low = int(dim.min), high = int(dim.min + dim.extent) - 1;
      Expr within = at[d] >= low && at[d] <= high;
      inside = inside.defined() ? inside && within : within;
      at[d] = clamp(likely(at[d]), low, high);
    }
    return inside.defined() ? select(inside, param(at), cast(param.type(), 0)) : Expr(param(at));
  }

  /// Builds the ops of a block; `values` maps block arguments and op results. Returns what the block yields.
  std::vector<ops::Value> buildBody(mlir::Block &block, std::map<void *, ops::Value> &values,
                                    std::map<unsigned, std::vector<std::string>> *gradientRVars = nullptr) {
    for (mlir::Operation &op : block.without_terminator()) {
      std::vector<ops::Value> results;
      if (auto vjp = mlir::dyn_cast<VjpOp>(op)) {
        results = {buildVjp(vjp, values)};
      } else if (mlir::isa<PlaceholderOp>(op)) {
        results = {makePlaceholder(op)};
      } else {
        results = define(op, values, gradientRVars);
      }
      for (auto [result, value] : llvm::zip(op.getResults(), results))
        values[result.getAsOpaquePointer()] = value;
    }
    std::vector<ops::Value> yielded;
    for (mlir::Value value : block.getTerminator()->getOperands())
      yielded.push_back(values.at(value.getAsOpaquePointer()));
    return yielded;
  }

  std::vector<ops::Value> define(mlir::Operation &op, std::map<void *, ops::Value> &values,
                                 std::map<unsigned, std::vector<std::string>> *gradientRVars) {
    ops::Definition definition = ops::find(op.getName().getStringRef());
    if (!definition)
      throw std::logic_error("no definition of " + op.getName().getStringRef().str());
    std::vector<ops::Value> arguments;
    for (mlir::Value operand : op.getOperands())
      arguments.push_back(values.at(operand.getAsOpaquePointer()));
    ops::Scalars scalars{images, batch, firstSample, step, rate, stepsPerEpoch, seed};
    OpContext context(&op, arguments, element, scalars, signature.samplesPerSlice,
                      [this](std::string role) { return makeFunc(role); });
    std::vector<ops::Value> results = definition(context);
    for (auto &[name, rvars] : context.rvarNames)
      for (Named &named : funcs)
        if (named.func.name() == name)
          named.rvars = rvars;
    if (gradientRVars)
      for (auto &[index, names] : context.gradientRVars)
        gradientRVars->try_emplace(index, names);
    return results;
  }

  /// Zeros in the coordinates of the operand it stands for.
  ops::Value makePlaceholder(mlir::Operation &op) {
    mlir::Value result = op.getResult(0);
    auto type = mlir::cast<mlir::RankedTensorType>(result.getType());
    ops::Value value;
    value.kind = kindOf(type);
    value.view = viewOf(result);
    std::vector<Var> dims;
    if (value.kind == Kind::Batch) {
      dims = ops::dimsOf(value.view);
    } else {
      for (const Dim &dim : placeholderDims(result)) {
        value.extents.push_back(dim.extent);
        dims.push_back(varOf(dim.name));
      }
    }
    value.func = makeFunc("placeholder");
    value.func(dims) = cast(element, 0);
    return value;
  }

  /// Physical dimensions of a variable whose value the derivative does not need, after the cut along the output axis.
  std::vector<Dim> placeholderDims(mlir::Value placeholder) {
    auto shape = mlir::cast<mlir::RankedTensorType>(placeholder.getType()).getShape();
    std::vector<Dim> dims;
    for (const KernelDim &dim : kernelDims(placeholder))
      dims.push_back({dim.name, 0, dim.extent, 1});
    int64_t groups = groupsOf(coreOf(region));
    if (dims.size() == 1 && groups > 1)
      return {{"c", 0, shape[0] / groups, 1}, {"g", 0, groups, 1}};
    mlir::Value result = region.getResult(0);
    if (mlir::cast<mlir::RankedTensorType>(result.getType()).getShape() == shape && region.getLike())
      for (auto [dim, extent] : llvm::zip(dims, cutExtents(region, result)))
        dim.extent = extent;
    return dims;
  }

  ops::Value buildVjp(VjpOp vjp, std::map<void *, ops::Value> &outer) {
    mlir::Block &body = vjp.getBody().front();
    unsigned count = body.getNumArguments(), wrt = vjp.getWrt();
    std::map<void *, ops::Value> values;
    size_t firstInside = funcs.size();
    for (unsigned i = 0; i < count; ++i) {
      ops::Value value = outer.at(vjp.getInputs()[i].getAsOpaquePointer());
      if (i == wrt) { // a Func of its own, whose adjoint is the result
        Func own = makeFunc("wrt");
        own(value.dims()) = value.here();
        value.func = own;
      }
      values[body.getArgument(i).getAsOpaquePointer()] = value;
    }
    std::map<unsigned, std::vector<std::string>> gradientRVars;
    ops::Value result = buildBody(body, values, &gradientRVars).front();
    ops::Value input = values.at(body.getArgument(wrt).getAsOpaquePointer());
    ops::Value seed = outer.at(vjp.getInputs()[count].getAsOpaquePointer());
    std::vector<Func> between;
    for (size_t i = firstInside; i < funcs.size(); ++i)
      between.push_back(funcs[i].func);
    GradientResult gradient = gradientOf(result.func, seed.func, boundsOf(result), input.func, between);

    std::string role = gradientRole(wrt);
    name(gradient.gradient, role, gradientRVars[wrt]);
    funcs.back().nonzero = gradient.nonzero;
    for (const AdjointFunc &other : gradient.others) {
      std::string of = roleOfFunc.at(other.of.name());
      name(other.func, "grad_" + of + (other.stage < 0 ? "" : "_" + std::to_string(other.stage)), {});
    }
    input.func = gradient.gradient;
    input.detached = nullptr;
    return input;
  }

  std::string gradientRole(unsigned wrt) {
    static constexpr const char *names[] = {"grad_input", "grad_weight", "grad_bias"};
    return names[std::min(wrt, 2u)];
  }

  void name(Func func, const std::string &role, std::vector<std::string> rvars) {
    std::string unique = uniqueRole(role);
    roleOfFunc[func.name()] = unique;
    funcs.push_back({unique, func, std::move(rvars), {}});
  }

  /// (min, max) of each dimension of a body's result.
  std::vector<std::pair<Expr, Expr>> boundsOf(const ops::Value &value) {
    std::vector<std::pair<Expr, Expr>> bounds;
    auto add = [&](int64_t extent) { bounds.push_back({0, int(extent) - 1}); };
    if (value.kind != Kind::Batch) {
      for (int64_t extent : value.extents)
        add(extent);
      return bounds;
    }
    const View &view = value.view;
    if (view.groups > 1) {
      add(view.groupChannels());
      add(view.groups);
    } else if (value.func.dimensions() > 1) {
      add(view.channels);
    }
    for (unsigned i = 0; i < view.rank; ++i) {
      const Axis &axis = view.axes[i];
      if (view.phased()) {
        add(signature.columns && !signature.rowDim ? 1 : axis.stride);
        add(axis.extent);
      } else {
        bounds.push_back({int(axis.before), int(axis.before + axis.size) - 1});
      }
    }
    bounds.push_back({0, images - 1});
    // A contraction that is cut along its filters computes a block of them.
    if (signature.block && signature.alongFilters)
      bounds[0].second = int(signature.block) - 1;
    return bounds;
  }

  /// The Func `output`, in the coordinates of the output buffer.
  void makeOutput(const std::vector<ops::Value> &results) {
    const BufferSpec &spec = signature.outputs.front();
    std::vector<Var> dims;
    std::vector<Expr> at;
    for (const Dim &dim : spec.dims) {
      dims.push_back(varOf(dim.name));
      at.push_back(dims.back());
    }
    const View &view = results.front().view;
    unsigned first = view.groups > 1 ? 2 : 1;
    if (spec.kind == Kind::Batch && !view.phased())
      for (unsigned axis = 0; axis < view.rank; ++axis)
        at[first + axis] = at[first + axis] + int(view.axes[axis].before);
    kernel.output = Func("output");
    if (results.size() == 1) {
      Expr value = cast(halideType(spec.element), results.front().func(at));
      if (spec.kind == Kind::Batch && view.groups == 1 && spec.dims.size() > 1 && !keepsZero())
        value = maskPadding(value, dims.front(), view);
      kernel.output(dims) = value;
    } else {
      std::vector<Expr> values;
      for (const ops::Value &result : results)
        values.push_back(result.func(at));
      kernel.output(dims) = Tuple(values);
    }
    auto minOf = [&](size_t d) {
      const Dim &dim = spec.dims[d];
      return d && d == signature.rowDim ? int(dim.min) + part * int(dim.extent) : Expr(int(dim.min));
    };
    std::vector<OutputImageParam> buffers = kernel.output.output_buffers();
    for (size_t b = 0; b < buffers.size(); ++b) {
      const BufferSpec &buffer = signature.outputs[b];
      for (size_t d = 0; d < buffer.dims.size(); ++d) {
        const Dim &dim = buffer.dims[d];
        if (b == 0) // a Tuple's buffers have the first one's bounds
          buffers[b].dim(d).set_bounds(minOf(d), dim.name == "n" ? Expr(images) : Expr(int(dim.extent)));
        buffers[b].dim(d).set_stride(int(dim.stride));
      }
      buffers[b].set_host_alignment(int(alignmentOf(buffer)));
    }
    for (size_t d = 0; d < spec.dims.size(); ++d)
      if (spec.dims[d].name != "n")
        kernel.output.bound(varOf(spec.dims[d].name), minOf(d), int(spec.dims[d].extent));
  }

  /// Whether every op of the region maps zeros to zeros.
  bool keepsZero() {
    bool all = true;
    region.getBody().walk(
        [&](mlir::Operation *op) { all &= op->hasTrait<KeepsZero>() || mlir::isa<VjpOp, YieldOp>(op); });
    return all;
  }

  /// Zero in the padding of channels, of each pixel where a vector is an image's.
  static Expr maskPadding(Expr value, Var channel, const View &view) {
    if (view.realChannels == view.channels)
      return value;
    // Squares: from a linear condition Halide would conclude that fewer channels are needed of what comes before, too
    // few for the vectors of its schedule.
    return select(channel * channel < int(view.realChannels * view.realChannels), value, cast(value.type(), 0));
  }

  void registerFuncs() {
    kernel.funcs.add("output", kernel.output, true);
    if (signature.inPlace)
      kernel.funcs.setInPlace();
    for (size_t i = 0; i < inputs.size(); ++i) // the buffers themselves, for `prefetch` and `in`
      kernel.funcs.addInput(uniqueRole(inputs[i].first + "_buffer"), inputs[i].second, inputDims[i]);
    for (Named &named : funcs) {
      if (!reachable(named.func))
        continue;
      kernel.funcs.add(named.role, named.func);
      for (int update = 0; update < named.func.num_update_definitions(); ++update) {
        size_t count = named.func.rvars(update).size();
        if (!count)
          continue;
        std::vector<std::string> names = named.rvars;
        if (names.size() != count) {
          names.clear();
          for (size_t i = 0; i < count; ++i)
            names.push_back("r" + std::to_string(i));
        }
        kernel.funcs.nameRVars(named.role, update, names);
      }
      for (const NonzeroTerms &terms : named.nonzero)
        kernel.funcs.setNonzero(named.role, terms.update, terms.rvar, terms.condition);
    }
  }

  /// Whether the output depends on a Func: others are left over from the derivation and are not compiled.
  bool reachable(const Func &func) {
    if (environment.empty()) {
      std::map<std::string, Internal::Function> all = Internal::find_transitive_calls(kernel.output.function());
      for (auto &[name, function] : all)
        environment.insert(name);
    }
    return environment.count(func.name()) != 0;
  }
  std::set<std::string> environment;
};

} // namespace

Kernel buildKernel(RegionOp region) {
  Kernel kernel;
  kernel.signature = signatureOf(region);
  Builder(region, kernel).build();
  return kernel;
}

} // namespace sylvite::codegen
