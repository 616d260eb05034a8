// Integer arithmetic in schedule files: `$vectors * $lanes`, `($width + 13) / 14`, `4`. Layer: schedule.
#pragma once

#include "compiler/support/Diagnostics.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sylvite::schedule {

/// What `$name` stands for.
using Values = std::map<std::string, int64_t>;

/// One expression: integers, `$name`, `+ - * / %`, unary `-`, parentheses. `/` and `%` round down (towards negative
/// infinity), so that `%` is never negative for a positive divisor.
class Arithmetic {
public:
  Arithmetic() = default;

  /// Reads an expression that starts at `location`; reports what is wrong with it at its column and returns nothing.
  static std::optional<Arithmetic> parse(std::string_view text, Location location, Diagnostics &diagnostics);

  /// The value, or nothing and in `error` why: an unknown `$name`, a division by zero, or a result that does not fit in
  /// 64 bits.
  std::optional<int64_t> evaluate(const Values &values, std::string &error) const;

  /// Reports a failed evaluation at location(), for an unknown name with the nearest one as hint.
  std::optional<int64_t> evaluate(const Values &values, Diagnostics &diagnostics) const;

  /// Names used, without `$`.
  std::vector<std::string> names() const;
  const std::string &text() const { return source; }
  const Location &location() const { return place; }

private:
  friend class ArithmeticParser;
  /// One instruction of a stack machine: a number, a name (index into `symbols`), `~` (negate) or a binary operator.
  struct Instruction {
    char code;
    int64_t number;
  };
  std::vector<Instruction> program;
  std::vector<std::string> symbols;
  std::string source;
  Location place;
};

} // namespace sylvite::schedule
