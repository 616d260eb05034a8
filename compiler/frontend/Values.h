//===- Values.h - typed values of a YAML document -----------------------------------------------------------------===//
//
// Numbers, flags, words and key sets out of yaml::Nodes, with a message for whatever does not fit. Every function takes
// `what`, the words that name the value in messages (`conv2d 'stem': filters`). Layer: frontend; knows no MLIR.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef SYLVITE_FRONTEND_VALUES_H
#define SYLVITE_FRONTEND_VALUES_H

#include "compiler/frontend/Yaml.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sylvite {

/// Reports problems with one file. Readers return nothing after a message.
class ValueReader {
public:
  ValueReader(std::string file, Diagnostics &diagnostics) : file(std::move(file)), diagnostics(diagnostics) {}

  /// Most messages about one file; then one says that the others are left out.
  static constexpr size_t messageLimit = 100;

  void error(const yaml::Node &at, std::string text, std::string hint = "");
  void error(std::string text, std::string hint = ""); ///< about the file as a whole
  void warning(const yaml::Node &at, std::string text, std::string hint = "");

  /// While it lives, messages are about one use of a block: their hints say so. A place in the block that another use
  /// has brought a message for already gets none.
  class Use {
  public:
    Use(ValueReader &reader, const std::string &block, const yaml::Node &use);
    ~Use() { reader.uses.pop_back(); }
    Use(const Use &) = delete;
    Use &operator=(const Use &) = delete;

  private:
    ValueReader &reader;
  };
  /// `in block 'residual', used in line 12`, or empty outside of uses.
  std::string useText() const;

  /// A whole number from `least` to `most`.
  std::optional<int64_t> whole(const yaml::Node &node, const std::string &what, int64_t least, int64_t most);
  /// A whole number that fits 64 bits, 0 or more.
  std::optional<uint64_t> wholeUnsigned(const yaml::Node &node, const std::string &what);
  /// A finite number.
  std::optional<double> number(const yaml::Node &node, const std::string &what);
  /// true or false.
  std::optional<bool> flag(const yaml::Node &node, const std::string &what);
  /// A text of one of these words.
  std::optional<std::string> word(const yaml::Node &node, const std::string &what,
                                  const std::vector<std::string> &words);
  /// A name: a letter or `_`, then letters, digits and `_`; at most nameLimit characters. With `isSymbol` it must do as
  /// the prefix of C functions too.
  std::optional<std::string> name(const yaml::Node &node, const std::string &what, bool isSymbol);
  static constexpr size_t nameLimit = 100;

  /// True where the node is a map and all its keys are known. `what` may be empty: the file itself.
  bool checkKeys(const yaml::Node &node, const std::string &what, const std::vector<std::string> &known);

  /// True where an unknown key of the map looks like `key`: then it need not be reported as missing too.
  static bool isMisspelt(const yaml::Node &node, const std::string &key, const std::vector<std::string> &known);

  /// What a node is, for messages: `the text 'many'`, `a list`, `-3`.
  static std::string describe(const yaml::Node &node);

  size_t errorCount() const { return count; }
  const std::string &fileName() const { return file; }

private:
  bool isRepeated(const yaml::Node &at);
  bool wrongType(const yaml::Node &node, const std::string &what, const std::string &expected, std::string hint = "");

  std::string file;
  Diagnostics &diagnostics;
  size_t count = 0;
  std::vector<std::string> uses;                     ///< blocks around what is being read, the outermost first
  size_t useCount = 0;                               ///< uses of blocks outside of others so far
  std::map<std::pair<int, int>, size_t> placesInUse; ///< line and column of messages, with useCount
};

/// `a, b, c`
std::string join(const std::vector<std::string> &words);

} // namespace sylvite

#endif
