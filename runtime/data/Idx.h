// The IDX format of the MNIST family (http://yann.lecun.com/exdb/mnist), plain or gzipped. Layer: runtime/data.
#pragma once

#include "runtime/data/Array.h"

namespace syl {

/// Reads a whole IDX file: unsigned byte, int, float or double elements of 1 to 8 axes. gzip is known by its first
/// bytes, not by the name. Throws Error where the file cannot be read, is truncated, damaged, or longer than it says.
Array readIdx(const std::string &path);

} // namespace syl
