// What this machine can do at best, measured by small loops: the roofs of the roofline. Layer: runtime/train.
#pragma once

#include "sylvite/sylvite.h"

#include <cstdint>
#include <string>
#include <vector>

namespace syl {

/// A rate on one thread and on all of them at the same time.
struct Rate {
  double one = 0, all = 0;
  /// For `threads` threads, which may be a fraction.
  double at(double threads, int32_t most) const {
    return most < 2 || threads <= 1 ? one : one + (all - one) * (threads - 1) / (most - 1);
  }
};

/// A level of memory.
struct MemoryLevel {
  std::string name;       ///< L1, L2, L3, DRAM
  size_t bytes = 0;       ///< of what it holds
  bool perThread = false; ///< each thread has one of its own
  Rate rate;              ///< bytes a second of a[i] = b[i] + s * c[i], three arrays counted (source: STREAM)
};

/// Peak rates of `threads` threads.
struct Machine {
  int32_t threads = 1;
  Rate flops;                      ///< float32 multiply-adds, counted as two, with the widest vectors of the model
  std::vector<MemoryLevel> levels; ///< nearest first

  /// The nearest level that holds `bytes`, of which each thread has a share.
  const MemoryLevel &levelOf(double bytes) const;
  /// Takes the better of each rate: a machine that others use is measured several times.
  void improve(const Machine &other);
};

/// Measures for some 0.5 s, with vectors as wide as `model` was compiled for.
Machine measureMachine(const syl_model &model, int32_t threads);

} // namespace syl
