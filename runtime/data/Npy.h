// NumPy's .npy files (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). Layer: runtime/data.
#pragma once

#include "runtime/data/Array.h"

namespace syl {

/// Reads a whole .npy file, versions 1 to 3, of uint8, int32, int64, float32 or float64 in either byte order and either
/// element order, at most 8 axes. Throws Error where the file cannot be read, is truncated, damaged or of another type.
Array readNpy(const std::string &path);

/// Writes `count` values as a float32 array of shape `shape`, atomically. Throws Error (SYL_ERROR_IO).
void writeNpy(const std::string &path, const std::vector<int64_t> &shape, const float *values);

} // namespace syl
