// Byte orders, half precision and narrow integers. Layer: runtime/data.
#include "runtime/data/Element.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace syl {

namespace {

static_assert(std::endian::native == std::endian::little, "stored numbers are little-endian unless they say otherwise");

/// Source: IEEE 754 binary16.
float fromHalf(uint16_t half) {
  uint32_t sign = uint32_t(half >> 15) << 31, exponent = half >> 10 & 31, mantissa = half & 1023;
  if (exponent == 0) // zero and subnormals: mantissa * 2^-24
    return (sign ? -1.f : 1.f) * float(mantissa) * 0x1p-24f;
  uint32_t bits = sign | (exponent == 31 ? 0x7f800000 : (exponent + 112) << 23) | mantissa << 13;
  return std::bit_cast<float>(bits);
}

/// The bytes of element `index`, in the machine's order.
template <class T> T stored(const void *data, size_t index, bool swap) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, static_cast<const char *>(data) + index * sizeof(T), sizeof(T));
  if (swap)
    std::reverse(bytes, bytes + sizeof(T));
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

template <class From, class To, class Convert>
void each(const void *data, size_t count, bool swap, void *out, Convert convert) {
  for (size_t i = 0; i < count; ++i) {
    To value = convert(stored<From>(data, i, swap));
    std::memcpy(static_cast<char *>(out) + i * sizeof(To), &value, sizeof(To));
  }
}

template <class From, class To> void each(const void *data, size_t count, bool swap, void *out) {
  each<From, To>(data, count, swap, out, [](From value) { return To(value); });
}

} // namespace

syl_dtype Element::dtype() const {
  switch (kind) {
  case Boolean:
    return SYL_UINT8;
  case Unsigned:
    return bytes == 1 ? SYL_UINT8 : bytes == 2 ? SYL_INT32 : SYL_INT64;
  case Signed:
    return bytes == 8 ? SYL_INT64 : SYL_INT32;
  case Float:
    return bytes == 8 ? SYL_FLOAT64 : SYL_FLOAT32;
  default:
    return SYL_FLOAT32;
  }
}

bool Element::isNative() const {
  bool sameBits = kind == Float ? bytes >= 4 : kind == Signed ? bytes >= 4 : kind == Unsigned && bytes == 1;
  return sameBits && (!bigEndian || bytes == 1);
}

std::string Element::name() const {
  static const char *const kinds[] = {"uint", "int", "float", "bfloat", "bool"};
  return kind == Boolean ? "bool" : kinds[kind] + std::to_string(8 * bytes);
}

std::optional<Element> numpyElement(const std::string &descr) {
  if (descr.size() != 3 || !std::strchr("<>=|", descr[0]))
    return std::nullopt;
  Element element;
  element.bigEndian = descr[0] == '>';
  element.bytes = unsigned(descr[2] - '0');
  switch (descr[1]) {
  case 'b':
    element.kind = Element::Boolean;
    return element.bytes == 1 ? std::optional(element) : std::nullopt;
  case 'u':
    element.kind = Element::Unsigned;
    break;
  case 'i':
    element.kind = Element::Signed;
    break;
  case 'f':
    element.kind = Element::Float;
    break;
  default:
    return std::nullopt;
  }
  bool known = element.bytes == 2 || element.bytes == 4 || element.bytes == 8 ||
               (element.bytes == 1 && element.kind != Element::Float);
  return known ? std::optional(element) : std::nullopt;
}

std::optional<Element> safetensorsElement(const std::string &name) {
  static const std::pair<const char *, Element> table[] = {
      {"BOOL", {Element::Boolean, 1}}, {"U8", {Element::Unsigned, 1}},     {"I8", {Element::Signed, 1}},
      {"U16", {Element::Unsigned, 2}}, {"I16", {Element::Signed, 2}},      {"U32", {Element::Unsigned, 4}},
      {"I32", {Element::Signed, 4}},   {"U64", {Element::Unsigned, 8}},    {"I64", {Element::Signed, 8}},
      {"F16", {Element::Float, 2}},    {"BF16", {Element::BrainFloat, 2}}, {"F32", {Element::Float, 4}},
      {"F64", {Element::Float, 8}}};
  for (auto &[known, element] : table)
    if (name == known)
      return element;
  return std::nullopt;
}

size_t decodeElements(const Element &element, const void *data, size_t count, void *out) {
  const bool swap = element.bigEndian;
  const unsigned bytes = element.bytes;
  if (element.isNative()) {
    if (count && data != out)
      std::memcpy(out, data, count * bytes);
    return count;
  }
  switch (element.kind) {
  case Element::Boolean:
    each<uint8_t, uint8_t>(data, count, false, out, [](uint8_t value) { return uint8_t(value != 0); });
    break;
  case Element::Unsigned:
    if (bytes == 8) {
      for (size_t i = 0; i < count; ++i)
        if (stored<uint64_t>(data, i, swap) >> 63)
          return i;
      each<uint64_t, int64_t>(data, count, swap, out);
    } else if (bytes == 4) {
      each<uint32_t, int64_t>(data, count, swap, out);
    } else {
      each<uint16_t, int32_t>(data, count, swap, out);
    }
    break;
  case Element::Signed:
    if (bytes == 8)
      each<int64_t, int64_t>(data, count, swap, out);
    else if (bytes == 4)
      each<int32_t, int32_t>(data, count, swap, out);
    else if (bytes == 2)
      each<int16_t, int32_t>(data, count, swap, out);
    else
      each<int8_t, int32_t>(data, count, swap, out);
    break;
  case Element::Float:
    if (bytes == 8)
      each<double, double>(data, count, swap, out);
    else if (bytes == 4)
      each<float, float>(data, count, swap, out);
    else
      each<uint16_t, float>(data, count, swap, out, fromHalf);
    break;
  case Element::BrainFloat:
    each<uint16_t, float>(data, count, swap, out,
                          [](uint16_t value) { return std::bit_cast<float>(uint32_t(value) << 16); });
    break;
  }
  return count;
}

} // namespace syl
