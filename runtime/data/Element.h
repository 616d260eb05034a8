// Numbers as files store them, and their conversion to the runtime's five element types. Layer: runtime/data.
#pragma once

#include "sylvite/sylvite.h"

#include <cstddef>
#include <optional>
#include <string>

namespace syl {

/// How a file stores one number.
struct Element {
  enum Kind { Unsigned, Signed, Float, BrainFloat, Boolean } kind = Unsigned;
  unsigned bytes = 1; // 1, 2, 4 or 8
  bool bigEndian = false;

  /// The narrowest of the runtime's types that holds every value; int64 for uint64, whose upper half is refused.
  syl_dtype dtype() const;
  /// Whether the stored bytes are those of dtype() on this machine.
  bool isNative() const;
  /// "uint16", "float16", …
  std::string name() const;
};

/// Of NumPy's codes "<f4", ">i2", "|b1", …; nothing for other types.
std::optional<Element> numpyElement(const std::string &descr);
/// Of safetensors's names "F32", "BF16", …; nothing for its 8-bit floats.
std::optional<Element> safetensorsElement(const std::string &name);

/// Converts `count` stored numbers to dtype(). The two arrays may start at the same address where both types have the
/// same size. Returns the index of the first value that dtype() cannot hold (a uint64 from 2^63 on), or `count`.
size_t decodeElements(const Element &element, const void *stored, size_t count, void *out);

} // namespace syl
