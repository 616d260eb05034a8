//===- Winograd.cpp - nn-winograd: convolutions as transforms and products of tiles -------------------------------===//
//
// Rewrites each nn.conv2d and nn.conv3d whose `nn.algorithm` is winograd_MxM (codegen/Algorithms.cpp asks the schedule
// files) into nn.winograd_weight, _input, _product and _output.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/dialect/Layout.h"
#include "compiler/transforms/Passes.h"

using namespace mlir;

namespace sylvite::nn {
#define GEN_PASS_DEF_NNWINOGRAD
#include "compiler/transforms/Passes.h.inc"

/// Points of ops/Winograd.cpp, infinity among them: with more, rounding errors grow faster than products are saved.
static constexpr int64_t maxFrequencies = 8;

int64_t winogradTile(StringRef algorithm) {
  int64_t rows = 0, columns = 0;
  bool isWord = algorithm.consume_front("winograd_") && !algorithm.consumeInteger(10, rows) &&
                algorithm.consume_front("x") && !algorithm.getAsInteger(10, columns);
  return isWord && rows == columns && rows >= 2 && rows < maxFrequencies ? rows : 0;
}

/// Whether tiles of `tile` outputs under windows of `taps` have transforms.
static bool hasTransforms(int64_t tile, int64_t taps) {
  return tile >= 2 && taps >= 2 && tile + taps - 1 <= maxFrequencies;
}

bool fitsWinograd(Operation *op) {
  if (!isa<Conv2dOp, Conv3dOp>(op))
    return false;
  Window window = *windowOf(op);
  auto mode = op->getAttrOfType<StringAttr>("padding_mode");
  bool dense = llvm::all_of(ArrayRef(window.axes).take_front(window.rank),
                            [](const WindowAxis &along) { return along.stride == 1 && along.dilation == 1; });
  return window.axes[0].size == window.axes[1].size && hasTransforms(2, window.axes[0].size) && dense &&
         groupsOf(op) == 1 && (!mode || mode.getValue() == "zeros") && op->getOperand(1).getDefiningOp<VariableOp>();
}

namespace {

struct WinogradPass : impl::NnWinogradBase<WinogradPass> {
  void runOnOperation() override {
    for (Operation &op : llvm::make_early_inc_range(getOperation().getBody().front())) {
      auto algorithm = dyn_cast_or_null<StringAttr>(op.removeAttr("nn.algorithm"));
      if (!algorithm || !fitsWinograd(&op))
        continue;
      int64_t tile = winogradTile(algorithm.getValue());
      if (hasTransforms(tile, windowOf(&op)->axes[0].size))
        rewrite(&op, tile);
    }
  }

  static void rewrite(Operation *conv, int64_t tile) {
    OpBuilder builder(conv);
    Value images = conv->getOperand(0), weights = conv->getOperand(1);
    auto input = cast<RankedTensorType>(images.getType()), weight = cast<RankedTensorType>(weights.getType()),
         output = cast<RankedTensorType>(conv->getResult(0).getType());
    auto kernel = conv->getAttrOfType<DenseI64ArrayAttr>("kernel").asArrayRef(),
         padding = conv->getAttrOfType<DenseI64ArrayAttr>("padding").asArrayRef();
    const size_t rank = kernel.size();
    const int64_t frequencies = tile + kernel.back() - 1;
    // Outermost axis first. Along x and y tiles; along z, which the product sums over, pixels.
    auto perAxis = [&](auto alongXy, auto alongZ) {
      SmallVector<int64_t> numbers;
      for (size_t axis = 0; axis < rank; ++axis)
        numbers.push_back(axis + 2 < rank ? alongZ(axis) : alongXy(axis));
      return numbers;
    };
    auto constant = [](int64_t number) { return [number](size_t) { return number; }; };
    auto tilesOf = [&](size_t axis) { return (output.getDimSize(axis + 1) + tile - 1) / tile; };
    SmallVector<int64_t> inputTiles = perAxis(tilesOf, [&](size_t axis) { return input.getDimSize(axis + 1); });
    SmallVector<int64_t> tiles = perAxis(tilesOf, [&](size_t axis) { return output.getDimSize(axis + 1); });
    SmallVector<int64_t> size = perAxis(constant(frequencies), constant(1)),
                         step = perAxis(constant(tile), constant(1));
    SmallVector<int64_t> window = perAxis(constant(frequencies), [&](size_t axis) { return kernel[axis]; });
    SmallVector<int64_t> around(padding), beside(padding); // what the tiles reach beyond the image; what the sum does
    for (size_t side = 0; side < padding.size(); ++side)
      (side / 2 + 2 < rank ? around : beside)[side] = 0;
    auto image = [&](ArrayRef<int64_t> tiles, int64_t depth) {
      SmallVector<int64_t> shape{output.getDimSize(0)};
      for (auto [number, extent] : llvm::zip(tiles, size))
        shape.push_back(number * extent);
      shape.push_back(depth);
      return RankedTensorType::get(shape, output.getElementType(), output.getEncoding());
    };
    SmallVector<int64_t> shape(weight.getShape());
    shape.back() = shape[shape.size() - 2] = frequencies;
    auto transformed = WinogradWeightOp::create(builder, weights.getLoc(),
                                                RankedTensorType::get(shape, weight.getElementType()), weights, tile);
    auto inputs = WinogradInputOp::create(builder, conv->getLoc(), image(inputTiles, input.getShape().back()), images,
                                          tile, inputTiles, size, step, around, size);
    auto product = WinogradProductOp::create(builder, conv->getLoc(), image(tiles, output.getShape().back()), inputs,
                                             transformed, tiles, window, size, beside, size);
    Value bias = conv->getNumOperands() > 2 ? conv->getOperand(2) : Value();
    auto result =
        WinogradOutputOp::create(builder, conv->getLoc(), output, product, bias, tile, tiles, size, size, step);
    conv->replaceAllUsesWith(result);
    conv->erase();
  }
};

} // namespace
} // namespace sylvite::nn
