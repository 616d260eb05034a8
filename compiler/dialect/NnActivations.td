//===- NnActivations.td - layers that map each element --------------------------------------------------------------===//
//
// Part of NnOps.td. What they make of a kink is PyTorch's: each summary or description says which side it takes.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_DIALECT_NNACTIVATIONS_TD
#define SYLVITE_DIALECT_NNACTIVATIONS_TD

include "compiler/dialect/NnBase.td"

// A function of each element alone. Those that make 0 of 0 add Nn_KeepsZero.
class Nn_Activation<string mnemonic, list<Trait> traits = [Nn_KeepsZero], string main = "">
    : Nn_Layer<mnemonic, [Nn_Elementwise] # traits, main> {
  let arguments = (ins Nn_Tensor:$input);
}

def Nn_Relu6Op : Nn_Activation<"relu6"> {
  let summary = "output = min(max(input, 0), 6); the gradient at 0 and at 6 is 0";
  let description = "Source: torch.nn.ReLU6.";
}

def Nn_LeakyReluOp : Nn_Activation<"leaky_relu", [Nn_KeepsZero], "negative_slope"> {
  let summary = "output = input where it is positive, else negative_slope * input; that is the slope at 0 too";
  let description = "Source: torch.nn.LeakyReLU.";
  let arguments = (ins Nn_Tensor:$input, DefaultValuedAttr<Nn_Number, "0.01">:$negative_slope);
}

def Nn_PreluOp : Nn_Activation<"prelu", [Nn_KeepsZero], "num_parameters"> {
  let summary = "output = input where it is positive, else weight * input, with learned weights";
  let description = [{
    `weight` [num_parameters] is one number for all, or one a channel, 0.25 at first. At 0 the slope is the weight.
    Source: torch.nn.PReLU.
  }];
  let arguments = (ins Nn_Tensor:$input, Nn_Parameter:$weight, DefaultValuedAttr<Nn_Count, "1">:$num_parameters);
}

def Nn_EluOp : Nn_Activation<"elu", [Nn_KeepsZero], "alpha"> {
  let summary = "output = input where it is positive, else alpha * (exp(input) - 1); the slope at 0 is alpha";
  let description = "Source: torch.nn.ELU.";
  let arguments = (ins Nn_Tensor:$input, DefaultValuedAttr<Nn_Number, "1.0">:$alpha);
}

def Nn_SeluOp : Nn_Activation<"selu"> {
  let summary = "output = 1.0507 * elu(input) with alpha 1.6733: keeps mean 0 and variance 1";
  let description = "Source: torch.nn.SELU.";
}

def Nn_SigmoidOp : Nn_Activation<"sigmoid", []> {
  let summary = "output = 1 / (1 + exp(-input))";
  let description = "Source: torch.nn.Sigmoid.";
}

def Nn_TanhOp : Nn_Activation<"tanh"> {
  let summary = "output = (exp(input) - exp(-input)) / (exp(input) + exp(-input))";
  let description = "Source: torch.nn.Tanh.";
}

def Nn_GeluOp : Nn_Activation<"gelu", [Nn_KeepsZero], "approximate"> {
  let summary = "output = input * Phi(input), the normal distribution's share below it; or its approximation by tanh";
  let description = [{
    `none`: 0.5 x (1 + erf(x / sqrt(2))); `tanh`: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). Source:
    torch.nn.GELU.
  }];
  let arguments = (ins Nn_Tensor:$input, DefaultValuedStrAttr<Nn_Word<["none", "tanh"]>, "none">:$approximate);
}

def Nn_SiluOp : Nn_Activation<"silu"> {
  let aliases = ["swish"];
  let summary = "output = input * sigmoid(input)";
  let description = "Source: torch.nn.SiLU.";
}

def Nn_MishOp : Nn_Activation<"mish"> {
  let summary = "output = input * tanh(log(1 + exp(input)))";
  let description = "Source: torch.nn.Mish.";
}

def Nn_HardswishOp : Nn_Activation<"hardswish"> {
  let summary = "output = input * min(max(input + 3, 0), 6) / 6; the gradient at -3 is 0, at 3 it is 1";
  let description = "Source: torch.nn.Hardswish.";
}

def Nn_HardsigmoidOp : Nn_Activation<"hardsigmoid", []> {
  let summary = "output = min(max(input + 3, 0), 6) / 6; the gradient at -3 and at 3 is 0";
  let description = "Source: torch.nn.Hardsigmoid.";
}

def Nn_SoftplusOp : Nn_Activation<"softplus", []> {
  let summary = "output = log(1 + exp(beta * input)) / beta; where beta * input exceeds threshold, the input itself";
  let description = "Source: torch.nn.Softplus.";
  let arguments = (ins Nn_Tensor:$input, DefaultValuedAttr<Nn_Number, "1.0">:$beta,
                   DefaultValuedAttr<Nn_Number, "20.0">:$threshold);
}

#endif
