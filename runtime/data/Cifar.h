// The binary files of CIFAR-10 and CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html). Layer: runtime/data.
#pragma once

#include "runtime/data/Column.h"

namespace syl {

struct CifarColumns {
  ColumnPointer input, target;
};

/// Opens files of records: for CIFAR-10 a label and 3072 bytes; for CIFAR-100 a coarse label, a fine label and 3072
/// bytes. Images are [N,32,32,3] uint8, or [N,3,32,32] with `planar`; labels [N] uint8, the coarse ones with `coarse`.
/// Throws Error where a file's size is no multiple of the record's.
CifarColumns openCifar(const std::vector<std::string> &paths, bool hundred, bool planar, bool coarse);

/// Whether a file of `bytes` bytes may be one of CIFAR-10 or CIFAR-100.
bool isCifarSize(uint64_t bytes, bool hundred);

} // namespace syl
