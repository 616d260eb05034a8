//===- Graph.cpp - layers become ops ------------------------------------------------------------------------------===//
#include "compiler/frontend/Graph.h"

#include "compiler/support/Names.h"

namespace sylvite {

using mlir::RankedTensorType;
using mlir::Value;
using yaml::Node;

namespace {

/// More layers than any network has, each use of a block counted: longer files are refused, so that none takes long.
constexpr size_t layerLimit = 4096;
/// Deepest nesting of blocks.
constexpr size_t useDepthLimit = 64;

std::string inputsText(unsigned count) { return std::to_string(count) + (count == 1 ? " input" : " inputs"); }

} // namespace

GraphBuilder::GraphBuilder(mlir::OpBuilder &builder, ValueReader &reader, BlockTable &blocks, mlir::Type real)
    : builder(builder), values(reader), blocks(blocks), real(real), layers(*builder.getContext(), reader) {}

mlir::Location GraphBuilder::at(const Node &node, llvm::StringRef name) {
  auto place = mlir::FileLineColLoc::get(builder.getStringAttr(values.fileName()), node.line, node.column);
  return mlir::NameLoc::get(builder.getStringAttr(name), place);
}

void GraphBuilder::addInput(const std::string &name, Value value, const Node &place) {
  network.inputs[name] = {name, value};
  network.names.lines.emplace(name, place.line);
  network.previous.push_back({name, value});
  if (value)
    results.push_back({value, "input '" + name + "'", place, ""});
}

Value GraphBuilder::addPreprocessing(const Node &list, Value value) {
  if (list.kind != Node::Kind::Sequence) {
    values.error(list, "preprocess must be a list of layers, found " + ValueReader::describe(list));
    return nullptr;
  }
  if (list.items.size() > layerLimit) {
    values.error(list, "preprocess has more than " + std::to_string(layerLimit) + " layers");
    return nullptr;
  }
  NameScope names;
  for (const yaml::NodeRef &item : list.items) {
    LayerEntry entry = layers.read(*item, LayerRole::Preprocess, names);
    auto planned = plan(entry, value);
    value = planned ? create(entry, *planned, value) : nullptr;
  }
  return value;
}

void GraphBuilder::addNetwork(const Node &list) {
  if (list.kind != Node::Kind::Sequence || list.items.empty()) {
    if (list.kind == Node::Kind::Sequence)
      values.error(list, "network has no layers", "network: [flatten, linear: 10]");
    else
      values.error(list, "network must be a list of layers, found " + ValueReader::describe(list));
    network.previous = {{"", nullptr}};
    return;
  }
  network.list = &list;
  addEntries(network);
}

void GraphBuilder::addEntries(Scope &scope) {
  for (scope.position = 0; scope.position < scope.list->items.size(); ++scope.position) {
    const Node &item = *scope.list->items[scope.position];
    EntryForm form = formOf(item);
    if (const Block *block = form.kind ? blocks.find(form.kind->text) : nullptr) {
      addUse(*block, item, scope);
      continue;
    }
    if (layerCount++ == layerLimit)
      values.error(network.list ? *network.list : item,
                   "network has more than " + std::to_string(layerLimit) + " layers");
    if (layerCount > layerLimit) {
      scope.previous = {{"", nullptr}};
      return;
    }
    addLayer(item, scope);
  }
}

void GraphBuilder::addLayer(const Node &item, Scope &scope) {
  LayerEntry entry = layers.read(item, LayerRole::Layer, scope.names, blocks.names());
  Value result;
  if (entry.record) {
    auto sources = resolve(entry.find("from"), entry.label(), entry.name, scope);
    Values inputs;
    for (const Source &source : sources ? *sources : llvm::SmallVector<Source>())
      inputs.push_back(source.value);
    auto planned = sources ? plan(entry, inputs) : std::nullopt;
    auto parameters = planned ? variablesOf(entry, *planned, scope) : std::nullopt;
    if (!planned)
      policyOf(entry, scope); // for its messages
    if (parameters) {
      result = create(entry, *planned, inputs, *parameters);
      results.push_back({result, entry.label(), *entry.place, values.useText()});
      results.back().place.entries.clear();
    }
  }
  if (!entry.name.empty())
    named.emplace(entry.name, result);
  scope.previous = {{entry.name, result}};
}

void GraphBuilder::addUse(const Block &block, const Node &item, Scope &scope) {
  auto [place, settings] = formOf(item);
  bool isMap = settings && settings->kind == Node::Kind::Map;
  auto key = [&](const char *name) { return isMap ? settings->find(name) : nullptr; };
  int64_t times = 1;
  if (const Node *repeat = key("repeat"))
    times = values.whole(*repeat, block.name + ": repeat", 1, layerLimit).value_or(1);
  std::string base, label;
  std::vector<std::string> names;
  if (const Node *given = key("name"); given && key("repeat")) {
    // Named layer1 and repeated: layer1_1, layer1_2, and layer1 for the last of them.
    base = layers.nameOf(*place, block.name, given, scope.names);
    for (int64_t i = 1; i <= times; ++i) {
      names.push_back(base + "_" + std::to_string(i));
      auto [first, isNew] = scope.names.lines.emplace(names.back().substr(scope.names.prefix.size()), place->line);
      if (!isNew)
        values.error(*given, block.name + " '" + names.back() + "': there is a layer of this name already, in line " +
                                 std::to_string(first->second));
    }
  } else {
    for (int64_t i = 0; i < times; ++i)
      names.push_back(layers.nameOf(*place, block.name, given, scope.names));
    base = names.back();
  }
  label = block.name + " '" + (key("name") ? base : names.front()) + "'";
  auto sources = resolve(key("from"), label, base, scope);
  auto arguments = argumentsOf(block, *place, settings, label);
  if (std::find(scope.uses.begin(), scope.uses.end(), &block) != scope.uses.end()) {
    std::string chain;
    for (auto use = std::find(scope.uses.begin(), scope.uses.end(), &block); use != scope.uses.end(); ++use)
      chain += (*use)->name + ", which uses ";
    values.error(*place, label + ": a block must not use itself: " + chain + block.name);
    arguments.reset();
  } else if (scope.uses.size() >= useDepthLimit) {
    values.error(*place, label + ": blocks are nested deeper than " + std::to_string(useDepthLimit));
    arguments.reset();
  }
  Policy policy = policyOf(label, scope.policy, key);
  std::string shared;
  if (const Node *weights = key("weights"))
    shared = values.name(*weights, label + ": weights", false).value_or("");
  if (!arguments || !sources)
    sources = llvm::SmallVector<Source>{{"", nullptr}};
  scope.previous = *sources;
  for (size_t i = 0; i < names.size() && arguments && layerCount <= layerLimit; ++i) {
    Scope inner;
    inner.names.prefix = names[i] + ".";
    if (!shared.empty()) // repetitions share one by one
      inner.variables = sharedName(scope, key("repeat") ? shared + "_" + std::to_string(i + 1) : shared) + ".";
    else
      inner.variables = scope.variables + inner.names.prefix.substr(scope.names.prefix.size());
    inner.sharing = shared.empty() ? scope.sharing : key("weights");
    sharedFrom.emplace(names[i], inner.variables.substr(0, inner.variables.size() - 1));
    inner.policy = policy;
    inner.uses = scope.uses;
    inner.uses.push_back(&block);
    expand(block, *arguments, *place, scope, inner);
    named.emplace(names[i], scope.previous.front().value);
  }
  for (const std::string &name : names)
    named.emplace(name, Value());
  named.emplace(base, arguments ? scope.previous.front().value : Value());
}

std::optional<BlockArguments> GraphBuilder::argumentsOf(const Block &block, const Node &place, const Node *settings,
                                                        const std::string &label) {
  BlockArguments arguments;
  bool valid = true;
  std::vector<std::string> keys = block.parameterNames();
  bool isMap = settings && settings->kind == Node::Kind::Map;
  if (isMap) {
    keys.insert(keys.end(), blockUseKeys().begin(), blockUseKeys().end());
    valid = values.checkKeys(*settings, label, keys);
    for (const auto &[name, value] : settings->entries)
      arguments[name->text] = value;
  } else if (settings && !block.parameters.empty()) {
    arguments[keys.front()] = yaml::NodeRef(yaml::NodeRef(), settings); // kept by the file or an expansion
  } else if (settings) {
    values.error(*settings, label + ": takes no value, found " + ValueReader::describe(*settings),
                 "the block has no parameters");
    valid = false;
  }
  for (const auto &[name, value] : block.parameters) {
    yaml::NodeRef &argument = arguments[name];
    if (argument && argument->kind != Node::Kind::Null)
      continue;
    argument = value;
    if (value->kind != Node::Kind::Null)
      continue;
    valid = false;
    if (!isMap || !ValueReader::isMisspelt(*settings, name, keys))
      values.error(place, label + ": the parameter '" + name + "' is missing",
                   block.name + ": {" + name + ": VALUE}; it is declared in line " + std::to_string(block.place->line));
  }
  return valid ? std::optional(arguments) : std::nullopt;
}

void GraphBuilder::expand(const Block &block, const BlockArguments &arguments, const Node &place, Scope &scope,
                          Scope &inner) {
  yaml::NodeRef list = blocks.expand(block, arguments, place);
  if (!list) {
    scope.previous = {{"", nullptr}};
    return;
  }
  expansions.push_back(list);
  inner.list = list.get();
  inner.previous = scope.previous;
  for (size_t i = 0; i < inner.previous.size(); ++i) {
    std::string name = inner.previous.size() == 1 ? "input" : "input_" + std::to_string(i + 1);
    inner.inputs[name] = inner.previous[i];
    inner.names.lines.emplace(name, place.line);
  }
  ValueReader::Use use(values, block.name, place);
  addEntries(inner);
  scope.previous = inner.previous;
}

std::optional<llvm::SmallVector<Source>> GraphBuilder::resolve(const Node *from, const std::string &label,
                                                               const std::string &name, Scope &scope) {
  if (!from)
    return scope.previous;
  if (from->kind != Node::Kind::Scalar && (from->kind != Node::Kind::Sequence || from->items.empty())) {
    values.error(*from, label + ": from must be the name of a layer, or a list of names, found " +
                            (from->kind == Node::Kind::Sequence ? "an empty list" : ValueReader::describe(*from)));
    return std::nullopt;
  }
  llvm::SmallVector<Source> sources;
  bool valid = true;
  auto add = [&](const Node &node) {
    auto source = find(node, label, name, scope);
    valid &= source.has_value();
    sources.push_back(source.value_or(Source()));
  };
  if (from->kind == Node::Kind::Scalar)
    add(*from);
  for (const yaml::NodeRef &item : from->items)
    add(*item);
  return valid ? std::optional(sources) : std::nullopt;
}

std::optional<Source> GraphBuilder::find(const Node &node, const std::string &label, const std::string &name,
                                         Scope &scope) {
  if (node.kind != Node::Kind::Scalar) {
    values.error(node, label + ": from must be names of layers, found " + ValueReader::describe(node));
    return std::nullopt;
  }
  if (auto input = scope.inputs.find(node.text); input != scope.inputs.end())
    return input->second;
  if (auto found = named.find(scope.names.prefix + node.text); found != named.end())
    return Source{found->first, found->second};
  std::string text = label + ": from: ";
  if (scope.names.prefix + node.text == name && scope.list) {
    values.error(node, text + "a layer must not take its own output: that would be a cycle");
    return std::nullopt;
  }
  std::map<std::string, int> later = laterNames(scope);
  if (auto found = later.find(node.text); found != later.end()) {
    values.error(node,
                 text + "layer '" + yaml::shown(node.text) + "' stands later, in line " +
                     std::to_string(found->second) + ": that would be a cycle",
                 "a layer takes what stands before it");
    return std::nullopt;
  }
  std::vector<std::string> known;
  for (const auto &[each, line] : scope.names.lines)
    if (scope.names.prefix + each != name)
      known.push_back(each);
  std::string hint = didYouMean(node.text, known);
  if (hint.empty() && !scope.inputs.empty()) {
    hint = "layers before it by name, or ";
    for (const auto &[input, value] : scope.inputs)
      hint += "'" + input + "'" + (input == scope.inputs.rbegin()->first ? "" : ", ");
  }
  values.error(node, text + "no layer is called '" + yaml::shown(node.text) + "'", hint);
  return std::nullopt;
}

std::map<std::string, int> GraphBuilder::laterNames(const Scope &scope) {
  std::map<std::string, int> later;
  if (!scope.list)
    return later;
  std::map<std::string, int> counts;
  for (size_t i = 0; i < scope.list->items.size(); ++i) {
    EntryForm form = formOf(*scope.list->items[i]);
    if (!form.kind)
      continue;
    const LayerRecord *record = findLayer(form.kind->text);
    std::string kind = record ? record->name : form.kind->text;
    std::string name = kind + "_" + std::to_string(++counts[kind]);
    if (const Node *given = form.settings ? form.settings->find("name") : nullptr)
      name = given->text;
    if (i > scope.position)
      later.emplace(name, form.kind->line);
  }
  return later;
}

GraphBuilder::Policy GraphBuilder::policyOf(const LayerEntry &entry, const Scope &scope) {
  return policyOf(entry.label(), scope.policy, [&](const char *key) { return entry.find(key); });
}

GraphBuilder::Policy GraphBuilder::policyOf(const std::string &label, const Policy &outer,
                                            llvm::function_ref<const Node *(const char *)> find) {
  Policy policy = outer;
  if (const Node *trainable = find("trainable"))
    if (auto flag = values.flag(*trainable, label + ": trainable"))
      policy.trainable = flag;
  auto factor = [&](const char *key, double &value) {
    const Node *node = find(key);
    auto number = node ? values.number(*node, label + ": " + key) : std::nullopt;
    if (number && *number < 0)
      values.error(*node, label + ": " + key + " must be 0 or more, found " + ValueReader::describe(*node),
                   "it multiplies the optimizer's " + std::string(key));
    else if (number)
      value *= *number;
  };
  factor("learning_rate", policy.learningRate);
  factor("weight_decay", policy.weightDecay);
  return policy;
}

std::optional<nn::LayerPlan> GraphBuilder::plan(const LayerEntry &entry, llvm::ArrayRef<Value> inputs) {
  if (!entry.record)
    return std::nullopt;
  const LayerRecord &record = *entry.record;
  unsigned least = record.leastInputs(), most = record.mostInputs();
  if (inputs.size() < least || inputs.size() > most) {
    const Node *from = entry.find("from");
    std::string wanted = least == most          ? inputsText(least)
                         : inputs.size() > most ? "at most " + inputsText(most)
                                                : "at least " + inputsText(least);
    values.error(from ? *from : *entry.place,
                 entry.label() + ": takes " + wanted + ", found " + std::to_string(inputs.size()),
                 least == 1 ? "from: NAME" : "from: [NAME, NAME]");
    return std::nullopt;
  }
  if (!entry.attributes || llvm::is_contained(inputs, Value()))
    return std::nullopt;
  llvm::SmallVector<RankedTensorType> types;
  for (Value input : inputs)
    types.push_back(mlir::cast<RankedTensorType>(input.getType()));
  nn::LayerPlan plan;
  record.plan(types, entry.attributes, plan);
  for (const nn::LayerError &error : plan.errors) {
    auto value = entry.values.find(error.attribute);
    values.error(value == entry.values.end() ? *entry.place : *value->second, entry.label() + ": " + error.text,
                 error.hint);
  }
  return plan.errors.empty() ? std::optional(std::move(plan)) : std::nullopt;
}

Value GraphBuilder::create(const LayerEntry &entry, const nn::LayerPlan &plan, llvm::ArrayRef<Value> inputs,
                           llvm::ArrayRef<Value> parameters) {
  const LayerRecord &record = *entry.record;
  mlir::OperationState state(at(*entry.place, entry.name), "nn." + record.name);
  state.addOperands(inputs);
  state.addOperands(parameters);
  state.addTypes(plan.output);
  state.addAttributes(plan.attributes.getAttrs());
  if (record.isSegmented) {
    auto isGiven = [&](const std::string &operand) {
      return llvm::any_of(plan.parameters, [&](const nn::ParameterSpec &spec) {
        return operand == spec.suffix || operand == spec.suffix + "_value";
      });
    };
    unsigned single = llvm::count_if(record.operands, [](const LayerOperand &operand) {
      return operand.kind == OperandKind::Input || operand.kind == OperandKind::Target;
    });
    llvm::SmallVector<int32_t> segments;
    for (const LayerOperand &operand : record.operands)
      segments.push_back(operand.kind == OperandKind::Inputs      ? inputs.size() - single
                         : operand.kind == OperandKind::Parameter ? isGiven(operand.name)
                                                                  : operand.kind != OperandKind::Internal);
    state.addAttribute("operandSegmentSizes", builder.getDenseI32ArrayAttr(segments));
  }
  return builder.create(state)->getResult(0);
}

std::optional<llvm::SmallVector<Source>> GraphBuilder::sourcesOf(const LayerEntry &entry) {
  network.position = network.list ? network.list->items.size() : 0;
  return resolve(entry.find("from"), entry.label(), "", network);
}

bool GraphBuilder::isComplete() const {
  return llvm::all_of(named, [](const auto &each) { return each.second; });
}

void GraphBuilder::warnAboutUnused() {
  for (const Result &result : results)
    if (result.value && result.value.use_empty())
      values.warning(result.place,
                     result.label +
                         (result.label.starts_with("input ") ? ": nothing uses it" : ": nothing uses its output"),
                     result.use);
  for (const auto &[base, shared] : shares)
    if (shared.place && shared.layers == 1)
      values.warning(*shared.place, "weights '" + base + "': no other layer shares them");
  blocks.warnAboutUnused();
}

} // namespace sylvite
