// Messages of the readers and the training program. Layer: runtime/data.
#include "runtime/data/Error.h"

#include <cstdarg>
#include <cstdio>
#include <system_error>

namespace syl {

Error::Error(syl_status status, const std::string &where, const std::string &text, const std::string &hint)
    : code(status), message(where + ": error: " + text) {
  if (!hint.empty())
    message += "\nhint: " + hint;
}

Error Error::complete(syl_status status, std::string message) {
  Error error;
  error.code = status;
  error.message = std::move(message);
  return error;
}

bool ErrorCollector::run(const std::function<void()> &check) {
  try {
    check();
    return true;
  } catch (const Error &error) {
    if (status == SYL_OK)
      status = error.status();
    messages += (messages.empty() ? "" : "\n") + std::string(error.what());
    return false;
  }
}

void ErrorCollector::finish() const {
  if (status != SYL_OK)
    throw Error::complete(status, messages);
}

std::string format(const char *pattern, ...) {
  va_list arguments, again;
  va_start(arguments, pattern);
  va_copy(again, arguments);
  int length = std::vsnprintf(nullptr, 0, pattern, arguments);
  va_end(arguments);
  std::string text(length > 0 ? size_t(length) : 0, '\0');
  std::vsnprintf(text.data(), text.size() + 1, pattern, again);
  va_end(again);
  return text;
}

std::string shapeText(const int64_t *shape, size_t rank) {
  std::string text = "[";
  for (size_t axis = 0; axis < rank; ++axis) {
    text += axis ? ", " : "";
    text += std::to_string(shape[axis]);
  }
  return text + "]";
}

std::string shapeText(const std::vector<int64_t> &shape) { return shapeText(shape.data(), shape.size()); }

std::string systemText(int errorNumber) { return std::generic_category().message(errorNumber); }

} // namespace syl
