//===- Algorithms.cpp - which formulation of a layer is compiled --------------------------------------------------===//
#include "compiler/codegen/Algorithms.h"

#include "compiler/codegen/KernelFacts.h"
#include "compiler/transforms/Passes.h"

#include <set>

using namespace mlir;
using namespace sylvite::nn;

namespace sylvite::codegen {

/// What a rule's `when` can ask of a convolution's forward kernel before it is built.
static KernelDims dimsOf(Operation *conv, int64_t batch, const Target &target) {
  auto type = cast<RankedTensorType>(conv->getResult(0).getType());
  int64_t slices = slicesOf(batch);
  KernelDims dims = targetDims(type.getElementTypeBitWidth() / 8, target);
  fillLayerDims(conv, dims.values);
  dims.values["images"] = (batch + slices - 1) / slices;
  dims.values["task"] = slices;
  dims.values["batch"] = batch;
  dims.values["output_c"] = dims.values["filters"];
  dims.values["output_x"] = dims.values["width"];
  dims.values["output_y"] = dims.values["height"];
  if (auto depth = dims.values.find("depth"); depth != dims.values.end())
    dims.values["output_z"] = depth->second;
  return dims;
}

bool chooseAlgorithms(ModuleOp module, const ScheduleSet &schedules, const Target &target, Diagnostics &diagnostics) {
  std::set<const Rule *> wrong;
  module.walk([&](NetworkOp network) {
    network.walk([&](Operation *conv) {
      if (!fitsWinograd(conv))
        return;
      std::string layer = conv->getName().stripDialect().str();
      const Rule *rule = schedules.find(layer + ".forward", dimsOf(conv, network.getBatch(), target));
      if (!rule || rule->algorithm == "direct")
        return;
      if (winogradTile(rule->algorithm))
        conv->setAttr("nn.algorithm", StringAttr::get(module.getContext(), rule->algorithm));
      else if (wrong.insert(rule).second)
        diagnostics.error(rule->location, layer + " has no algorithm '" + rule->algorithm + "'",
                          "known: direct, winograd_2x2, winograd_3x3 and so on up to winograd_7x7");
    });
  });
  return wrong.empty();
}

} // namespace sylvite::codegen
