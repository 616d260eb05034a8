// Messages of a thread and who hears them. Layer: runtime/train.
#include "runtime/train/Messages.h"

#include "runtime/core/internal.h"

#include <cstdio>

namespace syl {

Messages::Messages(Otherwise otherwise) : otherwise(otherwise), callback(syl_message_callback(&context)) {
  syl_set_message_callback(hear, this);
}

Messages::~Messages() { syl_set_message_callback(callback, context); }

void Messages::hear(void *self, syl_severity severity, const char *message) {
  if (severity != SYL_SEVERITY_WARNING)
    return;
  char text[560];
  std::snprintf(text, sizeof text, "sylvite: warning: %s", message);
  static_cast<const Messages *>(self)->pass(severity, text);
}

void Messages::pass(syl_severity severity, const char *message) const {
  if (callback)
    callback(context, severity, message);
  else if (otherwise == Otherwise::StandardError)
    std::fprintf(stderr, "%s\n", message);
}

void tell(syl_severity severity, const char *text) {
  void *context;
  if (syl_message_callback(&context) == Messages::hear)
    static_cast<const Messages *>(context)->pass(severity, text);
  else
    syl_send_message(severity, text);
}

} // namespace syl
