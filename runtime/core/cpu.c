/* What the machine has: instruction sets, and CPUs that this process may use. Layer: runtime/core. */
#include "internal.h"
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

/* ---- instruction sets ---- */

#if defined(__x86_64__)

/* Which register states the operating system saves: XCR0. */
static uint64_t saved_states(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

static uint64_t detect_features(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d))
    return 0;
  const unsigned fma = 1u << 12, osxsave = 1u << 27, avx = 1u << 28, f16c = 1u << 29;
  const unsigned needed = fma | osxsave | avx | f16c;
  if ((c & needed) != needed)
    return 0;
  const uint64_t states = saved_states(), ymm = 0x6, zmm = 0xe6;
  if ((states & ymm) != ymm || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
    return 0;
  const unsigned avx2 = 1u << 5;
  if (!(b & avx2))
    return 0;
  const unsigned avx512 = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31; /* F, DQ, CD, BW, VL */
  uint64_t features = SYL_CPU_AVX2_FMA;
  if ((b & avx512) == avx512 && (states & zmm) == zmm)
    features |= SYL_CPU_AVX512;
  return features;
}

#else

static uint64_t detect_features(void) { return 0; }

#endif

uint64_t syl_cpu_features(void) {
  static _Atomic uint64_t cached = UINT64_MAX;
  uint64_t features = atomic_load_explicit(&cached, memory_order_relaxed);
  if (features == UINT64_MAX) {
    features = detect_features();
    atomic_store_explicit(&cached, features, memory_order_relaxed);
  }
  return features;
}

/* ---- CPUs ---- */

/* Reads a small file into `text` and ends it with a zero; returns whether that went well. */
static int read_file(const char *path, char *text, size_t bytes) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return 0;
  size_t length = 0;
  ssize_t got;
  while (length < bytes - 1 && (got = read(file, text + length, bytes - 1 - length)) > 0)
    length += (size_t)got;
  close(file);
  text[length] = 0;
  return length > 0;
}

static int32_t whole_cpus(long long quota, long long period) {
  if (quota <= 0 || period <= 0)
    return 0;
  long long cpus = quota / period + (quota % period != 0);
  return cpus > INT32_MAX ? INT32_MAX : (int32_t)cpus;
}

/* The limit of one cgroup's folder: cpu.max in version 2, cpu.cfs_* in version 1. */
static int32_t folder_limit(const char *folder) {
  char path[PATH_MAX], text[128];
  long long quota, period;
  if ((size_t)snprintf(path, sizeof path, "%s/cpu.max", folder) < sizeof path && read_file(path, text, sizeof text)) {
    char *end;
    quota = strtoll(text, &end, 10); /* "200000 100000", or "max 100000", which reads as 0: no limit */
    period = strtoll(end, NULL, 10);
    return whole_cpus(quota, period);
  }
  if ((size_t)snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder) >= sizeof path ||
      !read_file(path, text, sizeof text))
    return 0;
  quota = strtoll(text, NULL, 10);
  snprintf(path, sizeof path, "%.*s/cpu.cfs_period_us", (int)(sizeof path - 32), folder);
  return read_file(path, text, sizeof text) ? whole_cpus(quota, strtoll(text, NULL, 10)) : 0;
}

static int32_t smaller_limit(int32_t a, int32_t b) { return a == 0 ? b : b == 0 ? a : a < b ? a : b; }

/* The smallest limit of the cgroup and its ancestors. In a container the path may be the host's and not exist here; its
 * ancestors then lead to the mount point, which is the container's own cgroup. */
static int32_t limit_up_to_root(const char *mount, const char *cgroup) {
  char folder[PATH_MAX];
  if ((size_t)snprintf(folder, sizeof folder, "%s%s", mount, cgroup) >= sizeof folder)
    return 0;
  const size_t mount_length = strlen(mount);
  int32_t limit = 0;
  for (;;) {
    limit = smaller_limit(limit, folder_limit(folder));
    char *slash = strrchr(folder, '/');
    if (!slash || (size_t)(slash - folder) < mount_length)
      return limit;
    *slash = 0;
  }
}

/* Whether a comma-separated list of version 1 controllers has `cpu`. */
static int has_cpu_controller(const char *list) {
  for (const char *item = list; item; item = strchr(item, ',')) {
    item += *item == ',';
    if (strncmp(item, "cpu", 3) == 0 && (item[3] == ',' || item[3] == 0))
      return 1;
  }
  return 0;
}

int32_t syl_cgroup_cpu_limit(const char *cgroup_file, const char *root) {
  char text[8192], mount[PATH_MAX];
  if (!read_file(cgroup_file, text, sizeof text))
    return 0;
  int32_t limit = 0;
  char *rest = text;
  for (char *line; (line = strtok_r(rest, "\n", &rest));) { /* number:controllers:path */
    char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path)
      continue;
    *path++ = 0;
    ++controllers;
    if (*controllers && !has_cpu_controller(controllers))
      continue;
    const char *folder = *controllers ? "/" : "";
    if ((size_t)snprintf(mount, sizeof mount, "%s%s%s", root, folder, controllers) < sizeof mount)
      limit = smaller_limit(limit, limit_up_to_root(mount, path));
    if (*controllers && (size_t)snprintf(mount, sizeof mount, "%s/cpu", root) < sizeof mount)
      limit = smaller_limit(limit, limit_up_to_root(mount, path));
  }
  return limit;
}

static int32_t detect_cpus(void) {
  cpu_set_t set;
  long cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);
  int32_t limit = syl_cgroup_cpu_limit("/proc/self/cgroup", "/sys/fs/cgroup");
  if (limit > 0 && limit < cpus)
    cpus = limit;
  return cpus < 1 ? 1 : (int32_t)cpus;
}

int32_t syl_cpu_count(void) {
  static _Atomic int32_t cached;
  int32_t count = atomic_load_explicit(&cached, memory_order_relaxed);
  if (count == 0) {
    count = detect_cpus();
    atomic_store_explicit(&cached, count, memory_order_relaxed);
  }
  return count;
}

/* ---- the number of threads ---- */

static _Atomic int32_t chosen_threads; /* by syl_set_threads; 0: the default */

/* SYLVITE_NUM_THREADS where it is a whole number from 1, cut to SYL_MAX_THREADS; else the CPUs. */
static int32_t default_threads(void) {
  const char *text = getenv("SYLVITE_NUM_THREADS");
  if (text && *text >= '0' && *text <= '9') {
    char *end;
    long value = strtol(text, &end, 10);
    if (*end == 0 && value >= 1)
      return value < SYL_MAX_THREADS ? (int32_t)value : SYL_MAX_THREADS;
  }
  if (text && *text)
    syl_warn("SYLVITE_NUM_THREADS is '%s', expected a whole number from 1; it is ignored", text);
  return syl_cpu_count() < SYL_MAX_THREADS ? syl_cpu_count() : SYL_MAX_THREADS;
}

int32_t syl_threads(void) {
  static _Atomic int32_t cached;
  int32_t threads = atomic_load_explicit(&chosen_threads, memory_order_relaxed);
  if (threads > 0)
    return threads;
  threads = atomic_load_explicit(&cached, memory_order_relaxed);
  if (threads == 0) {
    threads = default_threads();
    atomic_store_explicit(&cached, threads, memory_order_relaxed);
  }
  return threads;
}

syl_status syl_set_threads(int32_t threads) {
  if (threads < 0 || threads > SYL_MAX_THREADS)
    return syl_finish(syl_fail(SYL_ERROR_ARGUMENT, "found %d threads, expected 0 (the default) to %d", (int)threads,
                               SYL_MAX_THREADS));
  atomic_store_explicit(&chosen_threads, threads, memory_order_relaxed);
  return SYL_OK;
}
