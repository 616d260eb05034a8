// Rows of the run's log. Layer: runtime/train.
#include "runtime/train/Watch.h"

#include "runtime/train/Display.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace syl {

namespace {

constexpr uint64_t rowsInAnEpoch = 100;

/// The Euclidean norm of a tensor of the state or scratch block.
double normOf(const syl_tensor &tensor, const void *block) {
  const size_t count = syl_tensor_elements(&tensor);
  Buffer packed(count * syl_dtype_bytes(syl_dtype(tensor.dtype)), tensor.name);
  require(syl_export_tensor(&tensor, block, 0, packed.data()), tensor.name);
  std::vector<double> values(count);
  convertElements(packed.data(), syl_dtype(tensor.dtype), values.data(), SYL_FLOAT64, count);
  double sum = 0;
  for (double value : values)
    sum += value * value;
  return std::sqrt(sum);
}

std::string tagOf(std::string name) {
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

} // namespace

Watch::Watch(const RunFolder &folder, const Session &session, const Progress &progress, double rate, bool norms,
             RunLog::Warn warn)
    : session(session), progress(progress), rate(rate), norms(norms),
      log(folder, syl_state_step(&session.model, session.state.get()), std::move(warn)) {
  if (norms)
    requireGradients(session.model);
}

void Watch::afterStep(const syl_result &result, uint64_t n) {
  lossSum += result.loss * double(n);
  samples += n;
  const uint64_t step = syl_state_step(&session.model, session.state.get());
  const uint64_t steps = (progress.samples + progress.batch - 1) / progress.batch;
  if (step % std::max<uint64_t>(steps / rowsInAnEpoch, 1) != 0)
    return;
  LoggedValues values = {{"train/loss", lossSum / double(samples)}};
  if (const double rate = learningRate(); rate > 0)
    values.emplace_back("learning_rate", rate);
  if (double seconds = secondsSince(start); seconds > 0)
    values.emplace_back("images_per_second", double(samples) / seconds);
  if (norms)
    addNorms(values);
  log.add(step, progress.epoch + 1, values);
  lossSum = 0;
  samples = 0;
  start = Clock::now();
}

double Watch::learningRate() const {
  const syl_tensor *tensor = syl_find_tensor(&session.model, "learning_rate");
  if (!tensor)
    return rate * progress.policies.rateScale;
  char packed[8];
  double value = 0;
  require(syl_export_tensor(tensor, session.scratch.get(), 0, packed), tensor->name);
  convertElements(packed, syl_dtype(tensor->dtype), &value, SYL_FLOAT64, 1);
  return tensor->dtype == SYL_FLOAT32 ? std::strtod(format("%.7g", value).c_str(), nullptr)
                                      : value; // 1e-3, not its float
}

void Watch::addNorms(LoggedValues &values) const {
  const syl_model &model = session.model;
  for (int32_t i = 0; i < model.tensor_count; ++i) {
    const syl_tensor &tensor = model.tensors[i];
    if (tensor.kind == SYL_PARAMETER)
      values.emplace_back(std::string("norm.weight/") + tensor.name, normOf(tensor, session.state.get()));
    else if (tensor.kind == SYL_GRADIENT && !tensor.batched)
      values.emplace_back("norm.grad/" + std::string(tensor.name).substr(5), normOf(tensor, session.scratch.get()));
  }
}

void Watch::afterEpoch(double trainLoss, const Score &score, const std::string &part) {
  LoggedValues values = {{"train/epoch_loss", trainLoss}};
  if (part == "test")
    values.emplace_back("test/loss", score.loss);
  for (const MetricValue &value : score.metrics)
    values.emplace_back(part + "/" + tagOf(value.label), value.value);
  log.add(syl_state_step(&session.model, session.state.get()), progress.epoch, values);
  log.flush();
  lossSum = 0;
  samples = 0;
  start = Clock::now();
}

} // namespace syl
