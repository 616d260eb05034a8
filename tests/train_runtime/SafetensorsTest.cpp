// safetensors: round trips, hostile headers, and the seal against every changed byte and every cut. Layer: tests.
#include "runtime/data/Safetensors.h"
#include "Scratch.h"

namespace {

using namespace syltest;
using SafetensorsTest = Scratch;

std::string container(const std::string &header, const std::string &data) {
  std::string bytes;
  for (int i = 0; i < 8; ++i)
    bytes += char(uint64_t(header.size()) >> (8 * i));
  return bytes + header + data;
}

std::string saved(const std::string &path) {
  syl::SafetensorsWriter writer;
  std::vector<float> weight = {1, 2, 3, 4, 5, 6};
  int64_t steps = 7;
  uint8_t byte = 9;
  writer.add("layer.weight", SYL_FLOAT32, {2, 3}, weight.data());
  writer.add("steps", SYL_INT64, {}, &steps);
  writer.add("byte", SYL_UINT8, {1}, &byte);
  writer.add("empty \"name\" \xc3\xa9", SYL_FLOAT64, {0, 5}, "");
  writer.save(path, {{"sylvite", "1"}, {"note", "a \"quoted\" \\ text"}});
  return readAll(path);
}

TEST_F(SafetensorsTest, RoundTrip) {
  saved(path("a"));
  syl::SafetensorsFile file(path("a"));
  file.load();
  ASSERT_EQ(file.tensors().size(), 4u);
  const syl::TensorEntry *weight = file.find("layer.weight"), *steps = file.find("steps");
  ASSERT_TRUE(weight && steps && file.find("byte") && file.find("empty \"name\" \xc3\xa9"));
  EXPECT_EQ(weight->dtype, "F32");
  EXPECT_EQ(weight->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(reinterpret_cast<const float *>(file.data(*weight))[5], 6);
  EXPECT_EQ(*reinterpret_cast<const int64_t *>(file.data(*steps)), 7);
  EXPECT_EQ(steps->shape, std::vector<int64_t>());
  EXPECT_EQ(file.metadata("note"), "a \"quoted\" \\ text");
  EXPECT_EQ(file.metadata("none"), std::nullopt);
  EXPECT_EQ(file.find("none"), nullptr);
}

TEST_F(SafetensorsTest, AcceptsAFileWithoutMetadata) {
  write("a", container(R"({"b":{"dtype":"BF16","shape":[1],"data_offsets":[4,6]},"a":{"dtype":"F32","shape":[],)"
                       R"("data_offsets":[0,4]}}   )",
                       "abcdef"));
  syl::SafetensorsFile file(path("a"));
  file.load();
  EXPECT_FALSE(file.isSealed());
  EXPECT_EQ(std::string(file.data(*file.find("b")), 2), "ef");
}

TEST_F(SafetensorsTest, EveryChangedByteOfASealedFileIsAnError) {
  std::string whole = saved(path("a"));
  for (size_t at = 0; at < whole.size(); ++at)
    for (int change : {0x01, 0x20, 0x80}) {
      std::string damaged = whole;
      damaged[at] = char(damaged[at] ^ change);
      write("d", damaged);
      EXPECT_THROW(syl::SafetensorsFile(path("d")).load(), syl::Error) << at;
    }
}

TEST_F(SafetensorsTest, EveryCutIsAnError) {
  std::string whole = saved(path("a"));
  for (size_t length = 0; length < whole.size(); ++length) {
    write("d", whole.substr(0, length));
    EXPECT_THROW(syl::SafetensorsFile(path("d")).load(), syl::Error) << length;
  }
  write("d", whole + "x");
  EXPECT_THROW(syl::SafetensorsFile(path("d")).load(), syl::Error);
}

TEST_F(SafetensorsTest, HostileHeaders) {
  auto problem = [&](const std::string &header, const std::string &data = "") {
    std::string text = errorOf([&] { syl::SafetensorsFile file(write("h", container(header, data))); });
    std::string start = path("h") + ": error: found ";
    EXPECT_EQ(text.rfind(start, 0), 0u) << text;
    text = text.substr(std::min(start.size(), text.size()));
    return text.substr(0, std::min(text.find(" in the header"), text.find('\n')));
  };
  const std::string tensor = R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  EXPECT_EQ(problem(""), "no JSON object");
  EXPECT_EQ(problem("[]"), "no JSON object");
  EXPECT_EQ(problem("{"), "no JSON at byte 2");
  EXPECT_EQ(problem(R"({"a":)" + tensor + R"(,"a":)" + tensor + "}", "abcd"), "the name 'a' twice");
  EXPECT_EQ(problem(R"({"__metadata__":{"k":"1","k":"2"}})"), "the metadata 'k' twice");
  EXPECT_EQ(problem(R"({"__metadata__":{"k":1}})"), "a number in a place where the format has none");
  EXPECT_EQ(problem(R"({"__metadata__":{"k":{}}})"), "an object in a place where the format has none");
  EXPECT_EQ(problem(R"({"a":1})"), "a number in a place where the format has none");
  EXPECT_EQ(problem(R"({"a":[[[[[[]]]]]]})"), "a list in a place where the format has none");
  EXPECT_EQ(problem(R"({"a":{}})"), "a tensor without dtype, shape or data_offsets");
  EXPECT_EQ(problem(R"({"a":{"dtype":"F32","dtype":"F32"}})"), "the field 'dtype' in a tensor");
  EXPECT_EQ(problem(R"({"a":{"strides":[1]}})"), "the field 'strides' in a tensor");
  EXPECT_EQ(problem(R"({"a":{"shape":[-1]}})"), "a negative number in a place where the format has none");
  EXPECT_EQ(problem(R"({"a":{"shape":[1.5]}})"), "a fraction in a place where the format has none");
  EXPECT_EQ(problem(R"({"a":{"shape":[[1]]}})"), "a list in a place where the format has none");
  EXPECT_EQ(problem(R"({"a":{"shape":[18446744073709551615]}})"), "a number in a place where the format has none");
  EXPECT_EQ(problem(R"({"a":{"data_offsets":[0,4,8]}})"), "data_offsets that are not two numbers");
  EXPECT_EQ(problem(R"({"a":{"dtype":"X9","shape":[1],"data_offsets":[0,4]}})", "abcd"),
            "tensor 'a' of the unknown type 'X9'");
  EXPECT_EQ(problem(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})"),
            "tensor 'a' of F32 [4294967296, 4294967296] at bytes 0 to 0, expected as many bytes as its shape needs");
  EXPECT_EQ(problem(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", "abcd"),
            "tensor 'a' of F32 [1] at bytes 4 to 0, expected as many bytes as its shape needs");
  EXPECT_EQ(problem(R"({"a":)" + tensor + R"(,"b":)" + tensor + "}", "abcd"),
            "tensor 'b' at byte 0, expected byte 4, where the one before it ends");
  EXPECT_EQ(problem(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "abcdefgh"),
            "tensor 'a' at byte 4, expected byte 0, where the one before it ends");
  EXPECT_EQ(problem("{\"a\":" + tensor + "}", "abcde"), "5 bytes of data, expected 4 for the tensors of the header");
  EXPECT_EQ(problem("{} x"), "no JSON at byte 4");
}

TEST_F(SafetensorsTest, HeaderLengthIsLimited) {
  std::string hint = "\nhint: the file is truncated or damaged; use an older checkpoint or copy it again";
  EXPECT_EQ(errorOf([&] { syl::SafetensorsFile file(write("h", std::string(8, '\xff') + "{}")); }),
            path("h") + ": error: found a header of 18446744073709551615 bytes, expected at most 2" + hint);
  EXPECT_EQ(errorOf([&] { syl::SafetensorsFile file(write("h", "abc")); }),
            path("h") + ": error: found 3 bytes, expected at least the 8 of a safetensors header" + hint);
}

TEST_F(SafetensorsTest, DeepNestingDoesNotRecurse) {
  std::string deep = "{\"a\":{\"shape\":" + std::string(1000000, '[');
  EXPECT_THROW(syl::SafetensorsFile file(write("h", container(deep, ""))), syl::Error);
}

TEST_F(SafetensorsTest, SaveKeepsTheOldFileAndLeavesNoTemporary) {
  syl::SafetensorsWriter writer;
  float value = 1;
  writer.add("v", SYL_FLOAT32, {}, &value);
  writer.save(path("last"), {}, path("last-1"));
  EXPECT_FALSE(syl::pathExists(path("last-1")));
  std::string first = readAll(path("last"));
  value = 2;
  syl::SafetensorsWriter second;
  second.add("v", SYL_FLOAT32, {}, &value);
  second.save(path("last"), {}, path("last-1"));
  EXPECT_EQ(readAll(path("last-1")), first);
  EXPECT_NE(readAll(path("last")), first);
  second.save(path("last"), {}, path("last-1"));
  EXPECT_EQ(readAll(path("last")), readAll(path("last-1")));
  EXPECT_EQ(system(("test $(ls -A " + folder + " | wc -l) = 2").c_str()), 0);
}

TEST_F(SafetensorsTest, FailedSaveKeepsTheOldFile) {
  syl::SafetensorsWriter writer;
  EXPECT_EQ(errorOf([&] { writer.save(path("none/file"), {}); }),
            path("none/file") + ": error: cannot create the file: No such file or directory");
  write("folder/inside", "");
  EXPECT_EQ(errorOf([&] { writer.save(path("folder"), {}); }),
            path("folder") + ": error: cannot write the file: Is a directory");
  EXPECT_EQ(system(("test $(ls -A " + folder + " | wc -l) = 1").c_str()), 0);
}

} // namespace
