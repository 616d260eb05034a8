// Tensors of a safetensors file and of a state block, side by side. Layer: runtime/train.
#pragma once

#include "runtime/data/Safetensors.h"
#include "sylvite/sylvite.h"

#include <functional>
#include <optional>

namespace syl {

/// Pairs (FROM, TO).
using PrefixRules = std::vector<std::pair<std::string, std::string>>;
/// `name` with TO in place of FROM, of the rule with the longest FROM that it begins with; unchanged where none fits.
std::string mappedName(const std::string &name, const PrefixRules &rules);

/// Whether a tensor lies in the state block.
bool inState(const syl_tensor &tensor);
std::vector<int64_t> shapeOf(const syl_tensor &tensor);
/// "F32 [10, 512]".
std::string describeTensor(const syl_tensor &tensor);
std::string describeEntry(const TensorEntry &entry);
/// Whether shapes are equal, and types are or are both floats.
bool entryFits(const TensorEntry &entry, const syl_tensor &tensor);
/// The bytes of `entry` as the model's type, after file.load(); throws Error where a value would change.
Buffer entryAs(const SafetensorsFile &file, const TensorEntry &entry, const syl_tensor &tensor);

/// Whether a name is PyTorch's counter of batches, X.num_batches_tracked.
bool isTrackedCounter(const std::string &name);
/// Batches that the running statistics have seen, by the file's counters; nothing where it has none.
std::optional<uint64_t> trackedBatches(const SafetensorsFile &file);

/// Sets tensors that start as copies of others (averages of parameters) to what these hold now, where `wanted` says so.
void copyFromSources(const syl_model &model, void *state, const std::function<bool(const syl_tensor &)> &wanted);

} // namespace syl
