//===- Winograd.cpp - nn.winograd_weight, _input, _product, _output: convolution by tiles -------------------------===//
//
// Transforms are products with small constant matrices along both axes, in two steps. `coefficient` is a table of
// selects that folds away where a schedule unrolls its coordinates. Images are read and written in phases (see View),
// so that output and derivative are pure in tile coordinates.
//
// Source: Lavin and Gray 2015.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/ops/Op.h"

#include <cmath>

using namespace Halide;

namespace sylvite::ops {

namespace {

using Matrix = std::vector<std::vector<double>>;

/// F(m x m, r x r) along one axis: of inputs [a x a], weights [a x r] and outputs [m x a], where a = m + r - 1.
struct Matrices {
  Matrix input, weight, output;
};

/// By Toom and Cook: a row is a point at which polynomials are multiplied, the last row their leading coefficients.
/// What interpolation divides by stands with the weights, which are transformed once a step.
Matrices matrices(int tile, int taps) {
  static constexpr double points[] = {0, 1, -1, 2, -2, .5, -.5}; // all transforms but that of weights are exact
  const size_t frequencies = size_t(tile + taps - 1), finite = frequencies - 1;
  auto zeros = [](size_t rows, size_t columns) { return Matrix(rows, std::vector<double>(columns)); };
  Matrices result{zeros(frequencies, frequencies), zeros(frequencies, size_t(taps)), zeros(size_t(tile), frequencies)};
  for (size_t row = 0; row < frequencies; ++row) {
    std::vector<double> &product = result.input[row]; // of x - q for all other points q, lowest power first
    double divisor = 1;
    product[0] = 1;
    for (size_t other = 0; other < finite; ++other) {
      if (other == row)
        continue;
      for (size_t power = frequencies; power-- > 0;)
        product[power] = (power ? product[power - 1] : 0) - points[other] * product[power];
      divisor *= row < finite ? points[row] - points[other] : 1;
    }
    auto power = [&](size_t exponent, int count) {
      return row < finite ? std::pow(points[row], exponent) : double(exponent + 1 == size_t(count));
    };
    for (size_t tap = 0; tap < size_t(taps); ++tap)
      result.weight[row][tap] = power(tap, taps) / divisor;
    for (size_t pixel = 0; pixel < size_t(tile); ++pixel)
      result.output[pixel][row] = power(pixel, tile);
  }
  return result;
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

/// Of a transform of images.
Matrices matricesOf(OpContext &context) {
  int tile = tileOf(context);
  return matrices(tile, frequenciesOf(context) - tile + 1);
}

} // namespace

static std::vector<Value> winogradWeight(OpContext &context) {
  const Value &weight = context.operand(0);
  const int taps = int(weight.extents[2]), tile = tileOf(context);
  const Matrix matrix = matrices(tile, taps).weight;
  Value result = weight;
  result.detached = nullptr;
  result.extents[2] = result.extents[3] = int64_t(matrix.size());
  std::vector<Var> d = weight.dims(); // o, c, kx, ky, perhaps kz
  auto at = [&](size_t dim, RVar tap) {
    std::vector<Expr> place(d.begin(), d.end());
    place[dim] = tap;
    return place;
  };
  RDom r(0, taps, "r"), s(0, taps, "s");
  Func columns = context.func("columns");
  columns(d) = context.constant(0);
  columns(d) += coefficient(context, matrix, d[2], r) * weight.func(at(2, r));
  result.func = context.func("frequencies");
  result.func(d) = context.constant(0);
  result.func(d) += coefficient(context, matrix, d[3], s) * columns(at(3, s));
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
  Value result = imageResult(context, role);
  std::vector<Var> dims = dimsOf(result.view); // c, i, x, j, y, perhaps those along z, n
  auto at = [&](const std::vector<Expr> &tiles) {
    std::vector<Expr> place(dims.begin(), dims.end());
    std::copy(tiles.begin(), tiles.end(), place.begin() + 1);
    return place;
  };
  Func columns = context.func("columns"); // of all rows of the image
  columns(dims) = context.constant(0);
  columns(dims) += coefficient(context, matrix, i, r) * input.func(at({phase(r), place(x, r), j, y}));
  result.func(dims) = start;
  result.func(dims) += coefficient(context, matrix, j, s) * columns(at({i, x, phase(s), place(y, s)}));
  context.nameRVars(columns, {"r"});
  context.nameRVars(result.func, {"s"});
  return {result};
}

static std::vector<Value> winogradInput(OpContext &context) {
  return transformed(context, matricesOf(context).input, tileOf(context), "frequencies", context.constant(0));
}
static Register registeredInput("nn.winograd_input", winogradInput);

static std::vector<Value> winogradProduct(OpContext &context) {
  const Value &input = context.operand(0), &weight = context.operand(1);
  const Vars &v = vars();
  Value result = startContraction(context, "product");
  std::vector<Var> dims = dimsOf(result.view);
  const bool deep = result.view.rank > 2;
  std::vector<Range> ranges{{0, int(weight.extents[1])}}; // input channels, taps along z
  if (deep)
    ranges.emplace_back(0, int(weight.extents[4]));
  RDom r(ranges, "r");
  std::vector<Expr> at(dims.begin(), dims.end()), weightAt{v.c, r[0], v.phase[0], v.phase[1]};
  at[0] = r[0];
  if (deep) {
    at[at.size() - 2] = v.axis[2] + r[1];
    weightAt.push_back(r[1]);
  }
  result.func(dims) += weight.func(weightAt) * input.func(at);
  std::vector<std::string> sums{"rc"}, pixels{"rx", "ry"};
  if (deep) {
    sums.push_back("rz");
    pixels.insert(pixels.end(), {"rzi", "rz"});
  }
  pixels.push_back("rn");
  context.nameRVars(result.func, sums);
  context.nameGradientRVars(0, sums);
  context.nameGradientRVars(1, pixels);
  return {result};
}
static Register registeredProduct("nn.winograd_product", winogradProduct);

static std::vector<Value> winogradOutput(OpContext &context) {
  Expr bias = context.operandCount() > 1 ? context.operand(1).func(vars().c) : context.constant(0);
  return transformed(context, matricesOf(context).output, frequenciesOf(context), "image", bias);
}
static Register registeredOutput("nn.winograd_output", winogradOutput);

} // namespace sylvite::ops
