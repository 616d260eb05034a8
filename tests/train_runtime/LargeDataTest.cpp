// Training on more data than the process may have memory. Layer: tests. Takes a minute: only where SYLVITE_LONG is set.
#include "Scratch.h"

#include <cstdlib>
#include <fstream>
#include <unistd.h>

namespace {

using namespace syltest;
using LargeDataTest = Scratch;

TEST_F(LargeDataTest, TwoGigabytesInHalfAGigabyte) {
  if (!std::getenv("SYLVITE_LONG"))
    GTEST_SKIP() << "set SYLVITE_LONG";
  const int64_t rows = 43700, row = 128 * 128 * 3; // 2.1 GB, all holes but for the header
  const std::string header = npyBytes("|u1", "(" + std::to_string(rows) + ", 128, 128, 3)", "");
  write("X.npy", header);
  ASSERT_EQ(truncate(path("X.npy").c_str(), off_t(header.size() + size_t(rows * row))), 0);
  std::string labels(size_t(rows), '\0');
  for (size_t i = 0; i < labels.size(); ++i)
    labels[i] = char(i % 3);
  write("Y.npy", npyBytes("|u1", "(" + std::to_string(rows) + ",)", labels));
  const Environment environment = {{"TOY_INPUT", "uint8"}, {"TOY_SHAPE", "128,128,3"}, {"TOY_BATCH", "64"}};
  auto limited = [&](const std::string &data) {
    return run(folder,
               {"/bin/sh", "-c", "ulimit -v 524288; exec \"$0\" \"$@\"", TOY_PROGRAM, "train", "--data", data,
                "--epochs", "1", "--threads", "2", "--out", path("run")},
               environment);
  };
  Outcome outcome = limited(folder);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("epoch 1/1"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("  data "), std::string::npos) << outcome.out;
  std::printf("%s", outcome.out.c_str());

  // In Fortran order the file would have to be read whole: an error that says so, not a crash.
  write("F.npy", npyBytes("|u1", "(" + std::to_string(rows) + ", 128, 128, 3)", "", true));
  ASSERT_EQ(truncate(path("F.npy").c_str(), off_t(readAll(path("F.npy")).size() + size_t(rows * row))), 0);
  outcome = limited(path("F.npy") + "," + path("Y.npy"));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, path("F.npy") + ": error: cannot get " + std::to_string(rows * row) +
                             " bytes of memory for an array in Fortran order, which is read whole\n"
                             "hint: write it in C order, in NumPy by numpy.ascontiguousarray\n");
}

} // namespace
