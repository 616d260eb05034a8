// A small network built by hand, for tests of the runtime, the data readers and the training loop without the compiler:
// softmax regression with momentum SGD, as the compiler would emit it: phases over slices, one partial gradient per
// slice, a blocked and padded weight layout, a running statistic, optimizer slots. Layer: tests.
//
//   logits[n,k] = bias[k] + sum_f weight[k,f] * input[n,f];  loss = cross entropy;  running_mean as in batch-norm.
//
// Tensors (PyTorch shapes; F = product of inputShape, K = classes): linear.weight [K,F], linear.bias [K],
// input.running_mean [F], input.num_batches_tracked [] int64, optimizer.momentum_buffer.linear.weight [K,F],
// optimizer.momentum_buffer.linear.bias [K], grad.linear.weight [K,F], grad.linear.bias [K], output [batch,K],
// evaluate.output [batch,K].
//
// With `several` there is a second input `shift` [F] float32, which is added to the first; a second target `wanted` [K]
// float32, to which the logits are compared in a second loss of weight 0; and the outputs are `classes` and `logits`.
#ifndef SYLVITE_TESTS_RUNTIME_TOYMODEL_H
#define SYLVITE_TESTS_RUNTIME_TOYMODEL_H

#include "sylvite/sylvite.h"
#include <memory>
#include <string>
#include <vector>

namespace toy {

struct Options {
  std::string name = "toy";
  int32_t batch = 8;
  std::vector<int64_t> inputShape = {5}; // of one sample, H W C for images; uint8 inputs are divided by 255
  syl_dtype inputDtype = SYL_FLOAT32;    // SYL_FLOAT32 or SYL_UINT8
  syl_dtype targetDtype = SYL_INT32;     // SYL_INT32 or SYL_INT64
  syl_dtype dtype = SYL_FLOAT32;         // of parameters: SYL_FLOAT32 or SYL_FLOAT64
  int32_t classes = 3;
  int32_t slices = 4; // of the batch, and of the features in the update
  double learningRate = 0.5, momentum = 0.9;
  int32_t epochs = 3;
  bool several = false;
  std::string training = "{\"metrics\": [\"accuracy\"]}"; // settings of the loop, as JSON
  // Slices of the first training phase whose bit is set here report an error.
  uint64_t failingSlices = 0;
};

// Owns a syl_model and all that it points to; the model's address does not change.
class Model {
public:
  explicit Model(Options options = {});
  ~Model();
  Model(const Model &) = delete;
  Model &operator=(const Model &) = delete;

  const syl_model *get() const;
  const Options &options() const;
  // Features of one sample.
  int64_t features() const;

  struct Impl; // public for the phases

private:
  std::unique_ptr<Impl> impl;
};

// Memory for a state or scratch block, aligned to SYL_ALIGNMENT, filled with 0xA5 so that nothing relies on zeros.
class Block {
public:
  explicit Block(size_t bytes);
  void *get() { return storage.get(); }
  const void *get() const { return storage.get(); }
  size_t size() const { return bytes; }

private:
  struct Free {
    void operator()(void *memory) const;
  };
  size_t bytes;
  std::unique_ptr<void, Free> storage;
};

// A learnable data set: sample i has class i % classes, and the features of its class are larger. The values come from
// a fixed sequence, so two calls give equal bytes.
struct Samples {
  std::vector<float> input;         // [count, F]
  std::vector<uint8_t> inputUint8;  // the same, scaled to 0..255
  std::vector<int32_t> target;      // [count]
  std::vector<int64_t> targetInt64; // the same
  std::vector<float> shift;         // [count, F]: values from -0.05 to 0.05, for `several`
  std::vector<float> wanted;        // [count, K]: 1 at the class, else 0, for `several`
};
Samples makeSamples(const Options &options, int64_t count, uint32_t seed = 1);

} // namespace toy

#endif
