//===- Optimizers.cpp - the optimizers: settings, defaults, slots -------------------------------------------------===//
//
// Names and defaults are those of torch.optim; Lion's are of Chen et al., "Symbolic Discovery of Optimization
// Algorithms", 2023. Every optimizer has `decay_exempt`.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/Optimizers.h"

#include <algorithm>

namespace sylvite {

static OptimizerSetting number(std::string key, double otherwise) { return {key, {{key, otherwise}}}; }
static OptimizerSetting share(std::string key, double otherwise) { return {key, {{key, otherwise}}, 1}; }
static OptimizerSetting betas(double first, double second) {
  return {"betas", {{"beta1", first}, {"beta2", second}}, 1};
}
static OptimizerSetting flag(std::string key) {
  return {key, {{key, 0}}, std::numeric_limits<double>::infinity(), true};
}

const std::vector<OptimizerRecord> &optimizerRecords() {
  static const std::vector<OptimizerRecord> records = [] {
    std::vector<OptimizerRecord> all = {
        {"adam",
         {number("learning_rate", 1e-3), betas(0.9, 0.999), number("eps", 1e-8), number("weight_decay", 0),
          flag("amsgrad")},
         {{"exp_avg", "", ""}, {"exp_avg_sq", "", ""}, {"max_exp_avg_sq", "amsgrad", ""}}},
        {"adamw",
         {number("learning_rate", 1e-3), betas(0.9, 0.999), number("eps", 1e-8), number("weight_decay", 1e-2),
          flag("amsgrad")},
         {{"exp_avg", "", ""}, {"exp_avg_sq", "", ""}, {"max_exp_avg_sq", "amsgrad", ""}}},
        {"sgd",
         {number("learning_rate", 1e-3), number("momentum", 0), number("dampening", 0), number("weight_decay", 0),
          flag("nesterov")},
         {{"momentum_buffer", "momentum", ""}}},
        {"rmsprop",
         {number("learning_rate", 1e-2), share("alpha", 0.99), number("eps", 1e-8), number("weight_decay", 0),
          number("momentum", 0), flag("centered")},
         {{"square_avg", "", ""}, {"momentum_buffer", "momentum", ""}, {"grad_avg", "centered", ""}}},
        {"adagrad",
         {number("learning_rate", 1e-2), number("lr_decay", 0), number("weight_decay", 0),
          number("initial_accumulator_value", 0), number("eps", 1e-10)},
         {{"sum", "", "initial_accumulator_value"}}},
        {"lion", {number("learning_rate", 1e-4), betas(0.9, 0.99), number("weight_decay", 0)}, {{"exp_avg", "", ""}}},
    };
    for (OptimizerRecord &record : all)
      record.settings.push_back(flag("decay_exempt"));
    return all;
  }();
  return records;
}

const OptimizerRecord *findOptimizer(const std::string &name) {
  auto found = std::find_if(optimizerRecords().begin(), optimizerRecords().end(),
                            [&](const OptimizerRecord &each) { return each.name == name; });
  return found == optimizerRecords().end() ? nullptr : &*found;
}

} // namespace sylvite
