//===- Frontend.h - the network file becomes a module -------------------------------------------------------------===//
//
// Layer: frontend. The only part of the compiler, with the schedule reader, that knows YAML.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_FRONTEND_FRONTEND_H
#define SYLVITE_FRONTEND_FRONTEND_H

#include "compiler/support/Diagnostics.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sylvite {

/// What the command line says about a network, before what its file says.
struct NetworkOptions {
  int64_t batch = 0;                  ///< largest batch, in samples; 0: the file's
  bool doublePrecision = false;       ///< parameters, values and float inputs in double, for gradient checks
  std::optional<uint64_t> seed = {};  ///< else the file's
  std::optional<int64_t> epochs = {}; ///< else the file's
};

/// Reads the network file at `path`: a module with one nn.network, verified, or null with all errors in `diagnostics`.
///
/// The network's body is, for each input, nn.input in the file's dtype (channels last; `nn.name`, `nn.layout`),
/// nn.identity to float and preprocessing; per layer its variables and its op; for each loss nn.target where its name
/// is new
/// (`nn.name`, `nn.classes`) and the loss `[N]`; nn.loss_sum where there are several losses or a weight; nn.accuracy
/// where it is a metric of the one loss; predictions; nn.return. Every op is located at its layer's name, line and
/// column. Discardable attributes of nn.network: `nn.output_names` and `nn.output_kinds`, one a loss; `nn.metrics`
/// (`top_5`); `nn.weights`, a dictionary of `file` and `prefix`, a list of pairs. Warnings alone leave a module.
mlir::OwningOpRef<mlir::ModuleOp> readNetwork(llvm::StringRef path, const NetworkOptions &options,
                                              mlir::MLIRContext &context, Diagnostics &diagnostics);

/// The same for a text; `path` stands in messages and locations.
mlir::OwningOpRef<mlir::ModuleOp> parseNetwork(const std::string &text, llvm::StringRef path,
                                               const NetworkOptions &options, mlir::MLIRContext &context,
                                               Diagnostics &diagnostics);

/// A key that a network file may hold, and its default as one writes it (empty where there is none).
struct NetworkKey {
  std::string section; ///< `` for the file itself, input, training, an optimizer's or a layer's name
  std::string key;     ///< empty: the section has no keys of its own
  std::string defaultText;
};

/// Every key, for the documentation and its test.
std::vector<NetworkKey> networkKeys();

} // namespace sylvite

#endif
