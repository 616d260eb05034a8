// Peak of multiply-adds and of memory bandwidth, by loops in vectors as wide as the network's. Layer: runtime/train.
#include "runtime/train/Machine.h"

#include "runtime/train/Display.h"
#include "runtime/train/Session.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <unistd.h>

namespace syl {

namespace {

constexpr int64_t multiplyAdds = 12; // chains that do not wait for each other: more than latency times units
constexpr double secondsPerRate = 0.015;
constexpr int tries = 3;

/// The two loops for one vector type. `rounds` times `multiplyAdds` vectors; `count` vectors of each array.
#define SYL_LOOPS(NAME, BYTES, TARGET)                                                                                 \
  typedef float NAME##Vector __attribute__((vector_size(BYTES)));                                                      \
  TARGET __attribute__((noinline)) void NAME##MultiplyAdd(int64_t rounds, float *sink) {                               \
    typedef NAME##Vector V;                                                                                            \
    V a0 = {}, a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0, a9 = a0, a10 = a0, a11 = a0;    \
    V m = a0 + sink[0], s = a0 + sink[1];                                                                              \
    for (int64_t i = 0; i < rounds; ++i) {                                                                             \
      a0 = a0 * m + s, a1 = a1 * m + s, a2 = a2 * m + s, a3 = a3 * m + s, a4 = a4 * m + s, a5 = a5 * m + s;            \
      a6 = a6 * m + s, a7 = a7 * m + s, a8 = a8 * m + s, a9 = a9 * m + s, a10 = a10 * m + s, a11 = a11 * m + s;        \
      /* without this the compiler would see twelve equal sums */                                                      \
      __asm__ volatile("" : "+x"(a0), "+x"(a1), "+x"(a2), "+x"(a3), "+x"(a4), "+x"(a5));                               \
      __asm__ volatile("" : "+x"(a6), "+x"(a7), "+x"(a8), "+x"(a9), "+x"(a10), "+x"(a11));                             \
    }                                                                                                                  \
    V sum = a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + a10 + a11;                                               \
    sink[2] = sum[0];                                                                                                  \
  }                                                                                                                    \
  TARGET __attribute__((noinline)) void NAME##Triad(float *a, const float *b, const float *c, int64_t count) {         \
    typedef NAME##Vector V;                                                                                            \
    V *to = (V *)a, scale = V{} + 0.5f;                                                                                \
    const V *x = (const V *)b, *y = (const V *)c;                                                                      \
    for (int64_t i = 0; i < count; i += 4) {                                                                           \
      to[i] = x[i] + scale * y[i];                                                                                     \
      to[i + 1] = x[i + 1] + scale * y[i + 1];                                                                         \
      to[i + 2] = x[i + 2] + scale * y[i + 2];                                                                         \
      to[i + 3] = x[i + 3] + scale * y[i + 3];                                                                         \
      __asm__ volatile("" ::: "memory");                                                                               \
    }                                                                                                                  \
  }

#if defined(__x86_64__)
SYL_LOOPS(wide, 64, __attribute__((target("avx512f,avx512vl"))))
SYL_LOOPS(middle, 32, __attribute__((target("avx2,fma"))))
#endif
SYL_LOOPS(plain, 16, )

struct Loops {
  int64_t lanes;
  void (*multiplyAdd)(int64_t rounds, float *sink);
  void (*triad)(float *a, const float *b, const float *c, int64_t count);
};

Loops loopsFor(const syl_model &model) {
#if defined(__x86_64__)
  if (model.cpu_features & SYL_CPU_AVX512)
    return {16, wideMultiplyAdd, wideTriad};
  if (model.cpu_features & SYL_CPU_AVX2_FMA)
    return {8, middleMultiplyAdd, middleTriad};
#endif
  return {4, plainMultiplyAdd, plainTriad};
}

/// Best of several tries: work a second of `threads` threads that start together. `run` does a piece of work on thread
/// `index` and returns how much that was; each thread repeats it until the time is over. A thread's rate is that of its
/// best piece: other programs on the machine disturb some of them.
template <typename Run> double rateOf(int32_t threads, Run run) {
  double best = 0;
  for (int attempt = 0; attempt < tries; ++attempt) {
    std::atomic<int32_t> ready{0};
    std::vector<double> rates(static_cast<size_t>(threads));
    auto work = [&](int32_t index) {
      run(index); // its memory is there, its code is warm
      ++ready;
      while (ready.load() < threads)
        std::this_thread::yield();
      Clock::time_point start = Clock::now();
      double &rate = rates[size_t(index)], before = 0;
      while (before < secondsPerRate) {
        double done = run(index), now = secondsSince(start);
        rate = std::max(rate, done / (now - before));
        before = now;
      }
    };
    std::vector<std::thread> others;
    for (int32_t index = 1; index < threads; ++index)
      others.emplace_back(work, index);
    work(0);
    for (std::thread &other : others)
      other.join();
    double sum = 0;
    for (double rate : rates)
      sum += rate;
    best = std::max(best, sum);
  }
  return best;
}

double measureFlops(const Loops &loops, int32_t threads) {
  constexpr int64_t rounds = 20000;
  return rateOf(threads, [&](int32_t) {
    float sink[3] = {0.999f, 0.001f, 0};
    loops.multiplyAdd(rounds, sink);
    return double(2 * rounds * multiplyAdds * loops.lanes);
  });
}

/// Three arrays in `bytes` of each thread.
double measureTriad(const Loops &loops, int32_t threads, size_t bytes, std::vector<Block> &memory) {
  const int64_t count = std::max<int64_t>(1, int64_t(bytes) / 3 / loops.lanes / 4 / 4) * 4; // vectors of one array
  const int64_t floats = count * loops.lanes;
  const int64_t repeats = std::max<int64_t>(1, (int64_t(1) << 20) / int64_t(bytes));
  return rateOf(threads, [&](int32_t index) {
    float *a = reinterpret_cast<float *>(memory[size_t(index)].get()), *b = a + floats, *c = b + floats;
    for (int64_t i = 0; i < repeats; ++i)
      loops.triad(a, b, c, count);
    return double(repeats * floats * 3 * int64_t(sizeof(float)));
  });
}

/// A cache's size as the C library knows it, else a usual one.
size_t cacheBytes(int name, size_t usual) {
  long bytes = sysconf(name);
  return bytes > 0 ? size_t(bytes) : usual;
}

} // namespace

const MemoryLevel &Machine::levelOf(double bytes) const {
  for (const MemoryLevel &level : levels) {
    if (bytes <= double(level.bytes) * (level.perThread ? threads : 1))
      return level;
  }
  return levels.back();
}

void Machine::improve(const Machine &other) {
  auto better = [](Rate &mine, const Rate &theirs) {
    mine.one = std::max(mine.one, theirs.one);
    mine.all = std::max(mine.all, theirs.all);
  };
  better(flops, other.flops);
  for (size_t i = 0; i < levels.size(); ++i)
    better(levels[i].rate, other.levels[i].rate);
}

Machine measureMachine(const syl_model &model, int32_t threads) {
  const Loops loops = loopsFor(model);
  const size_t first = cacheBytes(_SC_LEVEL1_DCACHE_SIZE, size_t(32) << 10);
  const size_t second = cacheBytes(_SC_LEVEL2_CACHE_SIZE, size_t(1) << 20);
  const size_t third = std::max(cacheBytes(_SC_LEVEL3_CACHE_SIZE, size_t(16) << 20), second * 2);
  // Memory that no cache holds, between all threads.
  const size_t beyond = std::min(third * 4, size_t(256) << 20) / size_t(threads);
  std::vector<Block> memory;
  for (int32_t i = 0; i < threads; ++i) {
    memory.emplace_back(beyond + 4096);
    std::fill_n(memory.back().get(), memory.back().size(), 0);
  }
  Machine machine;
  machine.threads = threads;
  auto both = [&](auto rate) { return Rate{rate(1), threads > 1 ? rate(threads) : 0}; };
  machine.flops = both([&](int32_t n) { return measureFlops(loops, n); });
  auto level = [&](const char *name, size_t holds, bool perThread, auto each) {
    Rate rate = both([&](int32_t n) { return measureTriad(loops, n, each(n), memory); });
    machine.levels.push_back({name, holds, perThread, rate});
  };
  level("L1", first, true, [&](int32_t) { return first / 2; });
  level("L2", second, true, [&](int32_t) { return second / 2; });
  level("L3", third, false, [&](int32_t n) { return std::min(beyond, std::max(third / 2 / size_t(n), second * 2)); });
  level("DRAM", SIZE_MAX, false, [&](int32_t) { return beyond; });
  for (MemoryLevel &each : machine.levels)
    each.rate.all = std::max(each.rate.all, each.rate.one);
  machine.flops.all = std::max(machine.flops.all, machine.flops.one);
  return machine;
}

} // namespace syl
