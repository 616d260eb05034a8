//===- Derivative.cpp - gradients by Halide's reverse-mode automatic differentiation ------------------------------===//
#include "compiler/codegen/Derivative.h"

#include <stdexcept>

using namespace Halide;

namespace sylvite::codegen {

/// The call of `name` that a term, a product, has as a factor, or null.
static const Internal::Call *factorOf(const Expr &term, const std::string &name) {
  if (const auto *call = term.as<Internal::Call>())
    return call->name == name ? call : nullptr;
  if (const auto *guarded = term.as<Internal::Select>()) // zero elsewhere
    return Internal::is_const_zero(guarded->false_value) ? factorOf(guarded->true_value, name) : nullptr;
  if (const auto *product = term.as<Internal::Mul>()) {
    const Internal::Call *left = factorOf(product->a, name);
    return left ? left : factorOf(product->b, name);
  }
  return nullptr;
}

/// The names of the RVars in an expression.
static std::set<std::string> rvarsIn(const Expr &e) {
  struct Visitor : Internal::IRVisitor {
    std::set<std::string> names;
    using IRVisitor::visit;
    void visit(const Internal::Variable *variable) override {
      if (variable->reduction_domain.defined())
        names.insert(variable->name);
    }
  } visitor;
  e.accept(&visitor);
  return visitor.names;
}

/// Where the terms that the updates of a gradient add may differ from zero: the adjoint of the output is zero
/// outside of its bounds.
static std::vector<NonzeroTerms> nonzeroTerms(const Func &gradient, const Func &adjoint,
                                              const std::vector<std::pair<Expr, Expr>> &bounds) {
  std::vector<NonzeroTerms> result;
  for (int update = 0; update < gradient.num_update_definitions(); ++update) {
    if (gradient.update_values(update).size() != 1)
      continue;
    const auto *sum = gradient.update_value(update).as<Internal::Add>();
    const auto *self = sum ? sum->a.as<Internal::Call>() : nullptr;
    const auto *factor = self && self->name == gradient.name() ? factorOf(sum->b, adjoint.name()) : nullptr;
    if (!factor || factor->args.size() != bounds.size())
      continue;
    for (size_t d = 0; d < bounds.size(); ++d) {
      const Expr &at = factor->args[d];
      std::set<std::string> rvars = rvarsIn(at);
      if (rvars.size() == 1 && !at.as<Internal::Variable>())
        result.push_back({update, *rvars.begin(), at >= bounds[d].first && at <= bounds[d].second});
    }
  }
  return result;
}

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
  Func adjoint = derivative(output, output.num_update_definitions() - 1);
  if (adjoint.defined())
    result.nonzero = nonzeroTerms(result.gradient, adjoint, bounds);
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
