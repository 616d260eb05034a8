// The toy model in the shape that the environment asks for: TOY_BATCH, TOY_CLASSES, TOY_INPUT (uint8), TOY_SHAPE
// (28,28,1), TOY_DTYPE (float64), TOY_SEVERAL (1), TOY_TRAINING (JSON). Layer: tests.
#include "ToyModel.h"

#include <cstdlib>
#include <sstream>

extern "C" const syl_model *toyModel() {
  auto variable = [](const char *name) {
    const char *value = std::getenv(name);
    return std::string(value ? value : "");
  };
  toy::Options options;
  if (!variable("TOY_BATCH").empty())
    options.batch = std::stoi(variable("TOY_BATCH"));
  if (!variable("TOY_CLASSES").empty())
    options.classes = std::stoi(variable("TOY_CLASSES"));
  if (variable("TOY_INPUT") == "uint8")
    options.inputDtype = SYL_UINT8;
  if (variable("TOY_DTYPE") == "float64")
    options.dtype = SYL_FLOAT64;
  options.several = !variable("TOY_SEVERAL").empty();
  if (!variable("TOY_TRAINING").empty())
    options.training = variable("TOY_TRAINING");
  if (!variable("TOY_RATE").empty())
    options.learningRate = std::stod(variable("TOY_RATE"));
  if (!variable("TOY_SHAPE").empty()) {
    options.inputShape.clear();
    std::stringstream list(variable("TOY_SHAPE"));
    for (std::string extent; std::getline(list, extent, ',');)
      options.inputShape.push_back(std::stoll(extent));
  }
  static toy::Model model(options);
  return model.get();
}
