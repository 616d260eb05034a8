// Messages, names, hashes and files.
#include "compiler/support/Diagnostics.h"
#include "compiler/support/Files.h"
#include "compiler/support/Hash.h"
#include "compiler/support/Names.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

namespace sylvite {
namespace {

namespace fs = std::filesystem;

TEST(Diagnostics, PrintsInTheOrderOfTheFile) {
  Diagnostics diagnostics;
  EXPECT_FALSE(diagnostics.hasErrors());
  diagnostics.error({"net.yaml", 12, 5}, "kernel 7x7 exceeds padded input 5x5", "use padding: same");
  diagnostics.warning({"net.yaml", 3, 9}, "unused block");
  EXPECT_TRUE(diagnostics.hasErrors());
  diagnostics.error({"s.yaml", 1}, "no rules");
  diagnostics.error({"net.yaml", 12, 1}, "unknown key 'filtres'");
  diagnostics.error({}, "out of space");
  diagnostics.error({"data"}, "no such folder");
  EXPECT_EQ(diagnostics.errorCount(), 5u);
  EXPECT_EQ(diagnostics.warningCount(), 1u);
  EXPECT_EQ(diagnostics.str(), "net.yaml:3:9: warning: unused block\n"
                               "net.yaml:12:1: error: unknown key 'filtres'\n"
                               "net.yaml:12:5: error: kernel 7x7 exceeds padded input 5x5\n"
                               "  hint: use padding: same\n"
                               "s.yaml:1: error: no rules\n"
                               "error: out of space\n"
                               "data: error: no such folder\n");
}

TEST(Diagnostics, KeepsOrderAtOnePlaceAndDropsRepetitions) {
  Diagnostics diagnostics;
  for (const char *text : {"b", "a", "b"})
    diagnostics.error({"f", 1, 1}, text);
  EXPECT_EQ(diagnostics.str(), "f:1:1: error: b\nf:1:1: error: a\n");
  EXPECT_EQ(diagnostics.errorCount(), 2u);
}

TEST(Names, Nearest) {
  std::vector<std::string> keys = {"filters", "kernel", "stride", "padding", "dilation", "groups", "bias"};
  EXPECT_EQ(nearestName("filter", keys), "filters");
  EXPECT_EQ(nearestName("fitlers", keys), "filters");
  EXPECT_EQ(nearestName("KERNEL", keys), "kernel");
  EXPECT_EQ(nearestName("pading", keys), "padding");
  EXPECT_EQ(nearestName("momentum", keys), std::nullopt);
  EXPECT_EQ(nearestName("x", {"c", "y"}), std::nullopt);
  EXPECT_EQ(nearestName("", keys), std::nullopt);
  EXPECT_EQ(nearestName("bias", {}), std::nullopt);
  EXPECT_EQ(nearestName("max-pool2d", {"max_pool1d", "max_pool2d"}), "max_pool2d");
  EXPECT_EQ(nearestName("ab", {"ac", "ad"}), "ac");
  EXPECT_EQ(nearestName(std::string(1 << 20, 'a'), {std::string(1 << 20, 'a')}), std::nullopt);
  EXPECT_EQ(didYouMean("filter", keys), "did you mean 'filters'?");
  EXPECT_EQ(didYouMean("momentum", keys), "");
}

TEST(Names, Identifiers) {
  for (const char *name : {"a", "_x", "fashion_cnn", "Net2"})
    EXPECT_TRUE(isCIdentifier(name)) << name;
  for (const char *name : {"", "2net", "my-net", "a b", "caf\xc3\xa9", "int", "class", "restrict"})
    EXPECT_FALSE(isCIdentifier(name)) << name;
}

TEST(Hash, IsSha256) {
  EXPECT_EQ(sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_NE(sha256Hex(std::vector<std::string>{"ab", "c"}), sha256Hex(std::vector<std::string>{"a", "bc"}));
  EXPECT_EQ(sha256Hex(std::vector<std::string>{"ab"}), sha256Hex("2:ab"));
}

class Files : public testing::Test {
protected:
  fs::path folder = fs::path(testing::TempDir()) / "sylvite_support_files";
  void SetUp() override {
    fs::remove_all(folder);
    fs::create_directories(folder);
  }
  void TearDown() override { fs::remove_all(folder); }
};

TEST_F(Files, WriteThenRead) {
  std::string error;
  fs::path path = folder / "new" / "file";
  EXPECT_TRUE(writeFileAtomically(path, std::string("a\0b", 3), error)) << error;
  EXPECT_EQ(readFile(path, 3, error), std::string("a\0b", 3));
  EXPECT_TRUE(writeFileAtomically(path, "", error)) << error;
  EXPECT_EQ(readFile(path, 3, error), "");
  // Only the file itself is left.
  EXPECT_EQ(std::distance(fs::directory_iterator(path.parent_path()), fs::directory_iterator()), 1);
}

TEST_F(Files, ReadErrors) {
  std::string error;
  EXPECT_FALSE(readFile(folder / "none", 10, error));
  EXPECT_EQ(error, "no such file");
  EXPECT_FALSE(readFile(folder, 10, error));
  EXPECT_EQ(error, "is a folder");
  std::ofstream(folder / "large") << "12345";
  EXPECT_FALSE(readFile(folder / "large", 4, error));
  EXPECT_EQ(error, "larger than 4 bytes");
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_FALSE(readFile(folder / "pipe", 4, error));
  EXPECT_EQ(error, "is not a regular file");
}

TEST_F(Files, WriteErrorsLeaveNothingBehind) {
  std::string error;
  std::ofstream(folder / "plain") << "x";
  EXPECT_FALSE(writeFileAtomically(folder / "plain" / "file", "x", error));
  EXPECT_EQ(error, "cannot make the folder: Not a directory");
  fs::create_directory(folder / "taken");
  EXPECT_FALSE(writeFileAtomically(folder / "taken", "x", error));
  EXPECT_EQ(error, "is a folder");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 2);
}

TEST(CacheDirectory, FollowsTheSpecification) {
  std::string home = std::getenv("HOME") ? std::getenv("HOME") : "";
  std::string cache = std::getenv("XDG_CACHE_HOME") ? std::getenv("XDG_CACHE_HOME") : "";
  setenv("XDG_CACHE_HOME", "/var/tmp/cache", 1);
  EXPECT_EQ(cacheDirectory(), "/var/tmp/cache/sylvite");
  setenv("HOME", "/home/someone", 1);
  setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(cacheDirectory(), "/home/someone/.cache/sylvite");
  unsetenv("XDG_CACHE_HOME");
  EXPECT_EQ(cacheDirectory(), "/home/someone/.cache/sylvite");
  unsetenv("HOME");
  EXPECT_EQ(cacheDirectory().filename().string().find("sylvite-cache-"), 0u);
  if (!home.empty())
    setenv("HOME", home.c_str(), 1);
  if (!cache.empty())
    setenv("XDG_CACHE_HOME", cache.c_str(), 1);
}

} // namespace
} // namespace sylvite
