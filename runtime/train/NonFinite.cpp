// Finding where a NaN comes from, and taking its step back. Layer: runtime/train.
#include "runtime/train/NonFinite.h"

#include <cmath>
#include <cstring>
#include <map>

namespace syl {

OnNan readOnNan(const std::string &text, const std::string &option) {
  if (text == "stop")
    return OnNan::Stop;
  if (text == "skip")
    return OnNan::Skip;
  if (text == "rollback")
    return OnNan::Rollback;
  throw Error(SYL_ERROR_ARGUMENT, option, "found '" + text + "', expected stop, skip or rollback");
}

namespace {

/// Patterns that arithmetic leaves: the NaN that a CPU makes, and the infinities. Other NaNs may be bytes of images.
template <class Word> size_t countBad(const Block &block, Word nan, Word infinity, bool negative) {
  const Word sign = Word(1) << (8 * sizeof(Word) - 1);
  size_t bad = 0;
  for (size_t at = 0; at + sizeof(Word) <= block.size(); at += sizeof(Word)) {
    Word word;
    std::memcpy(&word, block.get() + at, sizeof word);
    bad += (word & ~sign) == nan || word == infinity || (negative && word == (infinity | sign));
  }
  return bad;
}

/// A call of the training step's kernels, one after the other. Values that live within one slice have a block for each.
class KernelWalk {
public:
  KernelWalk(const Session &session, const void *const *inputs, const void *const *targets, int64_t n, double scale,
             double stepsPerEpoch)
      : model(session.model), state(syl_state_bytes(&model)), scratch(model.scratch_bytes), heap(model.heap_bytes) {
    std::memcpy(state.get(), session.state.get(), state.size());
    std::memset(scratch.get(), 0, scratch.size());
    frame.base[SYL_BASE_STATE] = state.get();
    frame.base[SYL_BASE_SCRATCH] = scratch.get();
    char **base = frame.base + SYL_BASE_ARRAYS;
    for (int32_t i = 0; i < model.input_count; ++i)
      *base++ = static_cast<char *>(const_cast<void *>(inputs[i]));
    for (int32_t i = 0; i < model.target_count; ++i)
      *base++ = static_cast<char *>(const_cast<void *>(targets[i]));
    frame.n = int32_t(n);
    frame.threads = 1;
    frame.step = syl_state_step(&model, state.get()) + 1;
    frame.seed = syl_state_seed(&model, state.get());
    frame.learning_rate_scale = scale;
    frame.steps_per_epoch = stepsPerEpoch;
    frame.model = &model;
  }

  /// The first kernel after which there is a bad value that was not there before, or null. Negative infinity counts
  /// where `negative`: it is also what a maximum starts from.
  const syl_kernel *firstBad(bool negative) {
    size_t before = 0;
    for (int32_t k = 0; k < model.kernel_count; ++k) {
      const syl_kernel &kernel = model.kernels[k];
      if (kernel.program != 0)
        continue;
      const bool chain = kernel.slices == model.train.phases[kernel.phase].slices;
      for (int32_t slice = 0; slice < kernel.slices; ++slice) {
        Block &local = locals.try_emplace(chain ? slice : -1).first->second;
        if (!local.size() && model.local_bytes) {
          local = Block(model.local_bytes);
          std::memset(local.get(), 0, local.size());
        }
        syl_worker worker{};
        worker.local = local.get();
        worker.heap = worker.heap_top = heap.get();
        worker.heap_end = heap.get() + heap.size();
        if (kernel.run(&frame, &worker, slice) != 0)
          return nullptr;
      }
      size_t now = count(scratch, negative) + count(state, negative);
      for (auto &[slice, local] : locals)
        now += count(local, negative);
      if (now > before)
        return &kernel;
      before = now; // values are overwritten by others that share their place
    }
    return nullptr;
  }

private:
  size_t count(const Block &block, bool negative) const {
    return model.dtype == SYL_FLOAT64 ? countBad<uint64_t>(block, 0x7ff8000000000000, 0x7ff0000000000000, negative)
                                      : countBad<uint32_t>(block, 0x7fc00000, 0x7f800000, negative);
  }

  const syl_model &model;
  Block state, scratch, heap;
  std::map<int32_t, Block> locals; // by slice; -1: of kernels that have none
  syl_frame frame{};
};

} // namespace

std::string findLayer(const Session &session, const void *const *inputs, const void *const *targets, int64_t n,
                      double scale, double stepsPerEpoch) {
  for (bool negative : {false, true}) {
    const syl_kernel *kernel = KernelWalk(session, inputs, targets, n, scale, stepsPerEpoch).firstBad(negative);
    if (!kernel)
      continue;
    const std::string name = kernel->name;
    const size_t colon = name.find(':');
    return colon == std::string::npos ? "kernel " + name
                                      : "layer " + name.substr(0, colon) + " (" + name.substr(colon + 1) + ")";
  }
  return "";
}

std::string findSamples(const syl_model &model, const void *const *inputs, const void *const *targets,
                        const uint32_t *rows, size_t count) {
  std::string lines;
  auto look = [&](const syl_array &array, const void *data, const char *what) {
    if (array.dtype != SYL_FLOAT32 && array.dtype != SYL_FLOAT64)
      return;
    std::vector<double> values(static_cast<size_t>(elementsOf(array)));
    for (size_t i = 0; i < count; ++i) {
      convertElements(static_cast<const char *>(data) + i * bytesOf(array), syl_dtype(array.dtype), values.data(),
                      SYL_FLOAT64, values.size());
      for (double value : values)
        if (!std::isfinite(value)) {
          lines += format("\n  %s '%s', row %u of the training part: %s", what, array.name, rows[i],
                          std::isnan(value) ? "nan" : "infinity");
          break;
        }
    }
  };
  for (int32_t i = 0; i < model.input_count; ++i)
    look(model.inputs[i], inputs[i], "input");
  for (int32_t i = 0; i < model.target_count; ++i)
    look(model.targets[i], targets[i], "target");
  return lines;
}

void Snapshots::before(const void *state, bool fresh) {
  constexpr size_t stepsBetween = 64;
  if (taken && !fresh && steps.size() < stepsBetween)
    return;
  std::memcpy(copy.get(), state, copy.size());
  steps.clear();
  taken = true;
}

const std::vector<Snapshots::Step> &Snapshots::restore(void *state) const {
  std::memcpy(state, copy.get(), copy.size());
  return steps;
}

} // namespace syl
