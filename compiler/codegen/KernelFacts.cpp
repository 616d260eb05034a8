//===- KernelFacts.cpp - what is known of a kernel before it is built ---------------------------------------------===//
//
// The text that tells kernels apart, and the dimensions that schedule rules test: both from the region and its
// signature alone, so that a kernel's rule, and with it its place in the cache, is known without Halide.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/codegen/KernelFacts.h"

#include "compiler/support/Hash.h"

#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"

using namespace sylvite::nn;

namespace sylvite::codegen {
namespace {

constexpr const char *sizeNames[] = {"width", "height", "depth"};

/// Of the type that the ops compute in: the result's, or the replaced variables'.
int64_t elementBytes(RegionOp region) {
  auto elementOf = [](mlir::Value value) {
    return mlir::cast<mlir::RankedTensorType>(value.getType()).getElementType();
  };
  mlir::Type type = elementOf(region.getUpdates() ? region.getInputs()[0] : region.getResult(0));
  for (mlir::Value input : region.getInputs())
    if (!mlir::isa<mlir::FloatType>(type))
      type = elementOf(input);
  return type.isF64() ? 8 : 4;
}

} // namespace

std::string kernelText(RegionOp region, const Signature &signature) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  mlir::OpPrintingFlags flags;
  flags.printGenericOpForm().enableDebugInfo(false).useLocalScope();
  stream << signature.kernel << ' ' << int(signature.images) << ' ' << signature.maxImages << ' '
         << signature.samplesPerSlice << ' ' << signature.block;
  if (signature.rowDim)
    stream << " rows in " << signature.columns << " parts";
  if (signature.inPlace)
    stream << " in place";
  stream << '\n';
  if (signature.images == Images::Rows)
    stream.flush(), text = signature.kernel + " rows\n"; // the length is known at run time
  for (const auto *list : {&signature.inputs, &signature.outputs})
    for (const BufferSpec &spec : *list) {
      stream << spec.role << ' ' << spec.element << ' ' << alignmentOf(spec) << ' ' << spec.copies << ' '
             << spec.padFrom;
      for (const Dim &dim : spec.dims)
        stream << " " << dim.name << ':' << dim.min << ':'
               << (signature.images == Images::Rows && dim.name == "n" ? 0 : dim.extent) << ':' << dim.stride;
      stream << '\n';
    }
  // A copy without its place in the program, so that names and numbers do not depend on what stands around it.
  mlir::Operation *copy = region->clone();
  for (const char *attribute : {"buffer", "phase", "axis", "tasks", "like", "nn.id", "nn.recompute", "nn.again"})
    copy->removeAttr(attribute);
  copy->print(stream, flags);
  copy->destroy();
  stream.flush();
  if (signature.images == Images::Rows) { // shapes do not matter to a flat kernel
    std::string kept;
    size_t depth = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text.compare(i, 7, "tensor<") == 0)
        depth = 1, kept += "tensor", i += 6;
      else if (depth && text[i] == '>')
        depth = 0;
      else if (!depth)
        kept += text[i];
    }
    text = kept;
  }
  return text;
}

std::string kernelKey(const std::string &text) { return "k" + sha256Hex(text).substr(0, 15); }

std::string hostCpu() { return llvm::sys::getHostCPUName().str(); }

void fillLayerDims(mlir::Operation *layer, std::map<std::string, int64_t> &dims) {
  auto operandShape = [&](unsigned i) {
    return mlir::cast<mlir::RankedTensorType>(layer->getOperand(i).getType()).getShape();
  };
  if (auto window = windowOf(layer)) {
    View input = naturalView(mlir::cast<mlir::RankedTensorType>(layer->getOperand(0).getType()));
    View output = naturalView(mlir::cast<mlir::RankedTensorType>(layer->getResult(0).getType()));
    static constexpr const char letters[] = {'w', 'h', 'd'};
    dims["stride"] = dims["dilation"] = 1;
    dims["padding"] = 0;
    for (unsigned i = 0; i < window->rank; ++i) {
      const WindowAxis &along = window->axes[i];
      dims[std::string("kernel_") + letters[i]] = along.size;
      dims[std::string("stride_") + letters[i]] = along.stride;
      dims["stride"] = std::max(dims["stride"], along.stride);
      dims["dilation"] = std::max(dims["dilation"], along.dilation);
      dims["padding"] = std::max({dims["padding"], along.before,
                                  (along.outputs - 1) * along.stride + (along.size - 1) * along.dilation + 1 -
                                      along.before - input.axes[i].size});
      dims[sizeNames[i]] = output.axes[i].size;
      dims[std::string("input_") + sizeNames[i]] = input.axes[i].size;
    }
  }
  if (!layer->hasTrait<Contraction>())
    return;
  dims["filters"] = paddedChannels(
      layer->hasTrait<Windowed>() ? mlir::cast<mlir::RankedTensorType>(layer->getResult(0).getType()).getShape().back()
                                  : operandShape(1)[0]);
  dims["groups"] = groupsOf(layer);
  int64_t features = paddedChannels(operandShape(0).back());
  if (!layer->hasTrait<Windowed>())
    for (int64_t extent : operandShape(0).drop_front().drop_back())
      features *= extent;
  dims["channels"] = features;
}

KernelDims targetDims(int64_t bytes, const Target &target) {
  return {{{"vector_bytes", target.vectorBytes}, {"lanes", target.vectorBytes / bytes}},
          {{"dtype", bytes == 8 ? "float64" : "float32"}, {"target", target.name}}};
}

KernelDims scheduleDims(RegionOp region, const Signature &signature, const Target &target) {
  KernelDims result = targetDims(elementBytes(region), target);
  auto &dims = result.values;
  dims["images"] = signature.maxImages;
  for (const Dim &dim : signature.outputs.front().dims)
    if (dim.name != "n")
      dims["output_" + dim.name] = dim.extent;
  dims["transposed"] = !region.getUpdates() && layoutOf(region.getResult(0)).transposed;
  mlir::Operation *core = coreOf(region);
  fillLayerDims(core, dims);
  if (core->hasTrait<Contraction>()) {
    if (signature.block && signature.alongFilters)
      dims["filters"] = signature.block;
    else if (signature.block)
      dims["channels"] = signature.block;
  } else if (!core->getOperands().empty()) {
    View view = viewOf(core->getOperand(0));
    dims["channels"] = view.channels;
    for (unsigned i = 0; view.image() && !windowOf(core) && i < view.rank; ++i)
      dims[sizeNames[i]] = view.axes[i].size;
  }
  if (signature.rowDim) { // an image of fewer rows
    const BufferSpec &output = signature.outputs.front();
    dims[sizeNames[output.view.rowAxis()]] = output.dims[signature.rowDim].extent;
  }
  dims["task"] = signature.tasks;
  dims["parts"] = signature.block ? signature.tasks : 1;
  return result;
}

std::vector<std::string> kernelDimNames() {
  std::vector<std::string> names{"vector_bytes", "lanes",        "images",      "dtype",       "target",   "kernel_h",
                                 "kernel_w",     "stride_h",     "stride_w",    "stride",      "padding",  "height",
                                 "width",        "input_height", "input_width", "filters",     "channels", "task",
                                 "kernel_d",     "stride_d",     "depth",       "input_depth", "dilation", "groups",
                                 "key",          "cpu",          "transposed",  "batch",       "parts"};
  for (const char *dim : {"c", "g", "xi", "x", "yi", "y", "zi", "z", "o", "k", "kx", "ky", "kz", "j", "s", "i"})
    names.push_back(std::string("output_") + dim);
  return names;
}

} // namespace sylvite::codegen
