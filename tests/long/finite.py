"""What looking for NaN and infinity costs a training step: mlp and lenet5, in a program that links their objects and takes
steps with and without it by turns, on one thread and on two. Prints the quotient of best times and of medians; the times
are no part of the test."""
import subprocess

import linked

PROGRAM = r"""
#include "lenet5.h"
#include "mlp.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { STEPS = 3000 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e3 * t.tv_sec + 1e-6 * t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int measure(const char *name, const syl_model *model, int n, int threads) {
  static double times[2][STEPS];
  void *state, *scratch;
  if (posix_memalign(&state, SYL_ALIGNMENT, syl_state_bytes(model)) ||
      posix_memalign(&scratch, SYL_ALIGNMENT, syl_scratch_bytes(model, n, threads)))
    return 1;
  const void *images = calloc((size_t)n, 28 * 28), *labels = calloc((size_t)n, sizeof(int32_t));
  syl_status status = syl_init_state(model, state, 1);
  for (int i = -20; i < 2 * STEPS && status == SYL_OK; ++i) {
    const int check = (i & 1) ^ ((i >> 1) & 1); /* each follows each as often */
    const syl_step step = {0, 0, threads, check};
    syl_result result;
    const double begin = now();
    status = syl_train_step(model, state, scratch, &images, &labels, n, &step, &result);
    if (i >= 0)
      times[check][i / 2] = now() - begin;
  }
  if (status != SYL_OK) {
    fprintf(stderr, "%s\n", syl_last_error());
    return 1;
  }
  for (int check = 0; check < 2; ++check)
    qsort(times[check], STEPS, sizeof(double), ascending);
  printf("%-6s %d thread%s: best %.4f ms, with the check %+.1f%%; median %.4f ms, %+.1f%%\n", name, threads,
         threads > 1 ? "s" : " ", times[0][0], 100 * (times[1][0] / times[0][0] - 1), times[0][STEPS / 2],
         100 * (times[1][STEPS / 2] / times[0][STEPS / 2] - 1));
  return 0;
}

int main(void) {
  int failed = 0;
  for (int threads = 1; threads <= 2; ++threads)
    failed |= measure("mlp", &mlp_model, MLP_BATCH, threads) | measure("lenet5", &lenet5_model, LENET5_BATCH, threads);
  return failed;
}
"""


def main():
    program = linked.build(__doc__, "finite", ["lenet5", "mlp"], PROGRAM)
    subprocess.run([program], check=True)


if __name__ == "__main__":
    main()
