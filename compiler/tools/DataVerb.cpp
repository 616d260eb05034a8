//===- DataVerb.cpp - sylvite data: what a network reads, for the program that shows data
//--------------------------===//
#include "compiler/tools/DataVerb.h"

#include "compiler/codegen/Program.h"

#include <nlohmann/json.hpp>

using nlohmann::ordered_json;

namespace sylvite {

std::string arraysText(mlir::ModuleOp module) {
  codegen::Plan plan;
  auto network = *module.getOps<nn::NetworkOp>().begin();
  codegen::describeArrays(plan, network);
  auto rows = [](const std::vector<codegen::ArrayRow> &arrays) {
    ordered_json list = ordered_json::array();
    for (const codegen::ArrayRow &row : arrays)
      list.push_back({{"name", row.name},
                      {"dtype", row.dtype},
                      {"shape", row.shape},
                      {"classes", row.classes},
                      {"ignore_index", row.ignoreIndex}});
    return list;
  };
  ordered_json json = {{"name", network.getSymName().str()},
                       {"training", ordered_json::parse(plan.training)},
                       {"inputs", rows(plan.inputs)},
                       {"targets", rows(plan.targets)}};
  return json.dump();
}

} // namespace sylvite
