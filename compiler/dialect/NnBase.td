//===- NnBase.td - the nn dialect's base classes ------------------------------------------------------------------===//
//
// Types, attributes and op classes that the records in NnOps.td build on. A user-facing layer is an Nn_Layer: its
// attributes are the keys of the network file (their ODS class gives the YAML type, their default the default).
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_DIALECT_NNBASE_TD
#define SYLVITE_DIALECT_NNBASE_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Nn_Dialect : Dialect {
  let name = "nn";
  let summary = "Neural networks in training, on static shapes";
  let description = [{
    Values are ranked tensors of static shape. Their encoding tells how they relate to the batch:

    - `"batch"`: the leading dimension is the sample; each slice of the batch computes its own rows;
    - `"slices"`: the leading dimension is the slice of the batch; each slice computes its own row;
    - `"partial"`: a sum over the batch that each slice holds a part of; its readers see the sum in slice order;
    - none: one tensor for the whole batch.

    Activations are NHWC (`[N, H, W, C]`) or `[N, C]`; parameters have PyTorch's shapes.
  }];
  let cppNamespace = "::sylvite::nn";
  let useDefaultAttributePrinterParser = 0;
  let hasConstantMaterializer = 0;
  let hasCanonicalizer = 1; // elementwise ops move before a flatten
}

// A tensor of static shape.
def Nn_Tensor : Type<CPred<"::llvm::isa<::mlir::RankedTensorType>($_self) && "
                           "::llvm::cast<::mlir::RankedTensorType>($_self).hasStaticShape()">,
                     "ranked tensor of static shape">;
// The same, as an operand of a layer that a variable of its own stands for: see ParameterSpec.
def Nn_Parameter : Type<Nn_Tensor.predicate, "ranked tensor of static shape">;

// ---- attributes; each is one YAML type of the network file

// A positive whole number.
def Nn_Count : ConfinedAttr<I64Attr, [IntPositive]>;
// A list of positive whole numbers; a single number in YAML is a list of one.
def Nn_Counts : ConfinedAttr<DenseI64ArrayAttr, [DenseArrayStrictlyPositive<DenseI64ArrayAttr>]>;
// A whole number of either sign, such as an axis.
def Nn_Integer : ConfinedAttr<I64Attr, []>;
// A list of whole numbers of either sign, such as a permutation; a single number in YAML is a list of one.
def Nn_Integers : ConfinedAttr<DenseI64ArrayAttr, []>;
// A window's attribute along one axis, [W], two, [H, W], or three, [D, H, W]: positive whole numbers. A single number in
// YAML stands for all of them.
class Nn_Extents<int axes>
    : ConfinedAttr<DenseI64ArrayAttr, [DenseArrayCount<axes>, DenseArrayStrictlyPositive<DenseI64ArrayAttr>]>;
def Nn_Single : Nn_Extents<1>;
def Nn_Pair : Nn_Extents<2>;
def Nn_Triple : Nn_Extents<3>;
// Padding on each side: [before, after], [top, bottom, left, right] or [front, back, top, bottom, left, right]. YAML: a
// number, one an axis, all of them, or the words same and valid, which plan() finds as a StringAttr and resolves.
class Nn_Sides<int axes> : ConfinedAttr<DenseI64ArrayAttr, [DenseArrayCount<!mul(2, axes)>]>;
def Nn_Padding1 : Nn_Sides<1>;
def Nn_Padding : Nn_Sides<2>;
def Nn_Padding3 : Nn_Sides<3>;
// One of these words. Its default is written as DefaultValuedStrAttr<Nn_Word<["zeros", "reflect"]>, "zeros">.
class Nn_Word<list<string> choices>
    : ConfinedAttr<StrAttr, [AttrConstraint<
          CPred<"::llvm::is_contained({" #
                !interleave(!foreach(word, choices, "::llvm::StringRef(\"" # word # "\")"), ", ") #
                "}, ::llvm::cast<::mlir::StringAttr>($_self).getValue())">,
          "one of " # !interleave(choices, ", ")>]> {
  list<string> words = choices;
}
// true or false.
def Nn_Flag : ConfinedAttr<BoolAttr, []>;
// A number.
def Nn_Number : ConfinedAttr<F64Attr, []>;
// A list of numbers, one a channel; a single number in YAML stands for all.
def Nn_Numbers : ConfinedAttr<DenseF64ArrayAttr, []>;

// ---- op classes

class Nn_Op<string mnemonic, list<Trait> traits = []> : Op<Nn_Dialect, mnemonic, traits>;

// An op with one result whose value depends on its operands alone.
class Nn_PureOp<string mnemonic, list<Trait> traits = []> : Nn_Op<mnemonic, traits # [Pure]> {
  let results = (outs Nn_Tensor:$output);
}

// ---- traits that passes ask for; they never list op names

// Each output element depends on the input element at the same place (and on per-channel operands).
def Nn_Elementwise : NativeOpTrait<"Elementwise"> { let cppNamespace = "::sylvite::nn"; }
// Makes 0 of 0 whatever its other operands are, so that padded channels stay zero.
def Nn_KeepsZero : NativeOpTrait<"KeepsZero"> { let cppNamespace = "::sylvite::nn"; }
// A sum of products over a large operand: computed in a region of its own, which is called after it.
def Nn_Contraction : NativeOpTrait<"Contraction"> { let cppNamespace = "::sylvite::nn"; }
// A window slides over the image.
def Nn_Windowed : NativeOpTrait<"Windowed"> { let cppNamespace = "::sylvite::nn"; }
// A window slides over the output: each output reads the inputs that its stride phase leaves.
def Nn_Transposed : NativeOpTrait<"Transposed"> { let cppNamespace = "::sylvite::nn"; }
// Cuts the image into tiles: attribute `tiles` counts them, `result_stride` says in which phases the result is written.
def Nn_Tiled : NativeOpTrait<"Tiled"> { let cppNamespace = "::sylvite::nn"; }
// Linear in all operands together: its derivative needs none of their values.
def Nn_Linear : NativeOpTrait<"LinearMap"> { let cppNamespace = "::sylvite::nn"; }
// Cheap enough to be computed again where the backward pass reads it.
def Nn_Recomputed : NativeOpTrait<"Recomputed"> { let cppNamespace = "::sylvite::nn"; }
// Makes weights of a variable's weights, which lie in memory like a variable.
def Nn_WholeWeights : NativeOpTrait<"WholeWeights"> { let cppNamespace = "::sylvite::nn"; }
// Reads its operands at computed places; outside of their extents they are zero.
def Nn_Reindexing : NativeOpTrait<"Reindexing"> { let cppNamespace = "::sylvite::nn"; }
// A sum over the whole batch: a barrier follows.
def Nn_BatchReduction : NativeOpTrait<"BatchReduction"> { let cppNamespace = "::sylvite::nn"; }
// Draws random numbers: nn-programs numbers these ops by the attribute `nn.stream`.
def Nn_Random : NativeOpTrait<"DrawsRandom"> { let cppNamespace = "::sylvite::nn"; }
// Has no gradient: what comes in through it is a constant of the backward pass.
def Nn_NoGradient : NativeOpTrait<"NoGradient"> { let cppNamespace = "::sylvite::nn"; }
// Its leading operands are variables, which it replaces by its results in place.
def Nn_InPlace : NativeOpTrait<"InPlace"> { let cppNamespace = "::sylvite::nn"; }

def Nn_LayerInterface : OpInterface<"LayerOpInterface"> {
  let cppNamespace = "::sylvite::nn";
  let description = "An op that a network file names: it knows its parameters and its output's shape.";
  let methods = [
    StaticInterfaceMethod<[{
        Shapes and parameters of the layer on these inputs, attributes resolved (padding `same` becomes numbers).
        Of a loss, `inputs` are what the network computed; its target's type is a result, `plan.target`. Problems go
        to `plan.errors`; then the rest of `plan` is undefined.
      }],
      "void", "plan",
      (ins "::llvm::ArrayRef<::mlir::RankedTensorType>":$inputs, "::mlir::DictionaryAttr":$attributes,
           "::sylvite::nn::LayerPlan &":$plan)>,
  ];
}

def Nn_ExpandInterface : OpInterface<"ExpandOpInterface"> {
  let cppNamespace = "::sylvite::nn";
  let description = "A layer that is made of other ops once training, evaluation and prediction are told apart.";
  let methods = [
    InterfaceMethod<[{
        Builds what the layer is in a program of this kind, whose batch is cut into `slices`, and replaces its uses; an
        op that has no uses is erased afterwards.
      }],
      "void", "expand", (ins "::mlir::OpBuilder &":$builder, "::sylvite::nn::ProgramKind":$kind, "int64_t":$slices)>,
  ];
}
def Nn_Expands : DeclareOpInterfaceMethods<Nn_ExpandInterface>;

// The op is what its layer's plan says; `inputs` of its operands are no variables, 0: all of them.
class Nn_VerifiedByPlan<int inputs> : ParamNativeOpTrait<"VerifiedByPlan", !cast<string>(inputs)> {
  let cppNamespace = "::sylvite::nn";
}

// A layer of the network file. Its operands are, in this order: inputs (Nn_Tensor, each one entry of `from`; or one
// Variadic<Nn_Tensor>, which takes one or more), the `target` of a loss, parameters (Nn_Parameter or
// Optional<Nn_Parameter>), and what passes add (Optional<Nn_Tensor>). A parameter's operand has the name of its
// ParameterSpec, or that name with `_value` where an attribute has the same name. Attributes are its YAML keys (unit
// attributes are not: passes set them). `mainAttribute` is the key that a bare value stands for (`max_pool2d: 2`).
// `role` tells where the file may name it: `layer` under `network`, `preprocess` under `preprocess`, `loss` under `loss`.
// `inputs` is how many operands are no variables of the layer (the target of a loss counts); 0: all of them.
// layers_from_tablegen.py turns the records into the frontend's table.
class Nn_Layer<string mnemonic, list<Trait> traits = [], string main = "", int inputs = 1>
    : Nn_PureOp<mnemonic, traits # [DeclareOpInterfaceMethods<Nn_LayerInterface>, Nn_VerifiedByPlan<inputs>]> {
  string mainAttribute = main;
  string role = "layer";
  list<string> aliases = []; // other names of the layer in the network file
  string defaultOutput = ""; // of a loss: what predict returns unless the file says otherwise
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

#endif
