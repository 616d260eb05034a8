// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2,
// 3", SC 2011). The same key and counter give the same numbers, whatever was drawn before. Layer: runtime/train.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace syl {

inline std::array<uint32_t, 4> philox(uint64_t key, uint64_t counterHigh, uint64_t counterLow) {
  uint32_t k0 = uint32_t(key), k1 = uint32_t(key >> 32);
  uint32_t c0 = uint32_t(counterLow), c1 = uint32_t(counterLow >> 32);
  uint32_t c2 = uint32_t(counterHigh), c3 = uint32_t(counterHigh >> 32);
  for (int round = 0; round < 10; ++round) {
    uint64_t p0 = uint64_t(0xD2511F53) * c0, p1 = uint64_t(0xCD9E8D57) * c2;
    uint32_t n0 = uint32_t(p1 >> 32) ^ c1 ^ k0, n2 = uint32_t(p0 >> 32) ^ c3 ^ k1;
    c1 = uint32_t(p1), c3 = uint32_t(p0), c0 = n0, c2 = n2;
    k0 += 0x9E3779B9, k1 += 0xBB67AE85;
  }
  return {c0, c1, c2, c3};
}

/// A stream of numbers of one key and one purpose.
class Random {
public:
  Random(uint64_t seed, uint64_t stream) : seed(seed), stream(stream) {}
  uint64_t bits() {
    auto words = philox(seed, stream, counter++);
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
