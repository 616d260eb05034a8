//===- Initializers.h - initial distributions of parameters -------------------------------------------------------===//
//
// What stands under `init` of a layer. Names, settings and formulas are those of torch.nn.init. Layer: frontend.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_FRONTEND_INITIALIZERS_H
#define SYLVITE_FRONTEND_INITIALIZERS_H

#include "compiler/dialect/Nn.h"
#include "compiler/frontend/Values.h"

namespace sylvite {

/// Sets the parameter's initial distribution to what `node` says; problems are reported. `what` names it in messages
/// (`conv2d 'stem': init: weight`).
void readInitializer(const yaml::Node &node, const std::string &what, nn::ParameterSpec &spec, ValueReader &reader);

/// All distributions, by name.
const std::vector<std::string> &initializerNames();

} // namespace sylvite

#endif
