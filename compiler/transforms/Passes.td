//===- Passes.td - the graph passes, in the order in which they run -----------------------------------------------===//

#ifndef SYLVITE_TRANSFORMS_PASSES_TD
#define SYLVITE_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def NnPrograms : Pass<"nn-programs", "::mlir::ModuleOp"> {
  let summary = "Make the programs train, evaluate and predict of a network";
  let description = [{
    Clones the network's graph once a program and replaces layers that differ between training and evaluation, or that
    need the whole batch at once, by program ops: batch_norm becomes channel_sums, batch_norm_scalars and scale_shift
    (training) or batch_norm_inference_scalars and scale_shift; losses and softmax get the row maximum as an operand, a
    constant of the backward pass. What a program does not leave is removed.
  }];
  let options = [ListOption<"only", "only", "std::string", "Make these programs (default: all three)">,
                 Option<"directForward", "direct-forward", "bool", "false", "Only @train keeps `nn.algorithm`">];
}

def NnWinograd : Pass<"nn-winograd", "::sylvite::nn::ProgramOp"> {
  let summary = "Rewrite the convolutions whose `nn.algorithm` says so into transforms and products of tiles";
}

def NnFuse : Pass<"nn-fuse", "::sylvite::nn::ProgramOp"> {
  let summary = "Partition a program's graph into regions, each of which becomes one kernel";
  let description = [{
    Contractions and sums over the batch begin a region: their results must be complete before they are read. Chains of
    elementwise ops, with at most one windowed op at their end, become one region; what they compute is stored once. In
    evaluation and prediction, a chain is part of the contraction's region before it.
  }];
}

def NnRecompute : Pass<"nn-recompute", "::sylvite::nn::ProgramOp"> {
  let summary = "Mark the regions of @train whose results the backward pass computes again instead of reading them";
  let description = [{
    Elementwise chains whose derivative reads their inputs are marked: they cost one pass over values that live that long
    anyway, of which up to three may stand in a row. `also` lists more, by the number that each region gets as `nn.id`.
  }];
  let options = [Option<"cheap", "cheap", "bool", "true", "Mark elementwise chains">,
                 ListOption<"also", "also", "int64_t", "Numbers of further regions">];
}

def NnDifferentiate : Pass<"nn-differentiate", "::sylvite::nn::ProgramOp"> {
  let summary = "Reverse mode over regions: one nn.vjp for each operand that needs a gradient";
  let description = [{
    Gradients that meet at a fan-out are added, inside one region where both come from elementwise work. Nothing is
    computed for what no trained variable depends on. `keep-gradients` also asks for the input's gradient.
  }];
  let options = [Option<"keepGradients", "keep-gradients", "bool", "false", "Also differentiate the network's input">];
}

def NnUpdate : Pass<"nn-update", "::sylvite::nn::ProgramOp"> {
  let summary = "The optimizer's step for each parameter that has a gradient";
}

def NnPhases : Pass<"nn-phases", "::sylvite::nn::ProgramOp"> {
  let summary = "Order regions into phases with a barrier after each, and choose the axis each is sliced along";
}

def NnPlanMemory : Pass<"nn-plan-memory", "::mlir::ModuleOp"> {
  let summary = "Give every value a layout and a fixed offset in the state, scratch or thread-local block";
  let description = [{
    Buffers whose lives (in phases) do not overlap share space. Values that live within one phase and slice lie in the
    thread's local block, which stays in its core's cache.
  }];
  let options = [Option<"keepGradients", "keep-gradients", "bool", "false", "Gradients of parameters are not overwritten">];
}

#endif
