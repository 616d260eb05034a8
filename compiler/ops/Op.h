//===- Op.h - what an op's forward definition works with ----------------------------------------------------------===//
//
// Each op of the nn dialect has one definition, its forward, in a file of this folder; it registers itself by name. The
// backward is derived from it in codegen. Layer: ops; uses the dialect and Halide, holds no schedule.
//
// Shapes in documentation run outermost first ([N, H, W, C]); Halide Vars run innermost first: c, x, y, n. Inside a
// region an image has the coordinates of its View: (c, x, y, n), or (c, xi, x, yi, y, n) with stride phases; a sequence
// has no y, a video a z beside it; a grouped layer sees (c, g, …), channels of a group and groups. A vector is (c, n),
// one number a sample is (n). Weights are (o, c, kx, ky), (o, k), (o, g, c, kx, ky), or as their ParameterSpec says;
// per-channel tensors (c) or (c, j); per-slice sums (c, j, s), or (c, j) where a kernel sees one slice.
//
// Definitions are generic in the element type (float, or double for gradient checks): cast constants with `constant`.
// Write select(a >= b, a, b) for a maximum and select(x > 0, x, 0) for a ReLU: max() sends ties both ways.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef SYLVITE_OPS_OP_H
#define SYLVITE_OPS_OP_H

#include "compiler/dialect/Layout.h"
#include "compiler/dialect/Nn.h"

#include "Halide.h"

namespace sylvite::ops {

/// The Vars of every definition.
struct Vars {
  Halide::Var c{"c"}, g{"g"}, n{"n"}, o{"o"}, k{"k"}, j{"j"}, s{"s"}, i{"i"};
  Halide::Var x{"x"}, y{"y"}, z{"z"}, xi{"xi"}, yi{"yi"}, zi{"zi"};
  Halide::Var axis[nn::maxAxes] = {x, y, z}, phase[nn::maxAxes] = {xi, yi, zi};
};
const Vars &vars();
/// The Vars of a value of Kind::Batch in the coordinates of a view: (c, x, y, n), (c, g, xi, x, n), (c, n), …
std::vector<Halide::Var> dimsOf(const nn::View &view);

/// A value inside a region: a Func in the coordinates of its view.
struct Value {
  Halide::Func func;
  nn::Kind kind = nn::Kind::Whole;
  nn::View view;                ///< Kind::Batch
  std::vector<int64_t> extents; ///< physical, innermost first; of Whole, Slices and Partial values
  /// The value read past its Func, as a constant of the backward pass; empty for values that the region computes.
  std::function<Halide::Expr(std::vector<Halide::Expr>)> detached;

  /// Pure Vars of the Func, e.g. (c, x, y, n).
  std::vector<Halide::Var> dims() const { return func.args(); }
  /// The value at dims().
  Halide::Expr here() const;
};

/// What a kernel is told at each call.
struct Scalars {
  Halide::Expr images, batch, firstSample, step, learningRateScale, stepsPerEpoch, seed;
};

/// What surrounds the op that is being defined.
class OpContext {
public:
  OpContext(mlir::Operation *op, std::vector<Value> operands, Halide::Type type, Scalars scalars,
            int64_t samplesPerSlice, std::function<Halide::Func(std::string)> makeFunc);

  mlir::Operation *op;
  /// Whether the derivative of this op is taken.
  bool differentiated() const { return mlir::isa<nn::VjpOp>(op->getParentOp()); }
  /// Operand `index` of the op, absent optional operands not counted.
  const Value &operand(unsigned index) const { return operands.at(index); }
  unsigned operandCount() const { return operands.size(); }
  Halide::Type type() const { return elementType; }
  /// A number of the element type.
  Halide::Expr constant(double value) const { return Halide::cast(elementType, Halide::Expr(value)); }
  Halide::Expr images() const { return scalars.images; } ///< samples that this call works on
  Halide::Expr batch() const { return scalars.batch; }   ///< samples of the whole step
  /// Place in the batch of this call's first sample: sample n of the call is sample firstSample() + n of the batch.
  Halide::Expr firstSample() const { return scalars.firstSample; }
  Halide::Expr step() const { return scalars.step; } ///< number of this training step, from 1; float64
  Halide::Expr learningRateScale() const { return scalars.learningRateScale; } ///< float64
  Halide::Expr stepsPerEpoch() const { return scalars.stepsPerEpoch; }         ///< float64; 0: unknown
  Halide::Expr seed() const { return scalars.seed; } ///< of the state, as init was given it; uint64
  int64_t samplesPerSlice() const { return sliceSamples; }

  /// A new Func under a role name that schedules can use: `role`, or `role_2`, … where it is taken.
  Halide::Func func(const std::string &role) { return makeFunc(role); }
  /// Names for the RVars of the reduction that the derivative by operand `index` becomes, in Halide's order.
  void nameGradientRVars(unsigned index, std::vector<std::string> names) { gradientRVars[index] = std::move(names); }
  /// Names for the RVars of a Func's update, for schedules.
  void nameRVars(const Halide::Func &func, std::vector<std::string> names) {
    rvarNames[func.name()] = std::move(names);
  }

  std::map<unsigned, std::vector<std::string>> gradientRVars;
  std::map<std::string, std::vector<std::string>> rvarNames;

private:
  std::vector<Value> operands;
  Halide::Type elementType;
  Scalars scalars;
  int64_t sliceSamples;
  std::function<Halide::Func(std::string)> makeFunc;
};

/// A definition gives the op's results.
using Definition = std::vector<Value> (*)(OpContext &);

/// Registers the definition of an op, e.g. `static Register r("nn.relu", relu);`.
struct Register {
  Register(const char *name, Definition definition);
};
/// The definition of an op of this name, or null.
Definition find(llvm::StringRef name);

// ---- building blocks

/// A value whose every element is `element(input's element, channel)`, in the input's coordinates.
Value mapElements(OpContext &context, const Value &input, const std::string &role,
                  const std::function<Halide::Expr(Halide::Expr, Halide::Expr)> &element);

/// The input of a windowed op at output pixel `at` and tap `tap`, one of each for each axis, innermost first: pixel
/// at * stride + tap * dilation of each axis, counted from the first pixel of padding. `channel` is (c) or (c, g).
Halide::Expr pixel(const Value &input, const nn::Window &window, const std::vector<Halide::Expr> &channel,
                   const std::vector<Halide::Expr> &at, const std::vector<Halide::Expr> &tap, Halide::Expr n);
/// Whether that pixel lies in the image, not in its padding; undefined where the window never reaches the padding.
Halide::Expr insideImage(const nn::View &view, const nn::Window &window, const std::vector<Halide::Expr> &at,
                         const std::vector<Halide::Expr> &tap);

/// The result of a contraction with weights, its Func `role` starting from the bias (operand 2) or 0; the caller adds
/// the products as update 0.
Value startContraction(OpContext &context, const std::string &role);

/// One number a sample.
Value perSample(Halide::Func func);
/// A result of Kind::Batch in the natural coordinates of its type, its Func named `role` and not yet defined.
Value imageResult(OpContext &context, const std::string &role);

} // namespace sylvite::ops

#endif
