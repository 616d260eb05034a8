/* What the files of the runtime's core share; not installed. Layer: runtime/core. */
#ifndef SYLVITE_CORE_INTERNAL_H
#define SYLVITE_CORE_INTERNAL_H

#include "sylvite/sylvite.h"
#include <pthread.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Visible to the library's own files and to what is linked statically with it, never exported from a shared object. */
#define SYL_INTERNAL __attribute__((visibility("hidden")))

/* Largest number of threads. */
#define SYL_MAX_THREADS 256
/* Largest number of slices of a phase that more than one thread runs. */
#define SYL_MAX_SLICES 65535

/* errors.c: stores the message of this thread's last error, cut to 511 bytes, and returns `status`. */
SYL_INTERNAL syl_status syl_fail(syl_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* errors.c: what a call returns: `status`, with the last error's message to the callback where it is one. Each function
 * that an app calls ends with it, so that a message is sent once, after the pool is free again. */
SYL_INTERNAL syl_status syl_finish(syl_status status);
/* errors.c: a message to this thread's callback, if there is one. */
SYL_INTERNAL void syl_send_message(syl_severity severity, const char *message);
/* errors.c: the same of a warning, cut to 511 bytes. */
SYL_INTERNAL void syl_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* errors.c: this thread's callback and its context. */
SYL_INTERNAL syl_message_fn syl_message_callback(void **context);

/* cpu.c: SYL_CPU_* bits that this CPU and operating system have. */
SYL_INTERNAL uint64_t syl_cpu_features(void);
/* cpu.c: CPUs that this process may use: the smaller of the affinity mask and the cgroup's limit, 1 at least. Reads the
 * system once. */
SYL_INTERNAL int32_t syl_cpu_count(void);
/* cpu.c: the CPU limit of the cgroups listed in `cgroup_file` (/proc/self/cgroup) under `root` (/sys/fs/cgroup),
 * rounded up to whole CPUs; 0 where there is none. */
SYL_INTERNAL int32_t syl_cgroup_cpu_limit(const char *cgroup_file, const char *root);

/* random.c: 64 random bits of element `index` of the tensor with this index in the table. */
SYL_INTERNAL uint64_t syl_random_bits(uint64_t seed, uint32_t tensor, uint64_t index);
/* random.c: element `index` of a tensor filled by `init` (SYL_INIT_UNIFORM or SYL_INIT_NORMAL) with a and b. Uniform
 * numbers have 24 bits in float32, 53 in float64, and are always below b. */
SYL_INTERNAL double syl_random_float64(uint64_t seed, uint32_t tensor, uint64_t index, int32_t init, double a,
                                       double b);
SYL_INTERNAL float syl_random_float32(uint64_t seed, uint32_t tensor, uint64_t index, int32_t init, double a, double b);
/* random.c: element `index` of a tensor of normal numbers of this mean and deviation that are all in [low, high], by
 * inversion of the distribution function. */
SYL_INTERNAL double syl_random_truncated(uint64_t seed, uint32_t tensor, uint64_t index, double mean, double deviation,
                                         double low, double high);
/* orthogonal.c: fills `tensor`, of rank 2 or more, as `rule` (its own record, or that of the tensor it copies, whose
 * index in the table is `number`) says. Errors: SYL_ERROR_ARGUMENT, SYL_ERROR_MEMORY. */
SYL_INTERNAL syl_status syl_fill_orthogonal(const syl_tensor *tensor, const syl_tensor *rule, uint32_t number,
                                            uint64_t seed, char *state);

/* tensor.c: visits elements index, index + 1, … index + count - 1 (C order of the PyTorch shape), which lie at
 * base + offsets[0], base + offsets[1], … */
typedef void (*syl_visit_fn)(void *context, uint64_t index, int32_t count, char *base, const int64_t *offsets);
/* tensor.c: visits every element of a tensor, or of its first n rows where it has a batch axis. `block` is the start of
 * the state or scratch block. Errors: SYL_ERROR_ARGUMENT where the tensor's record makes no sense. */
SYL_INTERNAL syl_status syl_visit_tensor(const syl_tensor *tensor, int32_t n, char *block, syl_visit_fn visit,
                                         void *context);

/* check.c: whether the descriptor fits this runtime and this CPU. */
SYL_INTERNAL syl_status syl_check_model(const syl_model *model);
/* check.c: whether a block is there and aligned; `name` is for the message. */
SYL_INTERNAL syl_status syl_check_block(const void *block, const char *name);
/* check.c: what train_step, evaluate and predict have in common; `purpose` is for the message ("training"). */
SYL_INTERNAL syl_status syl_check_call(const syl_model *model, const syl_program *program, const char *purpose,
                                       const void *state, const void *scratch, const void *const *inputs, int32_t n);
/* check.c: whether n of each target are there and, where they are class numbers, in range. */
SYL_INTERNAL syl_status syl_check_targets(const syl_model *model, const void *const *targets, int32_t n);
/* check.c: whether `count` pointers are there; `what` and the arrays' names are for the message ("input"). */
SYL_INTERNAL syl_status syl_check_pointers(const syl_array *arrays, int32_t count, const void *const *pointers,
                                           const char *what);

/* heap.c: whether a worker's heap has no block in use. */
SYL_INTERNAL int syl_heap_is_empty(const syl_worker *worker);

/* pool.c: the first failure, by slice, of a phase. */
typedef struct syl_failure {
  pthread_mutex_t mutex; /* of the other fields; set by syl_team_run */
  int32_t failed, slice, code;
  char message[sizeof(((syl_worker *)0)->message)];
} syl_failure;

/* pool.c: the threads that one call has, from syl_team_form to syl_team_dismiss. */
typedef struct syl_team {
  int32_t threads;
  int32_t pooled;          /* holds the pool; else all slices run on the caller's thread */
  uint32_t caller_control; /* the caller's floating-point control word */
  syl_worker alone;        /* the caller's worker where the pool is not held */
} syl_team;

/* pool.c: takes up to `threads` threads for one call, of which the caller is one; the pool's where it is free, else the
 * caller alone. The parts of the scratch block for each thread start at `parts`, `part_bytes` apart. Starts threads
 * that the pool lacks. Errors: SYL_ERROR_ARGUMENT in a child of fork(). */
SYL_INTERNAL syl_status syl_team_form(syl_team *team, const syl_model *model, int32_t threads, char *parts,
                                      uint64_t part_bytes);
/* pool.c: runs all slices of a phase and returns when they are done; `failure` tells the first that failed, if any. */
SYL_INTERNAL void syl_team_run(syl_team *team, const syl_frame *frame, const syl_phase *phase, syl_failure *failure);
SYL_INTERNAL void syl_team_dismiss(syl_team *team);

/* finite.c: SYL_ERROR_NONFINITE where n samples of one of these arrays hold a NaN or an infinity; `what` is for the
 * message ("input"). Arrays of integers are finite. */
SYL_INTERNAL syl_status syl_check_arrays_finite(const syl_array *arrays, int32_t count, const void *const *pointers,
                                                int32_t n, const char *what);
/* finite.c: the same for the losses that the program's phases have left. */
SYL_INTERNAL syl_status syl_check_losses_finite(const syl_program *program, const syl_frame *frame);
/* finite.c: the same for what the step has written to the state block, where syl_check_written has found it. */
SYL_INTERNAL syl_status syl_check_state_finite(const syl_frame *frame);
/* finite.c: the first phase of the train program that updates parameters; its number of phases where there is none. */
SYL_INTERNAL int32_t syl_first_update(const syl_model *model);

#ifdef __cplusplus
}
#endif

#endif
