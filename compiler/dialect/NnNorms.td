//===- NnNorms.td - layers that normalize a sample ----------------------------------------------------------------===//

#ifndef SYLVITE_DIALECT_NNNORMS_TD
#define SYLVITE_DIALECT_NNNORMS_TD

include "compiler/dialect/NnBase.td"

def Nn_SoftmaxOp : Nn_Layer<"softmax", [Nn_Expands], "axis"> {
  let summary = "exp(x - row_max) / sum of exp(x - row_max), along an axis";
  let description = [{
    `axis` counts as concat's. `row_max` is the largest value along the axis, a constant of the backward pass; it is
    absent until programs are made. Source: torch.nn.Softmax.
  }];
  let arguments = (ins Nn_Tensor:$logits, Optional<Nn_Tensor>:$row_max, DefaultValuedAttr<Nn_Integer, "-1">:$axis);
}

def Nn_LogSoftmaxOp : Nn_Layer<"log_softmax", [Nn_Expands], "axis"> {
  let summary = "the logarithm of softmax, along an axis";
  let description = "`axis` and `row_max`: as of softmax. Source: torch.nn.LogSoftmax.";
  let arguments = (ins Nn_Tensor:$logits, Optional<Nn_Tensor>:$row_max, DefaultValuedAttr<Nn_Integer, "-1">:$axis);
}

def Nn_RowMaxOp : Nn_PureOp<"row_max", [Nn_NoGradient]> {
  let summary = "largest value along an axis, whose extent becomes 1; [N, C] to [N]";
  let arguments = (ins Nn_Tensor:$input, DefaultValuedAttr<Nn_Integer, "-1">:$axis);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

// output = (input - mean) / sqrt(variance + eps) * weight + bias, with the biased variance.
class Nn_Normalization<string mnemonic, dag options, string main = "">
    : Nn_Layer<mnemonic, [AttrSizedOperandSegments], main> {
  let arguments = !con((ins Nn_Tensor:$input, Optional<Nn_Parameter>:$weight, Optional<Nn_Parameter>:$bias_value),
                       options);
  let assemblyFormat = [{
    $input (`weight` $weight^)? (`bias` $bias_value^)? attr-dict `:` functional-type(operands, results)
  }];
}

def Nn_LayerNormOp : Nn_Normalization<"layer_norm", (ins DefaultValuedAttr<Nn_Number, "1e-5">:$eps,
                                                     DefaultValuedAttr<Nn_Flag, "true">:$affine,
                                                     DefaultValuedAttr<Nn_Flag, "true">:$bias)> {
  let summary = "normalization of a vector, of each step of a sequence, or of an image as a whole";
  let description = "Weights are [C], of an image [C, H, W]. Source: torch.nn.LayerNorm.";
}

def Nn_GroupNormOp : Nn_Normalization<"group_norm", (ins Nn_Count:$groups, DefaultValuedAttr<Nn_Number, "1e-5">:$eps,
                                                     DefaultValuedAttr<Nn_Flag, "true">:$affine), "groups"> {
  let summary = "normalization over the pixels and channels of each group of channels of a sample";
  let description = "Source: torch.nn.GroupNorm.";
}

def Nn_InstanceNormOp : Nn_Normalization<"instance_norm", (ins DefaultValuedAttr<Nn_Number, "1e-5">:$eps,
                                                           DefaultValuedAttr<Nn_Flag, "false">:$affine)> {
  let summary = "normalization over the pixels of each channel of a sample";
  let description = "Source: torch.nn.InstanceNorm2d, without running statistics.";
}

#endif
