// Reads network files from texts, for the tests of the frontend.
#pragma once

#include "compiler/dialect/Nn.h"
#include "compiler/frontend/Frontend.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>

namespace sylvite::test {

inline std::string slurp(const std::string &path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

template <typename T> std::string print(T &&value) {
  std::string text;
  llvm::raw_string_ostream(text) << value;
  return text;
}

/// A network file read from a text that is called net.yaml.
struct Network {
  explicit Network(const std::string &text, const NetworkOptions &options = {})
      : context(mlir::MLIRContext::Threading::DISABLED),
        module(parseNetwork(text, "net.yaml", options, context, diagnostics)) {}

  std::string errors() const { return diagnostics.str(); }
  nn::NetworkOp network() { return *module->getOps<nn::NetworkOp>().begin(); }
  /// The ops of this kind, each as one line of text without its result.
  template <typename Op> std::vector<std::string> lines() {
    std::vector<std::string> result;
    for (Op op : network().getBody().getOps<Op>()) {
      std::string text = print(*op.getOperation());
      result.push_back(text.substr(text.find("nn.")));
    }
    return result;
  }
  template <typename Op> Op first() { return *network().getBody().getOps<Op>().begin(); }

  mlir::MLIRContext context;
  Diagnostics diagnostics;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// A valid network file around these layers.
inline std::string around(const std::string &layers, const std::string &input = "{shape: [28, 28, 1]}") {
  return "name: net\ninput: " + input + "\nnetwork:\n" + layers + "loss: cross_entropy\noptimizer: sgd\n";
}

} // namespace sylvite::test
