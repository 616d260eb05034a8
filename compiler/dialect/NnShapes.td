//===- NnShapes.td - layers that move elements without changing them ----------------------------------------------===//

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

#endif
