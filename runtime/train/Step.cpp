// The verb step: training steps on one batch, and a dump of what they left. Layer: runtime/train.
#include "runtime/train/Batch.h"
#include "runtime/train/Checkpoint.h"
#include "runtime/train/Session.h"
#include "runtime/train/Verbs.h"

#include <cstdio>
#include <vector>

namespace syl {

namespace {

/// Adds a tensor of the scratch block; those with a batch axis get `n` rows, or the shape `as` where that is not empty.
void addValue(SafetensorsWriter &writer, const syl_tensor &tensor, const Session &session, int64_t n,
              const std::vector<int64_t> &as) {
  std::vector<int64_t> shape(tensor.shape, tensor.shape + tensor.rank);
  if (tensor.batched)
    shape[0] = n;
  uint64_t bytes;
  checkedBytes(shape, syl_dtype_bytes(syl_dtype(tensor.dtype)), bytes);
  Buffer packed(bytes, tensor.name);
  require(syl_export_tensor(&tensor, session.scratch.get(), int32_t(n), packed.data()), tensor.name);
  writer.add(tensor.name, syl_dtype(tensor.dtype), as.empty() ? shape : as, packed.data());
}

/// The shape of the input's file that `tensor` is the gradient of; empty for all others.
std::vector<int64_t> shapeOfInput(const syl_model &model, const syl_tensor &tensor, const Part &part) {
  for (int32_t i = 0; i < model.input_count; ++i)
    if (tensor.name == std::string("grad.") + model.inputs[i].name)
      return part.inputs[size_t(i)]->shape();
  return {};
}

} // namespace

int stepVerb(const syl_model &model, const StepOptions &options) {
  Part part = readFiles(pathsByName(options.inputs, model.inputs, model.input_count, "--input"),
                        pathsByName(options.targets, model.targets, model.target_count, "--target"), model);
  const int64_t n = part.count();
  if (n > model.batch)
    throw Error(SYL_ERROR_MISMATCH, part.inputPaths[0],
                format("found %lld rows, expected at most %d, the compiled batch", (long long)n, model.batch),
                format("--batch %lld", (long long)n));
  requireGradients(model);
  Session session(model, options.threads);
  if (options.state.empty())
    session.init(options.seed.value_or(model.seed));
  else
    reportLoad(loadCheckpoint(options.state, model, session.state.get(), nullptr, options.rules));

  Batch batch(model, n);
  batch.range(part, 0, size_t(n));
  std::vector<double> losses;
  for (uint64_t step = 0; step < options.steps; ++step)
    losses.push_back(session.trainStep(batch.inputs(), batch.targets(), n, 1, options.stepsPerEpoch).loss);

  SafetensorsWriter writer;
  addState(writer, model, session.state.get());
  for (int32_t i = 0; i < model.tensor_count; ++i) {
    const syl_tensor &tensor = model.tensors[i];
    const std::string name = tensor.name;
    if (tensor.kind == SYL_VALUE && name.rfind("output", 0) == 0)
      addValue(writer, tensor, session, n, {});
    else if (tensor.kind == SYL_GRADIENT)
      addValue(writer, tensor, session, n, tensor.batched ? shapeOfInput(model, tensor, part) : std::vector<int64_t>());
  }
  const std::vector<float> rounded(losses.begin(), losses.end());
  const std::vector<int64_t> count{int64_t(losses.size())};
  model.dtype == SYL_FLOAT64 ? writer.add("loss", SYL_FLOAT64, count, losses.data())
                             : writer.add("loss", SYL_FLOAT32, count, rounded.data());
  writer.save(options.dump, checkpointMetadata(writer, model, session.state.get(), nullptr));
  std::printf("%s: loss %.6f after %llu steps on %lld samples\n", options.dump.c_str(), losses.back(),
              (unsigned long long)options.steps, (long long)n);
  return 0;
}

} // namespace syl
