//===- Inputs.h - `input` and `inputs` of a network file ----------------------------------------------------------===//
//
// Names, shapes and types of what the caller passes. Layer: frontend; knows no MLIR.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_FRONTEND_INPUTS_H
#define SYLVITE_FRONTEND_INPUTS_H

#include "compiler/frontend/Values.h"

namespace sylvite {

/// One input: a sample is an array of this shape.
struct InputSettings {
  std::string name;
  const yaml::Node *place = nullptr; ///< the key that declares it
  const yaml::Node *settings = nullptr;
  std::vector<int64_t> shape;    ///< channels last; empty where it is not known
  std::string dtype = "float32"; ///< one of inputTypes()
  bool isChannelsFirst = false;  ///< the caller's array has its channels first
  /// How messages call it: `input`, or `input 'meta'` where there are several.
  std::string label() const;
};

/// The file's inputs, in its order; problems are reported.
std::vector<InputSettings> readInputs(const yaml::Node &file, ValueReader &reader);

const std::vector<std::string> &inputKeys();
const std::vector<std::string> &inputTypes();
const std::vector<std::string> &inputLayouts();

} // namespace sylvite

#endif
