//===- Functions.cpp - functions of one number that activations and losses share ----------------------------------===//
//
// The rational approximations are those of the Cephes library (Moshier, netlib.org/cephes: tanh, ndtr, expm1), exact to
// 1e-15; in float they cost a few multiply-adds more than their short forms would.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Functions.h"

using namespace Halide;

namespace sylvite::ops {

static Expr constant(Expr like, double value) { return cast(like.type(), Expr(value)); }

/// The polynomial with these coefficients, the highest power first.
static Expr polynomial(Expr x, std::initializer_list<double> coefficients) {
  Expr sum;
  for (double each : coefficients)
    sum = sum.defined() ? sum * x + constant(x, each) : constant(x, each);
  return sum;
}

Expr magnitude(Expr x) { return select(x >= 0, x, -x); }

Expr expOfMinus(Expr x) { return exp(-magnitude(x)); }

Expr sigmoidOf(Expr x) {
  Expr small = expOfMinus(x), one = constant(x, 1);
  return select(x >= 0, one, small) / (one + small);
}

Expr tanhOf(Expr x) {
  Expr size = magnitude(x), one = constant(x, 1);
  Expr near = select(size < constant(x, 0.625), x, constant(x, 0)), square = near * near;
  Expr center =
      near +
      near * square *
          polynomial(square, {-9.64399179425052238628e-1, -9.92877231001918586564e1, -1.61468768441708447952e3}) /
          polynomial(square, {1, 1.12811678491632931402e2, 2.23548839060100448583e3, 4.84406305325125486048e3});
  Expr small = exp(constant(x, -2) * size), tail = (one - small) / (one + small);
  return select(size < constant(x, 0.625), center, select(x >= 0, tail, -tail));
}

Expr erfOf(Expr x) {
  Expr size = magnitude(x), one = constant(x, 1);
  Expr near = select(size < 1, x, constant(x, 0)), square = near * near;
  Expr center = near *
                polynomial(square, {9.60497373987051638749e0, 9.00260197203842689217e1, 2.23200534594684319226e3,
                                    7.00332514112805075473e3, 5.55923013010394962768e4}) /
                polynomial(square, {1, 3.35617141647503099647e1, 5.21357949780152679795e2, 4.59432382970980127987e3,
                                    2.26290000613890934246e4, 4.92673942608635921086e4});
  Expr far = select(size < 6, select(size >= 1, size, one), constant(x, 6)); // beyond, 1 - erf is below 1e-15
  Expr tail = exp(-far * far) *
              polynomial(far, {2.46196981473530512524e-10, 5.64189564831068821977e-1, 7.46321056442269912687e0,
                               4.86371970985681366614e1, 1.96520832956077098242e2, 5.26445194995477358631e2,
                               9.34528527171957607540e2, 1.02755188689515710272e3, 5.57535335369399327526e2}) /
              polynomial(far, {1, 1.32281951154744992508e1, 8.67072140885989742329e1, 3.54937778887819891062e2,
                               9.75708501743205489753e2, 1.82390916687909736289e3, 2.24633760818710981792e3,
                               1.65666309194161350182e3, 5.57535340817727675546e2});
  return select(size < 1, center, select(x >= 0, one - tail, tail - one));
}

Expr expMinusOne(Expr x) {
  Expr isNear = x > constant(x, -0.5);
  Expr near = select(isNear, x, constant(x, 0)), square = near * near;
  Expr odd = near * polynomial(square,
                               {1.2617719307481059087798e-4, 3.0299440770744196129956e-2, 9.9999999999999999991025e-1});
  Expr center = constant(x, 2) * odd /
                (polynomial(square, {3.0019850513866445504159e-6, 2.5244834034968410419224e-3,
                                     2.2726554820815502876593e-1, 2.0000000000000000000897e0}) -
                 odd);
  return select(isNear, center, exp(x) - constant(x, 1));
}

Expr softplusOf(Expr x) {
  // log(1 + w) = 2 artanh(w / (2 + w)): the series in s*s <= 1/9 keeps what log(1 + w) loses of a small w.
  Expr small = expOfMinus(x), s = small / (constant(x, 2) + small), square = s * s, sum;
  for (int power = x.type() == Float(64) ? 33 : 15; power > 0; power -= 2)
    sum = sum.defined() ? sum * square + constant(x, 1.0 / power) : constant(x, 1.0 / power);
  return select(x >= 0, x, constant(x, 0)) + constant(x, 2) * s * sum; // at 0 as in magnitude
}

} // namespace sylvite::ops
