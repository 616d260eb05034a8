//===- Ends.cpp - what follows the network's layers: losses, metrics, predictions ---------------------------------===//
#include "compiler/frontend/Ends.h"

#include "compiler/frontend/Settings.h"
#include "compiler/support/Names.h"

#include <algorithm>

namespace sylvite {

using mlir::RankedTensorType;
using mlir::Value;
using yaml::Node;

void EndBuilder::build(nn::NetworkOp network) {
  const Node *node = file.find("loss");
  if (!node)
    return;
  if (node->kind != Node::Kind::Sequence)
    readLoss(*node);
  for (const yaml::NodeRef &item : node->items)
    readLoss(*item);
  if (losses.empty())
    reader.error(*node, "loss: the list is empty", "loss: cross_entropy");
  readMetrics(network);
  std::vector<std::string> words = outputWords();
  if (losses.empty() || llvm::any_of(losses, [](const Loss &loss) { return !loss.value; }))
    return;
  Values logits, predictions;
  Value total = sum(), correct = accuracy(network);
  std::vector<std::string> names;
  for (auto [loss, word] : llvm::zip(losses, words)) {
    logits.push_back(loss.sources.front().value);
    predictions.push_back(predict(loss, word));
    std::string name = losses.size() == 1 ? "output" : loss.sources.front().name;
    for (int number = 2; llvm::is_contained(names, name); ++number) // several losses on one layer
      name = loss.sources.front().name + "_" + std::to_string(number);
    names.push_back(name);
  }
  llvm::SmallVector<llvm::StringRef> nameList(names.begin(), names.end()), wordList(words.begin(), words.end());
  network.setOutputKind(words.front());
  network->setAttr("nn.output_names", builder.getStrArrayAttr(nameList));
  network->setAttr("nn.output_kinds", builder.getStrArrayAttr(wordList));
  const Node *output = file.find("output");
  nn::ReturnOp::create(builder, graph.at(output ? *output : *losses.front().entry.place, "output"), logits, total,
                       correct, predictions);
}

void EndBuilder::readLoss(const Node &node) {
  Loss &loss = losses.emplace_back();
  NameScope names;
  loss.entry = graph.reader().read(node, LayerRole::Loss, names);
  if (!loss.entry.record)
    return;
  bool valid = true;
  if (const Node *weight = loss.entry.find("weight")) {
    auto number = reader.number(*weight, loss.entry.label() + ": weight");
    valid &= number.has_value();
    loss.weight = number.value_or(1);
  }
  std::string target = "target";
  if (const Node *given = loss.entry.find("target")) {
    auto name = reader.name(*given, loss.entry.label() + ": target", false);
    valid &= name.has_value();
    target = name.value_or(target);
  }
  auto sources = graph.sourcesOf(loss.entry);
  if (!sources)
    return;
  loss.sources = *sources;
  Values inputs;
  for (const Source &source : loss.sources)
    inputs.push_back(source.value);
  auto plan = graph.plan(loss.entry, inputs);
  if (!plan || !valid)
    return;
  loss.plan = std::move(*plan);
  loss.target = targetOf(loss, target);
  if (!loss.target)
    return;
  inputs.push_back(loss.target);
  loss.value = graph.create(loss.entry, loss.plan, inputs);
}

Value EndBuilder::targetOf(const Loss &loss, const std::string &name) {
  auto found = targets.find(name);
  if (found == targets.end()) {
    auto op = nn::TargetOp::create(builder, graph.at(*loss.entry.place, name), loss.plan.target);
    op->setAttr("nn.name", builder.getStringAttr(name));
    if (loss.plan.classes)
      op->setAttr("nn.classes", builder.getI64IntegerAttr(loss.plan.classes));
    targets[name] = {op, loss.entry.place, loss.entry.record->name};
    return op;
  }
  nn::TargetOp op = found->second.op;
  auto classes = op->getAttrOfType<mlir::IntegerAttr>("nn.classes");
  if (op.getType() == loss.plan.target && (classes ? classes.getInt() : 0) == loss.plan.classes)
    return op;
  auto shown = [](RankedTensorType type, int64_t count) {
    return count ? "class numbers below " + std::to_string(count)
                 : std::string(type.getElementType().isInteger() ? "whole numbers" : "numbers") + " of the shape " +
                       nn::sampleShape(type);
  };
  const Node *target = loss.entry.find("target");
  reader.error(target ? *target : *loss.entry.place,
               loss.entry.label() + ": the target '" + name +
                   "' is of another kind here: " + shown(loss.plan.target, loss.plan.classes) + ", of " +
                   found->second.loss + " in line " + std::to_string(found->second.place->line) + " " +
                   shown(mlir::cast<RankedTensorType>(op.getType()), classes ? classes.getInt() : 0),
               "give one of the losses a target of its own: `target: NAME`");
  return nullptr;
}

Value EndBuilder::sum() {
  if (losses.size() == 1 && losses.front().weight == 1)
    return losses.front().value;
  Values values;
  llvm::SmallVector<double> weights;
  for (const Loss &loss : losses) {
    values.push_back(loss.value);
    weights.push_back(loss.weight);
  }
  return nn::LossSumOp::create(builder, graph.at(*file.find("loss"), "loss"), values.front().getType(), values,
                               weights);
}

void EndBuilder::readMetrics(nn::NetworkOp network) {
  std::vector<std::string> metrics;
  auto readOne = [&](const Node &item) {
    auto metric = readMetric(item);
    if (metric && std::find(metrics.begin(), metrics.end(), *metric) != metrics.end())
      reader.error(item, "metrics: '" + *metric + "' stands here twice");
    else if (metric)
      metrics.push_back(*metric);
  };
  const Node *node = file.find("metrics");
  if (node && node->kind != Node::Kind::Sequence)
    readOne(*node);
  else if (node)
    for (const yaml::NodeRef &item : node->items)
      readOne(*item);
  llvm::SmallVector<llvm::StringRef> list(metrics.begin(), metrics.end());
  network->setAttr("nn.metrics", builder.getStrArrayAttr(list));
}

std::optional<std::string> EndBuilder::readMetric(const Node &node) {
  std::string metric;
  int64_t rank = 0; // of top_k
  if (node.kind == Node::Kind::Map && node.entries.size() == 1 && node.entries[0].first->text == "top_k") {
    rank = reader.whole(*node.entries[0].second, "metrics: top_k", 1, nn::maxDimension).value_or(0);
    if (!rank)
      return std::nullopt;
    metric = "top_" + std::to_string(rank);
  } else if (node.kind == Node::Kind::Scalar && node.text.starts_with("top_") && node.text.size() > 4 &&
             node.text.size() < 14 && node.text.find_first_not_of("0123456789", 4) == std::string::npos &&
             node.text[4] != '0') {
    metric = node.text;
    rank = std::stoll(node.text.substr(4));
  } else if (node.kind == Node::Kind::Scalar && node.text == "top_k") {
    reader.error(node, "metrics: top_k needs a number", "top_5, or {top_k: 5}");
    return std::nullopt;
  } else if (auto word = reader.word(node, "metrics", metricNames())) {
    metric = *word;
  } else {
    return std::nullopt;
  }
  if (llvm::any_of(losses, [](const Loss &loss) { return !loss.value; }))
    return metric;
  int64_t classes = 0;
  bool hasLabels = false, hasNumbers = false;
  for (const Loss &loss : losses) {
    classes = std::max(classes, loss.plan.classes);
    bool isLabels = loss.entry.record->defaultOutput == "sigmoid"; // 0 and 1, the logits on their sides of 0
    hasLabels |= isLabels;
    hasNumbers |= loss.plan.classes == 0 && !isLabels;
  }
  auto [fits, wanted] = metric == "f1"                        ? std::pair(hasLabels, "labels of 0 and 1")
                        : metric == "mae" || metric == "rmse" ? std::pair(hasNumbers, "numbers")
                        : metric == "accuracy" ? std::pair(classes || hasLabels, "class numbers or labels of 0 and 1")
                                               : std::pair(classes != 0, "class numbers");
  if (!fits) {
    reader.error(node, "metrics: " + metric + " needs a loss whose targets are " + wanted);
    return std::nullopt;
  }
  if (rank > classes) {
    reader.error(node, "metrics: " + metric + " needs at least " + std::to_string(rank) + " classes, found " +
                           std::to_string(classes));
    return std::nullopt;
  }
  return metric;
}

Value EndBuilder::accuracy(nn::NetworkOp network) {
  auto metrics = network->getAttrOfType<mlir::ArrayAttr>("nn.metrics");
  const Loss &loss = losses.front();
  Value logits = loss.sources.front().value;
  auto type = mlir::cast<RankedTensorType>(logits.getType());
  if (losses.size() > 1 || !loss.plan.classes || type.getRank() != 2 || loss.plan.target.getRank() != 1 ||
      !llvm::is_contained(metrics, builder.getStringAttr("accuracy")))
    return nullptr;
  return nn::AccuracyOp::create(builder, graph.at(*file.find("metrics"), "accuracy"), loss.plan.target, logits,
                                loss.target);
}

std::vector<std::string> EndBuilder::outputWords() {
  std::vector<std::string> words;
  for (const Loss &loss : losses)
    words.push_back(loss.entry.record && !loss.entry.record->defaultOutput.empty() ? loss.entry.record->defaultOutput
                                                                                   : "linear");
  const Node *node = file.find("output");
  if (!node)
    return words;
  if (node->kind != Node::Kind::Map) {
    if (auto word = reader.word(*node, "output", outputKinds()))
      words.assign(losses.size(), *word);
    return words;
  }
  std::vector<std::string> names;
  for (const Loss &loss : losses)
    names.push_back(loss.sources.empty() ? "" : loss.sources.front().name);
  std::vector<std::string> known; // each once
  for (const std::string &name : names)
    if (!llvm::is_contained(known, name))
      known.push_back(name);
  if (llvm::is_contained(names, "")) // a loss has problems
    return words;
  for (const auto &[key, value] : node->entries) {
    auto word = reader.word(*value, "output: " + yaml::shown(key->text), outputKinds());
    if (!llvm::is_contained(names, key->text)) {
      std::string hint = didYouMean(key->text, known);
      reader.error(*key, "output: no loss takes a layer called '" + yaml::shown(key->text) + "'",
                   hint.empty() ? "losses take: " + join(known) : hint);
    }
    for (size_t i = 0; i < names.size(); ++i)
      if (word && names[i] == key->text)
        words[i] = *word;
  }
  return words;
}

Value EndBuilder::predict(const Loss &loss, const std::string &word) {
  Value logits = loss.sources.front().value;
  const Node *output = file.find("output");
  mlir::Location location = graph.at(output ? *output : *loss.entry.place, "output");
  if (word == "softmax")
    return nn::SoftmaxOp::create(builder, location, logits.getType(), logits, /*row_max=*/Value(),
                                 /*axis=*/mlir::IntegerAttr());
  if (word == "linear")
    return logits;
  LayerEntry entry; // a layer of the table
  entry.record = findLayer(word);
  entry.place = output ? output : loss.entry.place;
  entry.name = "output";
  entry.attributes = builder.getDictionaryAttr({});
  auto plan = graph.plan(entry, logits);
  assert(plan && "an elementwise layer takes any value");
  return graph.create(entry, *plan, logits);
}

} // namespace sylvite
