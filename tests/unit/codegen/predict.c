/* Prints the bits of what a fresh lenet5 predicts for some bytes. */
#include "lenet5.h"
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  void *state = aligned_alloc(128, (lenet5_state_bytes() + 127) / 128 * 128);
  void *scratch = aligned_alloc(128, (lenet5_scratch_bytes(0, 2) + 127) / 128 * 128);
  static unsigned char input[5 * 784];
  static float output[50];
  for (int i = 0; i < 5 * 784; ++i)
    input[i] = (unsigned char)(i * 7 + i / 784);
  syl_set_threads(2);
  if (lenet5_init(state, 4) || lenet5_predict(state, scratch, input, 5, output))
    return printf("%s\n", syl_last_error()), 1;
  for (int i = 0; i < 50; ++i)
    printf("%a\n", output[i]);
  free(state);
  free(scratch);
  return 0;
}
