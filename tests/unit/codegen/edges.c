/* edges: steps, evaluations and predictions of the network NET with every number of samples, each array of the caller's
 * right before a page that must not be touched, and as unaligned as it may be. Prints the number of calls whose loss or
 * outputs differ from those on aligned arrays with room around. */
#define PASTE(a, b) a##b
#define MODEL_OF(net) PASTE(net, _model)
#include <stdint.h>
#include NET_HEADER
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const size_t page = 4096;

/* `bytes` bytes, a multiple of 4 from the beginning of a page, that end where the next page may not be touched. */
static char *before_a_wall(size_t bytes) {
  size_t room = (bytes + page - 1) / page * page;
  char *pages = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED || mprotect(pages + room, page, PROT_NONE))
    exit(2);
  return pages + room - bytes;
}

static size_t size_of(const syl_array *array) {
  size_t bytes = array->dtype == SYL_UINT8 ? 1 : 4;
  for (int32_t i = 0; i < array->rank; ++i)
    bytes *= (size_t)array->shape[i];
  return bytes;
}

/* Samples k, of class k or of small numbers. */
static void fill(const syl_array *array, void *samples, int32_t n) {
  size_t count = size_of(array) / (array->dtype == SYL_UINT8 ? 1 : 4) * (size_t)n;
  for (size_t i = 0; i < count; ++i)
    if (array->dtype == SYL_UINT8)
      ((uint8_t *)samples)[i] = (uint8_t)(i * 37);
    else if (array->dtype == SYL_INT32)
      ((int32_t *)samples)[i] = (int32_t)(i % 2);
    else
      ((float *)samples)[i] = (float)((i * 37) % 101) / 101;
}

int main(void) {
  const syl_model *model = &MODEL_OF(NET);
  const syl_array *in = model->inputs, *wanted = model->targets, *out = model->outputs;
  size_t state_bytes = syl_state_bytes(model), scratch_bytes = syl_scratch_bytes(model, 0, 0);
  char *state = aligned_alloc(SYL_ALIGNMENT, (state_bytes + 127) / 128 * 128);
  char *scratch = aligned_alloc(SYL_ALIGNMENT, (scratch_bytes + 127) / 128 * 128);
  memset(scratch, 0xff, scratch_bytes); /* NaN where nothing was written */
  int different = 0;
  for (int32_t n = 1; n <= model->batch; ++n) {
    double losses[2][2];
    char *outputs[2];
    for (int walled = 0; walled < 2; ++walled) {
      char *x = before_a_wall(size_of(in) * (size_t)n + (walled ? 0 : page));
      char *y = before_a_wall(size_of(wanted) * (size_t)n + (walled ? 0 : page));
      outputs[walled] = before_a_wall(size_of(out) * (size_t)n + (walled ? 0 : page));
      fill(in, x, n);
      fill(wanted, y, n);
      const void *inputs[] = {x}, *targets[] = {y};
      void *predictions[] = {outputs[walled]};
      syl_result step, evaluated;
      if (syl_init_state(model, state, 1) || syl_train_step(model, state, scratch, inputs, targets, n, NULL, &step) ||
          syl_evaluate(model, state, scratch, inputs, targets, n, &evaluated) ||
          syl_predict(model, state, scratch, inputs, n, predictions))
        return printf("%s\n", syl_last_error()), 1;
      losses[walled][0] = step.loss;
      losses[walled][1] = evaluated.loss;
    }
    different += memcmp(losses[0], losses[1], sizeof losses[0]) != 0 ||
                 memcmp(outputs[0], outputs[1], size_of(out) * (size_t)n) != 0 || !(losses[0][0] < 1e9);
  }
  printf("%d different\n", different);
  free(state);
  free(scratch);
  return 0;
}
