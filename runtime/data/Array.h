// A packed array in memory as a file gave it, and its conversion, without loss, to the type that a network wants.
// Layer: runtime/data.
#pragma once

#include "runtime/data/Error.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace syl {

/// Uninitialised memory: the operating system gives pages as they are written, so that a file that promises more than
/// it holds costs nothing.
class Buffer {
public:
  Buffer() = default;
  /// Throws Error (SYL_ERROR_MEMORY) naming `what` where there is no memory.
  Buffer(size_t bytes, const std::string &what);
  char *data() { return memory.get(); }
  const char *data() const { return memory.get(); }
  size_t size() const { return count; }

private:
  struct Free {
    void operator()(char *pointer) const { std::free(pointer); }
  };
  std::unique_ptr<char, Free> memory;
  size_t count = 0;
};

/// Elements in C order, in the machine's byte order.
struct Array {
  syl_dtype dtype = SYL_UINT8;
  std::vector<int64_t> shape;
  Buffer data;

  /// Product of the shape; 1 for rank 0.
  int64_t elements() const;
  /// Elements of one row, that is of one index of axis 0.
  int64_t rowElements() const;
};

/// Product of `shape` times the element's bytes, or false where it is negative or does not fit into 62 bits.
bool checkedBytes(const std::vector<int64_t> &shape, size_t elementBytes, uint64_t &bytes);

/// Throws Error (SYL_ERROR_MISMATCH) naming both types unless each of `count` values of type `from` keeps its value as
/// `want`. Messages name `path` and the value's index, counted from `firstIndex`.
void requireLossless(const void *values, syl_dtype from, size_t count, syl_dtype want, const std::string &path,
                     size_t firstIndex = 0);

/// Throws Error (SYL_ERROR_MISMATCH) at the first value that is NaN or infinite; messages as above.
void requireFinite(const void *values, syl_dtype type, size_t count, const std::string &path, size_t firstIndex = 0);

/// Converts `count` elements from `source` of type `from` to `target` of type `to`, by value.
void convertElements(const void *source, syl_dtype from, void *target, syl_dtype to, size_t count);

/// Copies rows `rows[0 … count)` of `array` to `target`, converted to `want`.
void gatherRows(const Array &array, const uint32_t *rows, size_t count, syl_dtype want, void *target);

} // namespace syl
