// Small JSON documents: settings and records. A tree of its own, because the destructor of nlohmann's allocates and
// ends the process where there is no memory; nlohmann's parser makes it. Layer: runtime/data.
#pragma once

#include "runtime/data/Error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace syl {

/// A value and all that stands below it. What reads it throws Error::complete (SYL_ERROR_FORMAT) with a text that says
/// what was found and expected, without a place.
class Json {
public:
  enum class Kind { Null, Boolean, Whole, Real, Text, List, Map };
  /// Deepest nesting of lists and maps.
  static constexpr size_t depthLimit = 64;

  Json() = default; ///< null
  Json(bool value) : kind_(Kind::Boolean), whole(value) {}
  Json(double value) : kind_(Kind::Real), real(value) {}
  template <class T>
    requires std::is_integral_v<T>
  Json(T value) : kind_(Kind::Whole), negative(value < 0), whole(uint64_t(value)) {}
  Json(std::string value) : kind_(Kind::Text), text(std::move(value)) {}
  Json(const char *value) : Json(std::string(value)) {}
  template <class T> Json(const std::vector<T> &values) : kind_(Kind::List) {
    for (const T &value : values)
      items.emplace_back(value);
  }
  template <class A, class B> Json(const std::pair<A, B> &pair) : kind_(Kind::List) {
    items.emplace_back(pair.first);
    items.emplace_back(pair.second);
  }
  /// An empty list or map.
  explicit Json(Kind kind) : kind_(kind) {}

  /// Reads a text.
  static Json parse(const std::string &text);
  /// As text, in lines of their own where `indented`. Bytes that are no UTF-8 become U+FFFD; numbers that are not
  /// finite null.
  std::string dump(bool indented = false) const;

  Kind kind() const { return kind_; }
  bool isNull() const { return kind_ == Kind::Null; }
  /// The value of a key of a map; null where there is none.
  const Json *find(const std::string &key) const;
  const Json &at(const std::string &key) const;
  /// Adds a key to a map, or an item to a list.
  void add(std::string key, Json value);
  void add(Json value) { items.push_back(std::move(value)); }
  /// The items of a list.
  const std::vector<Json> &list() const;

  /// The value in a type of C++: bool, a number in its range, a text, a list, a pair as a list of two.
  void get(bool &value) const;
  void get(double &value) const;
  void get(std::string &value) const;
  template <class T>
    requires std::is_integral_v<T>
  void get(T &value) const {
    value = T(whole);
    if (kind_ != Kind::Whole || (value < 0) != negative || uint64_t(value) != whole)
      fail("a whole number in range");
  }
  template <class T> void get(std::vector<T> &values) const {
    values.clear();
    for (const Json &item : list())
      item.get(values.emplace_back());
  }
  template <class A, class B> void get(std::pair<A, B> &pair) const {
    if (list().size() != 2)
      fail("a list of two");
    items[0].get(pair.first);
    items[1].get(pair.second);
  }

private:
  class Builder;
  [[noreturn]] void fail(const char *expected) const;
  void write(std::string &out, bool indented, size_t depth) const;

  Kind kind_ = Kind::Null;
  bool negative = false;
  uint64_t whole = 0; // in two's complement
  double real = 0;
  std::string text;
  std::vector<std::string> keys; // of a map, in order, one for each item
  std::vector<Json> items;
};

/// A text as JSON, quotes and all.
std::string jsonText(const std::string &text);
/// A number as JSON, null where it is not finite.
std::string jsonText(double value);

} // namespace syl
