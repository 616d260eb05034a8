// Fuzzes the frontend: any bytes as a network file give a network or errors.
#include "Fuzz.h"
#include "compiler/dialect/Nn.h"
#include "compiler/frontend/Frontend.h"

#include "mlir/IR/MLIRContext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz::Watch watch;
  // A new context for each input: constants and types of all inputs would add up.
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<sylvite::nn::NnDialect>();
  sylvite::Diagnostics diagnostics;
  std::string text(reinterpret_cast<const char *>(data), size);
  auto module = sylvite::parseNetwork(text, "fuzz.yaml", {}, context, diagnostics);
  if (!module && !diagnostics.hasErrors())
    __builtin_trap(); // refused without a word
  return 0;
}
