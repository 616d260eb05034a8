// What a rule's `when:` asks of one dimension or word of a kernel. Layer: schedule.
#pragma once

#include "compiler/schedule/Arithmetic.h"
#include "compiler/schedule/YamlTree.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sylvite {

/// What `when:` may test and `$name` may name: numbers (filters, channels, height, width, kernel_h, kernel_w, stride,
/// images, vector_bytes, lanes, ...) and words (dtype, target, ...).
struct KernelDims {
  std::map<std::string, int64_t> values;
  std::map<std::string, std::string> words;
};

namespace schedule {

/// The condition on one name: any of several alternatives, each of which is a conjunction of tests.
class Condition {
public:
  /// Reads the value of one key of `when:`: a number, a word, `>= 32`, `< 8`, `!= 1`, `multiple of 14`,
  /// `not multiple of 4`, `14..28` (both ends included), several of these joined by `and`, or a list of which any
  /// suffices. Reports what is wrong and returns nothing.
  static std::optional<Condition> parse(const std::string &name, const YamlNode &node, const std::string &file,
                                        Diagnostics &diagnostics);

  /// True if the kernel fits. A kernel that has no such name, or none of a `$name` in the condition, does not fit.
  bool fits(const KernelDims &dims) const;

  const std::string &name() const { return subject; }
  const Location &location() const { return place; }
  /// The expressions that the tests compare with.
  std::vector<Arithmetic> expressions() const;
  /// `width: multiple of 14`.
  std::string str() const;

private:
  struct Test {
    enum class Kind { Equal, NotEqual, Less, AtMost, More, AtLeast, Multiple, NotMultiple, Range, Word, NotWord } kind;
    Arithmetic first, last; ///< `last` only of a range
    std::string word;
  };
  static std::optional<Test> parseTest(std::string text, Location location, Diagnostics &diagnostics);
  static bool holds(const Test &test, const std::string &name, const KernelDims &dims);

  std::string subject;
  std::string source;
  Location place;
  std::vector<std::vector<Test>> alternatives;
};

} // namespace schedule
} // namespace sylvite
