/* The state block: its size, its header and its first content. Layer: runtime/core. */
#include "internal.h"
#include <string.h>

size_t syl_state_bytes(const syl_model *model) { return model ? model->state_bytes : 0; }

uint64_t syl_state_step(const syl_model *model, const void *state) {
  (void)model;
  return state ? ((const syl_state_header *)state)->step : 0;
}

uint64_t syl_state_seed(const syl_model *model, const void *state) {
  (void)model;
  return state ? ((const syl_state_header *)state)->seed : 0;
}

/* What fills one tensor. */
typedef struct filling {
  const syl_tensor *tensor;
  uint32_t number; /* in the table */
  uint64_t seed;
} filling;

#define FILL(T, VALUE)                                                                                                 \
  for (int32_t j = 0; j < count; ++j) {                                                                                \
    T value = (T)(VALUE);                                                                                              \
    memcpy(base + offsets[j], &value, sizeof value);                                                                   \
  }

static void fill_constant(void *context, uint64_t index, int32_t count, char *base, const int64_t *offsets) {
  (void)index;
  const syl_tensor *tensor = ((const filling *)context)->tensor;
  switch ((syl_dtype)tensor->dtype) {
  case SYL_UINT8:
    FILL(uint8_t, tensor->init_a)
    break;
  case SYL_INT32:
    FILL(int32_t, tensor->init_a)
    break;
  case SYL_INT64:
    FILL(int64_t, tensor->init_a)
    break;
  case SYL_FLOAT32:
    FILL(float, tensor->init_a)
    break;
  case SYL_FLOAT64:
    FILL(double, tensor->init_a)
    break;
  }
}

static void fill_random(void *context, uint64_t index, int32_t count, char *base, const int64_t *offsets) {
  const filling *fill = context;
  const syl_tensor *t = fill->tensor;
  if (t->dtype == SYL_FLOAT32)
    FILL(float, syl_random_float32(fill->seed, fill->number, index + (uint64_t)j, t->init, t->init_a, t->init_b))
  else
    FILL(double, syl_random_float64(fill->seed, fill->number, index + (uint64_t)j, t->init, t->init_a, t->init_b))
}

static syl_status fill_tensor(const syl_tensor *tensor, uint32_t number, uint64_t seed, char *state) {
  filling fill = {tensor, number, seed};
  if (tensor->init == SYL_INIT_CONSTANT)
    return tensor->init_a == 0 ? SYL_OK : syl_visit_tensor(tensor, 0, state, fill_constant, &fill);
  if (tensor->init != SYL_INIT_UNIFORM && tensor->init != SYL_INIT_NORMAL)
    return syl_fail(SYL_ERROR_ARGUMENT, "tensor '%s' has unknown initialisation %d", tensor->name, (int)tensor->init);
  if (tensor->dtype != SYL_FLOAT32 && tensor->dtype != SYL_FLOAT64)
    return syl_fail(SYL_ERROR_ARGUMENT, "tensor '%s' is %s and cannot start with random numbers", tensor->name,
                    syl_dtype_name((syl_dtype)tensor->dtype));
  return syl_visit_tensor(tensor, 0, state, fill_random, &fill);
}

syl_status syl_init_state(const syl_model *model, void *state, uint64_t seed) {
  syl_status status = syl_check_model(model);
  if (status == SYL_OK)
    status = syl_check_block(state, "state");
  if (status != SYL_OK)
    return status;
  memset(state, 0, model->state_bytes);
  for (int32_t i = 0; i < model->tensor_count && status == SYL_OK; ++i) {
    const syl_tensor *tensor = &model->tensors[i];
    if (tensor->kind == SYL_PARAMETER || tensor->kind == SYL_BUFFER || tensor->kind == SYL_SLOT)
      status = fill_tensor(tensor, (uint32_t)i, seed, state);
  }
  if (status != SYL_OK)
    return status; /* the header stays zero: no call takes this block for a state */
  syl_state_header *header = state;
  header->magic = SYL_STATE_MAGIC;
  header->layout_hash = model->layout_hash;
  header->seed = seed;
  return SYL_OK;
}
