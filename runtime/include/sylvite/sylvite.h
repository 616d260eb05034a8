/* Sylvite's runtime: the C ABI between a compiled network, the runtime and an app.
 *
 * A compiled network `<net>.o` exports one descriptor, `<net>_model`, and a few functions declared in its own header
 * `<net>.h`. Everything here is C99 and may be used from C++. The library never prints, never exits and never aborts:
 * every function that can fail returns a status, and syl_last_error() tells why.
 *
 * Memory. A network needs two blocks, both given by the caller, both aligned to SYL_ALIGNMENT:
 *   - the *state block* (parameters, running statistics, optimizer slots, step counter): what must survive a step;
 *   - the *scratch block*: what need not. Its content is undefined before and after each call.
 * Blocks of megabytes are faster in huge pages: aligned to 2 MiB, with madvise(block, bytes, MADV_HUGEPAGE).
 * No function that computes (init, train_step, evaluate, predict) allocates memory; the one exception is the first call
 * that uses more threads than any before it: it starts them.
 *
 * Threads. One pool serves the process. Different state blocks may be used from different threads at the same time; one
 * state block may be used by one thread at a time. While the pool works for one call, another call runs on its caller's
 * thread alone. Where the system refuses to start threads, fewer are used. Results have equal bits in all these cases.
 * Pool threads block all signals. A child of fork() has no pool: once its parent has started threads, calls in the
 * child that ask for more than one fail with SYL_ERROR_ARGUMENT.
 *
 * State of the process. The thread pool and the number of its threads are all that calls share. The message of the last
 * error and the message callback belong to the thread that asks for them.
 *
 * Floating point. On x86-64 train_step, evaluate and predict round to nearest, mask all exceptions and take subnormals
 * as zero, whatever the caller's settings are, and restore these at the end.
 */
#ifndef SYLVITE_SYLVITE_H
#define SYLVITE_SYLVITE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of every structure in this file; a model of another version is refused. */
#define SYL_ABI_VERSION 4
/* Alignment in bytes of state and scratch blocks. */
#define SYL_ALIGNMENT 128
/* Largest rank of a tensor, the batch or filter axis counted. */
#define SYL_MAX_RANK 8

typedef enum syl_status {
  SYL_OK = 0,
  SYL_ERROR_ARGUMENT = 1,    /* a null pointer, a size out of range, a block that is not aligned */
  SYL_ERROR_MEMORY = 2,      /* memory could not be had */
  SYL_ERROR_IO = 3,          /* the operating system refused a read or a write */
  SYL_ERROR_FORMAT = 4,      /* a file is damaged or not of the expected format */
  SYL_ERROR_MISMATCH = 5,    /* a file or data set is whole but does not fit this network */
  SYL_ERROR_KERNEL = 6,      /* a kernel reported an error */
  SYL_ERROR_INTERRUPTED = 7, /* stopped by the caller or a signal */
  SYL_ERROR_INTERNAL = 8,    /* a bug in Sylvite */
  SYL_ERROR_NONFINITE = 9    /* a NaN or an infinity where a number was expected */
} syl_status;

typedef enum syl_dtype { SYL_UINT8 = 0, SYL_INT32 = 1, SYL_INT64 = 2, SYL_FLOAT32 = 3, SYL_FLOAT64 = 4 } syl_dtype;

/* Bytes of one element. */
size_t syl_dtype_bytes(syl_dtype dtype);
/* "uint8", "int32", "int64", "float32", "float64". */
const char *syl_dtype_name(syl_dtype dtype);

/* What a tensor of the descriptor is. */
typedef enum syl_tensor_kind {
  SYL_PARAMETER = 0, /* trained; lies in the state block */
  SYL_BUFFER = 1,    /* running statistics; lies in the state block */
  SYL_SLOT = 2,      /* optimizer state of one parameter; lies in the state block */
  SYL_GRADIENT =
      3,        /* gradient of a parameter or of an input, named "grad.<name>"; lies in the scratch block; only in
                   models that were compiled to keep gradients, and defined after a train_step until the next call */
  SYL_VALUE = 4 /* a value of the last call in the scratch block: "output" is what goes into the loss in train_step,
                   "evaluate.output" the same in evaluate; "output.<name>" where there are several losses;
                   "learning_rate", of shape [], what the last train_step's schedule gave, times learning_rate_scale */
} syl_tensor_kind;

/* How init fills a tensor. Random ones draw from Philox, keyed by seed and the tensor's index in the table. */
typedef enum syl_init {
  SYL_INIT_CONSTANT = 0,         /* every element is init_a */
  SYL_INIT_UNIFORM = 1,          /* uniform in [init_a, init_b) */
  SYL_INIT_NORMAL = 2,           /* mean init_a, standard deviation init_b */
  SYL_INIT_TRUNCATED_NORMAL = 3, /* the same within [init_c, init_d]; source: torch.nn.init.trunc_normal_ */
  SYL_INIT_ORTHOGONAL = 4, /* init_a times an orthogonal matrix of shape[0] rows; source: torch.nn.init.orthogonal_ */
  SYL_INIT_COPY = 5,       /* what tensor `init_from` starts with; of the same shape and type */
  SYL_INIT_NORMAL_ZERO_ROW = 6 /* normal, but zero where the index of axis 0 is init_c; source: torch.nn.Embedding's
                                  padding_idx */
} syl_init;

/* One factor of a tensor's layout. The element with logical (PyTorch) index (i_0, …) lies at
 *   offset + dtype_bytes * sum over factors of ((i_axis / divisor) % extent) * stride
 * bytes from the start of its block. `stride` counts elements. The factors of a tensor reach every logical element
 * once; elements of the block that no index reaches are padding and stay zero. */
typedef struct syl_factor {
  int32_t axis;
  int32_t reserved;
  int64_t divisor;
  int64_t extent;
  int64_t stride;
} syl_factor;

/* A named tensor in PyTorch's name and shape, and where its elements lie. */
typedef struct syl_tensor {
  const char *name;
  int32_t kind;  /* syl_tensor_kind */
  int32_t dtype; /* syl_dtype */
  int32_t rank;  /* 0 to SYL_MAX_RANK */
  int32_t init;  /* syl_init; SYL_SLOT and SYL_BUFFER start with it too */
  int64_t shape[SYL_MAX_RANK];
  double init_a, init_b, init_c, init_d;
  int32_t init_from; /* SYL_INIT_COPY: index of the other tensor in the table */
  int32_t frozen;    /* 1 for a parameter that training leaves as it is: it has no gradient and no slots */
  int32_t batched;   /* 1 where axis 0 is the batch: SYL_VALUE, and gradients of inputs */
  int32_t reserved;
  int32_t factor_count;
  int32_t
      copies; /* >= 1; a gradient may be stored as partial sums: its value is the sum of copies 0, 1, … in this order */
  const syl_factor *factors;
  uint64_t offset;      /* bytes from the start of the block */
  uint64_t copy_stride; /* bytes from one partial sum to the next */
} syl_tensor;

/* An array of samples that a caller passes: an input, a target or an output. Packed, C order, n samples. */
typedef struct syl_array {
  const char *name;
  int32_t dtype;               /* syl_dtype */
  int32_t rank;                /* of one sample; 0 for one number */
  int64_t shape[SYL_MAX_RANK]; /* of one sample, as the caller lays it out */
  int64_t classes;      /* its elements are class numbers, or rows of an embedding, in [0, classes); 0: they are not */
  int64_t ignore_index; /* of such a target: a number that stands for no class; SYL_NO_CLASS where there is none */
  const char *kind;     /* of an output: "softmax", "sigmoid" or "linear"; null for others */
} syl_array;
#define SYL_NO_CLASS INT64_MIN

/* A loss of the network: what goes into it and what that is compared with. There are as many as outputs. */
typedef struct syl_head {
  const char *loss; /* "cross_entropy", … */
  double weight;    /* of this loss in the sum of losses */
  int32_t target;   /* index in the model's targets */
  int32_t value;    /* index in the model's tensors of what goes into the loss in evaluate (SYL_VALUE); -1: not kept */
} syl_head;

typedef struct syl_model syl_model;
typedef struct syl_frame syl_frame;
typedef struct syl_worker syl_worker;

/* What a caller may set for one training step; a null pointer means all defaults. */
typedef struct syl_step {
  double learning_rate_scale; /* multiplies the network's learning rate; 0 means 1 */
  double steps_per_epoch;     /* for learning rates that follow epochs; 0: unknown */
  int32_t threads;            /* threads for this step, the caller among them; 0 means syl_threads() */
  int32_t check_finite;       /* 1: look for NaN and infinity, see syl_train_step; 0: do not */
} syl_step;

/* What a step reports. */
typedef struct syl_result {
  double loss;     /* mean over the n samples, summed in sample order in double */
  int64_t correct; /* samples whose largest output is at the target (accuracy); -1 where the network has no accuracy */
  int64_t count;   /* n */
} syl_result;

/* ---- the process: threads and errors ---- */

/* Number of threads that a step uses, the caller among them: what syl_set_threads() set, else SYLVITE_NUM_THREADS, else
 * the smaller of the affinity mask and the cgroup's CPU limit. Never below 1. The environment and the limits are read
 * once; a value of SYLVITE_NUM_THREADS that is no whole number from 1 is ignored. */
int32_t syl_threads(void);
/* Sets it for the process; 0 returns to the default. May exceed the number of cores. At most 256. Does not start any.
 */
syl_status syl_set_threads(int32_t threads);
/* Message of the last error on this thread; valid until the next failing call on this thread. Never null. */
const char *syl_last_error(void);
/* "argument", "memory", … */
const char *syl_status_name(syl_status status);

/* What a message is. */
typedef enum syl_severity {
  SYL_SEVERITY_WARNING = 0, /* the call does what it was asked for, in another way or with a doubt */
  SYL_SEVERITY_ERROR = 1    /* the call fails; its status says how */
} syl_severity;
/* Takes a message: UTF-8, one line or more, without a newline at its end, valid during the call. May call anything of
 * this library. */
typedef void (*syl_message_fn)(void *context, syl_severity severity, const char *message);
/* Sends the messages of all calls that this thread makes from now on to `callback`, on this thread: before a call
 * returns with an error, its message (the one of syl_last_error()); and warnings, which nobody else hears of, as of a
 * value of SYLVITE_NUM_THREADS that is ignored. A null pointer, as each thread starts with: no messages. */
void syl_set_message_callback(syl_message_fn callback, void *context);

/* ---- a model, generically: what the functions of <net>.h do for one network ---- */

/* Bytes of the state block. */
size_t syl_state_bytes(const syl_model *model);
/* Bytes of a scratch block that serves calls with up to `batch` samples (0: the compiled batch) on up to `threads`
 * threads (0: syl_threads()). 0 where an argument is wrong: see syl_last_error(). evaluate and predict use
 * syl_threads() threads: whoever raises that afterwards needs a larger block. */
size_t syl_scratch_bytes(const syl_model *model, int32_t batch, int32_t threads);
/* Fills the state block: parameters by their initial distributions from `seed`, all else as a new training run has it.
 * Allocates temporary memory only where a tensor starts orthogonal. */
syl_status syl_init_state(const syl_model *model, void *state, uint64_t seed);
/* One training step on n samples, 1 <= n <= batch. `inputs` and `targets` hold one pointer for each of the model's
 * inputs and targets; the arrays are as the model describes them and may be unaligned. Class numbers outside
 * [0, classes) are an error. On an error the state is unchanged unless the error is SYL_ERROR_KERNEL, after which
 * parameters may have been updated in part but the step counter was not. `step` and `result` may be null.
 *
 * With step->check_finite, SYL_ERROR_NONFINITE tells of a NaN or an infinity: in an input or a target (the state is
 * unchanged), in a sample's loss (parameters and slots are unchanged, running statistics are not), or, when all is
 * done, in what the step has written to the state, where gradients that are not finite end up. The step counter then
 * stands. */
syl_status syl_train_step(const syl_model *model, void *state, void *scratch, const void *const *inputs,
                          const void *const *targets, int32_t n, const syl_step *step, syl_result *result);
/* Loss and metrics of n samples, 1 <= n <= batch, with the network in evaluation mode. */
syl_status syl_evaluate(const syl_model *model, const void *state, void *scratch, const void *const *inputs,
                        const void *const *targets, int32_t n, syl_result *result);
/* Outputs of n samples, 1 <= n <= batch, in evaluation mode, into `outputs`: one pointer for each of the model's
 * outputs, to room for n samples. */
syl_status syl_predict(const syl_model *model, const void *state, void *scratch, const void *const *inputs, int32_t n,
                       void *const *outputs);
/* The first tensor of the state, in the order of the table, that holds a NaN or an infinity; null where none does. */
const syl_tensor *syl_find_nonfinite(const syl_model *model, const void *state);
/* Training steps that this state has seen. */
uint64_t syl_state_step(const syl_model *model, const void *state);
/* Seed that init was given. */
uint64_t syl_state_seed(const syl_model *model, const void *state);

/* The tensor of this name, or null. */
const syl_tensor *syl_find_tensor(const syl_model *model, const char *name);
/* Product of the tensor's shape. */
uint64_t syl_tensor_elements(const syl_tensor *tensor);
/* Copies a tensor out of its block (the state block, or the scratch block for SYL_GRADIENT and SYL_VALUE) into `packed`
 * in C order of its PyTorch shape, partial sums added. For tensors with a batch axis, n is the number of samples to
 * copy. */
syl_status syl_export_tensor(const syl_tensor *tensor, const void *block, int32_t n, void *packed);
/* The reverse for tensors of the state block. */
syl_status syl_import_tensor(const syl_tensor *tensor, void *block, const void *packed);

/* Philox4x32-10: four random words that depend on counter and key alone. Source: Salmon, Moraes, Dror, Shaw: Parallel
 * random numbers: as easy as 1, 2, 3 (SC 2011). */
void syl_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t output[4]);

/* ---- what generated code and the runtime share; an app does not need it ---- */

/* Fixed fields at the start of every state block. */
typedef struct syl_state_header {
  uint64_t magic;       /* SYL_STATE_MAGIC */
  uint64_t layout_hash; /* the model's */
  uint64_t step;        /* training steps done */
  uint64_t seed;
  uint64_t batches_before; /* batches that running statistics had seen when step was 0, in a file of another system */
  uint64_t reserved[11];
} syl_state_header; /* 128 bytes */
#define SYL_STATE_MAGIC UINT64_C(0x65746976796c7953)

/* Bases that a buffer's offset may refer to. */
enum {
  SYL_BASE_STATE = 0,
  SYL_BASE_SCRATCH = 1,
  SYL_BASE_LOCAL = 2,  /* the thread's part of the scratch block: the worker's, not used in the frame */
  SYL_BASE_ARRAYS = 3, /* from here: the inputs, then the targets, then the outputs */
  SYL_BASE_COUNT = 64
};
/* Largest number of inputs, targets and outputs together. */
#define SYL_MAX_ARRAYS (SYL_BASE_COUNT - SYL_BASE_ARRAYS)

/* One call in flight; read by generated code. */
struct syl_frame {
  char *base[SYL_BASE_COUNT];
  int32_t n; /* samples in this call */
  int32_t threads;
  uint64_t step; /* number of this training step, from 1 */
  uint64_t seed; /* of the state */
  double learning_rate_scale;
  double steps_per_epoch; /* 0: unknown */
  const syl_model *model;
  int32_t *nonfinite; /* where syl_check_written() notes what it finds; null: it does not look */
};

/* A thread at work on a frame; the user_context of every kernel. Generated code reads `local` only. */
struct syl_worker {
  char *local;                      /* local_bytes of the model, for values that live within one phase and slice */
  char *heap, *heap_top, *heap_end; /* heap_bytes of the model, where halide_malloc takes from */
  int32_t index;
  int32_t failed; /* a kernel reported an error */
  char message[496];
};

/* Runs kernels of one phase on one slice; returns 0 or a Halide error code. */
typedef int32_t (*syl_phase_fn)(const syl_frame *frame, syl_worker *worker, int32_t slice);

/* A phase: all slices may run at the same time; a barrier follows. Each slice runs all of the phase's kernels, and
 * slice s of `slices` belongs to thread s * threads / slices. Where the slices are the tasks of several kernels
 * instead, one kernel after the other, `kernels` is 1 + the place of the first in syl_model.kernels, and a task belongs
 * to a thread as such a slice does; else it is 0. */
typedef struct syl_phase {
  syl_phase_fn run;
  int32_t slices;
  int32_t kernels;
  const char *name; /* the phase's kernels, for profiles */
} syl_phase;

/* A list of phases, run in order. `losses` (element type of the model) and `correct` (int32) are per-sample results
 * in the scratch block, or UINT64_MAX where the program has none. */
typedef struct syl_program {
  const syl_phase *phases;
  int32_t phase_count;
  int32_t reserved;
  uint64_t losses;
  uint64_t correct;
} syl_program;

/* A kernel and the work that one whole call of a program makes it do at the full batch, for profiles. */
typedef struct syl_kernel {
  const char *name;
  const char *rule; /* of the schedule files: "schedules/avx512.yaml:12" */
  double flops;
  double bytes;       /* of operands and results, each counted once */
  double local_bytes; /* of these, in values that live within one phase and slice */
  int32_t (*run)(const syl_frame *frame, syl_worker *worker, int32_t slice); /* this kernel's calls alone */
  int32_t slices;
  int32_t program; /* 0 train, 1 evaluate, 2 predict */
  int32_t phase;   /* of the program */
  int32_t reserved;
} syl_kernel;

/* The descriptor in the object. All pointers are constant and valid for the program's life. */
struct syl_model {
  uint32_t abi_version;
  uint32_t struct_bytes; /* sizeof(syl_model) */
  const char *name;
  const char *target;    /* instruction set the kernels were compiled for, e.g. "x86-64-avx512" */
  const char *compiler;  /* version of the compiler */
  uint64_t cpu_features; /* SYL_CPU_* bits that the kernels need */
  uint64_t layout_hash;  /* of names, shapes, kinds and layouts of the state */
  int32_t batch;         /* compiled maximum of n */
  int32_t dtype;         /* syl_dtype of parameters, losses, outputs: float32; float64 in check and step --float64 */
  int32_t input_count, target_count, output_count;
  int32_t tensor_count;
  const syl_array *inputs, *targets, *outputs; /* in the order of the network file; at most SYL_MAX_ARRAYS in all */
  const syl_head *heads;     /* output_count of them: head i is the loss whose prediction is output i */
  const syl_tensor *tensors; /* state tensors first, in the order of PyTorch's state_dict, then slots, … */
  uint64_t state_bytes;
  uint64_t scratch_bytes; /* shared part of the scratch block */
  uint64_t local_bytes;   /* for each thread: SYL_BASE_LOCAL … */
  uint64_t heap_bytes;    /* … and the kernels' temporaries: 64, and for each block alive at the same time within one
                             slice, 64 and its size rounded up to a multiple of 64 */
  syl_program train, evaluate, predict; /* phase_count 0 where it was not compiled */
  const syl_kernel *kernels;
  int32_t kernel_count;
  int32_t epochs; /* defaults from the network file */
  uint64_t seed;
  const char *optimizer;    /* "adam", "sgd": with the settings, as YAML on one line */
  const char *training;     /* settings of the training loop, as JSON: see runtime/train/Policies.h */
  const char *network_yaml; /* the network file as it was compiled */
};

#define SYL_CPU_AVX2_FMA 1u /* AVX, AVX2, FMA, F16C */
#define SYL_CPU_AVX512 2u   /* F, CD, DQ, BW, VL */

/* Blocks of up to three axes, innermost first, and the interior of each; counted in pixels of pixel_bytes bytes. */
typedef struct syl_halo {
  int32_t extent[3], before[3], size[3];
  int32_t pixel_bytes;
} syl_halo;

/* Zeroes what is not interior in `count` blocks that lie one after the other: called by generated code for the halo of
 * images and the padding of channels. */
void syl_zero_halo(void *blocks, int32_t count, const syl_halo *halo);

/* Looks for NaN and infinity in what a kernel has just written to the state block, while it is near the core: `bytes`
 * bytes of numbers of the model's type. Called by generated code after each such kernel. */
void syl_check_written(const syl_frame *frame, const void *data, int64_t bytes);

/* Called by generated code when a program is loaded, for an object that holds a network compiled for several
 * instruction sets: fills `model` with the first of `count` versions that this CPU runs, the widest being first. Where
 * the environment's SYLVITE_CPU is the target of another version that it runs ("x86-64-avx2"), with that one. Both have
 * the same state block, and checkpoints of one load into the other. */
void syl_choose_version(syl_model *model, const syl_model *const *versions, int32_t count);

#ifdef __cplusplus
}
#endif

#endif
