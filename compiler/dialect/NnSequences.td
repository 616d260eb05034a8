//===- NnSequences.td - layers on sequences -----------------------------------------------------------------------===//

#ifndef SYLVITE_DIALECT_NNSEQUENCES_TD
#define SYLVITE_DIALECT_NNSEQUENCES_TD

include "compiler/dialect/NnBase.td"

def Nn_EmbeddingOp : Nn_Layer<"embedding", [Nn_Expands]> {
  let summary = "output[n, t] = row input[n, t] of the weights";
  let description = [{
    The input is [T] whole numbers, also as floats; those outside of 0 to count - 1 are brought there. The number
    `padding_idx` gives zeros and trains nothing; its row starts at zero. Source: torch.nn.Embedding.
  }];
  let arguments = (ins Nn_Tensor:$input, Nn_Parameter:$weight, Nn_Count:$count, Nn_Count:$size,
                   OptionalAttr<Nn_Integer>:$padding_idx);
}

def Nn_StopGradientOp : Nn_PureOp<"stop_gradient", [Nn_NoGradient, Nn_KeepsZero]> {
  let summary = "output = input, a constant of the backward pass";
  let arguments = (ins Nn_Tensor:$input);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def Nn_LearnedPositionOp : Nn_Layer<"learned_position", [Nn_KeepsZero]> {
  let summary = "output = input + weight, on a sequence [T, C]";
  let description = "Weights are [T, C]. Source: torchvision.models.vision_transformer.Encoder.pos_embedding.";
  let arguments = (ins Nn_Tensor:$input, Nn_Parameter:$weight);
}

def Nn_AttentionOp : Nn_Layer<"attention", [Nn_Expands], "heads", 0> {
  let summary = "softmax(q k^T / sqrt(C / heads)) v of each head's channels of [T, C] sequences";
  let description = [{
    Inputs are q, k and v, or one of 3C channels that holds them one after the other. `causal`: a step sees itself and
    those before it. Source: torch.nn.functional.scaled_dot_product_attention.
  }];
  let arguments = (ins Variadic<Nn_Tensor>:$inputs, DefaultValuedAttr<Nn_Count, "1">:$heads,
                   DefaultValuedAttr<Nn_Flag, "false">:$causal);
}

// What attention is made of.
def Nn_AttentionMaxOp : Nn_PureOp<"attention_max", [Nn_NoGradient]> {
  let summary = "largest score of each query and head, [N, T, heads]";
  let arguments = (ins Variadic<Nn_Tensor>:$inputs, Nn_Count:$heads, Nn_Flag:$causal);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}
def Nn_AttentionValuesOp : Nn_PureOp<"attention_values"> {
  let summary = "sum of the values weighted by exp(score - score_max), over the sum of these weights";
  let arguments = (ins Variadic<Nn_Tensor>:$inputs, Nn_Tensor:$score_max, Nn_Count:$heads, Nn_Flag:$causal);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

#endif
