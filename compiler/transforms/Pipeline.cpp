//===- Pipeline.cpp - the passes in their order -------------------------------------------------------------------===//
#include "compiler/transforms/Passes.h"

#include "mlir/Transforms/Passes.h"

namespace sylvite::nn {

void buildPipeline(mlir::OpPassManager &manager, bool keepGradients) {
  manager.addPass(mlir::createCanonicalizerPass());
  manager.addPass(createNnPrograms());
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
