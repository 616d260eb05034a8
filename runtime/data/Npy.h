// NumPy's .npy files (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). Layer: runtime/data.
#pragma once

#include "runtime/data/Column.h"

namespace syl {

/// What a .npy file, version 1 to 3, says of itself.
struct NpyHeader {
  Element element;
  bool fortranOrder = false;
  std::vector<int64_t> shape;
  uint64_t offset = 0; // of the data
};

/// Reads the header at the start of `total` bytes, of which the first `got` are at `bytes`. Any integer, float of 16 to
/// 64 bits or bool, at most 8 axes. Throws Error where it is truncated, damaged, of another type, or the data have not
/// exactly the bytes that it promises.
NpyHeader readNpyHeader(const std::string &path, const char *bytes, size_t got, uint64_t total);
/// The array whose data are at `stored`, in C order.
Array decodeNpy(const std::string &path, const NpyHeader &header, const char *stored);

/// Opens a .npy file: in memory up to `limit` bytes; larger ones are read by row. Arrays in Fortran order are always
/// read whole. Throws Error.
ColumnPointer openNpy(const std::string &path, uint64_t limit = wholeFileLimit);
/// The same for `size` bytes from `offset` of a file; `name` is what messages call it.
ColumnPointer openNpyAt(std::shared_ptr<const InputFile> file, const std::string &name, uint64_t offset, uint64_t size,
                        uint64_t limit = wholeFileLimit);
/// Reads a whole .npy file. Throws Error.
Array readNpy(const std::string &path);

/// Writes `count` values as a float32 array of shape `shape`, atomically. Throws Error (SYL_ERROR_IO).
void writeNpy(const std::string &path, const std::vector<int64_t> &shape, const float *values);

} // namespace syl
