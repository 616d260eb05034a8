"""How long a process takes from its start to the end of its first training step, weights initialised: lenet5 in a program
that links its object and the runtime. Prints the best and the median of 40 processes; the time is no part of the test."""
import os
import statistics
import subprocess
import time

import linked

PROGRAM = r"""
#include "lenet5.h"
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  const int n = 64;
  void *state, *scratch;
  if (posix_memalign(&state, lenet5_state_align(), lenet5_state_bytes()) ||
      posix_memalign(&scratch, lenet5_state_align(), lenet5_scratch_bytes(n, 0)))
    return 1;
  uint8_t *images = calloc((size_t)n, 28 * 28);
  int32_t *labels = calloc((size_t)n, sizeof *labels);
  syl_result result;
  syl_status status = lenet5_init(state, 1);
  if (status == SYL_OK)
    status = lenet5_train_step(state, scratch, images, labels, n, NULL, &result);
  if (status != SYL_OK)
    fprintf(stderr, "%s\n", syl_last_error());
  return status != SYL_OK;
}
"""


def main():
    program = linked.build(__doc__, "start", ["lenet5"], PROGRAM)
    times = []
    for _ in range(40):
        begin = time.perf_counter()
        subprocess.run([program], check=True)
        times.append(1000 * (time.perf_counter() - begin))
    print(f"lenet5 on {os.cpu_count()} threads, process start to the end of the first step of 64 samples: best "
          f"{min(times):.1f} ms, median {statistics.median(times):.1f} ms")


if __name__ == "__main__":
    main()
