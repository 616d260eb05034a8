//===- Functions.h - functions of one number that activations and losses share ------------------------------------===//
//
// Each is generic in the element type, vectorizes (no call per lane), neither overflows nor loses small values, and so
// do the derivatives that Halide takes of it: whatever stands in a select is finite on both sides, because the adjoint
// of the side that is not taken is 0 times its slope. Layer: ops.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef SYLVITE_OPS_FUNCTIONS_H
#define SYLVITE_OPS_FUNCTIONS_H

#include "Halide.h"

namespace sylvite::ops {

/// |x|, with slope 1 at 0.
Halide::Expr magnitude(Halide::Expr x);
/// exp(-|x|), from 0 to 1.
Halide::Expr expOfMinus(Halide::Expr x);
/// 1 / (1 + exp(-x)).
Halide::Expr sigmoidOf(Halide::Expr x);
Halide::Expr tanhOf(Halide::Expr x);
/// The error function; exact to the type's precision.
Halide::Expr erfOf(Halide::Expr x);
/// exp(x) - 1 for x <= 0.
Halide::Expr expMinusOne(Halide::Expr x);
/// log(1 + exp(x)).
Halide::Expr softplusOf(Halide::Expr x);

} // namespace sylvite::ops

#endif
