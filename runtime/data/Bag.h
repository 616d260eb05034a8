// Files that hold several arrays by name, and how their names tell inputs, targets and parts. Layer: runtime/data.
#pragma once

#include "runtime/data/Column.h"

#include <functional>
#include <string>
#include <vector>

namespace syl {

/// Named arrays: those of an .npz or safetensors file, or the files of a folder.
struct Bag {
  std::string path;
  std::vector<std::string> names;
  /// Opens one; `wanted`, where it is known, is what a file of raw numbers must hold.
  std::function<ColumnPointer(const std::string &name, const syl_array *wanted)> open;
};

/// The arrays of an .npz file (numpy.savez, numpy.savez_compressed), named without ".npy". Compressed ones are inflated
/// into memory when they are opened, stored ones read as .npy files are. Throws Error.
Bag openNpz(const std::string &path);
/// The .npy and .raw files of a folder, named without their ends.
Bag openArrayFolder(const std::string &folder);
/// The tensors of a safetensors file. Throws Error.
Bag openSafetensors(const std::string &path);

/// One array from a file of its own: .npy, IDX, or, where the file's name ends with .raw or .bin, the packed
/// little-endian numbers of `wanted` (null: not known). Throws Error.
ColumnPointer openArrayFile(const std::string &path, const syl_array *wanted);

} // namespace syl
