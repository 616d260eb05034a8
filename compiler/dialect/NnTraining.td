//===- NnTraining.td - the optimizer's step -------------------------------------------------------------------------===//
//
// Part of NnOps.td. What nn-update makes of the gradients: sums of squares for clipping, and in-place updates.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_DIALECT_NNTRAINING_TD
#define SYLVITE_DIALECT_NNTRAINING_TD

include "compiler/dialect/NnBase.td"

def Nn_OptimizerScalarsOp : Nn_PureOp<"optimizer_scalars", [Nn_NoGradient]> {
  let summary = "what the update needs of the step's number, computed in double: OptimizerScalar in Optimizers.h";
  let arguments = (ins DictionaryAttr:$optimizer);
  let assemblyFormat = "$optimizer attr-dict `:` type($output)";
}

def Nn_SquareSumOp : Nn_PureOp<"square_sum", [Nn_NoGradient]> {
  let summary = "sum of the squares of a gradient's elements as the optimizer will see them, [1]";
  let description = [{
    `accumulated`, the slot of the micro-batches before, stands there where gradients are accumulated.
  }];
  let arguments = (ins Nn_Tensor:$gradient, Nn_Tensor:$scalars, Optional<Nn_Tensor>:$accumulated,
                   DictionaryAttr:$optimizer);
  let assemblyFormat = "operands $optimizer attr-dict `:` functional-type(operands, results)";
}

def Nn_ClipScaleOp : Nn_PureOp<"clip_scale", [Nn_NoGradient]> {
  let summary = "min(1, clip_norm / (sqrt(sum of the operands) + 1e-6)), [1]";
  let description = "Source: torch.nn.utils.clip_grad_norm_.";
  let arguments = (ins Variadic<Nn_Tensor>:$square_sums, F64Attr:$clip_norm);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

def Nn_OptimizerUpdateOp
    : Nn_Op<"optimizer_update", [Nn_InPlace, Nn_NoGradient, AttrSizedOperandSegments]> {
  let summary = "one step of the optimizer: the parameter and its slots, replaced";
  let description = [{
    `variables`: the parameter; the kind's slots (Optimizers.h); the mean of the micro-batches' gradients where they are
    accumulated; the average of the parameter where there is one. `rate_scale` and `decay_scale` multiply this
    parameter's learning rate and weight decay. `clip` [1] multiplies the gradient.
  }];
  let arguments = (ins Variadic<Nn_Tensor>:$variables, Nn_Tensor:$gradient, Nn_Tensor:$scalars,
                   Optional<Nn_Tensor>:$clip, DictionaryAttr:$optimizer, F64Attr:$rate_scale, F64Attr:$decay_scale);
  let results = (outs Variadic<Nn_Tensor>:$updated);
  let assemblyFormat = [{
    $variables `by` $gradient `,` $scalars (`clipped` `by` $clip^)? $optimizer attr-dict `:`
    functional-type(operands, results)
  }];
}

#endif
