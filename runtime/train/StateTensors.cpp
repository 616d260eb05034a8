// Tensors of files and of states. Layer: runtime/train.
#include "runtime/train/StateTensors.h"

#include "runtime/train/Session.h"

#include <cstring>

namespace syl {

std::string mappedName(const std::string &name, const PrefixRules &rules) {
  const std::pair<std::string, std::string> *best = nullptr;
  for (const auto &rule : rules)
    if (name.rfind(rule.first, 0) == 0 && (!best || rule.first.size() > best->first.size()))
      best = &rule;
  return best ? best->second + name.substr(best->first.size()) : name;
}

bool inState(const syl_tensor &tensor) {
  return tensor.kind == SYL_PARAMETER || tensor.kind == SYL_BUFFER || tensor.kind == SYL_SLOT;
}

std::vector<int64_t> shapeOf(const syl_tensor &tensor) { return {tensor.shape, tensor.shape + tensor.rank}; }

std::string describeTensor(const syl_tensor &tensor) {
  return std::string(safetensorsName(syl_dtype(tensor.dtype))) + " " + shapeText(tensor.shape, size_t(tensor.rank));
}

std::string describeEntry(const TensorEntry &entry) { return entry.dtype + " " + shapeText(entry.shape); }

bool entryFits(const TensorEntry &entry, const syl_tensor &tensor) {
  auto type = safetensorsType(entry.dtype);
  auto isFloat = [](int dtype) { return dtype == SYL_FLOAT32 || dtype == SYL_FLOAT64; };
  return entry.shape == shapeOf(tensor) && type && (*type == tensor.dtype || (isFloat(*type) && isFloat(tensor.dtype)));
}

Buffer entryAs(const SafetensorsFile &file, const TensorEntry &entry, const syl_tensor &tensor) {
  const syl_dtype stored = *safetensorsType(entry.dtype), want = syl_dtype(tensor.dtype);
  const size_t count = size_t(entry.end - entry.begin) / syl_dtype_bytes(stored);
  requireLossless(file.data(entry), stored, count, want, file.path() + ": " + entry.name);
  Buffer packed(count * syl_dtype_bytes(want), file.path());
  convertElements(file.data(entry), stored, packed.data(), want, count);
  return packed;
}

bool isTrackedCounter(const std::string &name) {
  const char end[] = ".num_batches_tracked";
  return name.size() >= sizeof(end) && name.compare(name.size() - (sizeof(end) - 1), std::string::npos, end) == 0;
}

std::optional<uint64_t> trackedBatches(const SafetensorsFile &file) {
  for (const TensorEntry &entry : file.tensors())
    if (isTrackedCounter(entry.name) && entry.dtype == "I64" && entry.end - entry.begin == 8) {
      int64_t batches;
      std::memcpy(&batches, file.data(entry), 8);
      return batches < 0 ? 0 : uint64_t(batches);
    }
  return std::nullopt;
}

void copyFromSources(const syl_model &model, void *state, const std::function<bool(const syl_tensor &)> &wanted) {
  for (int32_t i = 0; i < model.tensor_count; ++i) {
    const syl_tensor &tensor = model.tensors[i];
    if (!inState(tensor) || tensor.init != SYL_INIT_COPY || !wanted(tensor))
      continue;
    const syl_tensor &source = model.tensors[tensor.init_from];
    Buffer packed(syl_tensor_elements(&source) * syl_dtype_bytes(syl_dtype(source.dtype)), tensor.name);
    require(syl_export_tensor(&source, state, 0, packed.data()), source.name);
    require(syl_import_tensor(&tensor, state, packed.data()), tensor.name);
  }
}

} // namespace syl
