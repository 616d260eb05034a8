//===- Settings.cpp - the parts of a network file that are no layers ----------------------------------------------===//
//
// Layer: frontend; knows no MLIR.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/frontend/Settings.h"

#include "compiler/support/Names.h"

#include <algorithm>
#include <limits>

namespace sylvite {

using yaml::Node;

namespace {

constexpr int64_t most = std::numeric_limits<int32_t>::max();
constexpr double unbounded = std::numeric_limits<double>::infinity();

void readWeights(const Node &node, ValueReader &reader, Settings &settings) {
  auto text = [&](const Node &value, const std::string &what) {
    if (value.kind == Node::Kind::Scalar && !value.text.empty())
      return value.text;
    reader.error(value, what + ", found " + ValueReader::describe(value), "weights: {file: resnet18.safetensors}");
    return std::string();
  };
  if (node.kind != Node::Kind::Map) {
    settings.weightsFile = text(node, "weights must be the name of a safetensors file, or a map of file, prefix");
    return;
  }
  reader.checkKeys(node, "weights", weightsKeys());
  const Node *file = node.find("file"), *prefix = node.find("prefix");
  if (file)
    settings.weightsFile = text(*file, "weights: file must be the name of a safetensors file");
  else if (!ValueReader::isMisspelt(node, "file", weightsKeys()))
    reader.error(node, "weights: the key 'file' is missing", "weights: {file: resnet18.safetensors}");
  if (!prefix)
    return;
  if (prefix->kind != Node::Kind::Map)
    return reader.error(*prefix,
                        "weights: prefix must be a map of starts of names, found " + ValueReader::describe(*prefix),
                        "prefix: {backbone.: stem.}: what starts with `backbone.` in the file is `stem.` here");
  for (const auto &[from, to] : prefix->entries)
    if (to->kind == Node::Kind::Scalar || to->kind == Node::Kind::Null)
      settings.weightsPrefixes.emplace_back(from->text, to->text);
    else
      reader.error(*to, "weights: prefix: " + yaml::shown(from->text) + " must be the start of a name, found " +
                            ValueReader::describe(*to));
}

/// One number of an optimizer's setting, from 0 to below `below`.
void readRate(const Node &node, ValueReader &reader, const std::string &what, double below, double &value) {
  auto number = reader.number(node, what);
  if (!number)
    return;
  if (*number >= 0 && *number < below)
    value = *number;
  else
    reader.error(node, what +
                           (below == unbounded ? " must be 0 or more, found " : " must be from 0 to below 1, found ") +
                           reader.describe(node));
}

void readOptimizerSetting(const Node &node, ValueReader &reader, const std::string &what,
                          const OptimizerSetting &setting, double *values) {
  size_t count = setting.entries.size();
  if (setting.isFlag) {
    if (auto flag = reader.flag(node, what))
      values[0] = *flag;
    return;
  }
  if (count == 1)
    return readRate(node, reader, what, setting.below, values[0]);
  if (node.kind != Node::Kind::Sequence || node.items.size() != count)
    return reader.error(
        node, what + " must be a list of " + std::to_string(count) + " numbers, found " +
                  (node.kind == Node::Kind::Sequence ? std::to_string(node.items.size()) : reader.describe(node)));
  for (size_t i = 0; i < count; ++i)
    readRate(*node.items[i], reader, what, setting.below, values[i]);
}

/// As torch.optim.SGD demands.
void checkNesterov(const Node *given, ValueReader &reader, const Settings &settings) {
  auto value = [&](const std::string &key) {
    for (const auto &[name, number] : settings.optimizerSettings)
      if (name == key)
        return number;
    return 0.0;
  };
  if (value("nesterov") && (value("momentum") == 0 || value("dampening") != 0))
    reader.error(*given->find("nesterov"), settings.optimizer + ": nesterov needs a momentum and no dampening",
                 "sgd: {momentum: 0.9, nesterov: true}");
}

void readOptimizer(const Node &node, ValueReader &reader, Settings &settings) {
  std::vector<std::string> names;
  for (const OptimizerRecord &record : optimizerRecords())
    names.push_back(record.name);
  bool isMap = node.kind == Node::Kind::Map;
  if (isMap && node.entries.size() != 1)
    return reader.error(node,
                        "optimizer must be one name with its settings, found a map of " +
                            std::to_string(node.entries.size()) + " keys",
                        "optimizer: {adam: {learning_rate: 1e-3}}");
  auto name = reader.word(isMap ? *node.entries[0].first : node, "optimizer", names);
  if (!name)
    return;
  settings.optimizer = *name;
  const OptimizerRecord &record = *findOptimizer(*name);
  const Node *given =
      isMap && node.entries[0].second->kind != Node::Kind::Null ? node.entries[0].second.get() : nullptr;
  if (given) {
    std::vector<std::string> keys;
    for (const OptimizerSetting &setting : record.settings)
      keys.push_back(setting.key);
    reader.checkKeys(*given, *name, keys);
  }
  for (const OptimizerSetting &setting : record.settings) {
    std::vector<double> values;
    for (const auto &entry : setting.entries)
      values.push_back(entry.second);
    if (const Node *value = given ? given->find(setting.key) : nullptr)
      readOptimizerSetting(*value, reader, *name + ": " + setting.key, setting, values.data());
    if (setting.isFlag && !values[0])
      continue; // absent: off
    for (size_t i = 0; i < values.size(); ++i)
      settings.optimizerSettings.emplace_back(setting.entries[i].first, values[i]);
  }
  checkNesterov(given, reader, settings);
}

void readTraining(const Node &node, ValueReader &reader, Settings &settings) {
  reader.checkKeys(node, "training", trainingKeys());
  if (const Node *value = node.find("batch"))
    settings.batch = reader.whole(*value, "training: batch", 1, most).value_or(settings.batch);
  if (const Node *value = node.find("epochs"))
    settings.epochs = reader.whole(*value, "training: epochs", 1, most).value_or(settings.epochs);
  if (const Node *value = node.find("seed"))
    settings.seed = reader.wholeUnsigned(*value, "training: seed").value_or(settings.seed);
  settings.policies = readPolicies(node, reader);
}

} // namespace

const std::vector<std::string> &topLevelKeys() {
  static const std::vector<std::string> keys = {"name", "input",  "inputs",  "preprocess", "blocks",   "network",
                                                "loss", "output", "metrics", "optimizer",  "training", "weights"};
  return keys;
}
const std::vector<std::string> &trainingKeys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> all = {"batch", "epochs", "seed"};
    all.insert(all.end(), policyKeys().begin(), policyKeys().end());
    return all;
  }();
  return keys;
}
const std::vector<std::string> &weightsKeys() {
  static const std::vector<std::string> keys = {"file", "prefix"};
  return keys;
}
const std::vector<std::string> &outputKinds() {
  static const std::vector<std::string> kinds = {"softmax", "sigmoid", "linear"};
  return kinds;
}
const std::vector<std::string> &metricNames() {
  static const std::vector<std::string> names = {"accuracy", "top_k", "mae", "rmse", "f1", "per_class", "confusion"};
  return names;
}
Settings readSettings(const Node &file, ValueReader &reader, int64_t batch) {
  Settings settings;
  reader.checkKeys(file, "", topLevelKeys());
  static const std::pair<const char *, const char *> required[] = {
      {"name", "name: my_network"},
      {"input", "input: {shape: [28, 28, 1], dtype: uint8}"},
      {"network", "network: [flatten, linear: 10]"},
      {"loss", "loss: cross_entropy"},
      {"optimizer", "optimizer: {adam: {learning_rate: 1e-3}}"}};
  for (auto [key, example] : required)
    if (!file.find(key) && !(key == std::string("input") && file.find("inputs")) &&
        !reader.isMisspelt(file, key, topLevelKeys()))
      reader.error(file, std::string("the key '") + key + "' is missing", example);
  if (const Node *node = file.find("name"))
    settings.name = reader.name(*node, "name", true).value_or("");
  if (const Node *node = file.find("optimizer"))
    readOptimizer(*node, reader, settings);
  if (const Node *node = file.find("training"))
    readTraining(*node, reader, settings);
  if (const Node *node = file.find("weights"))
    readWeights(*node, reader, settings);
  if (batch < 0 || batch > most)
    reader.error("the batch must be from 1 to " + std::to_string(most) + ", found " + std::to_string(batch));
  else if (batch > 0)
    settings.batch = batch;
  return settings;
}

} // namespace sylvite
