// Event messages and their records. Layer: runtime/train.
#include "runtime/train/EventFile.h"

#include <array>
#include <cstring>

namespace syl {

namespace {

std::array<uint32_t, 256> makeTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t word = i;
    for (int bit = 0; bit < 8; ++bit)
      word = word >> 1 ^ (word & 1 ? 0x82f63b78u : 0);
    table[i] = word;
  }
  return table;
}

uint32_t masked(const std::string &bytes) {
  const uint32_t crc = crc32c(bytes.data(), bytes.size());
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

template <class Word> std::string littleEndian(Word word) {
  std::string bytes;
  for (size_t i = 0; i < sizeof word; ++i)
    bytes += char(uint8_t(word >> (8 * i)));
  return bytes;
}

// Protobuf: a field is its number and wire type as a varint, then the value.
enum Wire { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7)
    bytes += char(uint8_t(value | 128));
  return bytes + char(uint8_t(value));
}
std::string key(uint32_t field, Wire wire) { return varint(field << 3 | wire); }
std::string bytesField(uint32_t field, const std::string &bytes) {
  return key(field, Bytes) + varint(bytes.size()) + bytes;
}
std::string varintField(uint32_t field, uint64_t value) { return key(field, Varint) + varint(value); }
std::string doubleField(uint32_t field, double value) {
  uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return key(field, Fixed64) + littleEndian(bits);
}
std::string floatField(uint32_t field, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return key(field, Fixed32) + littleEndian(bits);
}

} // namespace

uint32_t crc32c(const void *data, size_t count) {
  static const std::array<uint32_t, 256> table = makeTable();
  const uint8_t *bytes = static_cast<const uint8_t *>(data);
  uint32_t crc = ~0u;
  for (size_t i = 0; i < count; ++i)
    crc = table[(crc ^ bytes[i]) & 255] ^ crc >> 8;
  return ~crc;
}

std::string eventRecord(const std::string &message) {
  const std::string length = littleEndian(uint64_t(message.size()));
  return length + littleEndian(masked(length)) + message + littleEndian(masked(message));
}

std::string eventVersion(double wallTime) { return doubleField(1, wallTime) + bytesField(3, "brain.Event:2"); }

std::string eventStart(double wallTime, uint64_t step) {
  const std::string sessionLog = varintField(1, 1); // status START
  return doubleField(1, wallTime) + varintField(2, step) + bytesField(7, sessionLog);
}

std::string eventScalars(double wallTime, uint64_t step, const std::vector<std::pair<std::string, float>> &values) {
  std::string summary;
  for (auto &[tag, value] : values)
    summary += bytesField(1, bytesField(1, tag) + floatField(2, value));
  return doubleField(1, wallTime) + varintField(2, step) + bytesField(5, summary);
}

} // namespace syl
