// Who hears the messages of this thread: the callback of syl_set_message_callback, or, of a program, standard error.
// Layer: runtime/train.
#pragma once

#include "sylvite/sylvite.h"

namespace syl {

/// A warning, or the error with which a call ends: to the Messages of this thread, else to its callback, else nobody.
void tell(syl_severity severity, const char *text);

/// While it lives, this thread hears what tell() says and the core's warnings; not the core's errors, which become
/// Errors that say more. They go to the callback that was there before, which comes back at the end.
class Messages {
public:
  enum class Otherwise { Nobody, StandardError };
  /// `otherwise`: who hears them where there is no callback.
  explicit Messages(Otherwise otherwise);
  ~Messages();
  Messages(const Messages &) = delete;
  Messages &operator=(const Messages &) = delete;

private:
  friend void tell(syl_severity, const char *);
  static void hear(void *self, syl_severity severity, const char *message);
  void pass(syl_severity severity, const char *message) const;

  const Otherwise otherwise;
  syl_message_fn callback;
  void *context;
};

} // namespace syl
