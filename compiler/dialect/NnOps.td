//===- NnOps.td - the ops of the nn dialect -----------------------------------------------------------------------===//
//
// Three groups: layers (what a network file names), program ops (what layers are made of once training, evaluation and
// prediction are told apart), and structure (network, program, region, vjp).
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_DIALECT_NNOPS_TD
#define SYLVITE_DIALECT_NNOPS_TD

include "compiler/dialect/NnActivations.td"
include "compiler/dialect/NnArithmetic.td"
include "compiler/dialect/NnBase.td"
include "compiler/dialect/NnNorms.td"
include "compiler/dialect/NnSequences.td"
include "compiler/dialect/NnPreprocess.td"
include "compiler/dialect/NnShapes.td"
include "compiler/dialect/NnLosses.td"
include "compiler/dialect/NnTraining.td"
include "compiler/dialect/NnWindows.td"
include "compiler/dialect/NnWinograd.td"

//===--------------------------------------------------------------------------------------------------------------===//
// Layers
//===--------------------------------------------------------------------------------------------------------------===//

def Nn_NormalizeOp : Nn_Layer<"normalize", [Nn_Elementwise]> {
  let role = "preprocess";
  let summary = "output = (input / divide - mean) / std, per channel; from uint8 or float";
  let description = [{
    Preprocessing, on floats: an nn.identity stands before it where the input is of another type. `mean` and `std` are in units of the divided input. Source:
    torchvision.transforms.Normalize.
  }];
  let arguments = (ins Nn_Tensor:$input, DefaultValuedAttr<Nn_Number, "1.0">:$divide,
                   DefaultValuedAttr<Nn_Numbers, "{0.0}">:$mean, DefaultValuedAttr<Nn_Numbers, "{1.0}">:$std);
}

def Nn_LinearOp : Nn_Layer<"linear", [Nn_Contraction, Nn_KeepsZero], "units"> {
  let summary = "output[n,o] = bias[o] + sum over k of weight[o,k] * input[n,k]";
  let description = [{
    Weights are [units, features]. After canonicalization the input may be an image [N, H, W, C] with
    `flatten_input`, whose features are counted in the order C, H, W. Source: torch.nn.Linear.
  }];
  let arguments = (ins Nn_Tensor:$input, Nn_Parameter:$weight, Optional<Nn_Parameter>:$bias_value, Nn_Count:$units,
                   DefaultValuedAttr<Nn_Flag, "true">:$bias, UnitAttr:$flatten_input);
  let hasCanonicalizer = 1; // takes a flatten before it in
}

def Nn_BatchNormOp : Nn_Layer<"batch_norm", [AttrSizedOperandSegments, Nn_Expands]> {
  let summary = "normalization of each channel over the batch (training) or by running statistics (evaluation)";
  let description = [{
    output = (input - mean) / sqrt(variance + eps) * weight + bias; the variance is the biased one; the running variance
    is updated with the unbiased one: running = (1 - momentum) * running + momentum * batch. Source:
    torch.nn.BatchNorm1d, BatchNorm2d.
  }];
  let arguments = (ins Nn_Tensor:$input, Optional<Nn_Parameter>:$weight, Optional<Nn_Parameter>:$bias_value,
                   Nn_Parameter:$running_mean, Nn_Parameter:$running_var,
                   DefaultValuedAttr<Nn_Number, "0.1">:$momentum, DefaultValuedAttr<Nn_Number, "1e-5">:$eps,
                   DefaultValuedAttr<Nn_Flag, "true">:$affine);
  let assemblyFormat = [{
    $input `,` `running` `(` $running_mean `,` $running_var `)` (`affine` `(` $weight^ `,` $bias_value `)`)? attr-dict `:`
    functional-type(operands, results)
  }];
}

def Nn_ReluOp : Nn_Layer<"relu", [Nn_Elementwise, Nn_KeepsZero]> {
  let summary = "output = max(input, 0); the gradient at 0 is 0";
  let description = "Source: torch.nn.ReLU.";
  let arguments = (ins Nn_Tensor:$input);
}

def Nn_FlattenOp : Nn_Layer<"flatten", [Nn_KeepsZero]> {
  let summary = "[N, H, W, C] becomes [N, C*H*W] in PyTorch's order C, H, W";
  let description = "Source: torch.nn.Flatten.";
  let arguments = (ins Nn_Tensor:$input);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Leaves and ends of a graph
//===--------------------------------------------------------------------------------------------------------------===//

def Nn_InputOp : Nn_PureOp<"input"> {
  let summary = "the caller's input samples, as they come: packed, of the input's dtype";
  let description = [{
    `nn.name` is the input's name; with `nn.layout` = "chw" the caller's array is [N, C, H, W] and the tensor's type
    [N, H, W, C].
  }];
  let arguments = (ins);
  let assemblyFormat = "attr-dict `:` type($output)";
}

def Nn_TargetOp : Nn_PureOp<"target"> {
  let summary = "the caller's targets, named by `nn.name`";
  let arguments = (ins);
  let assemblyFormat = "attr-dict `:` type($output)";
}

def Nn_VariableOp : Nn_PureOp<"variable"> {
  let summary = "a tensor of the state block: a parameter, a running statistic or an optimizer slot";
  let description = [{
    `name` is PyTorch's. `kind` is parameter, buffer or slot. `init` is its initial distribution: constant (`init_a`),
    uniform (from `init_a` to `init_b`), normal (mean `init_a`, standard deviation `init_b`), truncated_normal (the same,
    cut to [`init_c`, `init_d`]), orthogonal (gain `init_a`), normal_zero_row (normal, but row `init_c` is zero), or copy
    (of the variable named `init_from`). `frozen`: it has no gradient and no slots. `rate_scale` and `decay_scale` multiply the optimizer's learning rate and weight decay.
    Two variables of one name are one.
  }];
  let arguments = (ins StrAttr:$name, StrAttr:$kind, StrAttr:$init, F64Attr:$init_a, F64Attr:$init_b,
                   DefaultValuedAttr<F64Attr, "0.0">:$init_c, DefaultValuedAttr<F64Attr, "0.0">:$init_d,
                   OptionalAttr<StrAttr>:$init_from, UnitAttr:$frozen, DefaultValuedAttr<F64Attr, "1.0">:$rate_scale,
                   DefaultValuedAttr<F64Attr, "1.0">:$decay_scale);
  let builders = [OpBuilder<(ins "::mlir::Type":$type, "::llvm::StringRef":$name, "::llvm::StringRef":$kind,
                                 "::llvm::StringRef":$init, "double":$init_a, "double":$init_b), [{
    build($_builder, $_state, type, $_builder.getStringAttr(name), $_builder.getStringAttr(kind),
          $_builder.getStringAttr(init), $_builder.getF64FloatAttr(init_a), $_builder.getF64FloatAttr(init_b),
          $_builder.getF64FloatAttr(0), $_builder.getF64FloatAttr(0), /*init_from=*/{}, /*frozen=*/{},
          $_builder.getF64FloatAttr(1), $_builder.getF64FloatAttr(1));
  }]>];
  let assemblyFormat = "$name attr-dict `:` type($output)";
}

def Nn_IdentityOp : Nn_PureOp<"identity", [Nn_Elementwise, Nn_KeepsZero]> {
  let summary = "output = input, converted to the result's element type";
  let arguments = (ins Nn_Tensor:$input);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def Nn_AccuracyOp : Nn_PureOp<"accuracy", [Nn_NoGradient]> {
  let summary = "1 where the first largest logit of a sample is at its target, else 0 (int32)";
  let arguments = (ins Nn_Tensor:$logits, Nn_Tensor:$target);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def Nn_GradientOp : Nn_Op<"gradient"> {
  let summary = "names the gradient of a variable or of the input";
  let arguments = (ins Nn_Tensor:$gradient, StrAttr:$name);
  let assemblyFormat = "$name `,` $gradient attr-dict `:` type($gradient)";
}

def Nn_ReturnOp : Nn_Op<"return", [Terminator, AttrSizedOperandSegments]> {
  let summary = "what a network or a program leaves: logits, loss of each sample, correct flags, predictions";
  let description = [{
    `logits` are what goes into each loss, in the file's order; `prediction` what predict returns, one a loss; `loss` is
    their weighted sum.
  }];
  let arguments = (ins Variadic<Nn_Tensor>:$logits, Optional<Nn_Tensor>:$loss, Optional<Nn_Tensor>:$correct,
                   Variadic<Nn_Tensor>:$prediction);
  let assemblyFormat = [{
    (`logits` $logits^ `:` type($logits))? (`loss` $loss^ `:` type($loss))? (`correct` $correct^ `:` type($correct))?
    (`prediction` $prediction^ `:` type($prediction))? attr-dict
  }];
}

//===--------------------------------------------------------------------------------------------------------------===//
// Program ops: what layers become
//===--------------------------------------------------------------------------------------------------------------===//

def Nn_ChannelSumsOp : Nn_PureOp<"channel_sums", [Nn_BatchReduction, Nn_KeepsZero]> {
  let summary = "per slice and channel: a shift, sum of (input - shift) and sum of (input - shift)^2";
  let description = [{
    [N, H, W, C] or [N, C] becomes [slices, C, 3]. The shift is a pixel in the middle of the slice's first sample, a
    constant of the backward pass: sums of squares keep their digits where the mean is large.
  }];
  let arguments = (ins Nn_Tensor:$input);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def Nn_BatchNormScalarsOp : Nn_PureOp<"batch_norm_scalars", [AttrSizedOperandSegments]> {
  let summary = "[slices, C, 3] sums become scale and shift [C, 2] of batch_norm in training";
  let arguments = (ins Nn_Tensor:$sums, Optional<Nn_Tensor>:$weight, Optional<Nn_Tensor>:$bias_value, F64Attr:$eps,
                   I64Attr:$pixels);
  let assemblyFormat = [{
    $sums (`affine` `(` $weight^ `,` $bias_value `)`)? attr-dict `:` functional-type(operands, results)
  }];
}

def Nn_BatchNormInferenceScalarsOp : Nn_PureOp<"batch_norm_inference_scalars", [AttrSizedOperandSegments]> {
  let summary = "running statistics become scale and shift [C, 2] of batch_norm in evaluation";
  let arguments = (ins Nn_Tensor:$running_mean, Nn_Tensor:$running_var, Optional<Nn_Tensor>:$weight,
                   Optional<Nn_Tensor>:$bias_value, F64Attr:$eps);
  let assemblyFormat = [{
    $running_mean `,` $running_var (`affine` `(` $weight^ `,` $bias_value `)`)? attr-dict `:`
    functional-type(operands, results)
  }];
}

def Nn_BatchNormRunningOp : Nn_Op<"batch_norm_running", [Nn_InPlace, Nn_NoGradient]> {
  let summary = "running mean and variance after this batch";
  let arguments = (ins Nn_Tensor:$running_mean, Nn_Tensor:$running_var, Nn_Tensor:$sums, F64Attr:$momentum,
                   I64Attr:$pixels);
  let results = (outs Nn_Tensor:$new_mean, Nn_Tensor:$new_var);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def Nn_ScaleShiftOp : Nn_PureOp<"scale_shift", [Nn_Elementwise, Nn_KeepsZero]> {
  let summary = "output = input * scale_shift[c, 0] + scale_shift[c, 1]";
  let arguments = (ins Nn_Tensor:$input, Nn_Tensor:$scale_shift);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def Nn_TransposeWeightOp : Nn_PureOp<"transpose_weight", [Nn_NoGradient]> {
  let summary = "the same weights, laid out with the input channel innermost, for the input gradient";
  let arguments = (ins Nn_Tensor:$weight);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def Nn_MeanSeedOp : Nn_PureOp<"mean_seed"> {
  let summary = "1/n for each of the n samples: the adjoint of the mean of losses";
  let arguments = (ins);
  let assemblyFormat = "attr-dict `:` type($output)";
}

def Nn_PlaceholderOp : Nn_PureOp<"placeholder", [Nn_KeepsZero]> {
  let summary = "stands for an operand whose value a linear op's derivative does not need";
  let arguments = (ins);
  let assemblyFormat = "attr-dict `:` type($output)";
}

def Nn_GradientSumOp : Nn_PureOp<"gradient_sum", [Nn_Elementwise, Nn_KeepsZero]> {
  let summary = "sum of the contributions to one gradient, in order; parts of slices are added first";
  let arguments = (ins Variadic<Nn_Tensor>:$inputs);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def Nn_LossSumOp : Nn_PureOp<"loss_sum", [Nn_Elementwise]> {
  let summary = "losses of a sample, each times its weight, added in order";
  let arguments = (ins Variadic<Nn_Tensor>:$losses, DenseF64ArrayAttr:$weights);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

//===--------------------------------------------------------------------------------------------------------------===//
// Structure
//===--------------------------------------------------------------------------------------------------------------===//

def Nn_NetworkOp : Nn_Op<"network", [Symbol, IsolatedFromAbove, SingleBlock]> {
  let summary = "a network file: the graph of one forward pass, and how to train it";
  let description = [{
    `batch`: compiled maximum of samples; `slices`: parts that a batch is cut into; `optimizer`: a dictionary with `kind`
    (Optimizers.h) and its settings; `epochs`, `seed`: the run's defaults.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$batch, I64Attr:$slices, DictionaryAttr:$optimizer,
                   I64Attr:$epochs, I64Attr:$seed, StrAttr:$output_kind);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
}

def Nn_ProgramOp : Nn_Op<"program", [Symbol, IsolatedFromAbove, SingleBlock]> {
  let summary = "what one entry of the object computes: train, evaluate or predict";
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$batch, I64Attr:$slices, DictionaryAttr:$optimizer);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
}

def Nn_RegionOp : Nn_Op<"region", [IsolatedFromAbove, SingleBlock]> {
  let summary = "ops that become one kernel, called after their heaviest op";
  let description = [{
    `kernel` is the kernel's name, `<op>.forward`, `.grad_input`, `.grad_weight`, `.update`, …. With `updates` = k > 0
    the first k operands are variables that the k yielded values replace in place, and the op has no results.
    `phase`, `axis` and `tasks` are set by nn-phases: the phase it runs in; "batch" or what else its calls are cut along
    ("row", "output", "frequency", "flat", "none"); and the number of calls. `like` names the variable that the result lies in memory as.
  }];
  let arguments = (ins Variadic<Nn_Tensor>:$inputs, StrAttr:$kernel, DefaultValuedAttr<I64Attr, "0">:$updates,
                   OptionalAttr<StrAttr>:$like, OptionalAttr<I64Attr>:$phase, OptionalAttr<StrAttr>:$axis, OptionalAttr<I64Attr>:$tasks);
  let results = (outs Variadic<Nn_Tensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$kernel `(` $inputs `)` attr-dict-with-keyword `:` functional-type(operands, results) $body";
}

def Nn_VjpOp : Nn_Op<"vjp", [IsolatedFromAbove, SingleBlock, NoMemoryEffect]> {
  let summary = "vector-Jacobian product: the gradient of what the body yields with respect to one operand";
  let description = [{
    Operands are those of the body, then the adjoint of the yielded value. `wrt` is the index of the operand that the
    result is the gradient of. The derivative itself is Halide's: codegen builds the body and propagates adjoints.
  }];
  let arguments = (ins Variadic<Nn_Tensor>:$inputs, I64Attr:$wrt);
  let results = (outs Nn_Tensor:$gradient);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "`wrt` $wrt `(` $inputs `)` attr-dict-with-keyword `:` functional-type(operands, results) $body";
}

def Nn_YieldOp : Nn_Op<"yield", [Terminator, Pure, ParentOneOf<["RegionOp", "VjpOp"]>]> {
  let summary = "values that a region leaves";
  let arguments = (ins Variadic<Nn_Tensor>:$values);
  let assemblyFormat = "operands attr-dict `:` type(operands)";
}

#endif
