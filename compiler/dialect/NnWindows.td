//===- NnWindows.td - layers whose window slides over sequences, images and videos: convolutions and pools --------===//
//
// Each exists for one axis ([W, C]), two ([H, W, C]) and three ([D, H, W, C]); lists of numbers have one entry an axis,
// outermost first.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_DIALECT_NNWINDOWS_TD
#define SYLVITE_DIALECT_NNWINDOWS_TD

include "compiler/dialect/NnBase.td"

// What depends on the number of axes of a window.
class Nn_Axes<int count, Attr extents_, Attr sides_, string ones_, string zeros_> {
  int axes = count;
  string suffix = count # "d";
  Attr extents = extents_;
  Attr sides = sides_;
  string ones = ones_;
  string zeros = zeros_;
}
def Nn_Axes1 : Nn_Axes<1, Nn_Single, Nn_Padding1, "{1}", "{0, 0}">;
def Nn_Axes2 : Nn_Axes<2, Nn_Pair, Nn_Padding, "{1, 1}", "{0, 0, 0, 0}">;
def Nn_Axes3 : Nn_Axes<3, Nn_Triple, Nn_Padding3, "{1, 1, 1}", "{0, 0, 0, 0, 0, 0}">;

class Nn_Conv<Nn_Axes axes>
    : Nn_Layer<"conv" # axes.suffix, [Nn_Contraction, Nn_Windowed, Nn_KeepsZero], "filters"> {
  let summary = "convolution (cross-correlation) along " # axes.axes # " axes, with weights [filters, C / groups, kernel…]";
  let description = [{
    output[x, o] = bias[o] + sum over c, i of weight[o, c, i] * input[x * stride + i * dilation - before, c], for each
    axis, over the channels of the filter's group. `padding: same` gives ceil(size / stride) outputs, the odd pixel at
    the end. `padding_mode` says what the padding holds. Source: torch.nn.Conv1d, Conv2d, Conv3d.
  }];
  let hasCanonicalizer = 1; // padding of other modes than zeros becomes nn.pad
  dag windowArguments = (ins Nn_Tensor:$input, Nn_Parameter:$weight, Optional<Nn_Parameter>:$bias_value,
                         Nn_Count:$filters, axes.extents:$kernel,
                         DefaultValuedAttr<axes.extents, axes.ones>:$stride,
                         DefaultValuedAttr<axes.sides, axes.zeros>:$padding,
                         DefaultValuedStrAttr<Nn_Word<["zeros", "reflect", "replicate", "circular"]>, "zeros">:$padding_mode,
                         DefaultValuedAttr<axes.extents, axes.ones>:$dilation,
                         DefaultValuedAttr<Nn_Count, "1">:$groups, DefaultValuedAttr<Nn_Flag, "true">:$bias);
  let arguments = windowArguments;
}
def Nn_Conv1dOp : Nn_Conv<Nn_Axes1> {
  // A linear layer on each element of a sequence: its weights are [filters, C].
  let arguments = !con(windowArguments, (ins UnitAttr:$linear_weight));
}
def Nn_Conv2dOp : Nn_Conv<Nn_Axes2>;
def Nn_Conv3dOp : Nn_Conv<Nn_Axes3>;

class Nn_ConvTranspose<Nn_Axes axes>
    : Nn_Layer<"conv_transpose" # axes.suffix, [Nn_Contraction, Nn_Windowed, Nn_Transposed, Nn_KeepsZero], "filters"> {
  let summary = "transposed convolution along " # axes.axes # " axes, with weights [C, filters / groups, kernel…]";
  let description = [{
    The input gradient of a convolution as a layer: each input pixel adds weight[c, o, i] * input[x, c] to output pixel
    x * stride + i * dilation - before. Sizes: (size - 1) * stride + (kernel - 1) * dilation + 1 + output_padding less
    the padding; `padding: same` gives size * stride. Source: torch.nn.ConvTranspose1d, ConvTranspose2d, ConvTranspose3d.
  }];
  let arguments = (ins Nn_Tensor:$input, Nn_Parameter:$weight, Optional<Nn_Parameter>:$bias_value,
                   Nn_Count:$filters, axes.extents:$kernel, DefaultValuedAttr<axes.extents, axes.ones>:$stride,
                   DefaultValuedAttr<axes.sides, axes.zeros>:$padding, OptionalAttr<Nn_Integers>:$output_padding,
                   DefaultValuedAttr<axes.extents, axes.ones>:$dilation, DefaultValuedAttr<Nn_Count, "1">:$groups,
                   DefaultValuedAttr<Nn_Flag, "true">:$bias);
}
def Nn_ConvTranspose1dOp : Nn_ConvTranspose<Nn_Axes1>;
def Nn_ConvTranspose2dOp : Nn_ConvTranspose<Nn_Axes2>;
def Nn_ConvTranspose3dOp : Nn_ConvTranspose<Nn_Axes3>;

class Nn_MaxPool<Nn_Axes axes> : Nn_Layer<"max_pool" # axes.suffix, [Nn_Windowed, Nn_KeepsZero], "window"> {
  let summary = "largest value of each window; padding never wins; the gradient goes to the first maximum";
  let description = [{
    Output size floor((size + padding - window) / stride) + 1; with `ceil_mode` the quotient is rounded up, for windows
    that start within the input or the padding before it. The stride is the window where it is not given. Windows may
    overlap. Source: torch.nn.MaxPool1d, MaxPool2d, MaxPool3d.
  }];
  let arguments = (ins Nn_Tensor:$input, axes.extents:$window, OptionalAttr<axes.extents>:$stride,
                   DefaultValuedAttr<axes.sides, axes.zeros>:$padding, DefaultValuedAttr<Nn_Flag, "false">:$ceil_mode);
}
def Nn_MaxPool1dOp : Nn_MaxPool<Nn_Axes1>;
def Nn_MaxPool2dOp : Nn_MaxPool<Nn_Axes2>;
def Nn_MaxPool3dOp : Nn_MaxPool<Nn_Axes3>;

class Nn_AvgPool<Nn_Axes axes> : Nn_Layer<"avg_pool" # axes.suffix, [Nn_Windowed, Nn_KeepsZero], "window"> {
  let summary = "mean of each window";
  let description = [{
    Sizes are those of max_pool. The padding counts as zeros unless `count_include_pad` is false; what a window of
    `ceil_mode` reaches beyond the padding never counts. Source: torch.nn.AvgPool1d, AvgPool2d, AvgPool3d.
  }];
  let arguments = (ins Nn_Tensor:$input, axes.extents:$window, OptionalAttr<axes.extents>:$stride,
                   DefaultValuedAttr<axes.sides, axes.zeros>:$padding, DefaultValuedAttr<Nn_Flag, "false">:$ceil_mode,
                   DefaultValuedAttr<Nn_Flag, "true">:$count_include_pad);
}
def Nn_AvgPool1dOp : Nn_AvgPool<Nn_Axes1>;
def Nn_AvgPool2dOp : Nn_AvgPool<Nn_Axes2>;
def Nn_AvgPool3dOp : Nn_AvgPool<Nn_Axes3>;

def Nn_GlobalAvgPoolOp : Nn_Layer<"global_avg_pool", [Nn_KeepsZero]> {
  let summary = "mean of each channel over all pixels: [H, W, C] becomes [C]";
  let description = "Source: torch.nn.AdaptiveAvgPool2d(1) and torch.nn.Flatten; Tensor.mean((-2, -1)).";
  let arguments = (ins Nn_Tensor:$input);
}
def Nn_GlobalMaxPoolOp : Nn_Layer<"global_max_pool", [Nn_KeepsZero]> {
  let summary = "largest value of each channel over all pixels: [H, W, C] becomes [C]; the gradient goes to the first";
  let description = "Source: torch.nn.AdaptiveMaxPool2d(1) and torch.nn.Flatten.";
  let arguments = (ins Nn_Tensor:$input);
}
def Nn_AdaptiveAvgPoolOp : Nn_Layer<"adaptive_avg_pool", [Nn_KeepsZero], "size"> {
  let summary = "means over windows that cut each axis into `size` parts";
  let description = [{
    Output i is the mean of pixels floor(i * input / size) to ceil((i + 1) * input / size). `size`: one number, or one an
    axis. Source: torch.nn.AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d.
  }];
  let arguments = (ins Nn_Tensor:$input, Nn_Counts:$size);
}

#endif
