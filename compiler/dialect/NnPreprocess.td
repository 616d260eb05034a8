//===- NnPreprocess.td - preprocessing, augmentation and dropout --------------------------------------------------===//
//
// What stands before the network (role `preprocess`), and layers that draw random numbers while a network is trained.
// Augmentations and dropout are their input in evaluation and prediction.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_DIALECT_NNPREPROCESS_TD
#define SYLVITE_DIALECT_NNPREPROCESS_TD

include "compiler/dialect/NnBase.td"

//===--------------------------------------------------------------------------------------------------------------===//
// Dropout
//===--------------------------------------------------------------------------------------------------------------===//

def Nn_DropoutOp : Nn_Layer<"dropout", [Nn_Elementwise, Nn_KeepsZero, Nn_Random, Nn_Expands], "p"> {
  let summary = "in training, zeros in place of a share p of the elements; the others are divided by 1 - p";
  let description = "Source: torch.nn.Dropout.";
  let arguments = (ins Nn_Tensor:$input, DefaultValuedAttr<Nn_Number, "0.5">:$p);
}

def Nn_SpatialDropoutOp : Nn_Layer<"spatial_dropout", [Nn_Elementwise, Nn_KeepsZero, Nn_Random, Nn_Expands], "p"> {
  let summary = "dropout of whole channels of a sample";
  let description = "Source: torch.nn.Dropout1d, Dropout2d, Dropout3d.";
  let aliases = ["dropout1d", "dropout2d", "dropout3d"];
  let arguments = (ins Nn_Tensor:$input, DefaultValuedAttr<Nn_Number, "0.5">:$p);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Preprocessing
//===--------------------------------------------------------------------------------------------------------------===//

class Nn_Step<string mnemonic, list<Trait> traits, string main = ""> : Nn_Layer<mnemonic, traits, main> {
  let role = "preprocess";
}

def Nn_ResizeOp : Nn_Step<"resize", [Nn_Reindexing, Nn_Expands], "size"> {
  let summary = "the image in another size";
  let description = [{
    To `size` [H, W], or so that the shorter side has `short_side` pixels and the ratio of the sides stays. `mode`: the
    nearest pixel, linear interpolation along both axes (without antialiasing), or the mean of the pixels that an output
    pixel covers (area). Source: torchvision.transforms.Resize, torch.nn.functional.interpolate.
  }];
  let arguments = (ins Nn_Tensor:$input, OptionalAttr<Nn_Pair>:$size, OptionalAttr<Nn_Count>:$short_side,
                   DefaultValuedStrAttr<Nn_Word<["nearest", "bilinear", "area"]>, "bilinear">:$mode);
}

def Nn_CenterCropOp : Nn_Step<"center_crop", [Nn_Reindexing], "size"> {
  let summary = "the middle of an image, with zeros around it where the image is smaller";
  let description = "Source: torchvision.transforms.CenterCrop.";
  let arguments = (ins Nn_Tensor:$input, Nn_Pair:$size);
}

def Nn_PadToOp : Nn_Step<"pad_to", [Nn_Reindexing], "size"> {
  let summary = "an image in the middle of a larger one";
  let description = [{
    The larger one has `size` [H, W], or is the smallest whose width is `aspect` times its height (1: a square). Its
    other pixels hold `value`; an odd one is at the bottom or right. Source: torchvision.transforms.Pad.
  }];
  let arguments = (ins Nn_Tensor:$input, OptionalAttr<Nn_Pair>:$size, OptionalAttr<Nn_Number>:$aspect,
                   DefaultValuedAttr<Nn_Number, "0.0">:$value);
}

def Nn_GrayscaleOp : Nn_Step<"grayscale", [Nn_Reindexing]> {
  let summary = "[H, W, 3] becomes [H, W, 1]: 0.2989 red + 0.587 green + 0.114 blue";
  let description = "Source: torchvision.transforms.Grayscale.";
  let arguments = (ins Nn_Tensor:$input);
}

def Nn_RgbOp : Nn_Step<"rgb", [Nn_Reindexing]> {
  let summary = "[H, W, 1] becomes [H, W, 3]: three equal channels";
  let description = "Source: torchvision.transforms.RGB.";
  let arguments = (ins Nn_Tensor:$input);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Augmentation
//===--------------------------------------------------------------------------------------------------------------===//

class Nn_Augmentation<string mnemonic, string main = "">
    : Nn_Step<mnemonic, [Nn_NoGradient, Nn_Random, Nn_Expands], main>;

def Nn_RandomCropOp : Nn_Augmentation<"random_crop", "padding"> {
  let summary = "in training, a part of the image at a random place; in evaluation, the middle of it";
  let description = [{
    `padding` pixels of `value` go around the image first: one number, [vertical, horizontal], or [top, bottom, left,
    right]. `size` [H, W] is that of the part; default: the image's. Source: torchvision.transforms.RandomCrop.
  }];
  let arguments = (ins Nn_Tensor:$input, OptionalAttr<Nn_Pair>:$size, DefaultValuedAttr<Nn_Integers, "{0}">:$padding,
                   DefaultValuedAttr<Nn_Number, "0.0">:$value);
}

def Nn_HorizontalFlipOp : Nn_Augmentation<"horizontal_flip", "p"> {
  let summary = "in training, a share p of the images mirrored left to right";
  let description = "Source: torchvision.transforms.RandomHorizontalFlip.";
  let arguments = (ins Nn_Tensor:$input, DefaultValuedAttr<Nn_Number, "0.5">:$p);
}

def Nn_VerticalFlipOp : Nn_Augmentation<"vertical_flip", "p"> {
  let summary = "in training, a share p of the images upside down";
  let description = "Source: torchvision.transforms.RandomVerticalFlip.";
  let arguments = (ins Nn_Tensor:$input, DefaultValuedAttr<Nn_Number, "0.5">:$p);
}

def Nn_ColorJitterOp : Nn_Augmentation<"color_jitter"> {
  let summary = "in training, another brightness and contrast of each image";
  let description = [{
    Two factors, uniform from 1 - `brightness` (at least 0) to 1 + `brightness` and likewise for `contrast`, applied in
    random order: brightness multiplies the pixels; contrast multiplies their distance from the mean of the gray image.
    After each, pixels are cut to [0, `maximum`]. Source: torchvision.transforms.ColorJitter.
  }];
  let arguments = (ins Nn_Tensor:$input, DefaultValuedAttr<Nn_Number, "0.0">:$brightness,
                   DefaultValuedAttr<Nn_Number, "0.0">:$contrast, DefaultValuedAttr<Nn_Number, "255.0">:$maximum);
}

def Nn_CutoutOp : Nn_Step<"cutout", [Nn_Elementwise, Nn_Random, Nn_Expands], "size"> {
  let summary = "in training, `value` in a rectangle of each image around a random pixel";
  let description = [{
    `size` [H, W] of the rectangle, of which what lies outside of the image is cut off. DeVries, Taylor: "Improved
    regularization of convolutional neural networks with cutout", 2017. Source: torchvision.transforms.RandomErasing, at
    a fixed size.
  }];
  let arguments = (ins Nn_Tensor:$input, Nn_Pair:$size, DefaultValuedAttr<Nn_Number, "0.0">:$value);
}

#endif
