//===- Parameters.cpp - variables of layers: made, shared, frozen, initialized ------------------------------------===//
//
// The part of GraphBuilder that reads `weights`, `init`, `trainable`, `learning_rate` and `weight_decay` of a layer.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/frontend/Graph.h"
#include "compiler/frontend/Initializers.h"

#include "llvm/Support/FormatVariadic.h"

namespace sylvite {

using mlir::Value;
using yaml::Node;

static std::string shapeText(llvm::ArrayRef<int64_t> shape) {
  return llvm::formatv("[{0:$[, ]}]", llvm::make_range(shape.begin(), shape.end())).str();
}

std::string GraphBuilder::sharedName(const Scope &scope, const std::string &name) const {
  auto found = sharedFrom.find(scope.names.prefix + name);
  return found == sharedFrom.end() ? scope.variables + name : found->second;
}

void GraphBuilder::readInitializers(const LayerEntry &entry, nn::LayerPlan &plan) {
  const Node *init = entry.find("init");
  if (!init)
    return;
  std::vector<std::string> known;
  for (const nn::ParameterSpec &spec : plan.parameters)
    if (spec.trained)
      known.push_back(spec.suffix);
  values.checkKeys(*init, entry.label() + ": init", known);
  for (nn::ParameterSpec &spec : plan.parameters)
    if (const Node *node = spec.trained ? init->find(spec.suffix) : nullptr)
      readInitializer(*node, entry.label() + ": init: " + spec.suffix, spec, values);
}

Value GraphBuilder::share(const LayerEntry &entry, const nn::ParameterSpec &spec, const std::string &name) {
  Variable &variable = variables.at(name);
  if (variable.owner == entry.label()) // two layers of one name: that has been reported
    return variable.op;
  const Node *weights = entry.find("weights");
  const Node &place = weights ? *weights : *entry.place;
  std::string owner = variable.owner + " in line " + std::to_string(variable.line);
  nn::VariableOp op = variable.op;
  auto shape = mlir::cast<mlir::RankedTensorType>(op.getType()).getShape();
  if (shape != llvm::ArrayRef(spec.shape)) {
    values.error(place,
                 entry.label() + ": needs the parameter '" + spec.suffix + "' in the shape " + shapeText(spec.shape) +
                     ", '" + name + "' has " + shapeText(shape),
                 "it is shared with " + owner);
    return nullptr;
  }
  if (!spec.trained) {
    values.error(place, entry.label() + ": running statistics cannot be shared, and '" + name + "' would be",
                 "give each layer statistics of its own, or share the layers before and after it");
    return nullptr;
  }
  for (const char *key : {"init", "trainable", "learning_rate", "weight_decay"})
    if (const Node *node = entry.find(key)) {
      values.error(*node, entry.label() + ": the key '" + key + "' belongs to the first layer that has the parameters",
                   "they are those of " + owner);
      return nullptr;
    }
  return op;
}

std::optional<Values> GraphBuilder::variablesOf(const LayerEntry &entry, nn::LayerPlan &plan, Scope &scope) {
  readInitializers(entry, plan);
  Policy policy = policyOf(entry, scope);
  const Node *weights = entry.find("weights");
  std::string base = scope.variables + entry.name.substr(scope.names.prefix.size());
  if (weights) {
    auto name = values.name(*weights, entry.label() + ": weights", false);
    if (!name)
      return std::nullopt;
    base = sharedName(scope, *name);
  }
  sharedFrom.emplace(entry.name, base);
  if (plan.parameters.empty())
    return Values();
  Share &sharing = shares[base];
  ++sharing.layers;
  if (!sharing.place)
    sharing.place = weights ? weights : scope.sharing;
  Values result;
  for (const nn::ParameterSpec &spec : plan.parameters) {
    std::string name = base + "." + spec.suffix;
    if (variables.contains(name)) {
      result.push_back(share(entry, spec, name));
      continue;
    }
    auto variable =
        nn::VariableOp::create(builder, at(*entry.place, entry.name), nn::tensorOf(nn::Kind::Whole, spec.shape, real),
                               name, spec.trained ? "parameter" : "buffer", spec.init, spec.initA, spec.initB);
    nn::setVariableDims(variable, spec.dims);
    bool isFrozen = spec.trained && !policy.trainable.value_or(true);
    variable.setInitCAttr(builder.getF64FloatAttr(spec.initC));
    variable.setInitDAttr(builder.getF64FloatAttr(spec.initD));
    variable.setFrozen(isFrozen);
    if (spec.trained) {
      variable.setRateScaleAttr(builder.getF64FloatAttr(policy.learningRate));
      variable.setDecayScaleAttr(builder.getF64FloatAttr(policy.weightDecay));
    }
    hasTrained |= spec.trained && !isFrozen;
    variables[name] = {variable, entry.label(), entry.place->line};
    result.push_back(variable);
  }
  return llvm::is_contained(result, Value()) ? std::nullopt : std::optional(result);
}

} // namespace sylvite
