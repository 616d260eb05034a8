//===- Nn.h - the nn dialect --------------------------------------------------------------------------------------===//
//
// Ops, types and traits of the nn dialect, and what a layer tells about itself (LayerPlan). Layer: dialect. What it
// does not know: YAML, kernels, memory.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_DIALECT_NN_H
#define SYLVITE_DIALECT_NN_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <array>
#include <optional>
#include <string>

namespace sylvite::nn {

/// One dimension of a variable in memory: indices (i / divisor) % extent of an axis of PyTorch's shape, padded to
/// `physical`. Neighbours of one name are one dimension for kernels.
struct VariableDim {
  std::string name; ///< as kernels call it: c, o, k, kx, ky, kz, g, x, y, z
  int64_t axis = 0, divisor = 1, extent = 1, physical = 1;
};

/// How a variable of this PyTorch shape lies where its layer does not say otherwise: [C], [O, K], [O, C, kernel…].
llvm::SmallVector<VariableDim> defaultDims(llvm::ArrayRef<int64_t> shape);
/// Records how a variable lies, innermost first; nothing where `dims` is empty.
void setVariableDims(mlir::Operation *variable, llvm::ArrayRef<VariableDim> dims);

/// A variable that a layer brings: its name is `<layer>.<suffix>`.
struct ParameterSpec {
  std::string suffix;               ///< PyTorch's: weight, bias, running_mean, …
  llvm::SmallVector<int64_t> shape; ///< PyTorch's
  bool trained = true;              ///< false for running statistics
  std::string init = "constant";    ///< constant, uniform, normal, …: VariableOp says which and what the numbers are
  double initA = 0, initB = 0, initC = 0, initD = 0;
  llvm::SmallVector<VariableDim> dims; ///< innermost first; empty: defaultDims(shape)
};

/// A problem with a layer: what is wrong, at which attribute (empty: the layer as a whole), and how to mend it.
struct LayerError {
  std::string attribute;
  std::string text;
  std::string hint;
};

/// What a layer on given inputs is: filled in by LayerOpInterface::plan.
struct LayerPlan {
  llvm::SmallVector<ParameterSpec> parameters; ///< in the order of the op's operands after the inputs
  mlir::RankedTensorType output;
  mlir::RankedTensorType target;  ///< of a loss: the type of its targets
  int64_t classes = 0;            ///< of a loss: targets are class numbers below this; 0: they are no class numbers
  mlir::NamedAttrList attributes; ///< the op's attributes, with defaults and `same` resolved
  llvm::SmallVector<LayerError> errors;

  void error(llvm::StringRef attribute, const llvm::Twine &text, llvm::StringRef hint = "") {
    errors.push_back({attribute.str(), text.str(), hint.str()});
  }
};

/// Channels as they lie in memory: up to 4 as they are, then multiples of 8 up to 8 and of 16 above. Padding is zero in
/// parameters and in every activation and gradient.
int64_t paddedChannels(int64_t channels);

/// How a tensor relates to the batch; stands in the type's encoding.
enum class Kind { Whole, Batch, Slices, Partial };

Kind kindOf(mlir::Type type);
/// A tensor type of this kind.
mlir::RankedTensorType tensorOf(Kind kind, llvm::ArrayRef<int64_t> shape, mlir::Type element);
/// The type's shape as a person writes it: "28x28x32", without the batch.
std::string sampleShape(mlir::RankedTensorType type);

/// Parts that a batch is cut into: a constant of the compiled network, the same on every machine, so that sums over the
/// batch have equal bits for any number of threads.
constexpr int64_t maxSlices = 16;
int64_t slicesOf(int64_t batch);

/// Largest extent of a dimension and of an attribute: what fits in 31 bits.
constexpr int64_t maxDimension = (int64_t(1) << 31) - 1;
/// Largest number of elements of a tensor: a Halide buffer is below 2^31 bytes.
constexpr int64_t maxElements = (int64_t(1) << 28) - 1;

/// What one entry of the object computes.
enum class ProgramKind { Train, Evaluate, Predict };

/// Whether a layer's operands, variables and result are those of its plan. `inputs` operands are no variables; 0: all.
mlir::LogicalResult verifyLayer(mlir::Operation *op, unsigned inputs,
                                llvm::function_ref<void(llvm::ArrayRef<mlir::RankedTensorType>, LayerPlan &)> plan);

// ---- traits
template <unsigned Inputs> struct VerifiedByPlan {
  template <typename T> class Impl : public mlir::OpTrait::TraitBase<T, Impl> {
  public:
    static mlir::LogicalResult verifyTrait(mlir::Operation *op) {
      return verifyLayer(op, Inputs, [&](llvm::ArrayRef<mlir::RankedTensorType> inputs, LayerPlan &plan) {
        T::plan(inputs, op->getAttrDictionary(), plan);
      });
    }
  };
};
template <typename T> class Elementwise : public mlir::OpTrait::TraitBase<T, Elementwise> {};
template <typename T> class KeepsZero : public mlir::OpTrait::TraitBase<T, KeepsZero> {};
template <typename T> class Contraction : public mlir::OpTrait::TraitBase<T, Contraction> {};
template <typename T> class Transposed : public mlir::OpTrait::TraitBase<T, Transposed> {};
template <typename T> class Reindexing : public mlir::OpTrait::TraitBase<T, Reindexing> {};
template <typename T> class Tiled : public mlir::OpTrait::TraitBase<T, Tiled> {};
template <typename T> class LinearMap : public mlir::OpTrait::TraitBase<T, LinearMap> {};
template <typename T> class Recomputed : public mlir::OpTrait::TraitBase<T, Recomputed> {};
template <typename T> class WholeWeights : public mlir::OpTrait::TraitBase<T, WholeWeights> {};
template <typename T> class Windowed : public mlir::OpTrait::TraitBase<T, Windowed> {};
template <typename T> class BatchReduction : public mlir::OpTrait::TraitBase<T, BatchReduction> {};
template <typename T> class DrawsRandom : public mlir::OpTrait::TraitBase<T, DrawsRandom> {};
template <typename T> class NoGradient : public mlir::OpTrait::TraitBase<T, NoGradient> {};
template <typename T> class InPlace : public mlir::OpTrait::TraitBase<T, InPlace> {};

} // namespace sylvite::nn

#include "compiler/dialect/NnDialect.h.inc"
#include "compiler/dialect/NnInterfaces.h.inc"
#define GET_OP_CLASSES
#include "compiler/dialect/NnOps.h.inc"

#endif
