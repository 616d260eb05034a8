// The IDX reader on whole, truncated and damaged files. Layer: tests.
#include "runtime/data/Idx.h"
#include "Scratch.h"

namespace {

using namespace syltest;
using IdxTest = Scratch;

/// The whole array, opened as a file of any size is.
const syl::Array &read(const std::string &path) {
  static syl::ColumnPointer column;
  column = syl::openIdx(path);
  return *column->array();
}

TEST_F(IdxTest, ReadsPlainAndGzipped) {
  std::string bytes = idxBytes({2, 3}, std::string("\0\1\2\3\4\xff", 6));
  for (const std::string &content : {bytes, gzipped(bytes)}) {
    const syl::Array &array = read(write("a", content));
    EXPECT_EQ(array.dtype, SYL_UINT8);
    EXPECT_EQ(array.shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(valuesOf<uint8_t>(array), (std::vector<uint8_t>{0, 1, 2, 3, 4, 255}));
  }
}

TEST_F(IdxTest, ReadsBigEndianNumbers) {
  const syl::Array &ints = read(write("i", idxBytes({2}, bigEndian(1) + bigEndian(uint32_t(-2)), 0x0c)));
  EXPECT_EQ(valuesOf<int32_t>(ints), (std::vector<int32_t>{1, -2}));
  const syl::Array &floats = read(write("f", idxBytes({1}, bigEndian(0x3fc00000), 0x0d)));
  EXPECT_EQ(valuesOf<float>(floats), std::vector<float>{1.5f});
  const syl::Array &doubles = read(write("d", idxBytes({1}, bigEndian(0x3ff80000) + bigEndian(0), 0x0e)));
  EXPECT_EQ(valuesOf<double>(doubles), std::vector<double>{1.5});
}

TEST_F(IdxTest, EveryCutIsAnError) {
  std::string bytes = idxBytes({2, 3, 2}, "abcdefghijkl");
  for (const std::string &whole : {bytes, gzipped(bytes)})
    for (size_t length = 0; length < whole.size(); ++length)
      EXPECT_THROW(read(write("cut", whole.substr(0, length))), syl::Error) << length;
}

TEST_F(IdxTest, EveryDamagedByteOfTheDataIsSeenInGzip) {
  std::string whole = gzipped(idxBytes({2, 3, 2}, "abcdefghijkl"));
  for (size_t at = 10; at < whole.size(); ++at) { // the gzip header holds a time and a system, which are not checked
    if (at == whole.size() - 9)
      continue; // its upper bits pad the deflate stream
    std::string damaged = whole;
    damaged[at] = char(damaged[at] ^ 0x10);
    EXPECT_THROW(read(write("damaged", damaged)), syl::Error) << at;
  }
}

TEST_F(IdxTest, Messages) {
  const std::string hint = "\nhint: the file is truncated or damaged; copy or download it again";
  auto message = [&](const std::string &bytes) {
    std::string file = write("m", bytes), text = errorOf([&] { read(file); });
    EXPECT_EQ(text.rfind(file + ": error: ", 0), 0u) << text;
    return text.substr(std::min(text.size(), file.size() + 9));
  };
  EXPECT_EQ(message(""), "found 0 bytes, expected at least the 4 of an IDX header" + hint);
  EXPECT_EQ(message(std::string("\0\0\x08\x02\0\0\0\1", 8)), "found 8 bytes, expected an IDX header of 12" + hint);
  EXPECT_EQ(message(idxBytes({2, 3}, "abcde")), "found 5 bytes of data, expected 6 for uint8 of shape [2, 3]" + hint);
  EXPECT_EQ(message(gzipped(idxBytes({2, 3}, "abcde"))),
            "found 5 bytes of data, expected 6 for uint8 of shape [2, 3]" + hint);
  EXPECT_EQ(message(idxBytes({2, 3}, "abcdefg")), "found more bytes, expected the end of the file after 18");
  EXPECT_EQ(message("\x89PNG"),
            "found the first bytes 89 50 4e 47, expected an IDX file: 00 00, then a type of 08 "
            "(uint8), 09 (int8), 0b (int16), 0c (int32), 0d (float32) or 0e (float64), then 1 to 8 axes");
  EXPECT_EQ(message(idxBytes({0xffffffff, 0xffffffff, 0xffffffff}, "")),
            "found the shape [4294967295, 4294967295, 4294967295] in the header, which no file can hold" + hint);
}

TEST_F(IdxTest, AHugePromiseCostsNoMemory) {
  std::string text = errorOf([&] { read(write("huge", idxBytes({0xffffffff, 1 << 20}, "x"))); });
  EXPECT_NE(text.find("found 1 bytes of data, expected 4503599626321920"), std::string::npos) << text;
}

TEST_F(IdxTest, FolderMissingFileAndPipe) {
  EXPECT_EQ(errorOf([&] { read(folder); }), folder + ": error: found a folder, expected a file");
  EXPECT_EQ(errorOf([&] { read(path("none")); }),
            path("none") + ": error: cannot open the file: No such file or directory");
  EXPECT_EQ(errorOf([&] { read("/dev/zero"); }), "/dev/zero: error: found a device or pipe, expected a file");
}

} // namespace
