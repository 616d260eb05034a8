// Bad network files and all that is printed about them, for the tests of messages.
#pragma once

#include "TestNetwork.h"

namespace sylvite::test {

struct BadInput {
  const char *name;
  std::string text;
  std::string expected; ///< all that is printed
};

/// `lines` before a network of which all else is right; they start in line 1.
inline std::string with(const std::string &lines) {
  std::string text = lines;
  auto add = [&](const std::string &key, const std::string &value) {
    if (("\n" + lines).find("\n" + key + ":") == std::string::npos)
      text += key + ": " + value + "\n";
  };
  add("name", "net");
  add("input", "{shape: [5, 5, 3]}");
  add("network", "[flatten, linear: 2]");
  add("loss", "cross_entropy");
  add("optimizer", "sgd");
  return text;
}
/// A network of this one layer in line 1, column 11, then what makes the rest right.
inline std::string layer(const std::string &text) { return with("network: [" + text + ", flatten, linear: 2]\n"); }

inline void PrintTo(const BadInput &input, std::ostream *out) { *out << input.name; }

class Errors : public testing::TestWithParam<BadInput> {};
inline std::string badInputName(const testing::TestParamInfo<BadInput> &info) { return info.param.name; }

} // namespace sylvite::test
