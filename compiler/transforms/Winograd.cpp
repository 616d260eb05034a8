//===- Winograd.cpp - nn-winograd: convolutions as transforms and products of tiles -------------------------------===//
//
// Rewrites each nn.conv2d of @train whose `nn.algorithm` is winograd_MxM (codegen/Algorithms.cpp asks the schedule
// files) into nn.winograd_weight, _input, _product and _output. Evaluation and prediction stay direct:
// weights would be transformed for a single pass.
//
//===--------------------------------------------------------------------------------------------------------------===//
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

bool fitsWinograd(Conv2dOp conv) {
  auto all = [](ArrayRef<int64_t> numbers, int64_t value) {
    return llvm::all_of(numbers, [&](int64_t n) { return n == value; });
  };
  int64_t taps = conv.getKernel()[0];
  return all(conv.getKernel(), taps) && hasTransforms(2, taps) && all(conv.getStride(), 1) &&
         all(conv.getDilation(), 1) && conv.getGroups() == 1 && conv.getPaddingMode() == "zeros" &&
         conv.getWeight().getDefiningOp<VariableOp>();
}

namespace {

struct WinogradPass : impl::NnWinogradBase<WinogradPass> {
  void runOnOperation() override {
    for (Conv2dOp conv : llvm::to_vector(getOperation().getBody().front().getOps<Conv2dOp>())) {
      auto algorithm = dyn_cast_or_null<StringAttr>(conv->removeAttr("nn.algorithm"));
      if (!algorithm || !fitsWinograd(conv) || getOperation().getSymName() != "train")
        continue;
      int64_t tile = winogradTile(algorithm.getValue());
      if (hasTransforms(tile, conv.getKernel()[0]))
        rewrite(conv, tile);
    }
  }

  static void rewrite(Conv2dOp conv, int64_t tile) {
    OpBuilder builder(conv);
    int64_t frequencies = tile + conv.getKernel()[0] - 1;
    auto output = cast<RankedTensorType>(conv.getResult().getType());
    auto weight = cast<RankedTensorType>(conv.getWeight().getType());
    ArrayRef<int64_t> shape = output.getShape();
    int64_t channels = weight.getDimSize(1), filters = weight.getDimSize(0);
    SmallVector<int64_t> tiles{(shape[1] + tile - 1) / tile, (shape[2] + tile - 1) / tile};
    SmallVector<int64_t> size(2, frequencies), step(2, tile);
    auto image = [&](int64_t depth) {
      return RankedTensorType::get({shape[0], tiles[0] * frequencies, tiles[1] * frequencies, depth},
                                   output.getElementType(), output.getEncoding());
    };
    auto transformed = WinogradWeightOp::create(
        builder, conv.getWeight().getLoc(),
        RankedTensorType::get({filters, channels, frequencies, frequencies}, weight.getElementType()), conv.getWeight(),
        tile);
    auto input = WinogradInputOp::create(builder, conv.getLoc(), image(channels), conv.getInput(), tile, tiles, size,
                                         step, conv.getPadding(), size);
    auto product =
        WinogradProductOp::create(builder, conv.getLoc(), image(filters), input, transformed, tiles, size, size, size);
    auto result = WinogradOutputOp::create(builder, conv.getLoc(), output, product, conv.getBiasValue(), tile, tiles,
                                           size, size, step);
    conv.getResult().replaceAllUsesWith(result);
    conv.erase();
  }
};

} // namespace
} // namespace sylvite::nn
