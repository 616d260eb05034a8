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

/* Share of the standard normal distribution below x; exact to rounding for x <= 0. */
static double below(double x) { return 0.5 * erfc(-x * 0.70710678118654752440); }

/* The x that share p of the standard normal distribution lies below. Source: P. J. Acklam's rational approximation
 * (relative error 1.2e-9), then one step of Halley's method. */
static double quantile(double p) {
  static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                             1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                             6.680131188771972e+01, -1.328068155288572e+01};
  static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                             -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                             3.754408661907416e+00};
  if (p > 0.5)
    return -quantile(1 - p);
  if (!(p > 0))
    return -INFINITY;
  double x;
  if (p < 0.02425) {
    double q = sqrt(-2 * log(p));
    x = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
        ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
  } else {
    double q = p - 0.5, r = q * q;
    x = (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
        (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
  }
  double step = (below(x) - p) * 2.50662827463100050242 * exp(x * x / 2);
  return isfinite(step) ? x - step / (1 + x * step / 2) : x;
}

double syl_random_truncated(uint64_t seed, uint32_t tensor, uint64_t index, double mean, double deviation, double low,
                            double high) {
  double value = mean;
  if (deviation > 0 && low < high) {
    double first = (low - mean) / deviation, last = (high - mean) / deviation;
    const double side = first > 0 ? -1 : 1; /* above the mean: mirrored, since small shares are the exact ones */
    if (side < 0) {
      double mirrored = -first;
      first = -last;
      last = mirrored;
    }
    const double uniform = ((double)(syl_random_bits(seed, tensor, index) >> 11) + 0.5) * 0x1p-53;
    value = mean + side * deviation * quantile(below(first) + uniform * (below(last) - below(first)));
  }
  return value < low ? low : value > high ? high : value;
}
