/* Counter-based random numbers for the initial state: an element's value depends on seed, tensor and element alone,
 * never on the order of drawing or on the layout. Layer: runtime/core.
 *
 * Source: Philox4x32-10, Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011. The key is
 * the seed; the counter is (element / 4, tensor, high half of element / 4, word) where word 0 gives the upper and word
 * 1 the lower 32 of an element's 64 bits, so that models in float32 and float64 start alike. */
#include "internal.h"
#include <math.h>

void syl_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t output[4]) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; ++round) {
    uint64_t p0 = UINT64_C(0xD2511F53) * c0, p1 = UINT64_C(0xCD9E8D57) * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c1 = (uint32_t)p1;
    c3 = (uint32_t)p0;
    k0 += UINT32_C(0x9E3779B9);
    k1 += UINT32_C(0xBB67AE85);
  }
  output[0] = c0;
  output[1] = c1;
  output[2] = c2;
  output[3] = c3;
}

static uint32_t random_word(uint64_t seed, uint32_t tensor, uint64_t index, uint32_t word) {
  const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  const uint32_t counter[4] = {(uint32_t)(index / 4), tensor, (uint32_t)(index / 4 >> 32), word};
  uint32_t output[4];
  syl_philox(counter, key, output);
  return output[index % 4];
}

uint64_t syl_random_bits(uint64_t seed, uint32_t tensor, uint64_t index) {
  return (uint64_t)random_word(seed, tensor, index, 0) << 32 | random_word(seed, tensor, index, 1);
}

/* Box and Muller: elements 2k and 2k+1 are the cosine and the sine of one pair of uniform numbers. */
static double normal(uint64_t seed, uint32_t tensor, uint64_t index) {
  const double two_pi = 6.283185307179586476925286766559;
  uint64_t pair = index & ~UINT64_C(1);
  double first = (double)((syl_random_bits(seed, tensor, pair) >> 11) + 1) * 0x1p-53; /* in (0, 1] */
  double angle = two_pi * ((double)(syl_random_bits(seed, tensor, pair + 1) >> 11) * 0x1p-53);
  return sqrt(-2 * log(first)) * (index & 1 ? sin(angle) : cos(angle));
}

double syl_random_float64(uint64_t seed, uint32_t tensor, uint64_t index, int32_t init, double a, double b) {
  if (init == SYL_INIT_NORMAL)
    return a + b * normal(seed, tensor, index);
  double value = a + (b - a) * ((double)(syl_random_bits(seed, tensor, index) >> 11) * 0x1p-53);
  return value < b || !(a < b) ? value : nextafter(b, a);
}

float syl_random_float32(uint64_t seed, uint32_t tensor, uint64_t index, int32_t init, double a, double b) {
  if (init == SYL_INIT_NORMAL)
    return (float)(a + b * normal(seed, tensor, index));
  float value = (float)(a + (b - a) * ((double)(random_word(seed, tensor, index, 0) >> 8) * 0x1p-24));
  return value < b || !(a < b) ? value : nextafterf((float)b, (float)a);
}
