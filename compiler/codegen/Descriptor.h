//===- Descriptor.h - syl_model and the public functions, in the LLVM dialect -------------------------------------===//
#ifndef SYLVITE_CODEGEN_DESCRIPTOR_H
#define SYLVITE_CODEGEN_DESCRIPTOR_H

#include "compiler/codegen/LlvmBuilder.h"
#include "compiler/codegen/Program.h"

namespace sylvite::codegen {

/// A row of the descriptor's table of kernels, syl_kernel.
struct KernelRow {
  std::string name, rule, function;
  double flops, bytes, localBytes;
  int64_t slices;
  size_t program, phase;
};

/// What an app sees of a network's object. The structures are those of runtime/include/sylvite/sylvite.h, field by
/// field; the test of the emitted descriptor compares them with the C compiler's.
class DescriptorBuilder : public LlvmBuilder {
public:
  DescriptorBuilder(const Plan &plan, mlir::MLIRContext &context);

  /// The descriptor, called `name`. The tables `<program>_phases` are there already.
  void addDescriptor(llvm::ArrayRef<KernelRow> kernels, const std::string &name);
  /// The descriptor `<net>_model` as memory, and a constructor that fills it with that of the first of these versions
  /// that the CPU runs, before any constructor that an app brings.
  void addChoice(llvm::ArrayRef<std::string> versions);
  /// The functions of `<net>.h`: each hands its arguments on to the runtime's, after the descriptor `<net>_model`.
  void addPublicFunctions();

protected:
  const Plan &plan;

private:
  /// One argument of a public function, or `pointers` of them that the runtime takes as an array.
  struct Argument {
    mlir::Type type;
    size_t pointers = 0;
  };

  mlir::LLVM::LLVMStructType tensorType, arrayType, headType, factorType, programType, kernelType, modelType;

  mlir::Value shapeArray(llvm::ArrayRef<int64_t> shape);
  void addArrays(const std::string &name, const std::vector<ArrayRow> &rows);
  void forward(llvm::StringRef suffix, llvm::StringRef runtime, mlir::Type result, llvm::ArrayRef<Argument> arguments);
};

} // namespace sylvite::codegen

#endif
