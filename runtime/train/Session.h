// A model with its blocks of memory: what every verb works on. Layer: runtime/train.
#pragma once

#include "runtime/data/Array.h"
#include "sylvite/sylvite.h"

#include <cstdint>
#include <memory>
#include <string>

namespace syl {

/// Memory aligned to SYL_ALIGNMENT.
class Block {
public:
  Block() = default;
  /// Of huge pages, as many as it fills, where the system has them. Throws Error (SYL_ERROR_MEMORY).
  explicit Block(size_t bytes);
  char *get() const { return memory.get(); }
  size_t size() const { return count; }

private:
  struct Free {
    void operator()(char *pointer) const;
  };
  std::unique_ptr<char, Free> memory;
  size_t count = 0;
};

/// Throws Error with the runtime's message unless `status` is SYL_OK; `where` is the network's name or a file.
void require(syl_status status, const std::string &where);

/// A network's state and scratch blocks and the calls on them; every failure is an Error. For one thread at a time.
class Session {
public:
  /// Blocks for `threads` threads (0: the runtime's default). The state is not filled: init() or a checkpoint does
  /// that.
  Session(const syl_model &model, int32_t threads);

  void init(uint64_t seed);
  /// A step on n samples, with one pointer for each input and target. `scale` multiplies the network's learning rate;
  /// `stepsPerEpoch` is 0 where it is not known. Throws SYL_ERROR_NONFINITE where checkFinite is set.
  syl_result trainStep(const void *const *inputs, const void *const *targets, int64_t n, double scale = 1,
                       double stepsPerEpoch = 0);
  syl_result evaluate(const void *const *inputs, const void *const *targets, int64_t n);
  void predict(const void *const *inputs, int64_t n, void *const *outputs);

  const syl_model &model;
  const int32_t threads;
  Block state, scratch;
  bool checkFinite = false; // steps look for NaN and infinity
};

/// Throws Error (SYL_ERROR_MISMATCH) where the model keeps no gradient of some parameter that it trains.
void requireGradients(const syl_model &model);

/// Elements and bytes of one sample of an input, target or output.
int64_t elementsOf(const syl_array &array);
size_t bytesOf(const syl_array &array);

} // namespace syl
