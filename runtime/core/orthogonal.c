/* Orthogonal initial values: the Q of a matrix of normal numbers, its signs fixed by R's diagonal. Layer: runtime/core.
 *
 * As torch.nn.init.orthogonal_ has it: the tensor is a matrix of shape[0] rows; where it has more columns than rows,
 * its transpose is factored. By Householder's reflections, in double, in one fixed order of operations: the same bits
 * on every machine. Time about 4 m k^2 floating-point operations for a matrix of m by k <= m. */
#include "internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sum of a[i] * b[i]; eight sums side by side, so that it can be vectorized. */
static double dot(const double *a, const double *b, int64_t count) {
  double sums[8] = {0}, rest = 0;
  int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int j = 0; j < 8; ++j)
      sums[j] += a[i + j] * b[i + j];
  for (; i < count; ++i)
    rest += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7])) + rest;
}

/* column -= 2 v (v . column), for a unit vector v. */
static void reflect(const double *v, double *column, int64_t count) {
  const double scale = 2 * dot(v, column, count);
  for (int64_t i = 0; i < count; ++i)
    column[i] -= scale * v[i];
}

/* Replaces the k columns of m >= k elements at `a` by those of Q, each times the sign of R's diagonal element. `v`
 * (m k doubles) and `signs` (k) are room to work in. */
static void orthogonalize(double *a, double *v, double *signs, int64_t m, int64_t k) {
  for (int64_t j = 0; j < k; ++j) {
    double *column = a + j * m, *unit = v + j * m;
    const double norm = sqrt(dot(column + j, column + j, m - j));
    const double diagonal = column[j] > 0 ? -norm : norm; /* away from column[j], so that nothing cancels */
    signs[j] = diagonal < 0 ? -1 : 1;
    memcpy(unit + j, column + j, (size_t)(m - j) * sizeof(double));
    unit[j] -= diagonal;
    const double length = sqrt(dot(unit + j, unit + j, m - j));
    for (int64_t i = j; i < m && length > 0; ++i)
      unit[i] /= length;
    for (int64_t other = j + 1; other < k; ++other)
      reflect(unit + j, a + other * m + j, m - j);
  }
  memset(a, 0, (size_t)(m * k) * sizeof(double));
  for (int64_t j = 0; j < k; ++j)
    a[j * m + j] = signs[j];
  for (int64_t j = k - 1; j >= 0; --j)
    for (int64_t column = j; column < k; ++column)
      reflect(v + j * m + j, a + column * m + j, m - j);
}

/* A matrix by its place: element (row, column) at row * row_stride + column * column_stride. */
typedef struct matrix {
  const double *values;
  int64_t columns, row_stride, column_stride;
  double gain;
  int32_t dtype;
} matrix;

static void fill(void *context, uint64_t index, int32_t count, char *base, const int64_t *offsets) {
  const matrix *from = context;
  for (int32_t j = 0; j < count; ++j) {
    const int64_t element = (int64_t)index + j;
    const double value =
        from->gain *
        from->values[element / from->columns * from->row_stride + element % from->columns * from->column_stride];
    const float narrow = (float)value;
    if (from->dtype == SYL_FLOAT32)
      memcpy(base + offsets[j], &narrow, sizeof narrow);
    else
      memcpy(base + offsets[j], &value, sizeof value);
  }
}

syl_status syl_fill_orthogonal(const syl_tensor *tensor, const syl_tensor *rule, uint32_t number, uint64_t seed,
                               char *state) {
  const int64_t elements = (int64_t)syl_tensor_elements(tensor), rows = tensor->rank > 0 ? tensor->shape[0] : 0;
  if (tensor->rank < 2 || elements < 1)
    return syl_fail(SYL_ERROR_ARGUMENT, "tensor '%s' has rank %d and cannot start orthogonal: that takes a matrix",
                    tensor->name, (int)tensor->rank);
  const int64_t columns = elements / rows, m = rows > columns ? rows : columns, k = rows > columns ? columns : rows;
  if ((uint64_t)elements > PTRDIFF_MAX / sizeof(double) / 4)
    return syl_fail(SYL_ERROR_MEMORY, "tensor '%s' is too large to start orthogonal", tensor->name);
  double *a = malloc((size_t)(2 * elements + k) * sizeof(double));
  if (!a)
    return syl_fail(SYL_ERROR_MEMORY, "cannot get %llu bytes for the orthogonal start of tensor '%s'",
                    (unsigned long long)(2 * elements + k) * sizeof(double), tensor->name);
  const int64_t row_stride = rows < columns ? m : 1, column_stride = rows < columns ? 1 : m;
  for (int64_t i = 0; i < elements; ++i)
    a[i / columns * row_stride + i % columns * column_stride] =
        syl_random_float64(seed, number, (uint64_t)i, SYL_INIT_NORMAL, 0, 1);
  orthogonalize(a, a + elements, a + 2 * elements, m, k);
  matrix from = {a, columns, row_stride, column_stride, rule->init_a, tensor->dtype};
  syl_status status = syl_visit_tensor(tensor, 0, state, fill, &from);
  free(a);
  return status;
}
