//===- sylvite-opt.cpp - runs single passes on nn IR, for tests and for the curious -------------------------------===//
#include "compiler/transforms/Passes.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<sylvite::nn::NnDialect>();
  sylvite::nn::registerNnPasses();
  mlir::registerCanonicalizerPass();
  mlir::PassPipelineRegistration<> whole("nn-pipeline", "All passes, from a network to planned programs",
                                         [](mlir::OpPassManager &manager) { sylvite::nn::buildPipeline(manager, {}); });
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Sylvite's pass driver\n", registry));
}
