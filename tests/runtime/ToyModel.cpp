// The hand-built softmax regression of ToyModel.h: its descriptor and its phases. Layer: tests.
#include "ToyModel.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace toy {
namespace {

constexpr int64_t kBlock = 4; // classes are stored in blocks of 4, features between the blocks

uint64_t roundUp(uint64_t value, uint64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// Where everything lies. Weights are [K/4][F][4]: element (k, f) at (k/4)*F*4 + f*4 + k%4; K is padded to a multiple
// of 4.
struct Layout {
  int64_t features, classes, paddedClasses, slices, batch;
  uint64_t element;
  uint64_t weight, bias, mean, tracked, weightSlot, biasSlot, stateBytes; // in the state block
  uint64_t partial, partialStride, logits, losses, correct, scratchBytes; // in the scratch block
  int64_t weights() const { return paddedClasses * features; }
  int64_t at(int64_t k, int64_t f) const { return k / kBlock * features * kBlock + f * kBlock + k % kBlock; }
  // A slice's partial sums: gradient of the weights, of the bias, sum of the inputs.
  int64_t partialElements() const { return weights() + paddedClasses + features; }
};

} // namespace

struct Model::Impl {
  syl_model model{}; // first, so that a phase finds its Impl by the model's address
  Options options;
  Layout layout{};
  std::vector<syl_factor> weightFactors, classFactors, featureFactors, outputFactors;
  std::vector<syl_tensor> tensors;
  std::vector<syl_array> inputs, targets, outputs;
  std::vector<syl_head> heads;
  std::vector<syl_phase> train, evaluate, predict;
  std::vector<syl_kernel> kernels;
  std::string optimizer, yaml;

  template <typename T> void build();
  void buildLayout();
  void buildTensors();
  void buildArrays();
};

namespace {

using Impl = Model::Impl;

// The phases for parameters of type T.
template <typename T> struct Phases {
  static T *state(const syl_frame *frame, uint64_t offset) {
    return reinterpret_cast<T *>(frame->base[SYL_BASE_STATE] + offset);
  }
  template <typename U> static U *scratch(const syl_frame *frame, uint64_t offset) {
    return reinterpret_cast<U *>(frame->base[SYL_BASE_SCRATCH] + offset);
  }
  static const Impl &implOf(const syl_frame *frame) { return *reinterpret_cast<const Impl *>(frame->model); }

  static T feature(const Impl &impl, const syl_frame *frame, int64_t sample, int64_t f) {
    int64_t index = sample * impl.layout.features + f;
    const char *input = frame->base[SYL_BASE_ARRAYS];
    float value, shift = 0;
    if (impl.options.several)
      std::memcpy(&shift, frame->base[SYL_BASE_ARRAYS + 1] + index * sizeof(float), sizeof shift);
    if (impl.options.inputDtype == SYL_UINT8)
      return T(reinterpret_cast<const uint8_t *>(input)[index]) / T(255) + T(shift);
    std::memcpy(&value, input + index * sizeof(float), sizeof value);
    return T(value) + T(shift);
  }

  static int64_t target(const Impl &impl, const syl_frame *frame, int64_t sample) {
    const char *target = frame->base[SYL_BASE_ARRAYS + impl.inputs.size()];
    if (impl.options.targetDtype == SYL_INT64) {
      int64_t value;
      std::memcpy(&value, target + sample * sizeof value, sizeof value);
      return value;
    }
    int32_t value;
    std::memcpy(&value, target + sample * sizeof value, sizeof value);
    return value;
  }

  // Samples [first, last) of a slice among those that the call has.
  static void range(const Impl &impl, const syl_frame *frame, int32_t slice, int64_t &first, int64_t &last) {
    int64_t size = (impl.layout.batch + impl.layout.slices - 1) / impl.layout.slices;
    first = std::min<int64_t>(slice * size, frame->n);
    last = std::min<int64_t>(first + size, frame->n);
  }

  // Logits of one sample into its row of the scratch block.
  static T *logits(const Impl &impl, const syl_frame *frame, int64_t sample) {
    const Layout &l = impl.layout;
    T *row = scratch<T>(frame, l.logits) + sample * l.paddedClasses;
    const T *weight = state(frame, l.weight), *bias = state(frame, l.bias);
    for (int64_t k = 0; k < l.classes; ++k) {
      T sum = bias[k];
      for (int64_t f = 0; f < l.features; ++f)
        sum += weight[l.at(k, f)] * feature(impl, frame, sample, f);
      row[k] = sum;
    }
    return row;
  }

  // Softmax of a row into the thread's local memory, which holds one row.
  static T *softmax(const T *row, int64_t classes, syl_worker *worker) {
    T *probability = reinterpret_cast<T *>(worker->local);
    T largest = *std::max_element(row, row + classes), sum = 0;
    for (int64_t k = 0; k < classes; ++k)
      sum += probability[k] = std::exp(row[k] - largest);
    for (int64_t k = 0; k < classes; ++k)
      probability[k] /= sum;
    return probability;
  }

  // Loss and hit of one sample; returns its probabilities.
  static T *head(const Impl &impl, const syl_frame *frame, syl_worker *worker, int64_t sample) {
    const Layout &l = impl.layout;
    const T *row = logits(impl, frame, sample);
    T *probability = softmax(row, l.classes, worker);
    int64_t label = target(impl, frame, sample);
    scratch<T>(frame, l.losses)[sample] = -std::log(probability[label]);
    scratch<int32_t>(frame, l.correct)[sample] = std::max_element(row, row + l.classes) - row == label;
    return probability;
  }

  static int32_t forwardBackward(const syl_frame *frame, syl_worker *worker, int32_t slice) {
    const Impl &self = implOf(frame);
    const Layout &l = self.layout;
    if (slice < 64 && self.options.failingSlices >> slice & 1) {
      worker->failed = 1;
      std::snprintf(worker->message, sizeof worker->message, "toy failure of slice %d", int(slice));
      return -1;
    }
    T *gradWeight = scratch<T>(frame, l.partial + slice * l.partialStride);
    T *gradBias = gradWeight + l.weights(), *inputSum = gradBias + l.paddedClasses;
    std::fill_n(gradWeight, l.partialElements(), T(0));
    int64_t first, last;
    range(self, frame, slice, first, last);
    for (int64_t sample = first; sample < last; ++sample) {
      T *grad = head(self, frame, worker, sample);
      grad[target(self, frame, sample)] -= 1;
      for (int64_t k = 0; k < l.classes; ++k) {
        T g = grad[k] / T(frame->n);
        gradBias[k] += g;
        for (int64_t f = 0; f < l.features; ++f)
          gradWeight[l.at(k, f)] += g * feature(self, frame, sample, f);
      }
      for (int64_t f = 0; f < l.features; ++f)
        inputSum[f] += feature(self, frame, sample, f);
    }
    return 0;
  }

  // Partial sums in slice order, then momentum SGD: v = momentum v + g; w -= rate v. A slice is a range of features;
  // slice 0 also does the bias and the counter.
  static int32_t update(const syl_frame *frame, syl_worker *, int32_t slice) {
    const Impl &self = implOf(frame);
    const Layout &l = self.layout;
    const T rate = T(self.options.learningRate * frame->learning_rate_scale), momentum = T(self.options.momentum);
    auto total = [&](int64_t element) {
      T sum = 0;
      for (int64_t s = 0; s < l.slices; ++s)
        sum += scratch<T>(frame, l.partial + s * l.partialStride)[element];
      return sum;
    };
    auto step = [&](uint64_t value, uint64_t slot, int64_t index, T gradient) {
      T &v = state(frame, slot)[index];
      v = momentum * v + gradient;
      T &updated = state(frame, value)[index];
      updated -= rate * v;
      syl_check_written(frame, &v, sizeof v);
      syl_check_written(frame, &updated, sizeof updated);
    };
    for (int64_t f = l.features * slice / l.slices; f < l.features * (slice + 1) / l.slices; ++f) {
      for (int64_t k = 0; k < l.classes; ++k)
        step(l.weight, l.weightSlot, l.at(k, f), total(l.at(k, f)));
      T &mean = state(frame, l.mean)[f];
      mean = T(0.9) * mean + T(0.1) * total(l.weights() + l.paddedClasses + f) / T(frame->n);
      syl_check_written(frame, &mean, sizeof mean);
    }
    if (slice == 0) {
      for (int64_t k = 0; k < l.classes; ++k)
        step(l.bias, l.biasSlot, k, total(l.weights() + k));
      ++*reinterpret_cast<int64_t *>(frame->base[SYL_BASE_STATE] + l.tracked);
    }
    return 0;
  }

  static int32_t evaluate(const syl_frame *frame, syl_worker *worker, int32_t slice) {
    const Impl &self = implOf(frame);
    int64_t first, last;
    range(self, frame, slice, first, last);
    for (int64_t sample = first; sample < last; ++sample)
      head(self, frame, worker, sample);
    return 0;
  }

  static int32_t predict(const syl_frame *frame, syl_worker *worker, int32_t slice) {
    const Impl &self = implOf(frame);
    const int64_t classes = self.layout.classes;
    int64_t first, last;
    range(self, frame, slice, first, last);
    char *const *outputs = frame->base + SYL_BASE_ARRAYS + self.inputs.size() + self.targets.size();
    for (int64_t sample = first; sample < last; ++sample) {
      const T *row = logits(self, frame, sample);
      std::memcpy(outputs[0] + sample * classes * sizeof(T), softmax(row, classes, worker), classes * sizeof(T));
      if (self.options.several)
        std::memcpy(outputs[1] + sample * classes * sizeof(T), row, classes * sizeof(T));
    }
    return 0;
  }
};

} // namespace

void Model::Impl::buildLayout() {
  Layout &l = layout;
  l.features = 1;
  for (int64_t extent : options.inputShape)
    l.features *= extent;
  l.classes = options.classes;
  l.paddedClasses = roundUp(options.classes, kBlock);
  l.slices = options.slices;
  l.batch = options.batch;
  l.element = syl_dtype_bytes(options.dtype);
  uint64_t end = sizeof(syl_state_header);
  auto take = [&](uint64_t bytes) {
    uint64_t offset = end;
    end = roundUp(end + bytes, 64);
    return offset;
  };
  l.weight = take(l.weights() * l.element);
  l.bias = take(l.paddedClasses * l.element);
  l.mean = take(l.features * l.element);
  l.tracked = take(8);
  l.weightSlot = take(l.weights() * l.element);
  l.biasSlot = take(l.paddedClasses * l.element);
  l.stateBytes = end;
  end = 0;
  l.partialStride = roundUp(l.partialElements() * l.element, 64);
  l.partial = take(l.partialStride * l.slices);
  l.logits = take(l.batch * l.paddedClasses * l.element);
  l.losses = take(l.batch * l.element);
  l.correct = take(l.batch * 4);
  l.scratchBytes = end;
}

void Model::Impl::buildTensors() {
  const Layout &l = layout;
  int64_t features = l.features, classes = l.classes;
  weightFactors = {
      {0, 0, 1, kBlock, 1}, {0, 0, kBlock, l.paddedClasses / kBlock, features * kBlock}, {1, 0, 1, features, kBlock}};
  classFactors = {{0, 0, 1, classes, 1}};
  featureFactors = {{0, 0, 1, features, 1}};
  outputFactors = {{0, 0, 1, l.batch, l.paddedClasses}, {1, 0, 1, classes, 1}};
  auto add = [&](const char *name, syl_tensor_kind kind, syl_dtype dtype, std::vector<int64_t> shape,
                 const std::vector<syl_factor> &factors, uint64_t offset) -> syl_tensor & {
    syl_tensor tensor{};
    tensor.name = name;
    tensor.kind = kind;
    tensor.dtype = dtype;
    tensor.rank = int32_t(shape.size());
    std::copy(shape.begin(), shape.end(), tensor.shape);
    tensor.factor_count = int32_t(factors.size());
    tensor.factors = factors.data();
    tensor.copies = 1;
    tensor.offset = offset;
    tensors.push_back(tensor);
    return tensors.back();
  };
  auto random = [&](syl_tensor &tensor) {
    tensor.init = SYL_INIT_UNIFORM;
    tensor.init_b = 1 / std::sqrt(double(features));
    tensor.init_a = -tensor.init_b;
  };
  auto partial = [&](syl_tensor &tensor) {
    tensor.copies = options.slices;
    tensor.copy_stride = l.partialStride;
  };
  syl_dtype dtype = options.dtype;
  random(add("linear.weight", SYL_PARAMETER, dtype, {classes, features}, weightFactors, l.weight));
  random(add("linear.bias", SYL_PARAMETER, dtype, {classes}, classFactors, l.bias));
  add("input.running_mean", SYL_BUFFER, dtype, {features}, featureFactors, l.mean);
  add("input.num_batches_tracked", SYL_BUFFER, SYL_INT64, {}, {}, l.tracked);
  add("optimizer.momentum_buffer.linear.weight", SYL_SLOT, dtype, {classes, features}, weightFactors, l.weightSlot);
  add("optimizer.momentum_buffer.linear.bias", SYL_SLOT, dtype, {classes}, classFactors, l.biasSlot);
  partial(add("grad.linear.weight", SYL_GRADIENT, dtype, {classes, features}, weightFactors, l.partial));
  partial(add("grad.linear.bias", SYL_GRADIENT, dtype, {classes}, classFactors, l.partial + l.weights() * l.element));
  const std::vector<const char *> names =
      options.several ? std::vector<const char *>{"output.classes", "output.logits", "evaluate.output.classes",
                                                  "evaluate.output.logits"}
                      : std::vector<const char *>{"output", "evaluate.output"};
  for (const char *name : names)
    add(name, SYL_VALUE, dtype, {l.batch, classes}, outputFactors, l.logits).batched = 1;
}

void Model::Impl::buildArrays() {
  auto array = [](const char *name, syl_dtype dtype, const std::vector<int64_t> &shape, int64_t classes,
                  const char *kind) {
    syl_array array{};
    array.name = name;
    array.dtype = dtype;
    array.rank = int32_t(shape.size());
    std::copy(shape.begin(), shape.end(), array.shape);
    array.classes = classes;
    array.ignore_index = SYL_NO_CLASS;
    array.kind = kind;
    return array;
  };
  const int64_t classes = options.classes;
  const int32_t value = int32_t(tensors.size()) - (options.several ? 2 : 1);
  inputs = {array("input", options.inputDtype, options.inputShape, 0, nullptr)};
  targets = {array("target", options.targetDtype, {}, classes, nullptr)};
  outputs = {array(options.several ? "classes" : "output", options.dtype, {classes}, 0, "softmax")};
  heads = {{"cross_entropy", 1, 0, value}};
  if (options.several) {
    inputs.push_back(array("shift", SYL_FLOAT32, {layout.features}, 0, nullptr));
    targets.push_back(array("wanted", SYL_FLOAT32, {classes}, 0, nullptr));
    outputs.push_back(array("logits", options.dtype, {classes}, 0, "linear"));
    heads.push_back({"mse", 0, 1, value + 1});
  }
}

template <typename T> void Model::Impl::build() {
  using P = Phases<T>;
  const int32_t slices = options.slices;
  train = {{P::forwardBackward, slices, 0, "linear.forward+grad"}, {P::update, slices, 0, "linear.update"}};
  evaluate = {{P::evaluate, slices, 0, "linear.forward"}};
  predict = {{P::predict, slices, 0, "linear.forward"}};
  double macs = double(layout.features) * layout.classes * layout.batch;
  kernels = {{"linear.forward+grad", "toy.yaml:1", 4 * macs, 64, 0, P::forwardBackward, slices, 0, 0, 0},
             {"linear.update", "toy.yaml:2", 0, 0, 0, P::update, slices, 0, 1, 0},
             {"linear.forward", "toy.yaml:3", 2 * macs, 64, 32, P::evaluate, slices, 1, 0, 0},
             {"linear.forward", "toy.yaml:3", 2 * macs, 64, 32, P::predict, slices, 2, 0, 0}};
}

Model::Model(Options given) : impl(std::make_unique<Impl>()) {
  impl->options = std::move(given);
  const Options &options = impl->options;
  impl->buildLayout();
  impl->buildTensors();
  impl->buildArrays();
  options.dtype == SYL_FLOAT64 ? impl->build<double>() : impl->build<float>();
  impl->optimizer = "sgd: {learning_rate: " + std::to_string(options.learningRate) +
                    ", momentum: " + std::to_string(options.momentum) + "}";
  impl->yaml = "name: " + options.name + "\n# built by hand: tests/runtime/ToyModel.cpp\n";
  const Layout &l = impl->layout;
  syl_model &m = impl->model;
  m.abi_version = SYL_ABI_VERSION;
  m.struct_bytes = sizeof(syl_model);
  m.name = options.name.c_str();
  m.target = "x86-64";
  m.compiler = "by hand";
  m.layout_hash = 0x746f79ull * 1000003 + l.features * 8191 + l.classes * 131 + l.slices * 17 + options.dtype;
  m.batch = options.batch;
  m.dtype = options.dtype;
  m.input_count = int32_t(impl->inputs.size());
  m.target_count = int32_t(impl->targets.size());
  m.output_count = int32_t(impl->outputs.size());
  m.inputs = impl->inputs.data();
  m.targets = impl->targets.data();
  m.outputs = impl->outputs.data();
  m.heads = impl->heads.data();
  m.tensors = impl->tensors.data();
  m.tensor_count = int32_t(impl->tensors.size());
  m.state_bytes = l.stateBytes;
  m.scratch_bytes = l.scratchBytes;
  m.local_bytes = l.paddedClasses * l.element;
  m.heap_bytes = 0;
  m.train = {impl->train.data(), int32_t(impl->train.size()), 0, l.losses, l.correct};
  m.evaluate = {impl->evaluate.data(), int32_t(impl->evaluate.size()), 0, l.losses, l.correct};
  m.predict = {impl->predict.data(), int32_t(impl->predict.size()), 0, UINT64_MAX, UINT64_MAX};
  m.kernels = impl->kernels.data();
  m.kernel_count = int32_t(impl->kernels.size());
  m.epochs = options.epochs;
  m.seed = 1;
  m.optimizer = impl->optimizer.c_str();
  m.training = options.training.c_str();
  m.network_yaml = impl->yaml.c_str();
}

Model::~Model() = default;
const syl_model *Model::get() const { return &impl->model; }
const Options &Model::options() const { return impl->options; }
int64_t Model::features() const { return impl->layout.features; }

Block::Block(size_t bytes) : bytes(bytes) {
  storage.reset(std::aligned_alloc(SYL_ALIGNMENT, roundUp(std::max<size_t>(bytes, 1), SYL_ALIGNMENT)));
  if (!storage)
    throw std::bad_alloc();
  std::memset(storage.get(), 0xA5, bytes);
}

void Block::Free::operator()(void *memory) const { std::free(memory); }

Samples makeSamples(const Options &options, int64_t count, uint32_t seed) {
  int64_t features = 1;
  for (int64_t extent : options.inputShape)
    features *= extent;
  Samples samples;
  uint32_t random = seed * 2654435761u + 1;
  for (int64_t i = 0; i < count; ++i) {
    int64_t label = i % options.classes;
    samples.target.push_back(int32_t(label));
    samples.targetInt64.push_back(label);
    for (int64_t f = 0; f < features; ++f) {
      random = random * 1664525u + 1013904223u;
      float noise = float(random >> 8) / float(1 << 24);
      float value = f % options.classes == label ? 0.4f + 0.6f * noise : 0.6f * noise;
      samples.input.push_back(value);
      samples.inputUint8.push_back(uint8_t(value * 255));
      samples.shift.push_back(0.1f * noise - 0.05f);
    }
    for (int64_t k = 0; k < options.classes; ++k)
      samples.wanted.push_back(k == label);
  }
  return samples;
}

} // namespace toy
