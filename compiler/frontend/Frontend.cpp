//===- Frontend.cpp - the network file becomes a module -----------------------------------------------------------===//
//
// The network op, its inputs and their preprocessing; Graph.h and Ends.h build the rest. Layer: frontend.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/frontend/Frontend.h"

#include "compiler/frontend/Ends.h"
#include "compiler/frontend/Initializers.h"
#include "compiler/frontend/Inputs.h"
#include "compiler/frontend/Settings.h"
#include "compiler/support/Files.h"
#include "compiler/support/Names.h"

#include "mlir/IR/Verifier.h"
#include "llvm/Support/raw_ostream.h"

namespace sylvite {

using mlir::RankedTensorType;
using mlir::Value;
using yaml::Node;

namespace {

class NetworkBuilder {
public:
  NetworkBuilder(const Node &file, const NetworkOptions &options, mlir::MLIRContext &context, ValueReader &reader)
      : file(file), options(options), reader(reader), builder(&context),
        real(options.doublePrecision ? mlir::Type(builder.getF64Type()) : builder.getF32Type()),
        settings(readSettings(file, reader, options.batch)), blocks(file, reader, layerNames(LayerRole::Layer)),
        graph(builder, reader, blocks, real) {}

  /// The module; it is of use only where the reader reported no errors.
  mlir::OwningOpRef<mlir::ModuleOp> build();

private:
  /// One value a sample, in `shape`.
  RankedTensorType batchOf(llvm::ArrayRef<int64_t> shape, mlir::Type element) {
    llvm::SmallVector<int64_t> extents{settings.batch};
    extents.append(shape.begin(), shape.end());
    return nn::tensorOf(nn::Kind::Batch, extents, element);
  }

  nn::NetworkOp addNetwork(mlir::ModuleOp module);
  void addInputs();
  /// The input in floats; null where it does not fit.
  Value addInput(const InputSettings &input);
  /// The steps for one input, or null.
  const Node *stepsFor(const InputSettings &input, bool isAlone);
  void checkPreprocessing(const std::vector<InputSettings> &inputs);

  const Node &file;
  const NetworkOptions &options;
  ValueReader &reader;
  mlir::OpBuilder builder;
  mlir::Type real; ///< type of parameters and values
  Settings settings;
  BlockTable blocks;
  GraphBuilder graph;
};

mlir::OwningOpRef<mlir::ModuleOp> NetworkBuilder::build() {
  auto location = mlir::FileLineColLoc::get(builder.getStringAttr(reader.fileName()), file.line, file.column);
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(location);
  nn::NetworkOp network = addNetwork(*module);
  builder.setInsertionPointToStart(&network.getBody().emplaceBlock());
  addInputs();
  if (const Node *node = file.find("network")) {
    size_t errorsBefore = reader.errorCount();
    graph.addNetwork(*node);
    if (reader.errorCount() == errorsBefore && !graph.hasParameters() && graph.isComplete())
      reader.error(*node, network.getBody().getOps<nn::VariableOp>().empty()
                              ? "network: no layer has parameters, so there is nothing to train"
                              : "network: no parameter is trainable, so there is nothing to train");
    EndBuilder(file, graph, builder, reader).build(network);
    if (reader.errorCount() == 0)
      graph.warnAboutUnused();
  }
  return module;
}

nn::NetworkOp NetworkBuilder::addNetwork(mlir::ModuleOp module) {
  mlir::NamedAttrList optimizer;
  optimizer.set("kind", builder.getStringAttr(settings.optimizer));
  for (const auto &[key, value] : settings.optimizerSettings)
    optimizer.set(key, builder.getF64FloatAttr(value));
  setPolicies(settings.policies, options.epochs.value_or(settings.epochs), builder, optimizer);
  builder.setInsertionPointToStart(module.getBody());
  auto network = nn::NetworkOp::create(builder, graph.at(file, settings.name), settings.name, settings.batch,
                                       nn::slicesOf(settings.batch), optimizer.getDictionary(builder.getContext()),
                                       options.epochs.value_or(settings.epochs),
                                       static_cast<int64_t>(options.seed.value_or(settings.seed)), "");
  if (mlir::DictionaryAttr earlyStopping = earlyStoppingOf(settings.policies, builder))
    network->setAttr("nn.early_stopping", earlyStopping);
  if (settings.weightsFile.empty())
    return network;
  llvm::SmallVector<mlir::Attribute> prefixes;
  for (const auto &[from, to] : settings.weightsPrefixes)
    prefixes.push_back(builder.getStrArrayAttr({from, to}));
  network->setAttr("nn.weights",
                   builder.getDictionaryAttr({builder.getNamedAttr("file", builder.getStringAttr(settings.weightsFile)),
                                              builder.getNamedAttr("prefix", builder.getArrayAttr(prefixes))}));
  return network;
}

void NetworkBuilder::addInputs() {
  std::vector<InputSettings> inputs = readInputs(file, reader);
  checkPreprocessing(inputs);
  for (const InputSettings &input : inputs) {
    Value value = addInput(input);
    if (const Node *steps = stepsFor(input, inputs.size() == 1))
      value = graph.addPreprocessing(*steps, value);
    graph.addInput(input.name, value, *input.place);
  }
  if (inputs.empty())
    graph.addInput("input", nullptr, file);
}

const Node *NetworkBuilder::stepsFor(const InputSettings &input, bool isAlone) {
  const Node *node = file.find("preprocess");
  if (!node || node->kind != Node::Kind::Map)
    return isAlone ? node : nullptr;
  return node->find(input.name);
}

void NetworkBuilder::checkPreprocessing(const std::vector<InputSettings> &inputs) {
  const Node *node = file.find("preprocess");
  std::vector<std::string> names;
  for (const InputSettings &input : inputs)
    names.push_back(input.name);
  if (node && node->kind == Node::Kind::Map)
    reader.checkKeys(*node, "preprocess", names);
  else if (node && inputs.size() > 1)
    reader.error(*node,
                 "preprocess must say which input it is for: a map of " + join(names) + ", found " +
                     ValueReader::describe(*node),
                 "preprocess: {" + names.front() + ": [normalize: {divide: 255}]}");
}

Value NetworkBuilder::addInput(const InputSettings &input) {
  if (input.shape.empty())
    return nullptr;
  int64_t elements = settings.batch;
  for (int64_t extent : input.shape) {
    if (extent > nn::maxElements / elements) {
      reader.error(*input.settings->find("shape"),
                   input.label() + ": a batch of " + std::to_string(settings.batch) + " has more than " +
                       std::to_string(nn::maxElements) + " elements",
                   "a tensor must stay below 1 GiB: use a smaller shape or batch");
      return nullptr;
    }
    elements *= extent;
  }
  mlir::Location location = graph.at(*input.place, input.name);
  mlir::Type given = input.dtype == "uint8"   ? mlir::Type(builder.getIntegerType(8, false))
                     : input.dtype == "int32" ? mlir::Type(builder.getI32Type())
                                              : real;
  auto op = nn::InputOp::create(builder, location, batchOf(input.shape, given));
  op->setAttr("nn.name", builder.getStringAttr(input.name));
  if (input.isChannelsFirst)
    op->setAttr("nn.layout", builder.getStringAttr("chw"));
  return nn::IdentityOp::create(builder, location, batchOf(input.shape, real), op);
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
  auto module = NetworkBuilder(*file, options, context, reader).build();
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
  for (const std::string &key : weightsKeys())
    keys.push_back({"weights", key, ""});
  for (const std::string &key : blockKeys())
    keys.push_back({"blocks", key, ""});
  for (const std::string &key : blockUseKeys())
    keys.push_back({"block", key, ""});
  for (const std::string &key : metricNames())
    keys.push_back({"metrics", key, ""});
  for (const std::string &name : initializerNames())
    keys.push_back({"init", name, ""});
  for (LayerRole role : {LayerRole::Layer, LayerRole::Loss})
    for (const std::string &key : commonKeys(role, true))
      keys.push_back({role == LayerRole::Layer ? "layer" : "loss", key, ""});
  for (const OptimizerRecord &record : optimizerRecords())
    for (const OptimizerSetting &setting : record.settings)
      keys.push_back({record.name, setting.key, ""});
  for (const auto &[section, names] : policySections())
    for (const std::string &key : names)
      keys.push_back({section, key, ""});
  for (const LayerRecord &record : layerRecords()) {
    if (record.attributes.empty())
      keys.push_back({record.name, "", ""});
    for (const LayerAttribute &attribute : record.attributes)
      keys.push_back({record.name, attribute.name, attribute.defaultText});
  }
  return keys;
}

} // namespace sylvite
