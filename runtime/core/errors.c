/* Status codes, their messages and who gets them, and the names of element types. Layer: runtime/core. */
#include "internal.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char last_error[512];

const char *syl_last_error(void) { return last_error; }

syl_status syl_fail(syl_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(last_error, sizeof last_error, format, arguments);
  va_end(arguments);
  return status;
}

static _Thread_local syl_message_fn message_callback;
static _Thread_local void *message_context;

void syl_set_message_callback(syl_message_fn callback, void *context) {
  message_callback = callback;
  message_context = context;
}

syl_message_fn syl_message_callback(void **context) {
  *context = message_context;
  return message_callback;
}

void syl_send_message(syl_severity severity, const char *message) {
  if (message_callback)
    message_callback(message_context, severity, message);
}

void syl_warn(const char *format, ...) {
  char message[sizeof last_error];
  if (!message_callback)
    return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  syl_send_message(SYL_SEVERITY_WARNING, message);
}

syl_status syl_finish(syl_status status) {
  if (status != SYL_OK && message_callback) {
    char message[sizeof last_error]; /* calls of the callback may fail themselves */
    memcpy(message, last_error, sizeof message);
    syl_send_message(SYL_SEVERITY_ERROR, message);
    memcpy(last_error, message, sizeof message);
  }
  return status;
}

const char *syl_status_name(syl_status status) {
  switch (status) {
  case SYL_OK:
    return "ok";
  case SYL_ERROR_ARGUMENT:
    return "argument";
  case SYL_ERROR_MEMORY:
    return "memory";
  case SYL_ERROR_IO:
    return "io";
  case SYL_ERROR_FORMAT:
    return "format";
  case SYL_ERROR_MISMATCH:
    return "mismatch";
  case SYL_ERROR_KERNEL:
    return "kernel";
  case SYL_ERROR_INTERRUPTED:
    return "interrupted";
  case SYL_ERROR_INTERNAL:
    return "internal";
  case SYL_ERROR_NONFINITE:
    return "nonfinite";
  }
  return "unknown";
}

size_t syl_dtype_bytes(syl_dtype dtype) {
  switch (dtype) {
  case SYL_UINT8:
    return 1;
  case SYL_INT32:
  case SYL_FLOAT32:
    return 4;
  case SYL_INT64:
  case SYL_FLOAT64:
    return 8;
  }
  return 0;
}

const char *syl_dtype_name(syl_dtype dtype) {
  switch (dtype) {
  case SYL_UINT8:
    return "uint8";
  case SYL_INT32:
    return "int32";
  case SYL_INT64:
    return "int64";
  case SYL_FLOAT32:
    return "float32";
  case SYL_FLOAT64:
    return "float64";
  }
  return "unknown";
}
