//===- Initializers.cpp - initial distributions of parameters -----------------------------------------------------===//
//
// Formulas are torch.nn.init's; fans are counted on the parameter's PyTorch shape, [out, in, kernel...].
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/frontend/Initializers.h"

#include "compiler/support/Names.h"

#include <algorithm>
#include <cmath>

namespace sylvite {

using yaml::Node;

namespace {

/// One distribution's settings in a file, read key by key.
class Initializer {
public:
  Initializer(const Node &place, const Node *settings, std::string what, nn::ParameterSpec &spec, ValueReader &reader)
      : place(place), settings(settings), what(std::move(what)), spec(spec), reader(reader) {}

  /// False after a message: the settings are no map of these keys.
  bool takes(const std::vector<std::string> &keys) {
    if (!settings || !keys.empty())
      return !settings || reader.checkKeys(*settings, what, keys);
    error("takes no settings, found " + ValueReader::describe(*settings));
    return false;
  }
  double number(const char *key, double otherwise) {
    const Node *node = settings ? settings->find(key) : nullptr;
    return node ? reader.number(*node, what + ": " + key).value_or(otherwise) : otherwise;
  }
  std::string word(const char *key, const std::vector<std::string> &words) {
    const Node *node = settings ? settings->find(key) : nullptr;
    return node ? reader.word(*node, what + ": " + key, words).value_or(words[0]) : words[0];
  }
  void error(const std::string &text, const std::string &hint = "") {
    reader.error(settings ? *settings : place, what + " " + text, hint);
  }
  /// False after a message: the parameter has fewer than two dimensions.
  bool hasFans() {
    if (spec.shape.size() >= 2)
      return true;
    error("needs a parameter of two dimensions or more, '" + spec.suffix + "' has " + std::to_string(spec.shape.size()),
          "normal, uniform, constant, zeros and ones take any");
    return false;
  }
  double fanIn() const { return double(spec.shape[1]) * kernelSize(); }
  double fanOut() const { return double(spec.shape[0]) * kernelSize(); }

  void set(const char *init, double a, double b = 0, double c = 0, double d = 0) {
    spec.init = init;
    spec.initA = a, spec.initB = b, spec.initC = c, spec.initD = d;
  }
  void setNormal(double mean, double deviation) {
    if (deviation < 0)
      error("must have a standard deviation of 0 or more, found " + std::to_string(deviation));
    else
      set("normal", mean, deviation);
  }
  /// A distribution around 0 of this standard deviation.
  void setSpread(bool isUniform, double deviation) {
    double bound = std::sqrt(3.0) * std::abs(deviation);
    isUniform ? set("uniform", -bound, bound) : set("normal", 0, std::abs(deviation));
  }

private:
  double kernelSize() const {
    double size = 1;
    for (size_t axis = 2; axis < spec.shape.size(); ++axis)
      size *= double(spec.shape[axis]);
    return size;
  }

  const Node &place;
  const Node *settings;
  std::string what;
  nn::ParameterSpec &spec;
  ValueReader &reader;
};

/// torch.nn.init.calculate_gain.
double gainOf(const std::string &nonlinearity, double a) {
  if (nonlinearity == "relu")
    return std::sqrt(2.0);
  if (nonlinearity == "leaky_relu")
    return std::sqrt(2 / (1 + a * a));
  if (nonlinearity == "tanh")
    return 5.0 / 3;
  return nonlinearity == "selu" ? 0.75 : 1;
}

void constant(Initializer &init) {
  if (init.takes({"value"}))
    init.set("constant", init.number("value", 0));
}
void zeros(Initializer &init) {
  if (init.takes({}))
    init.set("constant", 0);
}
void ones(Initializer &init) {
  if (init.takes({}))
    init.set("constant", 1);
}
void normal(Initializer &init) {
  if (init.takes({"mean", "std"}))
    init.setNormal(init.number("mean", 0), init.number("std", 1));
}
void uniform(Initializer &init) {
  if (!init.takes({"low", "high"}))
    return;
  double low = init.number("low", 0), high = init.number("high", 1);
  if (low > high)
    init.error("must have low <= high");
  else
    init.set("uniform", low, high);
}
void truncatedNormal(Initializer &init) {
  if (!init.takes({"mean", "std", "a", "b"}))
    return;
  double mean = init.number("mean", 0), deviation = init.number("std", 1), a = init.number("a", -2),
         b = init.number("b", 2);
  if (deviation <= 0)
    init.error("must have a positive standard deviation");
  else if (a >= b || a > mean + 8 * deviation || b < mean - 8 * deviation)
    init.error("must have a < b, and values of the normal distribution between them",
               "a and b are the least and the largest value, as in torch.nn.init.trunc_normal_");
  else
    init.set("truncated_normal", mean, deviation, a, b);
}
void orthogonal(Initializer &init) {
  if (init.takes({"gain"}) && init.hasFans())
    init.set("orthogonal", init.number("gain", 1));
}
template <bool isUniform> void xavier(Initializer &init) {
  if (init.takes({"gain"}) && init.hasFans())
    init.setSpread(isUniform, init.number("gain", 1) * std::sqrt(2 / (init.fanIn() + init.fanOut())));
}
template <bool isUniform> void kaiming(Initializer &init) {
  if (!init.takes({"nonlinearity", "mode", "a"}) || !init.hasFans())
    return;
  std::string nonlinearity = init.word("nonlinearity", {"leaky_relu", "relu", "linear", "sigmoid", "tanh", "selu"});
  bool isIn = init.word("mode", {"fan_in", "fan_out"}) == "fan_in";
  init.setSpread(isUniform, gainOf(nonlinearity, init.number("a", 0)) / std::sqrt(isIn ? init.fanIn() : init.fanOut()));
}
template <bool isUniform> void lecun(Initializer &init) {
  if (init.takes({}) && init.hasFans())
    init.setSpread(isUniform, 1 / std::sqrt(init.fanIn()));
}

const std::pair<const char *, void (*)(Initializer &)> initializers[] = {
    {"zeros", zeros},
    {"ones", ones},
    {"constant", constant},
    {"uniform", uniform},
    {"normal", normal},
    {"truncated_normal", truncatedNormal},
    {"xavier_uniform", xavier<true>},
    {"xavier_normal", xavier<false>},
    {"kaiming_uniform", kaiming<true>},
    {"kaiming_normal", kaiming<false>},
    {"lecun_uniform", lecun<true>},
    {"lecun_normal", lecun<false>},
    {"orthogonal", orthogonal},
};

} // namespace

const std::vector<std::string> &initializerNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> result;
    for (const auto &[name, function] : initializers)
      result.emplace_back(name);
    return result;
  }();
  return names;
}

void readInitializer(const Node &node, const std::string &what, nn::ParameterSpec &spec, ValueReader &reader) {
  bool isMap = node.kind == Node::Kind::Map;
  if (isMap && node.entries.size() != 1)
    return reader.error(node,
                        what + " must be one name with its settings, found a map of " +
                            std::to_string(node.entries.size()) + " keys",
                        "kaiming_normal: {mode: fan_out, nonlinearity: relu}");
  auto name = reader.word(isMap ? *node.entries[0].first : node, what, initializerNames());
  if (!name)
    return;
  const Node *settings =
      isMap && node.entries[0].second->kind != Node::Kind::Null ? node.entries[0].second.get() : nullptr;
  bool isBare = settings && settings->kind == Node::Kind::Scalar && *name == "constant"; // constant: 0.1
  if (isBare) {
    spec.init = "constant";
    spec.initA = reader.number(*settings, what + ": constant").value_or(0);
    spec.initB = 0;
    return;
  }
  Initializer init(isMap ? *node.entries[0].first : node, settings, what + ": " + *name, spec, reader);
  for (const auto &[known, read] : initializers)
    if (*name == known)
      return read(init);
}

} // namespace sylvite
