/* train_step, evaluate and predict: a program's phases on one batch. Layer: runtime/core.
 *
 * The scratch block: what all threads share (scratch_bytes), then a part for each thread: its local values
 * (local_bytes), then its kernels' heap (heap_bytes). Each of the three is rounded up to SYL_ALIGNMENT. */
#include "internal.h"
#include <math.h>

static uint64_t round_up(uint64_t bytes) { return (bytes + SYL_ALIGNMENT - 1) / SYL_ALIGNMENT * SYL_ALIGNMENT; }

/* Bytes of one thread's part of the scratch block. */
static uint64_t part_bytes(const syl_model *model) {
  return round_up(model->local_bytes) + round_up(model->heap_bytes);
}

static syl_status scratch_bytes(const syl_model *model, int32_t batch, int32_t threads, uint64_t *found) {
  const syl_status status = syl_check_model(model);
  if (status != SYL_OK)
    return status;
  if (batch < 0 || batch > model->batch)
    return syl_fail(SYL_ERROR_ARGUMENT, "found batch %d, expected 0 (the compiled batch) to %d", (int)batch,
                    (int)model->batch);
  if (threads < 0 || threads > SYL_MAX_THREADS)
    return syl_fail(SYL_ERROR_ARGUMENT, "found %d threads, expected 0 (the default) to %d", (int)threads,
                    SYL_MAX_THREADS);
  uint64_t parts, bytes;
  if (__builtin_mul_overflow(part_bytes(model), (uint64_t)(threads ? threads : syl_threads()), &parts) ||
      __builtin_add_overflow(round_up(model->scratch_bytes), parts, &bytes) || bytes > PTRDIFF_MAX)
    return syl_fail(SYL_ERROR_MEMORY, "the scratch block of '%s' is too large for this machine", model->name);
  *found = bytes;
  return SYL_OK;
}

size_t syl_scratch_bytes(const syl_model *model, int32_t batch, int32_t threads) {
  uint64_t bytes = 0;
  return syl_finish(scratch_bytes(model, batch, threads, &bytes)) == SYL_OK ? (size_t)bytes : 0;
}

/* More threads than the widest phase has slices would have nothing to do. */
static int32_t useful_threads(const syl_program *program, int32_t threads) {
  int32_t slices = 1;
  for (int32_t i = 0; i < program->phase_count; ++i)
    if (program->phases[i].slices > slices)
      slices = program->phases[i].slices;
  return threads < slices ? threads : slices;
}

/* Runs phases [first, end) until one fails. */
static syl_status run_phases(syl_team *team, const syl_program *program, const syl_frame *frame, int32_t first,
                             int32_t end) {
  syl_failure failure = {0};
  for (int32_t i = first; i < end; ++i) {
    const syl_phase *phase = &program->phases[i];
    syl_team_run(team, frame, phase, &failure);
    if (failure.failed)
      return syl_fail(SYL_ERROR_KERNEL, "%s: kernel %s, slice %d: %s (code %d)", frame->model->name,
                      phase->name ? phase->name : "without a name", (int)failure.slice,
                      failure.message[0] ? failure.message : "no message", (int)failure.code);
  }
  return SYL_OK;
}

/* Runs all phases; `frame` has all but the number of threads. With `check`, losses are tested before the first update,
 * and what is written to the state when it is written. */
static syl_status run_program(const syl_program *program, syl_frame *frame, int32_t threads, int check) {
  const syl_model *model = frame->model;
  syl_team team;
  char *parts = frame->base[SYL_BASE_SCRATCH] + round_up(model->scratch_bytes);
  syl_status status =
      syl_team_form(&team, model, useful_threads(program, threads ? threads : syl_threads()), parts, part_bytes(model));
  if (status != SYL_OK)
    return status;
  frame->threads = team.threads;
  int32_t nonfinite = 0;
  frame->nonfinite = check ? &nonfinite : NULL;
  const int32_t update = check ? syl_first_update(model) : 0;
  status = run_phases(&team, program, frame, 0, update);
  if (check && status == SYL_OK)
    status = syl_check_losses_finite(program, frame);
  if (status == SYL_OK)
    status = run_phases(&team, program, frame, update, program->phase_count);
  if (check && status == SYL_OK)
    status = syl_check_state_finite(frame);
  syl_team_dismiss(&team);
  return status;
}

/* Mean loss in sample order, and hits, of the call that has just run. */
static syl_result collect(const syl_program *program, const syl_frame *frame) {
  syl_result result = {NAN, -1, frame->n};
  const char *scratch = frame->base[SYL_BASE_SCRATCH];
  if (program->losses != UINT64_MAX) {
    const char *losses = scratch + program->losses;
    double sum = 0;
    for (int32_t i = 0; i < frame->n; ++i)
      sum += frame->model->dtype == SYL_FLOAT64 ? ((const double *)losses)[i] : (double)((const float *)losses)[i];
    result.loss = sum / frame->n;
  }
  if (program->correct != UINT64_MAX) {
    const int32_t *correct = (const int32_t *)(scratch + program->correct);
    result.correct = 0;
    for (int32_t i = 0; i < frame->n; ++i)
      result.correct += correct[i];
  }
  return result;
}

static syl_frame make_frame(const syl_model *model, const void *state, void *scratch, const void *const *inputs,
                            const void *const *targets, void *const *outputs, int32_t n) {
  const syl_state_header *header = state;
  syl_frame frame = {.base = {[SYL_BASE_STATE] = (char *)state, [SYL_BASE_SCRATCH] = scratch},
                     .n = n,
                     .step = header->step,
                     .seed = header->seed,
                     .learning_rate_scale = 1,
                     .model = model};
  char **base = frame.base + SYL_BASE_ARRAYS;
  for (int32_t i = 0; i < model->input_count; ++i)
    *base++ = (char *)inputs[i];
  for (int32_t i = 0; i < model->target_count; ++i)
    *base++ = targets ? (char *)targets[i] : NULL;
  for (int32_t i = 0; i < model->output_count; ++i)
    *base++ = outputs ? outputs[i] : NULL;
  return frame;
}

static syl_status check_step(const syl_step *step) {
  if (step->check_finite < 0 || step->check_finite > 1)
    return syl_fail(SYL_ERROR_ARGUMENT, "check_finite is %d, expected 0 or 1", (int)step->check_finite);
  if (step->threads < 0 || step->threads > SYL_MAX_THREADS)
    return syl_fail(SYL_ERROR_ARGUMENT, "found %d threads, expected 0 (the default) to %d", (int)step->threads,
                    SYL_MAX_THREADS);
  if (!(step->learning_rate_scale >= 0 && step->learning_rate_scale <= 1e30))
    return syl_fail(SYL_ERROR_ARGUMENT, "learning_rate_scale is %g, expected 0 (for 1) or a positive number",
                    step->learning_rate_scale);
  if (!(step->steps_per_epoch >= 0 && step->steps_per_epoch <= 1e18))
    return syl_fail(SYL_ERROR_ARGUMENT, "steps_per_epoch is %g, expected 0 (unknown) or a positive number",
                    step->steps_per_epoch);
  return SYL_OK;
}

static syl_status train_step(const syl_model *model, void *state, void *scratch, const void *const *inputs,
                             const void *const *targets, int32_t n, const syl_step *step, syl_result *result) {
  const syl_step defaults = {0};
  if (!step)
    step = &defaults;
  const syl_program *program = model ? &model->train : NULL;
  syl_status status = syl_check_call(model, program, "training", state, scratch, inputs, n);
  if (status == SYL_OK)
    status = syl_check_targets(model, targets, n);
  if (status == SYL_OK)
    status = check_step(step);
  if (step->check_finite && status == SYL_OK)
    status = syl_check_arrays_finite(model->inputs, model->input_count, inputs, n, "input");
  if (step->check_finite && status == SYL_OK)
    status = syl_check_arrays_finite(model->targets, model->target_count, targets, n, "target");
  if (status != SYL_OK)
    return status;
  syl_frame frame = make_frame(model, state, scratch, inputs, targets, NULL, n);
  frame.step += 1;
  if (step->learning_rate_scale != 0)
    frame.learning_rate_scale = step->learning_rate_scale;
  frame.steps_per_epoch = step->steps_per_epoch;
  status = run_program(program, &frame, step->threads, step->check_finite);
  if (status != SYL_OK)
    return status;
  ((syl_state_header *)state)->step = frame.step;
  if (result)
    *result = collect(program, &frame);
  return SYL_OK;
}

static syl_status evaluate(const syl_model *model, const void *state, void *scratch, const void *const *inputs,
                           const void *const *targets, int32_t n, syl_result *result) {
  const syl_program *program = model ? &model->evaluate : NULL;
  syl_status status = syl_check_call(model, program, "evaluation", state, scratch, inputs, n);
  if (status == SYL_OK)
    status = syl_check_targets(model, targets, n);
  if (status != SYL_OK)
    return status;
  syl_frame frame = make_frame(model, state, scratch, inputs, targets, NULL, n);
  status = run_program(program, &frame, 0, 0);
  if (status == SYL_OK && result)
    *result = collect(program, &frame);
  return status;
}

static syl_status predict(const syl_model *model, const void *state, void *scratch, const void *const *inputs,
                          int32_t n, void *const *outputs) {
  const syl_program *program = model ? &model->predict : NULL;
  syl_status status = syl_check_call(model, program, "prediction", state, scratch, inputs, n);
  if (status == SYL_OK)
    status = syl_check_pointers(model->outputs, model->output_count, (const void *const *)outputs, "output");
  if (status != SYL_OK)
    return status;
  syl_frame frame = make_frame(model, state, scratch, inputs, NULL, outputs, n);
  return run_program(program, &frame, 0, 0);
}

/* ---- what an app calls ---- */

syl_status syl_train_step(const syl_model *model, void *state, void *scratch, const void *const *inputs,
                          const void *const *targets, int32_t n, const syl_step *step, syl_result *result) {
  return syl_finish(train_step(model, state, scratch, inputs, targets, n, step, result));
}

syl_status syl_evaluate(const syl_model *model, const void *state, void *scratch, const void *const *inputs,
                        const void *const *targets, int32_t n, syl_result *result) {
  return syl_finish(evaluate(model, state, scratch, inputs, targets, n, result));
}

syl_status syl_predict(const syl_model *model, const void *state, void *scratch, const void *const *inputs, int32_t n,
                       void *const *outputs) {
  return syl_finish(predict(model, state, scratch, inputs, n, outputs));
}
