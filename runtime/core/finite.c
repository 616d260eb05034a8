/* NaN and infinity: integer tests on inputs, losses and what is written to the state block. Layer: runtime/core.
 *
 * A float is finite where its bits without the sign are below those of infinity; so the largest of these integers tells
 * of a whole range. What a kernel writes to the state is tested as soon as it has, by the thread that has it in its
 * cache; only where something is bad are tensors looked at one by one. */
#include "internal.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Whether 4-byte words, each without the bits outside `mask`, are all below `limit`. With doubles, mask is 0 for the
 * lower word of each. `bytes` is a multiple of 8. */
static int all_below(const char *data, size_t bytes, uint64_t mask, uint32_t limit) {
  uint32_t largest = 0;
  for (size_t i = 0; i < bytes; i += 8) {
    uint64_t pair;
    memcpy(&pair, data + i, 8);
    pair &= mask;
    const uint32_t low = (uint32_t)pair, high = (uint32_t)(pair >> 32);
    largest = low > largest ? low : largest;
    largest = high > largest ? high : largest;
  }
  return largest < limit;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static int all_below_avx2(const char *data, size_t bytes, uint64_t mask,
                                                          uint32_t limit) {
  const __m256i keep = _mm256_set1_epi64x((long long)mask);
  __m256i most[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
  size_t i = 0;
  for (; i + 128 <= bytes; i += 128)
    for (int k = 0; k < 4; ++k) {
      __m256i words = _mm256_loadu_si256((const __m256i *)(data + i + 32 * k));
      most[k] = _mm256_max_epu32(most[k], _mm256_and_si256(words, keep));
    }
  const __m256i all = _mm256_max_epu32(_mm256_max_epu32(most[0], most[1]), _mm256_max_epu32(most[2], most[3]));
  uint32_t lanes[8], largest = 0;
  _mm256_storeu_si256((__m256i *)lanes, all);
  for (int k = 0; k < 8; ++k)
    largest = lanes[k] > largest ? lanes[k] : largest;
  return largest < limit && all_below(data + i, bytes - i, mask, limit);
}

__attribute__((target("avx512f"))) static int all_below_avx512(const char *data, size_t bytes, uint64_t mask,
                                                               uint32_t limit) {
  const __m512i keep = _mm512_set1_epi64((long long)mask);
  __m512i most[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
  size_t i = 0;
  for (; i + 256 <= bytes; i += 256)
    for (int k = 0; k < 4; ++k) {
      __m512i words = _mm512_loadu_si512(data + i + 64 * k);
      most[k] = _mm512_max_epu32(most[k], _mm512_and_si512(words, keep));
    }
  const __m512i all = _mm512_max_epu32(_mm512_max_epu32(most[0], most[1]), _mm512_max_epu32(most[2], most[3]));
  return _mm512_reduce_max_epu32(all) < limit && all_below(data + i, bytes - i, mask, limit);
}
#endif

/* Whether `bytes` bytes of floats of this type are finite. */
static int all_finite(const char *data, size_t bytes, syl_dtype dtype) {
  const uint64_t mask = dtype == SYL_FLOAT64 ? UINT64_C(0x7fffffff00000000) : UINT64_C(0x7fffffff7fffffff);
  const uint32_t limit = dtype == SYL_FLOAT64 ? 0x7ff00000u : 0x7f800000u;
  const size_t whole = bytes / 8 * 8;
  if (whole < bytes) { /* a last float32 */
    float last;
    memcpy(&last, data + whole, sizeof last);
    if (!isfinite(last))
      return 0;
  }
#if defined(__x86_64__)
  if (syl_cpu_features() & SYL_CPU_AVX512)
    return all_below_avx512(data, whole, mask, limit);
  if (syl_cpu_features() & SYL_CPU_AVX2_FMA)
    return all_below_avx2(data, whole, mask, limit);
#endif
  return all_below(data, whole, mask, limit);
}

static int is_float(int32_t dtype) { return dtype == SYL_FLOAT32 || dtype == SYL_FLOAT64; }

static double element(const char *data, size_t index, int32_t dtype) {
  double wide;
  float narrow;
  if (dtype == SYL_FLOAT64) {
    memcpy(&wide, data + index * sizeof wide, sizeof wide);
    return wide;
  }
  memcpy(&narrow, data + index * sizeof narrow, sizeof narrow);
  return narrow;
}

static const char *text_of(double value) { return isnan(value) ? "nan" : value > 0 ? "infinity" : "-infinity"; }

static size_t elements_of(const syl_array *array) {
  size_t elements = 1;
  for (int32_t axis = 0; axis < array->rank; ++axis)
    elements *= (size_t)array->shape[axis];
  return elements;
}

syl_status syl_check_arrays_finite(const syl_array *arrays, int32_t count, const void *const *pointers, int32_t n,
                                   const char *what) {
  for (int32_t i = 0; i < count; ++i) {
    if (!is_float(arrays[i].dtype))
      continue;
    const size_t each = elements_of(&arrays[i]), total = (size_t)n * each;
    if (all_finite(pointers[i], total * syl_dtype_bytes((syl_dtype)arrays[i].dtype), (syl_dtype)arrays[i].dtype))
      continue;
    for (size_t j = 0; j < total; ++j) {
      const double value = element(pointers[i], j, arrays[i].dtype);
      if (!isfinite(value))
        return syl_fail(SYL_ERROR_NONFINITE, "found %s in %s '%s', sample %lld of the batch, expected a finite number",
                        text_of(value), what, arrays[i].name, (long long)(j / each));
    }
  }
  return SYL_OK;
}

syl_status syl_check_losses_finite(const syl_program *program, const syl_frame *frame) {
  if (program->losses == UINT64_MAX)
    return SYL_OK;
  const char *losses = frame->base[SYL_BASE_SCRATCH] + program->losses;
  for (int32_t i = 0; i < frame->n; ++i) {
    const double value = element(losses, (size_t)i, frame->model->dtype);
    if (!isfinite(value))
      return syl_fail(SYL_ERROR_NONFINITE, "found the loss %s in step %llu, expected a finite one", text_of(value),
                      (unsigned long long)frame->step);
  }
  return SYL_OK;
}

int32_t syl_first_update(const syl_model *model) {
  static const char end[] = ".update";
  for (int32_t k = 0; k < model->kernel_count; ++k) {
    const char *name = model->kernels[k].name;
    const size_t length = strlen(name);
    if (model->kernels[k].program == 0 && length >= sizeof end - 1 &&
        memcmp(name + length - (sizeof end - 1), end, sizeof end - 1) == 0)
      return model->kernels[k].phase;
  }
  return model->train.phase_count;
}

void syl_check_written(const syl_frame *frame, const void *data, int64_t bytes) {
  if (frame->nonfinite && !all_finite(data, (size_t)bytes, (syl_dtype)frame->model->dtype))
    __atomic_store_n(frame->nonfinite, 1, __ATOMIC_RELAXED);
}

syl_status syl_check_state_finite(const syl_frame *frame) {
  if (!__atomic_load_n(frame->nonfinite, __ATOMIC_RELAXED)) /* a barrier lies between */
    return SYL_OK;
  const syl_tensor *tensor = syl_find_nonfinite(frame->model, frame->base[SYL_BASE_STATE]);
  return tensor ? syl_fail(SYL_ERROR_NONFINITE, "found nan or infinity in '%s' after step %llu", tensor->name,
                           (unsigned long long)frame->step)
                : SYL_OK;
}

typedef struct search {
  int32_t dtype;
  int found;
} search;

static void look(void *context, uint64_t index, int32_t count, char *base, const int64_t *offsets) {
  (void)index;
  search *in = context;
  for (int32_t j = 0; j < count && !in->found; ++j)
    in->found = !isfinite(element(base + offsets[j], 0, in->dtype));
}

const syl_tensor *syl_find_nonfinite(const syl_model *model, const void *state) {
  if (!model || !state)
    return NULL;
  for (int32_t i = 0; i < model->tensor_count; ++i) {
    const syl_tensor *tensor = &model->tensors[i];
    if (!is_float(tensor->dtype) || tensor->kind > SYL_SLOT)
      continue;
    search in = {tensor->dtype, 0};
    if (syl_visit_tensor(tensor, 0, (char *)state, look, &in) == SYL_OK && in.found)
      return tensor;
  }
  return NULL;
}
