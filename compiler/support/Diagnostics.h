// Messages about a user's files: collected while a stage runs, printed once, in the order of the file.
// Layer: support. Knows nothing of YAML, MLIR or Halide; prints nothing on its own.
#pragma once

#include <cstddef>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace sylvite {

/// A place in a user's file. `line` and `column` count from 1; 0 means unknown and is then not printed.
struct Location {
  std::string file;
  int line = 0;
  int column = 0;

  /// `net.yaml:12:5`, `net.yaml:12` or `net.yaml`, by what is known; empty when nothing is.
  std::string str() const;
  bool operator==(const Location &other) const = default;
};

enum class Severity { Error, Warning };

/// One message. `hint` may be empty.
struct Message {
  Location location;
  Severity severity = Severity::Error;
  std::string text;
  std::string hint;

  /// The message as it is printed, without a newline at the end: `net.yaml:12:5: error: text`, then, when there is a
  /// hint, a second line `  hint: hint`.
  std::string str() const;
};

/// Collects the messages of one run of the compiler. Not safe for use by several threads at once.
class Diagnostics {
public:
  void error(Location location, std::string text, std::string hint = "");
  void warning(Location location, std::string text, std::string hint = "");

  bool hasErrors() const { return errors > 0; }
  /// Number of errors (warnings are not counted).
  size_t errorCount() const { return errors; }
  size_t warningCount() const { return collected.size() - errors; }

  /// All messages: files in the order in which they were first named, within a file by line and column, messages about
  /// the same place in the order in which they were reported. An exact repetition of a message is left out.
  std::vector<Message> messages() const;

  /// Writes messages(), each ended by a newline.
  void print(std::ostream &out) const;
  /// The text that print() writes.
  std::string str() const;

private:
  void add(Message message);

  std::vector<Message> collected;
  std::set<std::string> seen; ///< Message::str() of each, to leave out repetitions
  size_t errors = 0;
};

} // namespace sylvite
