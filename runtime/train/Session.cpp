// Memory of a model and calls on it. Layer: runtime/train.
#include "runtime/train/Session.h"

#include <algorithm>
#include <cstdlib>
#include <sys/mman.h>

namespace syl {

/// Bytes of a huge page of Linux on x86-64.
constexpr size_t hugePage = 2 << 20;

Block::Block(size_t bytes) : count(bytes) {
  const size_t unit = bytes < hugePage ? SYL_ALIGNMENT : hugePage;
  const size_t rounded = std::max<size_t>((bytes + unit - 1) / unit, 1) * unit;
  memory.reset(static_cast<char *>(std::aligned_alloc(unit, rounded)));
  if (!memory)
    throw Error(SYL_ERROR_MEMORY, "sylvite", format("cannot get %zu bytes of memory for the network", bytes));
#ifdef MADV_HUGEPAGE
  if (unit == hugePage) // for speed alone: kernels walk through megabytes
    madvise(memory.get(), bytes / hugePage * hugePage, MADV_HUGEPAGE);
#endif
}

void Block::Free::operator()(char *pointer) const { std::free(pointer); }

void require(syl_status status, const std::string &where) {
  if (status != SYL_OK)
    throw Error(status, where, syl_last_error());
}

namespace {
int32_t setThreads(const syl_model &model, int32_t threads) {
  if (threads)
    require(syl_set_threads(threads), model.name);
  return syl_threads();
}
} // namespace

Session::Session(const syl_model &model, int32_t wanted)
    : model(model), threads(setThreads(model, wanted)), state(syl_state_bytes(&model)),
      scratch(syl_scratch_bytes(&model, model.batch, threads)) {}

void Session::init(uint64_t seed) { require(syl_init_state(&model, state.get(), seed), model.name); }

syl_result Session::trainStep(const void *const *inputs, const void *const *targets, int64_t n, double scale,
                              double stepsPerEpoch) {
  syl_step step{scale, stepsPerEpoch, threads, checkFinite};
  syl_result result{};
  require(syl_train_step(&model, state.get(), scratch.get(), inputs, targets, int32_t(n), &step, &result), model.name);
  return result;
}

syl_result Session::evaluate(const void *const *inputs, const void *const *targets, int64_t n) {
  syl_result result{};
  require(syl_evaluate(&model, state.get(), scratch.get(), inputs, targets, int32_t(n), &result), model.name);
  return result;
}

void Session::predict(const void *const *inputs, int64_t n, void *const *outputs) {
  require(syl_predict(&model, state.get(), scratch.get(), inputs, int32_t(n), outputs), model.name);
}

void requireGradients(const syl_model &model) {
  for (int32_t i = 0; i < model.tensor_count; ++i) {
    if (model.tensors[i].kind != SYL_PARAMETER || model.tensors[i].frozen)
      continue;
    std::string name = std::string("grad.") + model.tensors[i].name;
    if (!syl_find_tensor(&model, name.c_str()))
      throw Error(SYL_ERROR_MISMATCH, model.name,
                  "found no tensor " + name + ", expected a network compiled with its gradients kept");
  }
}

int64_t elementsOf(const syl_array &array) {
  int64_t count = 1;
  for (int32_t axis = 0; axis < array.rank; ++axis)
    count *= array.shape[axis];
  return count;
}

size_t bytesOf(const syl_array &array) { return size_t(elementsOf(array)) * syl_dtype_bytes(syl_dtype(array.dtype)); }

} // namespace syl
