// The .npy reader and writer: types, byte orders, element orders, damaged headers. Layer: tests.
#include "runtime/data/Npy.h"
#include "Scratch.h"

#include <algorithm>

namespace {

using namespace syltest;
using NpyTest = Scratch;

template <class T>
void readsType(const NpyTest &, const std::string &file, const std::string &code, syl_dtype dtype,
               const std::function<std::string(const std::string &)> &write) {
  std::vector<T> values = {T(0), T(1), T(2), T(100), T(4), T(5)};
  std::string little = bytesOf(values), big = little;
  for (size_t at = 0; at < big.size(); at += sizeof(T))
    std::reverse(big.begin() + long(at), big.begin() + long(at + sizeof(T)));
  for (auto &[order, data] : {std::pair<std::string, std::string>{sizeof(T) == 1 ? "|" : "<", little}, {">", big}}) {
    syl::Array array = syl::readNpy(write(npyBytes(order + code, "(2, 3)", data)));
    EXPECT_EQ(array.dtype, dtype);
    EXPECT_EQ(array.shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(valuesOf<T>(array), values);
    array = syl::readNpy(write(npyBytes(order + code, "(2, 3)", data, true)));
    EXPECT_EQ(valuesOf<T>(array), (std::vector<T>{T(0), T(2), T(4), T(1), T(100), T(5)}));
  }
}

TEST_F(NpyTest, EveryTypeAndOrder) {
  auto writer = [&](const std::string &bytes) { return write("a.npy", bytes); };
  readsType<uint8_t>(*this, "", "u1", SYL_UINT8, writer);
  readsType<int32_t>(*this, "", "i4", SYL_INT32, writer);
  readsType<int64_t>(*this, "", "i8", SYL_INT64, writer);
  readsType<float>(*this, "", "f4", SYL_FLOAT32, writer);
  readsType<double>(*this, "", "f8", SYL_FLOAT64, writer);
}

TEST_F(NpyTest, FortranOrderOfThreeAxes) {
  std::vector<int32_t> stored(24);
  for (int a = 0; a < 2; ++a)
    for (int b = 0; b < 3; ++b)
      for (int c = 0; c < 4; ++c)
        stored[size_t(a + 2 * b + 6 * c)] = 100 * a + 10 * b + c;
  syl::Array array = syl::readNpy(write("f.npy", npyBytes("<i4", "(2, 3, 4)", bytesOf(stored), true)));
  std::vector<int32_t> expected;
  for (int a = 0; a < 2; ++a)
    for (int b = 0; b < 3; ++b)
      for (int c = 0; c < 4; ++c)
        expected.push_back(100 * a + 10 * b + c);
  EXPECT_EQ(valuesOf<int32_t>(array), expected);
}

TEST_F(NpyTest, ScalarsEmptyArraysAndVersion2) {
  EXPECT_EQ(valuesOf<double>(syl::readNpy(write("s.npy", npyBytes("<f8", "()", bytesOf<double>({7}))))),
            std::vector<double>{7});
  EXPECT_EQ(syl::readNpy(write("e.npy", npyBytes("<f4", "(0, 3)", ""))).elements(), 0);
  std::string one = npyBytes("|u1", "(3,)", "abc");
  std::string two =
      one.substr(0, 6) + std::string("\2\0", 2) + one.substr(8, 2) + std::string("\0\0", 2) + one.substr(10);
  EXPECT_EQ(valuesOf<uint8_t>(syl::readNpy(write("2.npy", two))), (std::vector<uint8_t>{'a', 'b', 'c'}));
}

TEST_F(NpyTest, WriterAndReaderAgree) {
  std::vector<float> values = {1, -2, 0.5f, 3, 4, 1e-30f};
  for (const std::vector<int64_t> &shape : {std::vector<int64_t>{6}, {2, 3}, {1, 6, 1}}) {
    syl::writeNpy(path("w.npy"), shape, values.data());
    syl::Array array = syl::readNpy(path("w.npy"));
    EXPECT_EQ(array.shape, shape);
    EXPECT_EQ(valuesOf<float>(array), values);
    EXPECT_EQ((readAll(path("w.npy")).size() - 24) % 64, 0u); // NumPy aligns the data to 64 bytes
  }
}

TEST_F(NpyTest, EveryCutIsAnError) {
  std::string whole = npyBytes("<f4", "(2, 2)", bytesOf<float>({1, 2, 3, 4}));
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_THROW(syl::readNpy(write("cut.npy", whole.substr(0, length))), syl::Error) << length;
}

TEST_F(NpyTest, EveryChangedHeaderByteReadsTheSameOrIsAnError) {
  std::string whole = npyBytes("<f4", "(2, 2)", bytesOf<float>({1, 2, 3, 4}));
  for (size_t at = 0; at < whole.size() - 16; ++at)
    for (int change : {0x01, 0x20, 0x80}) {
      std::string damaged = whole;
      damaged[at] = char(damaged[at] ^ change);
      try {
        EXPECT_EQ(syl::readNpy(write("d.npy", damaged)).elements(), 4);
      } catch (const syl::Error &) {
      }
    }
}

TEST_F(NpyTest, Messages) {
  const std::string hint = "\nhint: the file is truncated or damaged; write it again with numpy.save";
  auto message = [&](const std::string &bytes) {
    std::string file = write("m.npy", bytes), text = errorOf([&] { syl::readNpy(file); });
    EXPECT_EQ(text.rfind(file + ": error: ", 0), 0u) << text;
    return text.substr(std::min(text.size(), file.size() + 9));
  };
  EXPECT_EQ(message("\x93NUM"), "found 4 bytes, expected at least the 10 of a .npy header" + hint);
  EXPECT_EQ(message("PK\x03\x04 a zip file"),
            "found no .npy header of version 1 to 3 at the start, expected one" + hint);
  EXPECT_EQ(message(npyBytes("<c8", "(1,)", "abcdefgh")),
            "found the type '<c8', expected bool, an integer or a float of 16, 32 or 64 bits\n"
            "hint: convert it, in NumPy by array.astype('float32')");
  EXPECT_EQ(message(npyBytes("<f4", "(2, 2)", "abcd")),
            "found 4 bytes of data, expected 16 for float32 of shape [2, 2]" + hint);
  EXPECT_EQ(message(npyBytes("<f4", "(2, 2)", std::string(17, 'x'))),
            "found 17 bytes of data, expected 16 for float32 of shape [2, 2]" + hint);
  EXPECT_EQ(message(npyBytes("<f4", "(4611686018427387904, 4)", "")).substr(0, 37),
            "found a damaged header at byte 69 of ");
  EXPECT_EQ(message(npyBytes("<f4", "(99999999999999999, 99999999999999999)", "")),
            "found 0 bytes of data, expected more than any file holds for float32 of shape [99999999999999999, "
            "99999999999999999]" +
                hint);
  EXPECT_EQ(message(npyBytes("<f4", "(1,1,1,1,1,1,1,1,1)", "abcd")), "found 9 axes, expected at most 8");
}

} // namespace
