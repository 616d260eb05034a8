// Fuzzes the frontend: any bytes as a network file give a network or errors.
#include "Fuzz.h"
#include "compiler/dialect/Nn.h"
#include "compiler/frontend/Frontend.h"

#include "mlir/IR/MLIRContext.h"

#include <memory>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz::Watch watch;
  // A new context takes half a millisecond, but constants and types of all inputs would add up in one.
  static std::unique_ptr<mlir::MLIRContext> made;
  static int uses;
  if (uses++ % 64 == 0) {
    made = std::make_unique<mlir::MLIRContext>(mlir::MLIRContext::Threading::DISABLED);
    made->loadDialect<sylvite::nn::NnDialect>();
  }
  mlir::MLIRContext &context = *made;
  sylvite::Diagnostics diagnostics;
  std::string text(reinterpret_cast<const char *>(data), size);
  auto module = sylvite::parseNetwork(text, "fuzz.yaml", {}, context, diagnostics);
  if (!module && !diagnostics.hasErrors())
    __builtin_trap(); // refused without a word
  return 0;
}
