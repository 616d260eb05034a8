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

/* What fills one tensor: the record that tells how, and its index in the table. */
typedef struct filling {
  const syl_tensor *rule;
  uint32_t number;
  uint64_t seed;
} filling;

#define FILL(T, VALUE)                                                                                                 \
  for (int32_t j = 0; j < count; ++j) {                                                                                \
    T value = (T)(VALUE);                                                                                              \
    memcpy(base + offsets[j], &value, sizeof value);                                                                   \
  }

static void fill_constant(void *context, uint64_t index, int32_t count, char *base, const int64_t *offsets) {
  (void)index;
  const syl_tensor *rule = ((const filling *)context)->rule;
  switch ((syl_dtype)rule->dtype) {
  case SYL_UINT8:
    FILL(uint8_t, rule->init_a)
    break;
  case SYL_INT32:
    FILL(int32_t, rule->init_a)
    break;
  case SYL_INT64:
    FILL(int64_t, rule->init_a)
    break;
  case SYL_FLOAT32:
    FILL(float, rule->init_a)
    break;
  case SYL_FLOAT64:
    FILL(double, rule->init_a)
    break;
  }
}

static void fill_random(void *context, uint64_t index, int32_t count, char *base, const int64_t *offsets) {
  const filling *fill = context;
  const syl_tensor *t = fill->rule;
  if (t->dtype == SYL_FLOAT32)
    FILL(float, syl_random_float32(fill->seed, fill->number, index + (uint64_t)j, t->init, t->init_a, t->init_b))
  else
    FILL(double, syl_random_float64(fill->seed, fill->number, index + (uint64_t)j, t->init, t->init_a, t->init_b))
}

static void fill_truncated(void *context, uint64_t index, int32_t count, char *base, const int64_t *offsets) {
  const filling *fill = context;
  const syl_tensor *t = fill->rule;
#define DRAWN                                                                                                          \
  syl_random_truncated(fill->seed, fill->number, index + (uint64_t)j, t->init_a, t->init_b, t->init_c, t->init_d)
  if (t->dtype == SYL_FLOAT32)
    FILL(float, DRAWN)
  else
    FILL(double, DRAWN)
#undef DRAWN
}

/* Elements of one index of axis 0. */
static uint64_t row_elements(const syl_tensor *tensor) {
  uint64_t elements = 1;
  for (int32_t axis = 1; axis < tensor->rank; ++axis)
    elements *= (uint64_t)tensor->shape[axis];
  return elements;
}

static void fill_normal_zero_row(void *context, uint64_t index, int32_t count, char *base, const int64_t *offsets) {
  const filling *fill = context;
  const syl_tensor *t = fill->rule;
  const uint64_t row = row_elements(t);
#define DRAWN(TYPE)                                                                                                    \
  ((double)((index + (uint64_t)j) / row) == t->init_c                                                                  \
       ? 0                                                                                                             \
       : syl_random_##TYPE(fill->seed, fill->number, index + (uint64_t)j, SYL_INIT_NORMAL, t->init_a, t->init_b))
  if (t->dtype == SYL_FLOAT32)
    FILL(float, DRAWN(float32))
  else
    FILL(double, DRAWN(float64))
#undef DRAWN
}

static int same_shape(const syl_tensor *a, const syl_tensor *b) {
  if (a->rank != b->rank || a->dtype != b->dtype || a->rank < 0 || a->rank > SYL_MAX_RANK)
    return 0;
  return memcmp(a->shape, b->shape, (size_t)a->rank * sizeof a->shape[0]) == 0;
}

static syl_status fill_tensor(const syl_model *model, uint32_t number, uint64_t seed, char *state) {
  const syl_tensor *tensor = &model->tensors[number], *rule = tensor;
  if (tensor->init == SYL_INIT_COPY) { /* numbers depend on place and seed alone: the same ones are drawn again */
    number = (uint32_t)tensor->init_from;
    if (tensor->init_from < 0 || tensor->init_from >= model->tensor_count ||
        (rule = &model->tensors[number])->init == SYL_INIT_COPY || !same_shape(tensor, rule))
      return syl_fail(SYL_ERROR_ARGUMENT, "tensor '%s' starts as a copy of tensor %d, which is no such tensor",
                      tensor->name, (int)tensor->init_from);
  }
  filling fill = {rule, number, seed};
  if (rule->init == SYL_INIT_CONSTANT)
    return rule->init_a == 0 ? SYL_OK : syl_visit_tensor(tensor, 0, state, fill_constant, &fill);
  if (rule->init < SYL_INIT_CONSTANT || rule->init > SYL_INIT_NORMAL_ZERO_ROW)
    return syl_fail(SYL_ERROR_ARGUMENT, "tensor '%s' has unknown initialisation %d", tensor->name, (int)rule->init);
  if (tensor->dtype != SYL_FLOAT32 && tensor->dtype != SYL_FLOAT64)
    return syl_fail(SYL_ERROR_ARGUMENT, "tensor '%s' is %s and cannot start with random numbers", tensor->name,
                    syl_dtype_name((syl_dtype)tensor->dtype));
  if (rule->init == SYL_INIT_ORTHOGONAL)
    return syl_fill_orthogonal(tensor, rule, number, seed, state);
  return syl_visit_tensor(tensor, 0, state,
                          rule->init == SYL_INIT_TRUNCATED_NORMAL  ? fill_truncated
                          : rule->init == SYL_INIT_NORMAL_ZERO_ROW ? fill_normal_zero_row
                                                                   : fill_random,
                          &fill);
}

static syl_status init_state(const syl_model *model, void *state, uint64_t seed) {
  syl_status status = syl_check_model(model);
  if (status == SYL_OK)
    status = syl_check_block(state, "state");
  if (status != SYL_OK)
    return status;
  memset(state, 0, model->state_bytes);
  for (int32_t i = 0; i < model->tensor_count && status == SYL_OK; ++i) {
    const syl_tensor *tensor = &model->tensors[i];
    if (tensor->kind == SYL_PARAMETER || tensor->kind == SYL_BUFFER || tensor->kind == SYL_SLOT)
      status = fill_tensor(model, (uint32_t)i, seed, state);
  }
  if (status != SYL_OK)
    return status; /* the header stays zero: no call takes this block for a state */
  syl_state_header *header = state;
  header->magic = SYL_STATE_MAGIC;
  header->layout_hash = model->layout_hash;
  header->seed = seed;
  return SYL_OK;
}

syl_status syl_init_state(const syl_model *model, void *state, uint64_t seed) {
  return syl_finish(init_state(model, state, seed));
}
