/* Tensors in and out of their blocks, through the factors of their layouts. Layer: runtime/core. */
#include "internal.h"
#include <string.h>

/* Elements whose places are looked up in one table. */
enum { TABLE = 1024 };

/* Bytes that index i of an axis adds to an element's place. */
static int64_t axis_offset(const syl_tensor *tensor, int32_t axis, int64_t i) {
  int64_t elements = 0;
  for (int32_t f = 0; f < tensor->factor_count; ++f) {
    const syl_factor *factor = &tensor->factors[f];
    if (factor->axis == axis)
      elements += i / factor->divisor % factor->extent * factor->stride;
  }
  return elements * (int64_t)syl_dtype_bytes((syl_dtype)tensor->dtype);
}

static syl_status check_tensor(const syl_tensor *tensor) {
  if (!tensor || !tensor->name)
    return syl_fail(SYL_ERROR_ARGUMENT, "tensor is null");
  if (tensor->rank < 0 || tensor->rank > SYL_MAX_RANK)
    return syl_fail(SYL_ERROR_ARGUMENT, "tensor '%s' has rank %d, expected 0 to %d", tensor->name, (int)tensor->rank,
                    SYL_MAX_RANK);
  if (syl_dtype_bytes((syl_dtype)tensor->dtype) == 0)
    return syl_fail(SYL_ERROR_ARGUMENT, "tensor '%s' has unknown element type %d", tensor->name, (int)tensor->dtype);
  int64_t elements = 1;
  for (int32_t axis = 0; axis < tensor->rank; ++axis)
    if (tensor->shape[axis] < 0 || __builtin_mul_overflow(elements, tensor->shape[axis], &elements))
      return syl_fail(SYL_ERROR_ARGUMENT, "tensor '%s' has an impossible shape at axis %d", tensor->name, (int)axis);
  for (int32_t f = 0; f < tensor->factor_count; ++f) {
    const syl_factor *factor = &tensor->factors[f];
    if (factor->axis < 0 || factor->axis >= tensor->rank || factor->divisor < 1 || factor->extent < 1)
      return syl_fail(SYL_ERROR_ARGUMENT, "tensor '%s' has an impossible factor %d: axis %d, divisor %lld, extent %lld",
                      tensor->name, (int)f, (int)factor->axis, (long long)factor->divisor, (long long)factor->extent);
  }
  if (tensor->copies < 1)
    return syl_fail(SYL_ERROR_ARGUMENT, "tensor '%s' has %d copies, expected 1 or more", tensor->name,
                    (int)tensor->copies);
  return SYL_OK;
}

syl_status syl_visit_tensor(const syl_tensor *tensor, int32_t n, char *block, syl_visit_fn visit, void *context) {
  syl_status status = check_tensor(tensor);
  if (status != SYL_OK)
    return status;
  const int32_t rank = tensor->rank;
  int64_t shape[SYL_MAX_RANK + 1] = {0}, total = 1;
  for (int32_t axis = 0; axis < rank; ++axis)
    shape[axis] = tensor->shape[axis];
  if (tensor->batched && rank > 0) {
    if (n < 0 || n > shape[0])
      return syl_fail(SYL_ERROR_ARGUMENT, "found %d rows of tensor '%s', expected 0 to %lld", (int)n, tensor->name,
                      (long long)shape[0]);
    shape[0] = n;
  }
  for (int32_t axis = 0; axis < rank; ++axis)
    total *= shape[axis];
  if (total == 0)
    return SYL_OK;
  /* The last axes whose product fits the table are looked up together; a last axis that is too long, in chunks. */
  int32_t outer = rank; /* axes [0, outer) are stepped through */
  int64_t inner = 1;    /* product of the others */
  while (outer > 0 && inner <= TABLE / shape[outer - 1])
    inner *= shape[--outer];
  if (outer == rank && rank > 0)
    inner = shape[--outer];
  for (int64_t first = 0; first < inner; first += TABLE) {
    const int32_t count = (int32_t)(inner - first < TABLE ? inner - first : TABLE);
    int64_t table[TABLE];
    for (int32_t j = 0; j < count; ++j) {
      int64_t left = first + j;
      table[j] = 0;
      for (int32_t axis = rank - 1; axis >= outer; --axis) {
        table[j] += axis_offset(tensor, axis, left % shape[axis]);
        left /= shape[axis];
      }
    }
    int64_t at[SYL_MAX_RANK + 1] = {0}, offset[SYL_MAX_RANK + 1] = {0}, base = 0;
    for (int64_t row = 0; row < total / inner; ++row) {
      visit(context, (uint64_t)(row * inner + first), count, block + tensor->offset + base, table);
      for (int32_t axis = outer - 1; axis >= 0; --axis) {
        at[axis] = at[axis] + 1 < shape[axis] ? at[axis] + 1 : 0;
        base -= offset[axis];
        base += offset[axis] = axis_offset(tensor, axis, at[axis]);
        if (at[axis])
          break;
      }
    }
  }
  return SYL_OK;
}

/* ---- export and import ---- */

typedef struct copying {
  const syl_tensor *tensor;
  char *packed;
} copying;

/* A visitor that gathers elements of type T, partial sums added in their order. */
#define DEFINE_GATHER(NAME, T)                                                                                         \
  static void NAME(void *context, uint64_t index, int32_t count, char *base, const int64_t *offsets) {                 \
    const copying *copy = context;                                                                                     \
    char *to = copy->packed + index * sizeof(T);                                                                       \
    for (int32_t j = 0; j < count; ++j) {                                                                              \
      const char *from = base + offsets[j];                                                                            \
      T sum, term;                                                                                                     \
      memcpy(&sum, from, sizeof(T));                                                                                   \
      for (int32_t c = 1; c < copy->tensor->copies; ++c) {                                                             \
        memcpy(&term, from + (uint64_t)c * copy->tensor->copy_stride, sizeof(T));                                      \
        sum = (T)(sum + term);                                                                                         \
      }                                                                                                                \
      memcpy(to + (size_t)j * sizeof(T), &sum, sizeof(T));                                                             \
    }                                                                                                                  \
  }

DEFINE_GATHER(gather_uint8, uint8_t)
DEFINE_GATHER(gather_int32, uint32_t) /* unsigned, so that a sum may wrap */
DEFINE_GATHER(gather_int64, uint64_t)
DEFINE_GATHER(gather_float32, float)
DEFINE_GATHER(gather_float64, double)

/* By syl_dtype. */
static const syl_visit_fn gather_functions[] = {gather_uint8, gather_int32, gather_int64, gather_float32,
                                                gather_float64};

static void scatter(void *context, uint64_t index, int32_t count, char *base, const int64_t *offsets) {
  const copying *copy = context;
  const size_t bytes = syl_dtype_bytes((syl_dtype)copy->tensor->dtype);
  const char *from = copy->packed + index * bytes;
  if (bytes == 4)
    for (int32_t j = 0; j < count; ++j)
      memcpy(base + offsets[j], from + 4 * (size_t)j, 4);
  else if (bytes == 8)
    for (int32_t j = 0; j < count; ++j)
      memcpy(base + offsets[j], from + 8 * (size_t)j, 8);
  else
    for (int32_t j = 0; j < count; ++j)
      base[offsets[j]] = from[j];
}

static syl_status export_tensor(const syl_tensor *tensor, const void *block, int32_t n, void *packed) {
  if (!block || !packed)
    return syl_fail(SYL_ERROR_ARGUMENT, "%s is null", block ? "packed" : "block");
  syl_status status = check_tensor(tensor);
  if (status != SYL_OK)
    return status;
  copying copy = {tensor, packed};
  return syl_visit_tensor(tensor, n, (char *)block, gather_functions[tensor->dtype], &copy);
}

static syl_status import_tensor(const syl_tensor *tensor, void *block, const void *packed) {
  if (!block || !packed)
    return syl_fail(SYL_ERROR_ARGUMENT, "%s is null", block ? "packed" : "block");
  if (tensor && tensor->kind != SYL_PARAMETER && tensor->kind != SYL_BUFFER && tensor->kind != SYL_SLOT)
    return syl_fail(SYL_ERROR_ARGUMENT, "tensor '%s' does not lie in the state block", tensor->name);
  if (tensor && tensor->copies != 1)
    return syl_fail(SYL_ERROR_ARGUMENT, "tensor '%s' is a sum of %d parts and cannot be imported", tensor->name,
                    (int)tensor->copies);
  copying copy = {tensor, (char *)packed};
  return syl_visit_tensor(tensor, 0, block, scatter, &copy);
}

syl_status syl_export_tensor(const syl_tensor *tensor, const void *block, int32_t n, void *packed) {
  return syl_finish(export_tensor(tensor, block, n, packed));
}

syl_status syl_import_tensor(const syl_tensor *tensor, void *block, const void *packed) {
  return syl_finish(import_tensor(tensor, block, packed));
}

/* ---- the table ---- */

const syl_tensor *syl_find_tensor(const syl_model *model, const char *name) {
  if (model && name)
    for (int32_t i = 0; i < model->tensor_count; ++i)
      if (strcmp(model->tensors[i].name, name) == 0)
        return &model->tensors[i];
  return NULL;
}

uint64_t syl_tensor_elements(const syl_tensor *tensor) {
  uint64_t elements = 1;
  if (!tensor)
    return 0;
  for (int32_t axis = 0; axis < tensor->rank; ++axis)
    elements *= (uint64_t)tensor->shape[axis];
  return elements;
}
