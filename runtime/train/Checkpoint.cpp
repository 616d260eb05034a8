// Checkpoints from and to a state block. Layer: runtime/train.
#include "runtime/train/Checkpoint.h"

#include "runtime/data/Json.h"
#include "runtime/train/Session.h"
#include "runtime/train/StateTensors.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>

namespace syl {

namespace {

const char *const formatVersion = "2";

/// "X" of "X.running_mean" or "X.running_var", else empty.
std::string normalised(const std::string &name) {
  for (const char *end : {".running_mean", ".running_var"})
    if (name.size() > std::strlen(end) && name.compare(name.size() - std::strlen(end), std::string::npos, end) == 0)
      return name.substr(0, name.size() - std::strlen(end));
  return "";
}

/// Name of the counter that PyTorch has after tensor `index`: after the last running statistic of a layer. Empty where
/// there is none, or where the model has a tensor of this name.
std::string counterAfter(const syl_model &model, int32_t index) {
  std::string layer = normalised(model.tensors[index].name);
  if (layer.empty() || (index + 1 < model.tensor_count && normalised(model.tensors[index + 1].name) == layer))
    return "";
  std::string name = layer + ".num_batches_tracked";
  return syl_find_tensor(&model, name.c_str()) ? "" : name;
}

/// The tensors of a file by the names that the model has for them, and how they differ from the model's.
struct Matching {
  std::map<std::string, const TensorEntry *> byName;
  std::string problems; // lines on what is refused
  std::string report;   // lines on what was asked to be let through

  const TensorEntry *find(const std::string &name) const {
    auto found = byName.find(name);
    return found == byName.end() ? nullptr : found->second;
  }
};

Matching match(const SafetensorsFile &file, const syl_model &model, const LoadRules &rules) {
  Matching matching;
  auto line = [](std::string &lines, const std::string &name, const std::string &text) {
    lines += "\n  " + name + ": " + text;
  };
  std::string extra;
  for (const TensorEntry &entry : file.tensors()) {
    bool passedOver = entry.name == "output" || entry.name == "loss" || entry.name.rfind("output.", 0) == 0 ||
                      entry.name.rfind("grad.", 0) == 0;
    std::string name = mappedName(entry.name, rules.prefix);
    // A model that does not train has averages of parameters in their place; a file without them has the parameters.
    if (!syl_find_tensor(&model, name.c_str()) && syl_find_tensor(&model, ("ema." + name).c_str()) &&
        !file.find("ema." + entry.name))
      name = "ema." + name;
    const syl_tensor *tensor = syl_find_tensor(&model, name.c_str());
    bool known = (tensor && inState(*tensor)) || isTrackedCounter(name);
    // A model that does not train has no use for slots, nor one that only predicts for what other programs need.
    passedOver |= model.train.phase_count == 0;
    if (passedOver && !known)
      continue;
    if (!known && rules.allowExtra)
      line(matching.report, entry.name, "left over, " + describeEntry(entry));
    else if (!known)
      line(extra, entry.name, "found " + describeEntry(entry) + ", expected no such tensor");
    else if (!matching.byName.emplace(name, &entry).second)
      line(matching.problems, name, "found twice, as " + matching.byName[name]->name + " and as " + entry.name);
  }
  bool sealed = file.isSealed();
  for (int32_t i = 0; i < model.tensor_count; ++i) {
    const syl_tensor &tensor = model.tensors[i];
    if (!inState(tensor))
      continue;
    const TensorEntry *entry = matching.find(tensor.name);
    bool mayLack = tensor.kind == SYL_SLOT || tensor.init == SYL_INIT_COPY; // what a file of another system lacks
    if (entry && !entryFits(*entry, tensor))
      line(matching.problems, tensor.name, "found " + describeEntry(*entry) + ", expected " + describeTensor(tensor));
    if (entry || isTrackedCounter(tensor.name))
      continue;
    if (rules.allowMissing)
      line(matching.report, tensor.name, "starts anew, " + describeTensor(tensor));
    else if (sealed || !mayLack)
      line(matching.problems, tensor.name, "found nothing, expected " + describeTensor(tensor));
  }
  matching.problems += extra;
  return matching;
}

uint64_t number(const SafetensorsFile &file, const char *key) {
  std::string text = file.metadata(key).value_or("");
  char *end = nullptr;
  errno = 0;
  unsigned long long value = std::strtoull(text.c_str(), &end, 10);
  if (text.empty() || text[0] < '0' || text[0] > '9' || *end || errno)
    throw Error(SYL_ERROR_MISMATCH, file.path(),
                format("found %s '%.40s' in the metadata, expected a number", key, text.c_str()));
  return value;
}

double real(const SafetensorsFile &file, const char *key) {
  std::string text = file.metadata(key).value_or("");
  char *end = nullptr;
  double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end)
    throw Error(SYL_ERROR_MISMATCH, file.path(),
                format("found %s '%.40s' in the metadata, expected a number", key, text.c_str()));
  return value;
}

Progress readProgress(const SafetensorsFile &file) {
  if (!file.metadata("epochs"))
    throw Error(SYL_ERROR_MISMATCH, file.path(),
                "found no position of a training run, expected a checkpoint of `train`");
  Progress progress;
  progress.epoch = number(file, "epoch");
  progress.position = number(file, "position");
  progress.epochs = number(file, "epochs");
  progress.samples = number(file, "samples");
  progress.batch = number(file, "batch");
  progress.seed = number(file, "seed");
  progress.lossSum = real(file, "loss_sum");
  progress.correct = int64_t(real(file, "correct"));
  progress.skipped = file.metadata("skipped") ? number(file, "skipped") : 0;
  progress.bestMetric = file.metadata("best_metric").value_or("");
  progress.bestValue = real(file, "best_value");
  progress.bestLine = file.metadata("best_line").value_or("");
  progress.bestEpoch = number(file, "best_epoch");
  PolicyState &policies = progress.policies;
  policies.rateScale = real(file, "rate_scale");
  policies.plateauBest = real(file, "plateau_best");
  policies.plateauBad = number(file, "plateau_bad");
  policies.plateauCooldown = number(file, "plateau_cooldown");
  policies.stoppingBest = real(file, "stopping_best");
  policies.stoppingBad = number(file, "stopping_bad");
  policies.plateauStarted = policies.stoppingStarted = progress.bestEpoch > 0;
  return progress;
}

/// Step of a file that Sylvite did not write: what its counters say where it brings the optimizer's slots, else 0, as
/// the slots then start from 0 too.
uint64_t countedSteps(const syl_model &model, const SafetensorsFile &file) {
  bool slots = false;
  for (int32_t i = 0; i < model.tensor_count; ++i)
    slots |= model.tensors[i].kind == SYL_SLOT && file.find(model.tensors[i].name);
  return slots ? trackedBatches(file).value_or(0) : 0;
}

} // namespace

void addState(SafetensorsWriter &writer, const syl_model &model, const void *state) {
  const auto &header = *static_cast<const syl_state_header *>(state);
  const int64_t batches = int64_t(header.step + header.batches_before);
  for (int32_t i = 0; i < model.tensor_count; ++i) {
    const syl_tensor &tensor = model.tensors[i];
    if (!inState(tensor))
      continue;
    Buffer packed(syl_tensor_elements(&tensor) * syl_dtype_bytes(syl_dtype(tensor.dtype)), tensor.name);
    require(syl_export_tensor(&tensor, state, 0, packed.data()), tensor.name);
    writer.add(tensor.name, syl_dtype(tensor.dtype), shapeOf(tensor), packed.data());
    std::string counter = counterAfter(model, i);
    if (!counter.empty())
      writer.add(counter, SYL_INT64, {}, &batches);
  }
}

namespace {
/// A JSON list of strings.
std::string jsonList(const std::vector<std::string> &items) {
  std::string list = "[";
  for (const std::string &item : items)
    list += (list.size() > 1 ? "," : "") + jsonText(item);
  return list + "]";
}
} // namespace

Metadata checkpointMetadata(const SafetensorsWriter &writer, const syl_model &model, const void *state,
                            const Progress *progress) {
  Metadata metadata = {{"format", "pt"},
                       {"sylvite", formatVersion},
                       {"network", model.name},
                       {"compiler", model.compiler},
                       {"target", model.target},
                       {"step", std::to_string(syl_state_step(&model, state))},
                       {"seed", std::to_string(syl_state_seed(&model, state))},
                       {"epoch", std::to_string(progress ? progress->epoch : 0)},
                       {"position", std::to_string(progress ? progress->position : 0)},
                       {"batch", std::to_string(progress ? progress->batch : uint64_t(model.batch))}};
  if (progress) {
    metadata.emplace_back("epochs", std::to_string(progress->epochs));
    metadata.emplace_back("samples", std::to_string(progress->samples));
    metadata.emplace_back("loss_sum", format("%.17g", progress->lossSum));
    metadata.emplace_back("correct", std::to_string(progress->correct));
    metadata.emplace_back("skipped", std::to_string(progress->skipped));
    metadata.emplace_back("best_metric", progress->bestMetric);
    metadata.emplace_back("best_value", format("%.17g", progress->bestValue));
    metadata.emplace_back("best_line", progress->bestLine);
    metadata.emplace_back("best_epoch", std::to_string(progress->bestEpoch));
    const PolicyState &policies = progress->policies;
    metadata.emplace_back("rate_scale", format("%.17g", policies.rateScale));
    metadata.emplace_back("plateau_best", format("%.17g", policies.plateauBest));
    metadata.emplace_back("plateau_bad", std::to_string(policies.plateauBad));
    metadata.emplace_back("plateau_cooldown", std::to_string(policies.plateauCooldown));
    metadata.emplace_back("stopping_best", format("%.17g", policies.stoppingBest));
    metadata.emplace_back("stopping_bad", std::to_string(policies.stoppingBad));
  }
  metadata.emplace_back("names", jsonList(writer.names()));
  return metadata;
}

void saveCheckpoint(const std::string &path, const syl_model &model, const void *state, const Progress *progress,
                    const std::string &keepAs) {
  SafetensorsWriter writer;
  addState(writer, model, state);
  writer.save(path, checkpointMetadata(writer, model, state, progress), keepAs);
}

std::string loadCheckpoint(const std::string &path, const syl_model &model, void *state, Progress *progress,
                           const LoadRules &rules) {
  SafetensorsFile file(path);
  const Matching matching = match(file, model, rules);
  Error mismatch(SYL_ERROR_MISMATCH, path,
                 "found a checkpoint of another network than " + std::string(model.name) + ":" + matching.problems);
  // A file much larger than the network's is not even hashed, so that no file can take long or much memory.
  if (file.dataBytes() > 4 * model.state_bytes + (1 << 26) && (!matching.problems.empty() || !matching.report.empty()))
    throw mismatch;
  file.load();
  const std::string version = file.metadata("sylvite").value_or("");
  if (file.isSealed() && version != formatVersion && (!version.empty() || matching.problems.empty()))
    throw Error(SYL_ERROR_MISMATCH, path,
                "found a checkpoint of version '" + version + "', expected version " + formatVersion);
  if (!matching.problems.empty())
    throw mismatch;
  if (std::none_of(matching.byName.begin(), matching.byName.end(),
                   [&](auto &item) { return syl_find_tensor(&model, item.first.c_str()); }))
    throw Error(SYL_ERROR_MISMATCH, path, std::string("found no tensor of ") + model.name + ":" + matching.report);
  Progress position;
  if (progress)
    position = readProgress(file);
  uint64_t step = file.isSealed() ? number(file, "step") : countedSteps(model, file);
  uint64_t seed = file.isSealed() ? number(file, "seed") : model.seed;

  Block fresh(syl_state_bytes(&model));
  require(syl_init_state(&model, fresh.get(), seed), model.name);
  for (int32_t i = 0; i < model.tensor_count; ++i) {
    const syl_tensor &tensor = model.tensors[i];
    const TensorEntry *entry = inState(tensor) ? matching.find(tensor.name) : nullptr;
    if (entry)
      require(syl_import_tensor(&tensor, fresh.get(), entryAs(file, *entry, tensor).data()), path);
  }
  copyFromSources(model, fresh.get(), [&](const syl_tensor &tensor) { return !matching.find(tensor.name); });
  auto &header = *reinterpret_cast<syl_state_header *>(fresh.get());
  header.step = step;
  header.batches_before = std::max(trackedBatches(file).value_or(step), step) - step;
  std::memcpy(state, fresh.get(), syl_state_bytes(&model));
  if (progress)
    *progress = position;
  return matching.report.empty() ? "" : path + ": the network and the file differ:" + matching.report;
}

} // namespace syl
