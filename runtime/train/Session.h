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
  /// Throws Error (SYL_ERROR_MEMORY).
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
  /// A step on n samples. The learning rate is the network's.
  syl_result trainStep(const void *input, const void *target, int64_t n);
  syl_result evaluate(const void *input, const void *target, int64_t n);
  void predict(const void *input, int64_t n, void *output);

  const syl_model &model;
  const int32_t threads;
  Block state, scratch;
};

/// Throws Error (SYL_ERROR_MISMATCH) where the model keeps no gradient of some parameter.
void requireGradients(const syl_model &model);

/// Elements and bytes of one sample's input, target and output.
int64_t inputElements(const syl_model &model);
int64_t outputElements(const syl_model &model);
size_t inputBytes(const syl_model &model);
size_t targetBytes(const syl_model &model);

} // namespace syl
