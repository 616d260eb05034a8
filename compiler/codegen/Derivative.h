//===- Derivative.h - the one place where derivatives come from ---------------------------------------------------===//
#ifndef SYLVITE_CODEGEN_DERIVATIVE_H
#define SYLVITE_CODEGEN_DERIVATIVE_H

#include "compiler/ops/Op.h"

namespace sylvite::codegen {

/// A derived Func and the Func whose adjoint it is.
struct AdjointFunc {
  Halide::Func of;
  int stage; ///< -1: of the pure definition, else after that update
  Halide::Func func;
};

/// Where the terms that an update of a gradient adds may differ from zero: the rest meets the zeros around the adjoint.
struct NonzeroTerms {
  int update;
  std::string rvar; ///< Halide's name of the one RVar that the condition is about
  Halide::Expr condition;
};

struct GradientResult {
  Halide::Func gradient;
  std::vector<NonzeroTerms> nonzero;
  std::vector<AdjointFunc> others; ///< adjoints of the Funcs between, in their order
};

/// The gradient of `output`, whose adjoint is `seed`, by `input`. `bounds` are (min, max), inclusive, of each dimension
/// of `output`, innermost first; `between` are the Funcs whose adjoints schedules may want to name. Throws
/// std::logic_error where nothing connects the two: Halide would say nothing.
GradientResult gradientOf(Halide::Func output, Halide::Func seed,
                          const std::vector<std::pair<Halide::Expr, Halide::Expr>> &bounds, Halide::Func input,
                          const std::vector<Halide::Func> &between);

} // namespace sylvite::codegen

#endif
