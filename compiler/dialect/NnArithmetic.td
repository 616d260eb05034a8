//===- NnArithmetic.td - layers that join values element by element -----------------------------------------------===//

#ifndef SYLVITE_DIALECT_NNARITHMETIC_TD
#define SYLVITE_DIALECT_NNARITHMETIC_TD

include "compiler/dialect/NnBase.td"

// Operands whose extents are equal or 1, which then stand for all; a vector [C] is [1, 1, C] beside an image.
class Nn_Joining<string mnemonic, list<Trait> traits = []>
    : Nn_Layer<mnemonic, [Nn_Elementwise] # traits, "", 0> {
  let arguments = (ins Variadic<Nn_Tensor>:$inputs);
}
def Nn_AddOp : Nn_Joining<"add"> {
  let summary = "sum of its inputs, in order";
  let description = "Extents of 1 are broadcast. Source: torch.add.";
}
def Nn_MultiplyOp : Nn_Joining<"multiply"> {
  let summary = "product of its inputs, in order";
  let description = "Extents of 1 are broadcast. Source: torch.mul.";
}
def Nn_SubtractOp : Nn_Joining<"subtract"> {
  let summary = "the first input less the others";
  let description = "Extents of 1 are broadcast. Source: torch.sub.";
}

#endif
