//===- Header.cpp - the generated C header ------------------------------------------------------------------------===//
#include "compiler/codegen/Files.h"

#include "llvm/Support/FormatVariadic.h"

namespace sylvite::codegen {
namespace {

std::string cType(int dtype) {
  static constexpr const char *names[] = {"uint8_t", "int32_t", "int64_t", "float", "double"};
  return names[dtype];
}

std::string shapeText(const std::vector<int64_t> &shape) {
  std::string text = "[n";
  for (int64_t extent : shape)
    text += ", " + std::to_string(extent);
  return text + "]";
}

} // namespace

std::string headerText(const Plan &plan) {
  const std::string &net = plan.net;
  std::string upper = llvm::StringRef(net).upper();
  std::string input = cType(plan.inputDtype), target = cType(plan.targetDtype), real = cType(plan.dtype);
  return llvm::formatv(R"(/* {0}: a compiled network. Made by {1} for {2}; do not edit.
 *
 * Link with lib{0}.a (or {0}.o), libsylvite_rt.a, libm and the threads library. Every function is safe to call from any
 * thread; one state block may be used by one thread at a time. All return SYL_OK (0) or a status whose reason
 * syl_last_error() tells; see <sylvite/sylvite.h>.
 *
 * Samples: input {3} of {4}, C order; target [n] of {5}, class numbers from 0 to {6}; output {7} of {8} ({9}).
 * n is the number of samples, from 1 to {10}_BATCH. Pointers to samples need no alignment.
 */
#ifndef SYLVITE_NET_{10}_H
#define SYLVITE_NET_{10}_H

#include <sylvite/sylvite.h>

#ifdef __cplusplus
extern "C" {{
#endif

/* Largest number of samples in one call. */
#define {10}_BATCH {11}
/* Bytes of a state block. */
#define {10}_STATE_BYTES {12}u

/* The descriptor, for the runtime's generic functions: tensors by name, checkpoints, the training loop. */
extern const syl_model {0}_model;

/* Bytes of a state block: parameters, running statistics, optimizer slots, step counter. */
size_t {0}_state_bytes(void);
/* Alignment in bytes that state and scratch blocks need. */
size_t {0}_state_align(void);
/* Bytes of a scratch block for calls of up to `batch` samples (0: {11}) on up to `threads` threads (0: syl_threads()). */
size_t {0}_scratch_bytes(int32_t batch, int32_t threads);

/* Fills a state block as a new training run has it: parameters drawn from their distributions by `seed`.
 * Errors: SYL_ERROR_ARGUMENT if `state` is null or not aligned. */
syl_status {0}_init(void *state, uint64_t seed);

/* One training step on n samples: forward, loss, backward, optimizer. Allocates nothing. `step` and `result` may be null.
 * Errors: SYL_ERROR_ARGUMENT (n, alignment, a state of another network), SYL_ERROR_KERNEL. */
syl_status {0}_train_step(void *state, void *scratch, const {4} *input, const {5} *target, int32_t n,
                          const syl_step *step, syl_result *result);

/* Loss and accuracy of n samples in evaluation mode; the state is only read. Errors: as train_step. */
syl_status {0}_evaluate(const void *state, void *scratch, const {4} *input, const {5} *target, int32_t n,
                        syl_result *result);

/* Outputs {7} of n samples in evaluation mode. Errors: as train_step. */
syl_status {0}_predict(const void *state, void *scratch, const {4} *input, int32_t n, {8} *output);

#ifdef __cplusplus
}
#endif

#endif
)",
                       net, plan.compiler, plan.target->name, shapeText(plan.inputShape), input, target,
                       plan.classes - 1, shapeText(plan.outputShape), real, plan.outputKind, upper, plan.batch,
                       plan.stateBytes)
      .str();
}

} // namespace sylvite::codegen
