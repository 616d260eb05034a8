//===- NnLosses.td - losses -------------------------------------------------------------------------------------------===//
//
// Part of NnOps.td. A loss gives one number a sample, such that its mean over the samples of a step is what PyTorch's
// loss of that batch is.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_DIALECT_NNLOSSES_TD
#define SYLVITE_DIALECT_NNLOSSES_TD

include "compiler/dialect/NnBase.td"

// `input` is what the network ends with, `target` the caller's.
class Nn_Loss<string mnemonic, list<Trait> traits = [], string output = "linear">
    : Nn_Layer<mnemonic, traits, "", 2> {
  let role = "loss";
  let defaultOutput = output;
  let arguments = (ins Nn_Tensor:$input, Nn_Tensor:$target);
}

// Targets are class numbers, [N] of logits [N, C], or [N, H, W] of [N, H, W, C]. `total_weight` [1] is the sum of the
// weights of the batch's targets, a constant of the backward pass, where weights differ.
class Nn_ClassLoss<string mnemonic, string output, dag attributes, list<Trait> traits = []>
    : Nn_Loss<mnemonic, traits # [AttrSizedOperandSegments, Nn_Expands], output> {
  let arguments = !con((ins Nn_Tensor:$logits, Nn_Tensor:$target, Optional<Nn_Tensor>:$row_max,
                        Optional<Nn_Tensor>:$total_weight),
                       attributes, (ins OptionalAttr<Nn_Numbers>:$class_weights, OptionalAttr<Nn_Integer>:$ignore_index));
  let assemblyFormat = [{
    $logits `,` $target (`shifted` `by` $row_max^)? (`weighted` `by` $total_weight^)? attr-dict `:`
    functional-type(operands, results)
  }];
}

def Nn_CrossEntropyOp
    : Nn_ClassLoss<"cross_entropy", "softmax", (ins DefaultValuedAttr<Nn_Number, "0.0">:$label_smoothing)> {
  let summary = "loss of each sample: log(sum of exp(logits)) - logits[target], averaged over its pixels";
  let description = [{
    With `label_smoothing` s, the target has the probability 1 - s + s/C, every other class s/C. `class_weights` has a
    number for each class; targets that are `ignore_index` do not count. The mean over a batch divides by the sum of the
    weights of its targets. `row_max` is the largest logit of each pixel, a constant of the backward pass; it is absent
    until programs are made. Source: torch.nn.CrossEntropyLoss.
  }];
}

def Nn_NllOp : Nn_ClassLoss<"nll", "linear", (ins)> {
  let summary = "loss of each sample: -input[target], where the input is log-probabilities";
  let description = "Weights and ignored targets are as for cross_entropy. Source: torch.nn.NLLLoss.";
}

def Nn_BinaryCrossEntropyOp : Nn_Loss<"binary_cross_entropy", [], "sigmoid"> {
  let summary = "mean over the elements of -(pos_weight * t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x)))";
  let description = [{
    The input is logits; targets t are from 0 to 1, one for each. Source: torch.nn.BCEWithLogitsLoss.
  }];
  let arguments = (ins Nn_Tensor:$input, Nn_Tensor:$target, OptionalAttr<Nn_Numbers>:$pos_weight);
}

def Nn_MseOp : Nn_Loss<"mse"> {
  let summary = "mean over the elements of (input - target)^2";
  let description = "Source: torch.nn.MSELoss.";
}

def Nn_L1Op : Nn_Loss<"l1"> {
  let summary = "mean over the elements of |input - target|; the gradient at 0 is 0";
  let description = "Source: torch.nn.L1Loss.";
}

def Nn_HuberOp : Nn_Loss<"huber"> {
  let summary = "mean of 0.5 d^2 where d = |input - target| is up to delta, else of delta * (d - 0.5 delta)";
  let description = "Source: torch.nn.HuberLoss.";
  let arguments = (ins Nn_Tensor:$input, Nn_Tensor:$target, DefaultValuedAttr<Nn_Number, "1.0">:$delta);
}

def Nn_SmoothL1Op : Nn_Loss<"smooth_l1"> {
  let summary = "mean of 0.5 d^2 / beta where d = |input - target| is below beta, else of d - 0.5 beta";
  let description = "Source: torch.nn.SmoothL1Loss.";
  let arguments = (ins Nn_Tensor:$input, Nn_Tensor:$target, DefaultValuedAttr<Nn_Number, "1.0">:$beta);
}

def Nn_HingeOp : Nn_Loss<"hinge"> {
  let summary = "1/C of the sum over the other classes of max(0, margin - input[target] + input[c])^p";
  let description = [{
    Targets are class numbers; p is 1 or 2. `class_weights` has a factor for the samples of each class; the mean is over
    the samples. Source: torch.nn.MultiMarginLoss.
  }];
  let arguments = (ins Nn_Tensor:$input, Nn_Tensor:$target, DefaultValuedAttr<Nn_Count, "1">:$p,
                   DefaultValuedAttr<Nn_Number, "1.0">:$margin, OptionalAttr<Nn_Numbers>:$class_weights);
}

def Nn_KlDivergenceOp : Nn_Loss<"kl_divergence"> {
  let summary = "mean over the elements of target * (log(target) - input), where the input is log-probabilities";
  let description = [{
    Targets are probabilities; 0 * log(0) is 0. `reduction: batchmean` divides the batch's sum by its samples, which is
    the divergence, and `mean` by its elements. Source: torch.nn.KLDivLoss.
  }];
  let arguments = (ins Nn_Tensor:$input, Nn_Tensor:$target,
                   DefaultValuedStrAttr<Nn_Word<["mean", "batchmean"]>, "mean">:$reduction);
}

def Nn_LossWeightsOp : Nn_PureOp<"loss_weights", [Nn_NoGradient]> {
  let summary = "sum over each sample's targets of their class's weight, 0 for those that are ignored";
  let arguments = (ins Nn_Tensor:$target, OptionalAttr<Nn_Numbers>:$class_weights,
                   OptionalAttr<Nn_Integer>:$ignore_index);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def Nn_WeightTotalOp : Nn_PureOp<"weight_total", [Nn_NoGradient]> {
  let summary = "sum over the batch, in the order of its samples: [N] to [1]";
  let arguments = (ins Nn_Tensor:$weights);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

#endif
