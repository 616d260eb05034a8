//===- Ends.h - what follows the network's layers: losses, metrics, predictions -----------------------------------===//
//
// Layer: frontend.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_FRONTEND_ENDS_H
#define SYLVITE_FRONTEND_ENDS_H

#include "compiler/frontend/Graph.h"

namespace sylvite {

/// Reads `loss`, `metrics` and `output` of a file and builds their ops.
class EndBuilder {
public:
  EndBuilder(const yaml::Node &file, GraphBuilder &graph, mlir::OpBuilder &builder, ValueReader &reader)
      : file(file), graph(graph), builder(builder), reader(reader) {}

  /// Adds targets, losses and their weighted sum, accuracy, predictions and nn.return; sets the network's attributes on
  /// outputs and metrics. Nothing is built of a loss that has problems.
  void build(nn::NetworkOp network);

private:
  /// One loss; `value` is null where it does not fit.
  struct Loss {
    LayerEntry entry;
    llvm::SmallVector<Source> sources; ///< what it takes; the first is what predict returns
    nn::LayerPlan plan;
    mlir::Value target, value;
    double weight = 1;
  };
  struct Target {
    nn::TargetOp op;
    const yaml::Node *place; ///< of the loss that declared it
    std::string loss;
  };

  void readLoss(const yaml::Node &node);
  /// The target of this name and of the loss's type; null after a message.
  mlir::Value targetOf(const Loss &loss, const std::string &name);
  mlir::Value sum();
  void readMetrics(nn::NetworkOp network);
  /// A metric as the network's attribute holds it, `top_5`; nothing after a message.
  std::optional<std::string> readMetric(const yaml::Node &node);
  mlir::Value accuracy(nn::NetworkOp network);
  /// The words of `output`, one a loss.
  std::vector<std::string> outputWords();
  mlir::Value predict(const Loss &loss, const std::string &word);

  const yaml::Node &file;
  GraphBuilder &graph;
  mlir::OpBuilder &builder;
  ValueReader &reader;
  std::vector<Loss> losses;
  std::map<std::string, Target> targets;
};

} // namespace sylvite

#endif
