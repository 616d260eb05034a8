// The IDX format of the MNIST family (http://yann.lecun.com/exdb/mnist), plain or gzipped. Layer: runtime/data.
#pragma once

#include "runtime/data/Column.h"

namespace syl {

/// Opens an IDX file: signed or unsigned bytes, short, int, float or double elements of 1 to 8 axes. gzip is known by
/// its first bytes, not by the name; such a file is inflated into memory. Plain files above `limit` bytes are read by
/// row. Throws Error where the file cannot be read, is truncated, damaged, or longer than it says.
ColumnPointer openIdx(const std::string &path, uint64_t limit = wholeFileLimit);

} // namespace syl
