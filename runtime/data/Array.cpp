// Arrays and conversion by value. Layer: runtime/data.
#include "runtime/data/Array.h"

#include <cmath>
#include <cstring>
#include <type_traits>

namespace syl {

Buffer::Buffer(size_t bytes, const std::string &what) : count(bytes) {
  memory.reset(static_cast<char *>(std::malloc(bytes ? bytes : 1)));
  if (!memory)
    throw Error(SYL_ERROR_MEMORY, what, format("cannot get %zu bytes of memory", bytes));
}

int64_t Array::elements() const {
  int64_t product = 1;
  for (int64_t extent : shape)
    product *= extent;
  return product;
}

int64_t Array::rowElements() const {
  int64_t product = 1;
  for (size_t axis = 1; axis < shape.size(); ++axis)
    product *= shape[axis];
  return product;
}

bool checkedBytes(const std::vector<int64_t> &shape, size_t elementBytes, uint64_t &bytes) {
  bytes = elementBytes;
  bool empty = false;
  for (int64_t extent : shape) {
    if (extent < 0)
      return false;
    empty |= extent == 0;
    if (extent && (__builtin_mul_overflow(bytes, uint64_t(extent), &bytes) || bytes >> 62))
      return false;
  }
  if (empty)
    bytes = 0;
  return true;
}

namespace {

/// Calls `use` with a null pointer to the C++ type of `dtype`.
template <class Use> auto withType(syl_dtype dtype, Use use) {
  switch (dtype) {
  case SYL_UINT8:
    return use(static_cast<const uint8_t *>(nullptr));
  case SYL_INT32:
    return use(static_cast<const int32_t *>(nullptr));
  case SYL_INT64:
    return use(static_cast<const int64_t *>(nullptr));
  case SYL_FLOAT32:
    return use(static_cast<const float *>(nullptr));
  default:
    return use(static_cast<const double *>(nullptr));
  }
}

template <class T> T load(const void *base, size_t index) {
  T value;
  std::memcpy(&value, static_cast<const char *>(base) + index * sizeof(T), sizeof(T));
  return value;
}

/// Whether `value` is the same number as a To; conversions out of To's range are not even tried.
template <class To, class From> bool keepsValue(From value) {
  if constexpr (std::is_same_v<To, From>)
    return true;
  if constexpr (std::is_floating_point_v<From>) {
    if constexpr (std::is_floating_point_v<To>)
      return std::isnan(value) || From(To(value)) == value;
    constexpr double limit = std::is_same_v<To, uint8_t> ? 256. : std::is_same_v<To, int32_t> ? 0x1p31 : 0x1p63;
    return value >= (std::is_unsigned_v<To> ? 0. : -limit) && value < limit && From(To(value)) == value;
  } else if constexpr (std::is_floating_point_v<To>) {
    To converted = To(value);
    // A float of the largest int32 or int64 is one more than that, which does not convert back.
    constexpr double limit = std::is_same_v<From, int32_t> ? 0x1p31 : 0x1p63;
    return converted < To(limit) && From(converted) == value;
  } else {
    return (std::is_signed_v<To> || value >= 0) && From(To(value)) == value;
  }
}

template <class From> std::string valueText(From value) {
  if constexpr (std::is_floating_point_v<From>)
    return format("%.9g", double(value));
  else
    return std::to_string(value);
}

template <class From, class To>
void requireEach(const void *values, size_t count, syl_dtype from, syl_dtype want, const std::string &path,
                 size_t firstIndex) {
  for (size_t i = 0; i < count; ++i) {
    From value = load<From>(values, i);
    if (!keepsValue<To>(value))
      throw Error(SYL_ERROR_MISMATCH, path,
                  format("found %s, expected %s: the value %s at index %zu would change", syl_dtype_name(from),
                         syl_dtype_name(want), valueText(value).c_str(), firstIndex + i),
                  format("convert it yourself, in NumPy by array.astype('%s')", syl_dtype_name(want)));
  }
}

} // namespace

void requireLossless(const void *values, syl_dtype from, size_t count, syl_dtype want, const std::string &path,
                     size_t firstIndex) {
  if (from == want)
    return;
  withType(from, [&](auto *fromType) {
    withType(want, [&](auto *toType) {
      requireEach<std::remove_cv_t<std::remove_pointer_t<decltype(fromType)>>,
                  std::remove_cv_t<std::remove_pointer_t<decltype(toType)>>>(values, count, from, want, path,
                                                                             firstIndex);
    });
  });
}

void requireFinite(const void *values, syl_dtype type, size_t count, const std::string &path, size_t firstIndex) {
  if (type != SYL_FLOAT32 && type != SYL_FLOAT64)
    return;
  for (size_t i = 0; i < count; ++i) {
    double value = type == SYL_FLOAT32 ? load<float>(values, i) : load<double>(values, i);
    if (!std::isfinite(value))
      throw Error(SYL_ERROR_MISMATCH, path,
                  format("found %s at index %zu, expected finite values", std::isnan(value) ? "nan" : "an infinity",
                         firstIndex + i));
  }
}

void convertElements(const void *source, syl_dtype from, void *target, syl_dtype to, size_t count) {
  if (from == to) {
    if (count)
      std::memcpy(target, source, count * syl_dtype_bytes(from));
    return;
  }
  withType(from, [&](auto *fromType) {
    withType(to, [&](auto *toType) {
      using From = std::remove_cv_t<std::remove_pointer_t<decltype(fromType)>>;
      using To = std::remove_cv_t<std::remove_pointer_t<decltype(toType)>>;
      for (size_t i = 0; i < count; ++i) {
        To value = To(load<From>(source, i));
        std::memcpy(static_cast<char *>(target) + i * sizeof(To), &value, sizeof(To));
      }
    });
  });
}

void gatherRows(const Array &array, const uint32_t *rows, size_t count, syl_dtype want, void *target) {
  size_t elements = size_t(array.rowElements());
  size_t fromBytes = elements * syl_dtype_bytes(array.dtype), toBytes = elements * syl_dtype_bytes(want);
  for (size_t i = 0; i < count; ++i)
    convertElements(array.data.data() + rows[i] * fromBytes, array.dtype, static_cast<char *>(target) + i * toBytes,
                    want, elements);
}

} // namespace syl
