// The error that the readers and the training program raise: one message for the user, with where, what and a hint.
// Layer: runtime/data, below everything else in runtime/data and runtime/train. Nothing here prints or exits.
#pragma once

#include "sylvite/sylvite.h"

#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <vector>

namespace syl {

/// A user-facing error. what() is the complete text, `WHERE: error: TEXT` and a line `hint: HINT` where there is one,
/// without a newline at its end. Several errors found in one run are joined by newlines.
class Error : public std::exception {
public:
  Error(syl_status status, const std::string &where, const std::string &text, const std::string &hint = {});
  /// An error whose message is complete already.
  static Error complete(syl_status status, std::string message);

  const char *what() const noexcept override { return message.c_str(); }
  syl_status status() const { return code; }

private:
  Error() = default;
  syl_status code = SYL_ERROR_INTERNAL;
  std::string message;
};

/// Runs several checks and reports all that fail together.
class ErrorCollector {
public:
  /// Runs `check`; an Error that it throws is kept. Returns whether it passed.
  bool run(const std::function<void()> &check);
  /// Throws one Error with all messages in order if any check failed.
  void finish() const;

private:
  syl_status status = SYL_OK;
  std::string messages;
};

/// printf into a string.
std::string format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));
/// "[60000, 28, 28]".
std::string shapeText(const int64_t *shape, size_t rank);
std::string shapeText(const std::vector<int64_t> &shape);
/// strerror of an errno value, safe for threads.
std::string systemText(int errorNumber);

} // namespace syl
