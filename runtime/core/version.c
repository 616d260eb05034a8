/* Which version of a network runs, where its object holds several. Layer: runtime/core. */
#include "internal.h"
#include <stdlib.h>
#include <string.h>

void syl_choose_version(syl_model *model, const syl_model *const *versions, int32_t count) {
  const char *wanted = getenv("SYLVITE_CPU");
  const uint64_t features = syl_cpu_features();
  const syl_model *chosen = NULL;
  for (int32_t i = 0; i < count; ++i) {
    if (versions[i]->cpu_features & ~features)
      continue;
    if (!chosen)
      chosen = versions[i];
    if (wanted && strcmp(wanted, versions[i]->target) == 0) {
      chosen = versions[i];
      break;
    }
  }
  /* Where none fits, calls fail with what the last one, of the fewest features, asks of the CPU. */
  memcpy(model, chosen ? chosen : versions[count - 1], sizeof *model);
}
