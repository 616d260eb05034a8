/* Prints what the descriptor of lenet5 says, as this compiler lays out its structures, one `key value` a line. Reads
 * every field of syl_model, syl_array, syl_head, syl_tensor, syl_factor, syl_program, syl_phase and syl_kernel. */
#include "lenet5.h"

#include <inttypes.h>
#include <stdio.h>

static void print_shape(const char *key, const int64_t *shape, int32_t rank) {
  printf("%s", key);
  for (int32_t i = 0; i < rank; ++i)
    printf(" %" PRId64, shape[i]);
  printf("\n");
}

static void print_arrays(const char *key, const syl_array *arrays, int32_t count) {
  for (int32_t i = 0; i < count; ++i) {
    printf("%s %s %d %" PRId64 " %d %s", key, arrays[i].name, arrays[i].dtype, arrays[i].classes,
           arrays[i].ignore_index == SYL_NO_CLASS, arrays[i].kind ? arrays[i].kind : "-");
    print_shape("", arrays[i].shape, arrays[i].rank);
  }
}

static void print_program(const char *key, const syl_program *program) {
  int64_t slices = 0;
  int32_t named = 0;
  for (int32_t i = 0; i < program->phase_count; ++i) {
    slices += program->phases[i].slices;
    named += program->phases[i].run != NULL && program->phases[i].name[0] != 0;
  }
  printf("%s %d %d %" PRId64 " %" PRId64 " %" PRId64 "\n", key, program->phase_count, named, slices,
         (int64_t)program->losses, (int64_t)program->correct);
}

int main(void) {
  const syl_model *m = &lenet5_model;
  printf("abi_version %u\nstruct_bytes %u\nsizeof %zu\n", m->abi_version, m->struct_bytes, sizeof(syl_model));
  printf("name %s\ntarget %s\ncompiler %s\n", m->name, m->target, m->compiler);
  printf("cpu_features %" PRIu64 "\nlayout_hash %" PRIu64 "\n", m->cpu_features, m->layout_hash);
  printf("batch %d\ndtype %d\n", m->batch, m->dtype);
  print_arrays("inputs", m->inputs, m->input_count);
  print_arrays("targets", m->targets, m->target_count);
  print_arrays("outputs", m->outputs, m->output_count);
  for (int32_t i = 0; i < m->output_count; ++i)
    printf("head %s %g %d %s\n", m->heads[i].loss, m->heads[i].weight, m->heads[i].target,
           m->tensors[m->heads[i].value].name);
  printf("state_bytes %" PRIu64 "\nscratch_bytes %" PRIu64 "\nthread_bytes %" PRIu64 "\n", m->state_bytes,
         m->scratch_bytes, m->local_bytes + m->heap_bytes);
  print_program("train", &m->train);
  print_program("evaluate", &m->evaluate);
  print_program("predict", &m->predict);
  printf("epochs %d\nseed %" PRIu64 "\noptimizer %s\ntraining %s\n", m->epochs, m->seed, m->optimizer, m->training);
  for (int32_t i = 0; i < m->tensor_count; ++i) {
    const syl_tensor *t = &m->tensors[i];
    printf("tensor %s %d %d %" PRIu64 " %d %" PRIu64 " %d %g %g", t->name, t->kind, t->dtype, t->offset, t->copies,
           t->copy_stride, t->init, t->init_a, t->init_b);
    if (t->batched != (t->kind == SYL_VALUE && t->rank > 0) || t->frozen || t->init_from || t->init_c != 0 ||
        t->init_d != 0)
      printf(" unexpected");
    for (int32_t d = 0; d < t->rank; ++d)
      printf(" %" PRId64, t->shape[d]);
    printf(" |");
    for (int32_t f = 0; f < t->factor_count; ++f)
      printf(" %d:%" PRId64 ":%" PRId64 ":%" PRId64, t->factors[f].axis, t->factors[f].divisor, t->factors[f].extent,
             t->factors[f].stride);
    printf("\n");
  }
  for (int32_t i = 0; i < m->kernel_count; ++i) {
    const syl_kernel *k = &m->kernels[i];
    printf("kernel %d %d %d %d %s %s\n", k->program, k->phase, k->slices,
           k->run != NULL && k->flops >= 0 && k->bytes > 0 && k->local_bytes >= 0 && k->local_bytes <= k->bytes,
           k->rule, k->name);
  }
  printf("state_bytes() %zu\nSTATE_BYTES %u\nstate_align() %zu\nBATCH %d\nscratch_bytes() %zu\n", lenet5_state_bytes(),
         LENET5_STATE_BYTES, lenet5_state_align(), LENET5_BATCH, lenet5_scratch_bytes(0, 1));
  printf("yaml\n%s", m->network_yaml);
  return 0;
}
