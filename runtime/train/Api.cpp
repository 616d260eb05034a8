// Checkpoints for apps: the C functions of sylvite/train.h. Layer: runtime/train.
#include "sylvite/train.h"

#include "runtime/core/internal.h"
#include "runtime/train/Checkpoint.h"
#include "runtime/train/Messages.h"

#include <cstdio>
#include <new>

namespace {

template <class Body> syl_status guarded(char *message, size_t bytes, Body body) {
  auto report = [&](syl_status status, const char *text) {
    if (message && bytes)
      std::snprintf(message, bytes, "%s", text);
    syl::tell(SYL_SEVERITY_ERROR, text);
    return syl_fail(status, "%s", text);
  };
  syl::Messages messages(syl::Messages::Otherwise::Nobody);
  try {
    body();
    return SYL_OK;
  } catch (const syl::Error &error) {
    return report(error.status(), error.what());
  } catch (const std::bad_alloc &) {
    return report(SYL_ERROR_MEMORY, "out of memory");
  } catch (const std::exception &error) {
    return report(SYL_ERROR_INTERNAL, error.what());
  }
}

} // namespace

extern "C" syl_status syl_save_checkpoint(const syl_model *model, const void *state, const char *path, char *message,
                                          size_t message_bytes) {
  return guarded(message, message_bytes, [&] {
    if (!model || !state || !path)
      throw syl::Error(SYL_ERROR_ARGUMENT, "syl_save_checkpoint", "found a null pointer");
    syl::saveCheckpoint(path, *model, state, nullptr);
  });
}

extern "C" syl_status syl_load_checkpoint(const syl_model *model, void *state, const char *path, char *message,
                                          size_t message_bytes) {
  return guarded(message, message_bytes, [&] {
    if (!model || !state || !path)
      throw syl::Error(SYL_ERROR_ARGUMENT, "syl_load_checkpoint", "found a null pointer");
    syl::loadCheckpoint(path, *model, state);
  });
}
