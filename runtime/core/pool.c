/* The process's thread pool: runs the slices of a phase. Layer: runtime/core.
 *
 * One call at a time holds the pool (`busy`); a call that finds it taken runs on its caller's thread alone. The holder
 * is thread 0. Each thread owns a contiguous share of the slices, the same in every phase of equal slice count, so that
 * a core finds what it wrote, or such a share of each kernel's tasks; a thread that is done with its own takes from the
 * far end of the others'.
 *
 * A share is one 64-bit word, generation:32 next:16 end:16, so that taking a place is one compare-and-swap that fails
 * when the phase is no longer the one that was looked at. A phase is over when `remaining` slices are 0: nobody waits
 * for a thread that got no slice. Fields of the job are written before the shares of a generation and change only when
 * all of its slices are done, so a thread that took a slice may read them.
 *
 * A waiting thread spins, then sleeps on its own futex word. Before it sleeps it sets the word and looks again; who
 * changes what it waits for does so before looking at the word; all four in one total order (seq_cst), so that no
 * wake-up is lost. */
#include "internal.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
  SPIN_NANOSECONDS = 200000, /* how long a thread spins before it sleeps */
  CROWDED_YIELDS = 4,        /* instead, how often it yields where threads exceed CPUs */
  STACK_BYTES = 8 << 20      /* of a pool thread; only what is touched takes memory */
};

typedef struct share {
  _Alignas(64) _Atomic uint64_t word;
} share;

typedef struct member {
  _Alignas(128) syl_worker worker;
  _Atomic uint32_t asleep; /* futex word */
} member;

static struct {
  _Atomic int busy;   /* held by one call */
  _Atomic int forked; /* this process is a child of fork(): the threads are not here */
  int32_t started;    /* threads of the pool besides the caller; the holder's */
  int32_t refused;    /* number that was asked for in vain, of which a warning told; the holder's */

  _Alignas(128) _Atomic uint32_t generation; /* number of the phase in work */
  _Atomic int32_t threads;                   /* in this call */
  _Atomic int crowded;                       /* threads exceed CPUs: do not spin */
  const syl_frame *frame;
  const syl_phase *phase;
  syl_failure *failure;

  _Alignas(128) _Atomic int32_t remaining; /* slices not yet done */
  share shares[SYL_MAX_THREADS];
  member members[SYL_MAX_THREADS];
} pool;

/* ---- floating point ---- */

/* Rounding to nearest, exceptions masked, subnormals taken as zero: the same on every thread, whatever the caller has.
 */
static uint32_t set_float_control(void) {
#if defined(__x86_64__)
  uint32_t old = _mm_getcsr();
  _mm_setcsr(0x9fc0);
  return old;
#else
  return 0;
#endif
}

static void restore_float_control(uint32_t control) {
#if defined(__x86_64__)
  _mm_setcsr(control);
#else
  (void)control;
#endif
}

/* ---- waiting ---- */

static void pause_cpu(void) {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void sleep_on(_Atomic uint32_t *asleep) { syscall(SYS_futex, asleep, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0); }

static void wake(_Atomic uint32_t *asleep) {
  if (atomic_load(asleep) && atomic_exchange(asleep, 0))
    syscall(SYS_futex, asleep, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static int new_phase(uint32_t seen) { return atomic_load(&pool.generation) != seen; }
static int phase_over(uint32_t unused) {
  (void)unused;
  return atomic_load(&pool.remaining) == 0;
}

/* Returns when done(argument) holds. */
static void wait_until(int (*done)(uint32_t), uint32_t argument, _Atomic uint32_t *asleep) {
  if (atomic_load_explicit(&pool.crowded, memory_order_relaxed)) {
    for (int i = 0; i < CROWDED_YIELDS; ++i) {
      if (done(argument))
        return;
      sched_yield();
    }
  } else {
    int64_t end = nanoseconds() + SPIN_NANOSECONDS;
    do
      for (int i = 0; i < 32; ++i) {
        if (done(argument))
          return;
        pause_cpu();
      }
    while (nanoseconds() < end);
  }
  while (!done(argument)) {
    atomic_store(asleep, 1);
    if (!done(argument))
      sleep_on(asleep);
    atomic_store(asleep, 0);
  }
}

/* ---- slices ---- */

static void run_slice(const syl_frame *frame, const syl_phase *phase, syl_worker *worker, int32_t slice,
                      syl_failure *failure) {
  worker->heap_top = worker->heap;
  worker->failed = 0;
  worker->message[0] = 0;
  int32_t code = phase->run(frame, worker, slice);
  if (code == 0 && !worker->failed)
    return;
  pthread_mutex_lock(&failure->mutex);
  if (!failure->failed || slice < failure->slice) {
    failure->failed = 1;
    failure->slice = slice;
    failure->code = code;
    memcpy(failure->message, worker->message, sizeof failure->message);
  }
  pthread_mutex_unlock(&failure->mutex);
}

static uint64_t share_word(uint32_t generation, uint32_t next, uint32_t end) {
  return (uint64_t)generation << 32 | next << 16 | end;
}

/* Takes a place of a share: the first for its owner, the last for a helper. Returns -1 where none is left of this
 * generation. */
static int32_t take_place(share *from, uint32_t generation, int owner) {
  uint64_t word = atomic_load_explicit(&from->word, memory_order_acquire);
  for (;;) {
    uint32_t next = (uint32_t)word >> 16, end = (uint32_t)word & 0xffff;
    if ((uint32_t)(word >> 32) != generation || next >= end)
      return -1;
    uint64_t left = owner ? share_word(generation, next + 1, end) : share_word(generation, next, end - 1);
    if (atomic_compare_exchange_weak_explicit(&from->word, &word, left, memory_order_acq_rel, memory_order_acquire))
      return (int32_t)(owner ? next : end - 1);
  }
}

/* A part of a row of numbered slices. */
typedef struct range {
  int32_t first, end;
} range;

/* What a thread owns of n slices: slice s belongs to thread s * threads / n. */
static range part_of(int32_t n, int32_t thread, int32_t threads) {
  range part = {(int32_t)(((int64_t)thread * n + threads - 1) / threads),
                (int32_t)(((int64_t)(thread + 1) * n + threads - 1) / threads)};
  return part;
}

/* The places of a thread's share of a phase with n slices. Of several kernels' tasks, it holds a part of each. */
static range share_of(const syl_frame *frame, const syl_phase *phase, int32_t n, int32_t thread, int32_t threads) {
  if (!phase->kernels)
    return part_of(n, thread, threads);
  range places = {0, 0};
  const syl_kernel *kernel = &frame->model->kernels[phase->kernels - 1];
  for (int32_t before = 0; before < n; before += kernel++->slices) {
    range part = part_of(kernel->slices, thread, threads);
    places.end += part.end - part.first;
  }
  return places;
}

/* The slice at a place of a thread's share. */
static int32_t slice_at(int32_t place, int32_t thread, int32_t threads) {
  if (!pool.phase->kernels)
    return place;
  const syl_kernel *kernel = &pool.frame->model->kernels[pool.phase->kernels - 1];
  for (int32_t before = 0;; before += kernel++->slices) {
    range part = part_of(kernel->slices, thread, threads);
    if (place < part.end - part.first)
      return before + part.first + place;
    place -= part.end - part.first;
  }
}

/* Runs slices of the phase in work, as thread `index`, until none is left to take. */
static void work(int32_t index) {
  uint32_t generation = atomic_load(&pool.generation);
  int32_t threads =
      atomic_load(&pool.threads); /* of this generation, or of a later one: then no slice is left to take */
  if (index >= threads)
    return;
  for (int32_t t = 0; t < threads; ++t) {
    int32_t owner = (index + t) % threads;
    for (int32_t place; (place = take_place(&pool.shares[owner], generation, t == 0)) >= 0;) {
      int32_t slice = slice_at(place, owner, threads);
      run_slice(pool.frame, pool.phase, &pool.members[index].worker, slice, pool.failure);
      if (atomic_fetch_sub(&pool.remaining, 1) == 1 && index != 0)
        wake(&pool.members[0].asleep);
    }
  }
}

static void *thread_main(void *argument) {
  const int32_t index = (int32_t)(intptr_t)argument;
  prctl(PR_SET_NAME, "sylvite");
  set_float_control();
  for (uint32_t seen = 0;;) {
    wait_until(new_phase, seen, &pool.members[index].asleep);
    seen = atomic_load(&pool.generation);
    work(index);
  }
  return NULL;
}

/* ---- starting threads ---- */

static void after_fork_in_child(void) {
  if (pool.started > 0)
    atomic_store(&pool.forked, 1);
}

/* Brings the pool to `threads` threads with the caller, or as near as the system allows. Signals of the process go to
 * the app's own threads. */
static void start_threads(int32_t threads) {
  static int registered;
  if (pool.started + 1 >= threads)
    return;
  if (!registered && pthread_atfork(NULL, NULL, after_fork_in_child) != 0)
    return; /* a child could hang */
  registered = 1;
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0)
    return;
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  while (pool.started + 1 < threads) {
    pthread_t thread;
    if (pthread_create(&thread, &attributes, thread_main, (void *)(intptr_t)(pool.started + 1)) != 0)
      break;
    ++pool.started;
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  pthread_attr_destroy(&attributes);
}

/* ---- teams ---- */

static void set_worker(syl_worker *worker, const syl_model *model, int32_t index, char *part, uint64_t part_bytes) {
  uint64_t local_bytes = (model->local_bytes + SYL_ALIGNMENT - 1) / SYL_ALIGNMENT * SYL_ALIGNMENT;
  worker->index = index;
  worker->local = part;
  worker->heap = worker->heap_top = part + local_bytes;
  worker->heap_end = part + part_bytes;
}

syl_status syl_team_form(syl_team *team, const syl_model *model, int32_t threads, char *parts, uint64_t part_bytes) {
  team->threads = 1;
  team->pooled = 0;
  if (threads > 1) {
    int idle = 0;
    if (atomic_load(&pool.forked))
      return syl_fail(SYL_ERROR_ARGUMENT, "this process is a child of fork() and has none of its parent's threads: "
                                          "use 1 thread here, or exec a new program");
    if (atomic_compare_exchange_strong(&pool.busy, &idle, 1)) {
      start_threads(threads);
      team->threads = threads < pool.started + 1 ? threads : pool.started + 1;
      team->pooled = team->threads > 1;
      const int told = team->threads == threads || pool.refused == threads;
      if (!told)
        pool.refused = threads;
      if (!team->pooled)
        atomic_store(&pool.busy, 0);
      if (!told)
        syl_warn("the system refuses to start threads: %d of %d are used", (int)team->threads, (int)threads);
    }
  }
  team->caller_control = set_float_control();
  if (!team->pooled) {
    set_worker(&team->alone, model, 0, parts, part_bytes);
    return SYL_OK;
  }
  for (int32_t t = 0; t < team->threads; ++t)
    set_worker(&pool.members[t].worker, model, t, parts + (uint64_t)t * part_bytes, part_bytes);
  atomic_store_explicit(&pool.crowded, team->threads > syl_cpu_count(), memory_order_relaxed);
  return SYL_OK;
}

void syl_team_run(syl_team *team, const syl_frame *frame, const syl_phase *phase, syl_failure *failure) {
  const int32_t slices = phase->slices, threads = team->threads;
  failure->failed = 0;
  failure->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER; /* the call's own: a child of fork() finds none locked */
  if (!team->pooled || slices <= 1 || slices > SYL_MAX_SLICES) {
    syl_worker *worker = team->pooled ? &pool.members[0].worker : &team->alone;
    for (int32_t slice = 0; slice < slices; ++slice)
      run_slice(frame, phase, worker, slice, failure);
    return;
  }
  const uint32_t generation = atomic_load_explicit(&pool.generation, memory_order_relaxed) + 1;
  pool.frame = frame;
  pool.phase = phase;
  pool.failure = failure;
  atomic_store_explicit(&pool.threads, threads, memory_order_release);
  atomic_store_explicit(&pool.remaining, slices, memory_order_release);
  for (int32_t t = 0; t < threads; ++t) {
    range places = share_of(frame, phase, slices, t, threads);
    atomic_store_explicit(&pool.shares[t].word, share_word(generation, (uint32_t)places.first, (uint32_t)places.end),
                          memory_order_release);
  }
  atomic_store(&pool.generation, generation);
  for (int32_t t = 1; t < threads; ++t)
    wake(&pool.members[t].asleep);
  work(0);
  wait_until(phase_over, 0, &pool.members[0].asleep);
}

void syl_team_dismiss(syl_team *team) {
  restore_float_control(team->caller_control);
  if (team->pooled)
    atomic_store(&pool.busy, 0);
}
