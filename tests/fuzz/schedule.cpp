// Fuzzes the reader of schedule files: any bytes give rules or errors.
#include "Fuzz.h"
#include "compiler/schedule/Rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz::Watch watch;
  sylvite::Diagnostics diagnostics;
  std::string text(reinterpret_cast<const char *>(data), size);
  auto rules = sylvite::ScheduleSet::parse({{"fuzz.yaml", text}}, diagnostics);
  if (!rules && !diagnostics.hasErrors())
    __builtin_trap(); // refused without a word
  if (rules) {
    const sylvite::KernelDims dims{{{"lanes", 16}, {"vector_bytes", 64}, {"width", 14}, {"filters", 32}}, {}};
    for (const sylvite::Rule &rule : rules->rules())
      sylvite::tuneSpace(rule, dims, 50);
    rules->find("conv2d.forward", dims);
  }
  return 0;
}
