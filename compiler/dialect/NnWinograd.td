//===- NnWinograd.td - a convolution as transforms and products of tiles ----------------------------------------------===//
//
// F(m x m, r x r) with m = `tile` and a = m + r - 1: an image is cut into tiles of m x m outputs; the a x a inputs of a tile
// and the weights go through linear transforms, are multiplied frequency by frequency, and the products are transformed
// back. Transformed images are [N, a * TY, a * TX, C]: pixel (a * ty + j, a * tx + i) is frequency (j, i) of tile (ty, tx),
// so that regions see the frequencies as stride phases. nn-winograd makes these ops of nn.conv2d and nn.conv3d; images of the
// latter are [N, Z, a * TY, a * TX, C], and the product is a sum over the window's taps along z, too.
//
// Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_DIALECT_NNWINOGRAD_TD
#define SYLVITE_DIALECT_NNWINOGRAD_TD

include "compiler/dialect/NnBase.td"

// `tiles` is [TY, TX] or [Z, TY, TX]; `result_stride` the phases in which the result is written: a for transformed images, m for the output.
class Nn_Winograd<string mnemonic, list<Trait> traits> : Nn_PureOp<"winograd_" # mnemonic, traits # [Nn_KeepsZero]> {
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def Nn_WinogradWeightOp : Nn_Winograd<"weight", [Nn_Linear, Nn_WholeWeights]> {
  let summary = "weights [K, C, r, r] as frequencies [K, C, a, a]; those of a tap along z each by itself";
  let arguments = (ins Nn_Tensor:$weight, I64Attr:$tile);
}

def Nn_WinogradInputOp : Nn_Winograd<"input", [Nn_Linear, Nn_Windowed, Nn_Tiled, Nn_Recomputed]> {
  let summary = "the frequencies of each tile of an image; cheap, hence computed again for the backward pass";
  let arguments = (ins Nn_Tensor:$input, I64Attr:$tile, DenseI64ArrayAttr:$tiles, DenseI64ArrayAttr:$window,
                   DenseI64ArrayAttr:$stride, DenseI64ArrayAttr:$padding, DenseI64ArrayAttr:$result_stride);
}

def Nn_WinogradProductOp : Nn_Winograd<"product", [Nn_Contraction, Nn_Windowed, Nn_Tiled]> {
  let summary = "for each frequency and tile, the sum over input channels of transformed weights times transformed inputs";
  let arguments = (ins Nn_Tensor:$input, Nn_Tensor:$weight, DenseI64ArrayAttr:$tiles, DenseI64ArrayAttr:$window,
                   DenseI64ArrayAttr:$stride, DenseI64ArrayAttr:$padding, DenseI64ArrayAttr:$result_stride);
}

def Nn_WinogradOutputOp : Nn_Winograd<"output", [Nn_Linear, Nn_Windowed, Nn_Tiled]> {
  let summary = "the image of which the products are the frequencies, plus the bias";
  let arguments = (ins Nn_Tensor:$input, Optional<Nn_Tensor>:$bias, I64Attr:$tile, DenseI64ArrayAttr:$tiles,
                   DenseI64ArrayAttr:$window, DenseI64ArrayAttr:$stride, DenseI64ArrayAttr:$result_stride);
}

#endif
