/* steps STATE: trains lenet5 for 20 steps on some bytes, from the state block in the file STATE where there is one, and
 * leaves the state there. Prints the version that runs, then each loss. */
#include "lenet5.h"
#include <stdio.h>
#include <stdlib.h>

/* The descriptor is whole before an app's own constructors run. */
static const char *early_target;
static int32_t early_batch;
__attribute__((constructor)) static void look(void) {
  early_target = lenet5_model.target;
  early_batch = lenet5_model.batch;
}

int main(int argc, char **argv) {
  if (argc != 2 || early_target != lenet5_model.target || early_batch != LENET5_BATCH)
    return 1;
  size_t bytes = lenet5_state_bytes();
  void *state = aligned_alloc(128, (bytes + 127) / 128 * 128);
  void *scratch = aligned_alloc(128, (lenet5_scratch_bytes(0, 2) + 127) / 128 * 128);
  syl_set_threads(2);
  FILE *file = fopen(argv[1], "rb");
  if (file ? fread(state, 1, bytes, file) != bytes : lenet5_init(state, 4))
    return printf("%s\n", syl_last_error()), 1;
  if (file)
    fclose(file);
  printf("%s\n", lenet5_model.target);
  static unsigned char input[64 * 784];
  static int32_t target[64];
  for (int step = 0; step < 20; ++step) {
    for (int i = 0; i < 64; ++i) {
      target[i] = (i * 7 + step) % 10;
      for (int p = 0; p < 784; ++p)
        input[i * 784 + p] = (unsigned char)(p / 28 % 10 == target[i] ? 200 : (p * 7 + i * 3 + step) % 100);
    }
    syl_result result;
    if (lenet5_train_step(state, scratch, input, target, 64, NULL, &result))
      return printf("%s\n", syl_last_error()), 1;
    printf("%a\n", result.loss);
  }
  file = fopen(argv[1], "wb");
  if (!file || fwrite(state, 1, bytes, file) != bytes || fclose(file))
    return 1;
  free(state);
  free(scratch);
  return 0;
}
