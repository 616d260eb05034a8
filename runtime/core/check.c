/* Checks of what a caller passes in, one message for each mistake. Layer: runtime/core. */
#include "internal.h"
#include <stdio.h>
#include <string.h>

syl_status syl_check_model(const syl_model *model) {
  if (!model)
    return syl_fail(SYL_ERROR_ARGUMENT, "model is null");
  if (model->abi_version != SYL_ABI_VERSION || model->struct_bytes != sizeof(syl_model))
    return syl_fail(
        SYL_ERROR_MISMATCH,
        "the network was compiled for version %u of the runtime (descriptor of %u bytes), this is version %u "
        "(%u bytes): compile it again",
        model->abi_version, model->struct_bytes, (unsigned)SYL_ABI_VERSION, (unsigned)sizeof(syl_model));
  if (model->cpu_features & ~syl_cpu_features())
    return syl_fail(SYL_ERROR_MISMATCH,
                    "'%s' was compiled for %s, which this CPU does not have: compile it with --target", model->name,
                    model->target);
  if (model->input_count < 1 || model->target_count < 0 || model->output_count < 0 ||
      (int64_t)model->input_count + model->target_count + model->output_count > SYL_MAX_ARRAYS)
    return syl_fail(SYL_ERROR_INTERNAL, "'%s' has %d inputs, %d targets and %d outputs, expected %d at most",
                    model->name, (int)model->input_count, (int)model->target_count, (int)model->output_count,
                    SYL_MAX_ARRAYS);
  if (model->state_bytes < sizeof(syl_state_header))
    return syl_fail(SYL_ERROR_INTERNAL, "'%s' has a state block of %llu bytes, less than its header", model->name,
                    (unsigned long long)model->state_bytes);
  return SYL_OK;
}

syl_status syl_check_block(const void *block, const char *name) {
  if (!block)
    return syl_fail(SYL_ERROR_ARGUMENT, "%s is null", name);
  if ((uintptr_t)block % SYL_ALIGNMENT)
    return syl_fail(SYL_ERROR_ARGUMENT, "%s is at %p, expected a multiple of %d", name, block, SYL_ALIGNMENT);
  return SYL_OK;
}

/* The header of a state block. */
static syl_status check_header(const syl_model *model, const syl_state_header *header) {
  if (header->magic != SYL_STATE_MAGIC)
    return syl_fail(SYL_ERROR_ARGUMENT, "state was not filled by %s_init or from a checkpoint", model->name);
  if (header->layout_hash != model->layout_hash)
    return syl_fail(SYL_ERROR_MISMATCH, "state belongs to another network than '%s' (layout %016llx, expected %016llx)",
                    model->name, (unsigned long long)header->layout_hash, (unsigned long long)model->layout_hash);
  return SYL_OK;
}

syl_status syl_check_pointers(const syl_array *arrays, int32_t count, const void *const *pointers, const char *what) {
  if (!pointers && count > 0)
    return syl_fail(SYL_ERROR_ARGUMENT, "%s is null", what);
  for (int32_t i = 0; i < count; ++i)
    if (!pointers[i])
      return count == 1 ? syl_fail(SYL_ERROR_ARGUMENT, "%s is null", what)
                        : syl_fail(SYL_ERROR_ARGUMENT, "%s '%s' is null", what, arrays[i].name);
  return SYL_OK;
}

/* Class numbers of one array. `name` is "target" or "input" and, where there are several, its name in quotes. */
static syl_status check_classes(const syl_array *array, const void *target, int32_t n, const char *name) {
  int64_t each = 1;
  for (int32_t axis = 0; axis < array->rank; ++axis)
    each *= array->shape[axis];
  for (int64_t i = 0; i < n * each; ++i) {
    int64_t label;
    int32_t narrow;
    switch ((syl_dtype)array->dtype) {
    case SYL_INT64:
      memcpy(&label, (const char *)target + i * 8, 8);
      break;
    case SYL_INT32:
      memcpy(&narrow, (const char *)target + i * 4, 4);
      label = narrow;
      break;
    case SYL_UINT8:
      label = ((const unsigned char *)target)[i];
      break;
    default:
      return SYL_OK;
    }
    if ((label < 0 || label >= array->classes) && (label != array->ignore_index || label == SYL_NO_CLASS))
      return syl_fail(SYL_ERROR_ARGUMENT, "%s of sample %lld is %lld, expected 0 to %lld", name, (long long)(i / each),
                      (long long)label, (long long)array->classes - 1);
  }
  return SYL_OK;
}

/* Class numbers of all arrays that hold some. */
static syl_status check_all_classes(const syl_array *arrays, int32_t count, const void *const *pointers, int32_t n,
                                    const char *what) {
  syl_status status = SYL_OK;
  for (int32_t i = 0; i < count && status == SYL_OK; ++i) {
    char name[128];
    snprintf(name, sizeof name, count > 1 ? "%s '%s'" : "%s", what, arrays[i].name);
    if (arrays[i].classes > 0)
      status = check_classes(&arrays[i], pointers[i], n, name);
  }
  return status;
}

syl_status syl_check_call(const syl_model *model, const syl_program *program, const char *purpose, const void *state,
                          const void *scratch, const void *const *inputs, int32_t n) {
  syl_status status = syl_check_model(model);
  if (status != SYL_OK)
    return status;
  if (program->phase_count < 1)
    return syl_fail(SYL_ERROR_ARGUMENT, "'%s' was compiled without %s", model->name, purpose);
  if ((status = syl_check_block(state, "state")) != SYL_OK || (status = check_header(model, state)) != SYL_OK ||
      (status = syl_check_block(scratch, "scratch")) != SYL_OK ||
      (status = syl_check_pointers(model->inputs, model->input_count, inputs, "input")) != SYL_OK)
    return status;
  if (n < 1 || n > model->batch)
    return syl_fail(SYL_ERROR_ARGUMENT, "found %d samples, expected 1 to %d, the batch that '%s' was compiled for",
                    (int)n, (int)model->batch, model->name);
  return check_all_classes(model->inputs, model->input_count, inputs, n, "input");
}

syl_status syl_check_targets(const syl_model *model, const void *const *targets, int32_t n) {
  syl_status status = syl_check_pointers(model->targets, model->target_count, targets, "target");
  return status == SYL_OK ? check_all_classes(model->targets, model->target_count, targets, n, "target") : status;
}
