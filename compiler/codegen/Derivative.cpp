//===- Derivative.cpp - gradients by Halide's reverse-mode automatic differentiation ------------------------------===//
#include "compiler/codegen/Derivative.h"

#include <stdexcept>

using namespace Halide;

namespace sylvite::codegen {

GradientResult gradientOf(Func output, Func seed, const std::vector<std::pair<Expr, Expr>> &bounds, Func input,
                          const std::vector<Func> &between) {
  Region region; // Halide takes the bounds as min to min + extent inclusive, whatever the name says
  for (auto &[low, high] : bounds)
    region.emplace_back(low, Internal::simplify(high - low));
  Derivative derivative = propagate_adjoints(output, seed, region);
  GradientResult result;
  result.gradient = derivative(input);
  if (!result.gradient.defined())
    throw std::logic_error("no derivative of '" + output.name() + "' by '" + input.name() + "'");
  std::set<std::string> seen{result.gradient.name(), seed.name()};
  for (const Func &func : between)
    for (int stage = -1; stage < func.num_update_definitions(); ++stage) {
      Func adjoint = derivative(func, stage);
      if (adjoint.defined() && seen.insert(adjoint.name()).second)
        result.others.push_back({func, stage, adjoint});
    }
  return result;
}

} // namespace sylvite::codegen
