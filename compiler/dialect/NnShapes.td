//===- NnShapes.td - layers that move elements --------------------------------------------------------------------===//

#ifndef SYLVITE_DIALECT_NNSHAPES_TD
#define SYLVITE_DIALECT_NNSHAPES_TD

include "compiler/dialect/NnBase.td"

def Nn_PadOp : Nn_Layer<"pad", [Nn_Reindexing], "padding"> {
  let summary = "pixels around a sequence, an image or a video";
  let description = [{
    `padding`: one number for all sides, one an axis, or two an axis ([top, bottom, left, right]), axes outermost first.
    `mode`: what the pixels hold: `value`, the image mirrored at its edge pixel (reflect), its edge pixel (replicate), or
    the image again (circular). Source: torch.nn.functional.pad.
  }];
  let arguments = (ins Nn_Tensor:$input, Nn_Integers:$padding,
                   DefaultValuedStrAttr<Nn_Word<["constant", "reflect", "replicate", "circular"]>, "constant">:$mode,
                   DefaultValuedAttr<Nn_Number, "0.0">:$value);
}

def Nn_CropOp : Nn_Layer<"crop", [Nn_Reindexing, Nn_KeepsZero], "margin"> {
  let summary = "a sequence, an image or a video without the pixels at its edges";
  let description = [{
    `margin`: pixels cut off: one number for all sides, one an axis, or two an axis ([top, bottom, left, right]), axes
    outermost first. Source: torch.nn.functional.pad with negative padding.
  }];
  let arguments = (ins Nn_Tensor:$input, Nn_Integers:$margin);
}

def Nn_ConcatOp : Nn_Layer<"concat", [Nn_Reindexing], "axis", 0> {
  let summary = "its inputs one after the other along an axis";
  let description = [{
    `axis` counts H, W, C (D, H, W, C; W, C); negative numbers from the end, so that -1, the default, is the channels.
    All other extents are equal. Source: torch.cat.
  }];
  let arguments = (ins Variadic<Nn_Tensor>:$inputs, DefaultValuedAttr<Nn_Integer, "-1">:$axis);
}

def Nn_SliceOp : Nn_Layer<"slice", [Nn_Reindexing]> {
  let summary = "indices begin to end (not included) of an axis";
  let description = [{
    `axis` counts as concat's; negative `begin` and `end` count from the end of the axis, which is the default of `end`.
    Source: torch.Tensor.narrow, slicing.
  }];
  let arguments = (ins Nn_Tensor:$input, DefaultValuedAttr<Nn_Integer, "-1">:$axis,
                   DefaultValuedAttr<Nn_Integer, "0">:$begin, OptionalAttr<Nn_Integer>:$end);
}

def Nn_PermuteOp : Nn_Layer<"permute", [Nn_Reindexing], "axes"> {
  let summary = "axes in another order: axis i of the output is axis axes[i] of the input";
  let description = "Axes count H, W, C, from 0. Source: torch.permute.";
  let arguments = (ins Nn_Tensor:$input, Nn_Integers:$axes);
}

def Nn_ReshapeOp : Nn_Layer<"reshape", [Nn_Reindexing], "shape"> {
  let summary = "the same elements in another shape";
  let description = [{
    `shape` is [H, W, C] (or of another rank); elements keep PyTorch's order C, H, W, as in flatten. One extent may be -1:
    what remains. Source: torch.reshape.
  }];
  let arguments = (ins Nn_Tensor:$input, Nn_Integers:$shape);
}

def Nn_PixelShuffleOp : Nn_Layer<"pixel_shuffle", [Nn_Reindexing], "factor"> {
  let summary = "[H, W, C * factor^2] becomes [H * factor, W * factor, C]";
  let description = "Source: torch.nn.PixelShuffle.";
  let arguments = (ins Nn_Tensor:$input, Nn_Count:$factor);
}

def Nn_UpsampleOp : Nn_Layer<"upsample", [Nn_Reindexing], "scale"> {
  let summary = "a larger sequence, image or video";
  let description = [{
    `scale`: one number, or one an axis. `mode`: the nearest pixel, or linear interpolation along each axis (bilinear,
    with align_corners=False). Source: torch.nn.Upsample.
  }];
  let arguments = (ins Nn_Tensor:$input, Nn_Counts:$scale,
                   DefaultValuedStrAttr<Nn_Word<["nearest", "bilinear"]>, "nearest">:$mode);
}

#endif
