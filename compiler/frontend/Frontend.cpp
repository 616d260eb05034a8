//===- Frontend.cpp - the network file becomes a module -----------------------------------------------------------===//
//
// Builds nn ops from settings and layer entries. A layer that does not fit ends the checks of shapes, not those of the
// layers after it. Layer: frontend.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/frontend/Frontend.h"

#include "compiler/frontend/LayerReader.h"
#include "compiler/frontend/Settings.h"
#include "compiler/support/Files.h"

#include "mlir/IR/Verifier.h"
#include "llvm/Support/raw_ostream.h"

namespace sylvite {

using mlir::RankedTensorType;
using mlir::Value;
using yaml::Node;

namespace {

/// More layers than any network has: longer files are refused, so that none takes long.
constexpr size_t layerLimit = 4096;

class NetworkBuilder {
public:
  NetworkBuilder(const Node &file, const Settings &settings, const NetworkOptions &options, mlir::MLIRContext &context,
                 ValueReader &reader)
      : file(file), settings(settings), options(options), reader(reader), layers(context, reader), builder(&context) {}

  /// The module; it is of use only where the reader reported nothing.
  mlir::OwningOpRef<mlir::ModuleOp> build();

private:
  mlir::Location at(const Node &node, llvm::StringRef name) {
    auto place = mlir::FileLineColLoc::get(builder.getStringAttr(reader.fileName()), node.line, node.column);
    return mlir::NameLoc::get(builder.getStringAttr(name), place);
  }
  /// One value a sample, in `shape`.
  RankedTensorType batchOf(llvm::ArrayRef<int64_t> shape, mlir::Type element) {
    llvm::SmallVector<int64_t> extents{settings.batch};
    extents.append(shape.begin(), shape.end());
    return nn::tensorOf(nn::Kind::Batch, extents, element);
  }

  nn::NetworkOp addNetwork(mlir::ModuleOp module);
  Value addInput();
  /// The layers listed in `node`, one after the other.
  Value addLayers(const Node &node, LayerRole role, Value value);
  /// The layer on these inputs; null where an input is null or the layer does not fit.
  Value addLayer(const LayerEntry &entry, llvm::ArrayRef<Value> inputs);
  Value addVariable(const LayerEntry &entry, const nn::ParameterSpec &spec, mlir::Location location);
  /// Loss, metrics, prediction and return on the network's last value.
  void addEnd(nn::NetworkOp network, Value logits, Value target);

  const Node &file;
  const Settings &settings;
  const NetworkOptions &options;
  ValueReader &reader;
  LayerReader layers;
  mlir::OpBuilder builder;
  mlir::Type real; ///< type of parameters and values
  bool hasParameters = false;
};

mlir::OwningOpRef<mlir::ModuleOp> NetworkBuilder::build() {
  real = options.doublePrecision ? mlir::Type(builder.getF64Type()) : builder.getF32Type();
  auto location = mlir::FileLineColLoc::get(builder.getStringAttr(reader.fileName()), file.line, file.column);
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(location);
  nn::NetworkOp network = addNetwork(*module);
  builder.setInsertionPointToStart(&network.getBody().emplaceBlock());
  Value value = addInput();
  if (const Node *node = file.find("preprocess"))
    value = addLayers(*node, LayerRole::Preprocess, value);
  const Node *loss = file.find("loss");
  Value target = nn::TargetOp::create(builder, at(loss ? *loss : file, "target"), batchOf({}, builder.getI32Type()));
  if (const Node *node = file.find("network")) {
    value = addLayers(*node, LayerRole::Layer, value);
    if (value && !hasParameters)
      reader.error(*node, "network: no layer has parameters, so there is nothing to train");
  } else {
    value = nullptr;
  }
  addEnd(network, value, target);
  return module;
}

nn::NetworkOp NetworkBuilder::addNetwork(mlir::ModuleOp module) {
  mlir::NamedAttrList optimizer;
  optimizer.set("kind", builder.getStringAttr(settings.optimizer));
  for (const auto &[key, value] : settings.optimizerSettings)
    optimizer.set(key, builder.getF64FloatAttr(value));
  llvm::SmallVector<llvm::StringRef> metrics(settings.metrics.begin(), settings.metrics.end());
  builder.setInsertionPointToStart(module.getBody());
  auto network = nn::NetworkOp::create(builder, at(file, settings.name), settings.name, settings.batch,
                                       nn::slicesOf(settings.batch), optimizer.getDictionary(builder.getContext()),
                                       options.epochs.value_or(settings.epochs),
                                       static_cast<int64_t>(options.seed.value_or(settings.seed)), settings.output);
  network->setAttr("nn.input_shape", builder.getDenseI64ArrayAttr(settings.inputShape));
  network->setAttr("nn.input_dtype", builder.getStringAttr(inputTypes()[settings.inputIsBytes ? 0 : 1]));
  network->setAttr("nn.metrics", builder.getStrArrayAttr(metrics));
  return network;
}

Value NetworkBuilder::addInput() {
  if (settings.inputShape.empty())
    return nullptr;
  const Node &node = *file.find("input");
  llvm::SmallVector<int64_t> shape(settings.inputShape.begin(), settings.inputShape.end());
  if (shape.size() == 2)
    shape.insert(shape.begin(), 1); // a sequence [W, C] is an image of one row
  int64_t elements = settings.batch;
  for (int64_t extent : shape) {
    if (extent > nn::maxElements / elements) {
      reader.error(*node.find("shape"),
                   "input: a batch of " + std::to_string(settings.batch) + " has more than " +
                       std::to_string(nn::maxElements) + " elements",
                   "a tensor must stay below 1 GiB: use a smaller shape or batch");
      return nullptr;
    }
    elements *= extent;
  }
  mlir::Location location = at(node, "input");
  mlir::Type given = settings.inputIsBytes ? mlir::Type(builder.getIntegerType(8, false)) : real;
  auto input = nn::InputOp::create(builder, location, batchOf(shape, given));
  input->setAttr("nn.name", builder.getStringAttr("input"));
  return nn::IdentityOp::create(builder, location, batchOf(shape, real), input);
}

Value NetworkBuilder::addLayers(const Node &node, LayerRole role, Value value) {
  bool isNetwork = role == LayerRole::Layer;
  std::string section = isNetwork ? "network" : "preprocess";
  if (node.kind != Node::Kind::Sequence) {
    reader.error(node, section + " must be a list of layers, found " + reader.describe(node));
    return nullptr;
  }
  if (isNetwork && node.items.empty()) {
    reader.error(node, "network has no layers", "network: [flatten, linear: 10]");
    return nullptr;
  }
  if (node.items.size() > layerLimit) {
    reader.error(node, section + " has more than " + std::to_string(layerLimit) + " layers");
    return nullptr;
  }
  for (const yaml::NodeRef &item : node.items)
    value = addLayer(layers.read(*item, role), value);
  return value;
}

Value NetworkBuilder::addLayer(const LayerEntry &entry, llvm::ArrayRef<Value> inputs) {
  if (!entry.record || !entry.attributes || llvm::is_contained(inputs, Value()))
    return nullptr;
  const LayerRecord &record = *entry.record;
  llvm::SmallVector<RankedTensorType> types;
  for (Value input : inputs)
    types.push_back(mlir::cast<RankedTensorType>(input.getType()));
  nn::LayerPlan plan;
  record.plan(types, entry.attributes, plan);
  for (const nn::LayerError &error : plan.errors) {
    auto value = entry.values.find(error.attribute);
    reader.error(value == entry.values.end() ? *entry.place : *value->second, entry.label() + ": " + error.text,
                 error.hint);
  }
  if (!plan.errors.empty())
    return nullptr;

  mlir::Location location = at(*entry.place, entry.name);
  mlir::OperationState state(location, "nn." + record.name);
  state.addOperands(inputs);
  for (const nn::ParameterSpec &spec : plan.parameters)
    state.addOperands(addVariable(entry, spec, location));
  state.addTypes(plan.output);
  state.addAttributes(plan.attributes.getAttrs());
  if (record.isSegmented) {
    auto isGiven = [&](const std::string &operand) {
      return llvm::any_of(plan.parameters, [&](const nn::ParameterSpec &spec) {
        return operand == spec.suffix || operand == spec.suffix + "_value";
      });
    };
    llvm::SmallVector<int32_t> segments;
    unsigned single = llvm::count_if(record.operands, [](const LayerOperand &operand) {
      return operand.kind == OperandKind::Input || operand.kind == OperandKind::Target;
    });
    for (const LayerOperand &operand : record.operands)
      segments.push_back(operand.kind == OperandKind::Inputs      ? inputs.size() - single
                         : operand.kind == OperandKind::Parameter ? isGiven(operand.name)
                                                                  : operand.kind != OperandKind::Internal);
    state.addAttribute("operandSegmentSizes", builder.getDenseI32ArrayAttr(segments));
  }
  return builder.create(state)->getResult(0);
}

Value NetworkBuilder::addVariable(const LayerEntry &entry, const nn::ParameterSpec &spec, mlir::Location location) {
  hasParameters |= spec.trained;
  return nn::VariableOp::create(builder, location, nn::tensorOf(nn::Kind::Whole, spec.shape, real),
                                entry.name + "." + spec.suffix, spec.trained ? "parameter" : "buffer", spec.init,
                                spec.initA, spec.initB);
}

void NetworkBuilder::addEnd(nn::NetworkOp network, Value logits, Value target) {
  const Node *node = file.find("loss");
  if (!node)
    return;
  LayerEntry entry = layers.read(*node, LayerRole::Loss);
  Value loss = addLayer(entry, {logits, target});
  if (!loss)
    return;
  auto type = mlir::cast<RankedTensorType>(logits.getType());
  network->setAttr("nn.classes", builder.getI64IntegerAttr(type.getShape().back()));
  Value correct, prediction = logits;
  if (llvm::is_contained(settings.metrics, "accuracy"))
    correct = nn::AccuracyOp::create(builder, at(*file.find("metrics"), "accuracy"), batchOf({}, builder.getI32Type()),
                                     logits, target);
  std::string output = settings.output.empty() ? entry.record->defaultOutput : settings.output;
  network.setOutputKind(output);
  const Node *outputNode = file.find("output");
  mlir::Location location = at(outputNode ? *outputNode : *entry.place, "output");
  if (output == "softmax")
    prediction = nn::SoftmaxOp::create(builder, location, logits.getType(), logits, /*row_max=*/Value());
  nn::ReturnOp::create(builder, location, logits, loss, correct, prediction);
}

/// A module that does not verify is a bug: its text becomes an `internal error`.
bool verifies(mlir::ModuleOp module, ValueReader &reader) {
  std::string text;
  mlir::ScopedDiagnosticHandler handler(module.getContext(), [&](mlir::Diagnostic &diagnostic) {
    llvm::raw_string_ostream(text) << (text.empty() ? "" : "; ") << diagnostic;
  });
  if (mlir::succeeded(mlir::verify(module)))
    return true;
  reader.error("internal error: the network does not verify: " + text, "please report this file");
  return false;
}

} // namespace

mlir::OwningOpRef<mlir::ModuleOp> readNetwork(llvm::StringRef path, const NetworkOptions &options,
                                              mlir::MLIRContext &context, Diagnostics &diagnostics) {
  std::string problem;
  std::optional<std::string> text = readFile(path.str(), kYamlSizeLimit, problem);
  if (text)
    return parseNetwork(*text, path, options, context, diagnostics);
  diagnostics.error({path.str()}, problem);
  return nullptr;
}

mlir::OwningOpRef<mlir::ModuleOp> parseNetwork(const std::string &text, llvm::StringRef path,
                                               const NetworkOptions &options, mlir::MLIRContext &context,
                                               Diagnostics &diagnostics) {
  context.loadDialect<nn::NnDialect>();
  size_t errorsBefore = diagnostics.errorCount();
  yaml::NodeRef file = yaml::parse(text, path.str(), diagnostics);
  if (!file)
    return nullptr;
  ValueReader reader(path.str(), diagnostics);
  if (file->kind != Node::Kind::Map) {
    reader.error(*file, "a network file must be a map, found " + reader.describe(*file),
                 "it needs the keys name, input, network, loss and optimizer");
    return nullptr;
  }
  Settings settings = readSettings(*file, reader, options.batch);
  auto module = NetworkBuilder(*file, settings, options, context, reader).build();
  if (diagnostics.errorCount() > errorsBefore || !verifies(*module, reader))
    return nullptr;
  return module;
}

std::vector<NetworkKey> networkKeys() {
  std::vector<NetworkKey> keys;
  for (const std::string &key : topLevelKeys())
    keys.push_back({"", key, ""});
  for (const std::string &key : inputKeys())
    keys.push_back({"input", key, ""});
  for (const std::string &key : trainingKeys())
    keys.push_back({"training", key, ""});
  for (const OptimizerRecord &record : optimizerRecords())
    for (const OptimizerSetting &setting : record.settings)
      keys.push_back({record.name, setting.key, ""});
  for (const LayerRecord &record : layerRecords()) {
    if (record.attributes.empty())
      keys.push_back({record.name, "", ""});
    for (const LayerAttribute &attribute : record.attributes)
      keys.push_back({record.name, attribute.name, attribute.defaultText});
  }
  return keys;
}

} // namespace sylvite
