//===- Winograd.cpp - nn.winograd_weight, _input, _product, _output: convolution by tiles -------------------------===//
//
// Transforms are products with small constant matrices along both axes, in two steps. `coefficient` is a table of
// selects that folds away where a schedule unrolls its coordinates. Images are read and written in phases (see View),
// so that output and derivative are pure in tile coordinates.
//
// Source: Lavin and Gray 2015; points 0, 1, -1 (and 2, -2).
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

namespace {

using Matrix = std::vector<std::vector<double>>;

/// Of inputs [a x a], weights [a x r] and outputs [m x a].
struct Matrices {
  Matrix input, weight, output;
};

/// Of tiles of `tile` outputs that are made of `frequencies`.
const Matrices &matrices(int tile, int frequencies) {
  static const Matrices two{{{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}},
                            {{1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5}, {0, 0, 1}},
                            {{1, 1, 1, 0}, {0, 1, -1, -1}}};
  static const Matrices four{{{4, 0, -5, 0, 1, 0},
                              {0, -4, -4, 1, 1, 0},
                              {0, 4, -4, -1, 1, 0},
                              {0, -2, -1, 2, 1, 0},
                              {0, 2, -1, -2, 1, 0},
                              {0, 4, 0, -5, 0, 1}},
                             {{.25, 0, 0},
                              {-1. / 6, -1. / 6, -1. / 6},
                              {-1. / 6, 1. / 6, -1. / 6},
                              {1. / 24, 1. / 12, 1. / 6},
                              {1. / 24, -1. / 12, 1. / 6},
                              {0, 0, 1}},
                             {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}}};
  static const Matrices twoOfFive{four.input, // the same points
                                  {{.25, 0, 0, 0, 0},
                                   {-1. / 6, -1. / 6, -1. / 6, -1. / 6, -1. / 6},
                                   {-1. / 6, 1. / 6, -1. / 6, 1. / 6, -1. / 6},
                                   {1. / 24, 1. / 12, 1. / 6, 1. / 3, 2. / 3},
                                   {1. / 24, -1. / 12, 1. / 6, -1. / 3, 2. / 3},
                                   {0, 0, 0, 0, 1}},
                                  {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 1}}};
  return tile == 4 ? four : frequencies == 6 ? twoOfFive : two;
}

/// matrix[row][column].
Expr coefficient(OpContext &context, const Matrix &matrix, Expr row, Expr column) {
  Expr table;
  for (int i = int(matrix.size()); i-- > 0;) {
    Expr line;
    for (int j = int(matrix[i].size()); j-- > 0;) {
      Expr value = context.constant(matrix[i][j]);
      line = line.defined() ? select(column == j, value, line) : value;
    }
    table = table.defined() ? select(row == i, line, table) : line;
  }
  return table;
}

/// Along one axis of a tile.
int frequenciesOf(OpContext &context) { return int(nn::windowOf(context.op)->axes[0].size); }

int tileOf(OpContext &context) { return int(context.op->getAttrOfType<mlir::IntegerAttr>("tile").getInt()); }

} // namespace

static std::vector<Value> winogradWeight(OpContext &context) {
  const Value &weight = context.operand(0);
  const int taps = int(weight.extents[2]), tile = tileOf(context);
  const Matrix &matrix = matrices(tile, tile + taps - 1).weight;
  Value result = weight;
  result.detached = nullptr;
  result.extents[2] = result.extents[3] = int64_t(matrix.size());
  std::vector<Var> d = weight.dims(); // o, c, kx, ky
  RDom r(0, taps, "r"), s(0, taps, "s");
  Func columns = context.func("columns");
  columns(d) = context.constant(0);
  columns(d) += coefficient(context, matrix, d[2], r) * weight.func(d[0], d[1], r, d[3]);
  result.func = context.func("frequencies");
  result.func(d) = context.constant(0);
  result.func(d) += coefficient(context, matrix, d[3], s) * columns(d[0], d[1], d[2], s);
  context.nameRVars(columns, {"r"});
  context.nameRVars(result.func, {"s"});
  return {result};
}
static Register registeredWeight("nn.winograd_weight", winogradWeight);

/// The image transformed along both axes: element (j, i) of tile (y, x) of `role` is `start` plus the sum over taps s,
/// r of matrix[j][s] * matrix[i][r] * pixel (s, r) of the tile. Tiles of the operand begin `step` pixels apart; where
/// that is less than their size, taps from `step` on are pixels of the next tile.
static std::vector<Value> transformed(OpContext &context, const Matrix &matrix, int step, const char *role,
                                      Expr start) {
  const Value &input = context.operand(0);
  const Vars &v = vars();
  Var i = v.phase[0], j = v.phase[1], x = v.axis[0], y = v.axis[1];
  int taps = int(matrix.front().size());
  RDom r(0, taps, "r"), s(0, taps, "s");
  auto phase = [&](RVar tap) { return step < taps ? tap % step : Expr(tap); };
  auto place = [&](Var tile, RVar tap) { return step < taps ? tile + tap / step : Expr(tile); };
  Func columns = context.func("columns"); // of all rows of the image
  columns(v.c, i, x, j, y, v.n) = context.constant(0);
  columns(v.c, i, x, j, y, v.n) +=
      coefficient(context, matrix, i, r) * input.func(v.c, phase(r), place(x, r), j, y, v.n);
  Value result = imageResult(context, role);
  result.func(v.c, i, x, j, y, v.n) = start;
  result.func(v.c, i, x, j, y, v.n) +=
      coefficient(context, matrix, j, s) * columns(v.c, i, x, phase(s), place(y, s), v.n);
  context.nameRVars(columns, {"r"});
  context.nameRVars(result.func, {"s"});
  return {result};
}

static std::vector<Value> winogradInput(OpContext &context) {
  int tile = tileOf(context);
  return transformed(context, matrices(tile, frequenciesOf(context)).input, tile, "frequencies", context.constant(0));
}
static Register registeredInput("nn.winograd_input", winogradInput);

static std::vector<Value> winogradProduct(OpContext &context) {
  const Value &input = context.operand(0), &weight = context.operand(1);
  const Vars &v = vars();
  Var i = v.phase[0], j = v.phase[1], x = v.axis[0], y = v.axis[1];
  Value result = startContraction(context, "product");
  RDom r(0, int(weight.extents[1]), "r");
  result.func(v.c, i, x, j, y, v.n) += weight.func(v.c, r, i, j) * input.func(r, i, x, j, y, v.n);
  context.nameRVars(result.func, {"rc"});
  context.nameGradientRVars(0, {"rc"});
  context.nameGradientRVars(1, {"rx", "ry", "rn"});
  return {result};
}
static Register registeredProduct("nn.winograd_product", winogradProduct);

static std::vector<Value> winogradOutput(OpContext &context) {
  int tile = tileOf(context);
  Expr bias = context.operandCount() > 1 ? context.operand(1).func(vars().c) : context.constant(0);
  return transformed(context, matrices(tile, frequenciesOf(context)).output, frequenciesOf(context), "image", bias);
}
static Register registeredOutput("nn.winograd_output", winogradOutput);

} // namespace sylvite::ops
