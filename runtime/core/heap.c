/* What Halide's kernels call: memory, errors, printing and loops, on the worker that they run on. These definitions are
 * strong and replace the weak ones of Halide's runtime, with which this file is joined. Layer: runtime/core.
 *
 * A worker's heap is a stack of blocks between 64-byte records:
 *
 *   heap -> [record][block 0, a multiple of 64 bytes][record][block 1][record] <- heap_top … heap_end
 *
 * so that 64 bytes before and after each block may be read, and blocks alive at once need 64 bytes, and for each its
 * size rounded up to a multiple of 64, and 64. A block that is freed below the top goes when all above it have gone. */
#include "internal.h"
#include <HalideRuntime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t unit = 64; /* alignment, and size of a record */

/* Stands before each block and after the last one. */
typedef struct record {
  struct record *below, *above; /* the records at both ends' other sides; null where there is none */
  uint64_t freed;               /* the block between `below` and this record is no longer in use */
} record;

int syl_heap_is_empty(const syl_worker *worker) { return worker->heap_top == worker->heap; }

static void *take(syl_worker *worker, size_t bytes) {
  if (!worker->heap || bytes > PTRDIFF_MAX - 2 * unit)
    return NULL;
  bytes = (bytes + unit - 1) / unit * unit;
  size_t left = (size_t)(worker->heap_end - worker->heap_top);
  if (left < 2 * unit || left - 2 * unit < bytes)
    return NULL;
  record *below = (record *)worker->heap_top;
  if (syl_heap_is_empty(worker)) {
    below->below = NULL;
    below->freed = 0;
  }
  record *top = (record *)(worker->heap_top + unit + bytes);
  below->above = top;
  top->below = below;
  top->above = NULL;
  top->freed = 0;
  worker->heap_top = (char *)top;
  return (char *)below + unit;
}

static void give_back(syl_worker *worker, void *block) {
  if ((char *)block < worker->heap || (char *)block >= worker->heap_end)
    return; /* of the thread's stack, to which a kernel turns where the heap had no room */
  ((record *)((char *)block - unit))->above->freed = 1;
  while (!syl_heap_is_empty(worker) && ((record *)worker->heap_top)->freed)
    worker->heap_top = (char *)((record *)worker->heap_top)->below;
}

/* Memory for a kernel, aligned to 64 bytes; null where the worker's heap (or, without a worker, the process) has none.
 */
void *halide_malloc(void *user_context, size_t bytes) {
  if (user_context)
    return take(user_context, bytes);
  if (bytes > PTRDIFF_MAX - 3 * unit)
    return NULL;
  char *memory = aligned_alloc(unit, (bytes + 3 * unit - 1) / unit * unit);
  return memory ? memory + unit : NULL;
}

void halide_free(void *user_context, void *block) {
  if (!block)
    return;
  if (user_context)
    give_back(user_context, block);
  else
    free((char *)block - unit);
}

/* Keeps a kernel's first message. */
void halide_error(void *user_context, const char *message) {
  syl_worker *worker = user_context;
  if (!worker) {
    syl_fail(SYL_ERROR_KERNEL, "%s", message);
    return;
  }
  if (!worker->failed)
    snprintf(worker->message, sizeof worker->message, "%.*s", (int)strcspn(message, "\n"), message);
  worker->failed = 1;
}

/* Kernels of a release have no prints; those of a schedule under test are dropped: the library never prints. */
void halide_print(void *user_context, const char *message) {
  (void)user_context;
  (void)message;
}

/* A parallel loop inside a kernel: the phase around it is what is parallel. */
int halide_do_par_for(void *user_context, halide_task_t task, int min, int size, uint8_t *closure) {
  for (int i = 0; i < size; ++i) {
    int code = task(user_context, min + i, closure);
    if (code)
      return code;
  }
  return 0;
}

/* Concurrent tasks need threads of their own (Halide's async): refused. */
int halide_do_parallel_tasks(void *user_context, int count, struct halide_parallel_task_t *tasks, void *parent) {
  (void)count;
  (void)tasks;
  (void)parent;
  halide_error(user_context, "the schedule uses async, which Sylvite's runtime does not run");
  return halide_error_code_generic_error;
}
