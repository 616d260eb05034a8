// SHA-256 (FIPS 180-4). Layer: runtime/data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace syl {

/// Hash of a stream of bytes.
class Sha256 {
public:
  void update(const void *data, size_t count);
  /// The hash as 64 lower-case hexadecimal digits; ends the stream.
  std::string finish();

private:
  void block(const uint8_t *bytes);

  uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint8_t pending[64];
  size_t pendingCount = 0;
  uint64_t total = 0;
};

} // namespace syl
