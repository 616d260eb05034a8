// Streams of counter-based random numbers (syl_philox): the same key and counter give the same numbers, whatever was
// drawn before. Layer: runtime/train.
#pragma once

#include "sylvite/sylvite.h"

#include <cmath>
#include <cstdint>

namespace syl {

/// A stream of numbers of one key and one purpose.
class Random {
public:
  Random(uint64_t seed, uint64_t stream) : seed(seed), stream(stream) {}
  uint64_t bits() {
    uint32_t words[4];
    const uint32_t place[4]{uint32_t(counter), uint32_t(counter >> 32), uint32_t(stream), uint32_t(stream >> 32)};
    const uint32_t key[2]{uint32_t(seed), uint32_t(seed >> 32)};
    ++counter;
    syl_philox(place, key, words);
    return uint64_t(words[1]) << 32 | words[0];
  }
  /// In [0, bound); the bias is below bound / 2^64.
  uint64_t below(uint64_t bound) { return uint64_t((static_cast<unsigned __int128>(bits()) * bound) >> 64); }
  /// In (0, 1).
  double uniform() { return (double(bits() >> 11) + 0.5) * 0x1p-53; }
  /// Mean 0, standard deviation 1, by Box and Muller.
  double normal() {
    double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

private:
  uint64_t seed, stream, counter = 0;
};

/// Purposes, the upper half of the stream numbers; the runtime's core uses those of its own keys for initialisation.
enum RandomStream : uint64_t { ShuffleStream = uint64_t(0x53) << 56, SyntheticStream = uint64_t(0x59) << 56 };

} // namespace syl
