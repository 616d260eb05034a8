//===- Pipeline.cpp - the passes in their order -------------------------------------------------------------------===//
#include "compiler/transforms/Passes.h"

#include "mlir/Transforms/Passes.h"

namespace sylvite::nn {

void buildPipeline(mlir::OpPassManager &manager, const PipelineOptions &options) {
  manager.addPass(mlir::createCanonicalizerPass());
  NnProgramsOptions programs;
  programs.only.assign(options.only.begin(), options.only.end());
  programs.directForward = options.directForward;
  manager.addPass(createNnPrograms(programs));
  mlir::OpPassManager &program = manager.nest<ProgramOp>();
  program.addPass(mlir::createCSEPass());
  program.addPass(createNnWinograd());
  program.addPass(createNnFuse());
  NnRecomputeOptions recompute;
  recompute.also.assign(options.recomputed.begin(), options.recomputed.end());
  program.addPass(createNnRecompute(recompute));
  program.addPass(createNnDifferentiate({options.keepGradients}));
  program.addPass(createNnUpdate());
  program.addPass(createNnPhases());
  manager.addPass(createNnPlanMemory({options.keepGradients}));
}

} // namespace sylvite::nn
