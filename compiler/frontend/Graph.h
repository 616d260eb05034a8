//===- Graph.h - layers become ops --------------------------------------------------------------------------------===//
//
// Builds the ops of layers, and of blocks' layers, on the values that `from` names. A layer that does not fit leaves a
// null value: it ends the checks of shapes, not those of the layers after it. Layer: frontend.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_FRONTEND_GRAPH_H
#define SYLVITE_FRONTEND_GRAPH_H

#include "compiler/frontend/Blocks.h"
#include "compiler/frontend/LayerReader.h"

namespace sylvite {

using Values = llvm::SmallVector<mlir::Value>;

/// A layer that a loss or an output can name.
struct Source {
  std::string name; ///< full
  mlir::Value value;
};

class GraphBuilder {
public:
  /// `real` is the type of parameters and values.
  GraphBuilder(mlir::OpBuilder &builder, ValueReader &reader, BlockTable &blocks, mlir::Type real);

  /// Declares an input of the network; null where it does not fit.
  void addInput(const std::string &name, mlir::Value value, const yaml::Node &place);
  /// The preprocessing steps of `list` on `value`.
  mlir::Value addPreprocessing(const yaml::Node &list, mlir::Value value);
  /// The layers under `network`.
  void addNetwork(const yaml::Node &list);

  /// What `from` of a loss names, or the last layer; problems are reported.
  std::optional<llvm::SmallVector<Source>> sourcesOf(const LayerEntry &entry);
  /// The plan of a layer on these inputs, or nothing after messages.
  std::optional<nn::LayerPlan> plan(const LayerEntry &entry, llvm::ArrayRef<mlir::Value> inputs);
  /// The layer's op.
  mlir::Value create(const LayerEntry &entry, const nn::LayerPlan &plan, llvm::ArrayRef<mlir::Value> inputs,
                     llvm::ArrayRef<mlir::Value> parameters = {});

  /// Warns about layers, inputs and blocks that nothing uses; when all is built.
  void warnAboutUnused();
  /// Whether there is a parameter to train.
  bool hasParameters() const { return hasTrained; }
  /// Whether every layer fits.
  bool isComplete() const;

  LayerReader &reader() { return layers; }
  mlir::Location at(const yaml::Node &node, llvm::StringRef name);

private:
  /// What a block says about the parameters of its layers.
  struct Policy {
    std::optional<bool> trainable;
    double learningRate = 1, weightDecay = 1;
  };
  /// One list of layers.
  struct Scope {
    NameScope names;
    const yaml::Node *list = nullptr;
    size_t position = 0;                  ///< of the entry that is read
    std::map<std::string, Source> inputs; ///< by the names that `from` uses
    llvm::SmallVector<Source> previous;   ///< what an entry without `from` takes
    std::string variables;                ///< prefix of the layers' parameters
    const yaml::Node *sharing = nullptr;  ///< the `weights` of a block around, or null
    Policy policy;
    std::vector<const Block *> uses; ///< blocks around, the outermost first
  };

  void addEntries(Scope &scope);
  void addLayer(const yaml::Node &item, Scope &scope);
  void addUse(const Block &block, const yaml::Node &item, Scope &scope);
  /// The arguments of a use; nothing after messages.
  std::optional<BlockArguments> argumentsOf(const Block &block, const yaml::Node &place, const yaml::Node *settings,
                                            const std::string &label);
  /// Adds the layers of one use; leaves what the block leaves in `scope.previous`.
  void expand(const Block &block, const BlockArguments &arguments, const yaml::Node &place, Scope &scope, Scope &inner);

  /// What `from` names, or the scope's previous value.
  std::optional<llvm::SmallVector<Source>> resolve(const yaml::Node *from, const std::string &label,
                                                   const std::string &name, Scope &scope);
  std::optional<Source> find(const yaml::Node &node, const std::string &label, const std::string &name, Scope &scope);
  /// Names of the entries from `position` on that have been read by nobody yet, and their lines.
  std::map<std::string, int> laterNames(const Scope &scope);
  /// The policy inside of a layer or block with these keys; problems are reported.
  Policy policyOf(const LayerEntry &entry, const Scope &scope);
  Policy policyOf(const std::string &label, const Policy &outer,
                  llvm::function_ref<const yaml::Node *(const char *)> find);

  /// The layer's variables, made or shared; nothing after messages.
  std::optional<Values> variablesOf(const LayerEntry &entry, nn::LayerPlan &plan, Scope &scope);
  void readInitializers(const LayerEntry &entry, nn::LayerPlan &plan);
  /// The variable that another layer made before, for this one; null after a message.
  mlir::Value share(const LayerEntry &entry, const nn::ParameterSpec &spec, const std::string &name);
  /// What the parameters of the layer or block `name` of this scope are called by.
  std::string sharedName(const Scope &scope, const std::string &name) const;

  struct Variable {
    nn::VariableOp op;
    std::string owner; ///< label of the layer that made it
    int line;
  };
  /// Layers whose parameters have one name.
  struct Share {
    int layers = 0;
    const yaml::Node *place = nullptr; ///< of a key `weights`
  };
  struct Result {
    mlir::Value value;
    std::string label;
    yaml::Node place; ///< of which only line and column count
    std::string use;  ///< the block it is in
  };

  mlir::OpBuilder &builder;
  ValueReader &values;
  BlockTable &blocks;
  mlir::Type real;
  LayerReader layers;
  Scope network;
  std::map<std::string, mlir::Value> named;      ///< by full name
  std::map<std::string, std::string> sharedFrom; ///< by a layer's full name, the name its variables go by
  std::map<std::string, Variable> variables;     ///< by name
  std::map<std::string, Share> shares;           ///< by the name of the parameters
  std::vector<Result> results;
  std::vector<yaml::NodeRef> expansions; ///< keeps the nodes that entries refer to
  size_t layerCount = 0;
  bool hasTrained = false;
};

} // namespace sylvite

#endif
