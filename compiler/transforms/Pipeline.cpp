//===- Pipeline.cpp - the passes in their order -------------------------------------------------------------------===//
#include "compiler/transforms/Passes.h"

#include "mlir/Transforms/Passes.h"

namespace sylvite::nn {

void buildPipeline(mlir::OpPassManager &manager, bool keepGradients, llvm::ArrayRef<std::string> only) {
  manager.addPass(mlir::createCanonicalizerPass());
  NnProgramsOptions programs;
  programs.only.assign(only.begin(), only.end());
  manager.addPass(createNnPrograms(programs));
  mlir::OpPassManager &program = manager.nest<ProgramOp>();
  program.addPass(mlir::createCSEPass());
  program.addPass(createNnWinograd());
  program.addPass(createNnFuse());
  program.addPass(createNnDifferentiate({keepGradients}));
  program.addPass(createNnUpdate());
  program.addPass(createNnPhases());
  manager.addPass(createNnPlanMemory({keepGradients}));
}

} // namespace sylvite::nn
