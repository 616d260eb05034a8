// Weights to start from. Layer: runtime/train.
#include "runtime/train/Weights.h"

#include "runtime/train/Session.h"
#include "runtime/train/StateTensors.h"

#include <cstring>
#include <map>

namespace syl {

namespace {

bool isLoadable(const syl_tensor &tensor) {
  return (tensor.kind == SYL_PARAMETER || tensor.kind == SYL_BUFFER) && tensor.init != SYL_INIT_COPY;
}

bool isPassedOver(const std::string &name) {
  return name == "output" || name == "loss" || name.rfind("output.", 0) == 0 || name.rfind("grad.", 0) == 0 ||
         name.rfind("optimizer.", 0) == 0 || name.rfind("ema.", 0) == 0;
}

} // namespace

std::string startFromWeights(const WeightsSettings &weights, const syl_model &model, void *state) {
  SafetensorsFile file(weights.file);
  std::map<std::string, const TensorEntry *> byName;
  std::string leftOver, missing, problems;
  for (const TensorEntry &entry : file.tensors()) {
    if (isPassedOver(entry.name))
      continue;
    std::string name = mappedName(entry.name, weights.prefix);
    const syl_tensor *tensor = syl_find_tensor(&model, name.c_str());
    bool counter = isTrackedCounter(name) && !tensor;
    if ((!tensor || !isLoadable(*tensor)) && !counter) {
      leftOver += "\n  left over: " + entry.name + " " + describeEntry(entry);
      continue;
    }
    if (!byName.emplace(name, &entry).second)
      problems += "\n  " + name + ": found twice, as " + byName[name]->name + " and as " + entry.name;
    else if (tensor && !entryFits(entry, *tensor))
      problems += "\n  " + name + ": found " + describeEntry(entry) + ", expected " + describeTensor(*tensor);
  }
  size_t taken = 0, wanted = 0;
  for (int32_t i = 0; i < model.tensor_count; ++i)
    if (const syl_tensor &tensor = model.tensors[i]; isLoadable(tensor)) {
      ++wanted;
      if (byName.count(tensor.name))
        ++taken;
      else if (!isTrackedCounter(tensor.name))
        missing += std::string("\n  starts anew: ") + tensor.name + " " + describeTensor(tensor);
    }
  if (!problems.empty())
    throw Error(SYL_ERROR_MISMATCH, weights.file,
                std::string("found tensors that do not fit ") + model.name + ":" + problems,
                "give them another name by `prefix`, or leave them out of the file");
  if (!taken)
    throw Error(SYL_ERROR_MISMATCH, weights.file,
                std::string("found no tensor of ") + model.name + ":" + leftOver + missing,
                "`prefix: {FROM: TO}` maps the names of the file to those of the network");
  file.load();
  Block fresh(syl_state_bytes(&model));
  std::memcpy(fresh.get(), state, fresh.size());
  for (auto &[name, entry] : byName)
    if (const syl_tensor *tensor = syl_find_tensor(&model, name.c_str()))
      require(syl_import_tensor(tensor, fresh.get(), entryAs(file, *entry, *tensor).data()), weights.file);
  copyFromSources(model, fresh.get(), [](const syl_tensor &) { return true; });
  auto &header = *reinterpret_cast<syl_state_header *>(fresh.get());
  header.batches_before = trackedBatches(file).value_or(0);
  std::memcpy(state, fresh.get(), fresh.size());
  return format("%s: took %zu of %zu tensors", weights.file.c_str(), taken, wanted) + missing + leftOver;
}

} // namespace syl
