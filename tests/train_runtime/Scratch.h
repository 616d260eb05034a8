// A folder for one test's files, and small helpers to make files and run the toy program. Layer: tests.
#pragma once

#include "runtime/data/Array.h"

#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace syltest {

/// A test whose folder is made before it and removed after it.
class Scratch : public testing::Test {
protected:
  void SetUp() override;
  void TearDown() override;
  /// A path in the folder.
  std::string path(const std::string &name) const { return folder + "/" + name; }
  std::string write(const std::string &name, const std::string &bytes) const;

  std::string folder;
};

std::string readAll(const std::string &path);
std::string bigEndian(uint32_t value);
/// An IDX file of bytes.
std::string idxBytes(const std::vector<uint32_t> &shape, const std::string &data, uint8_t type = 8);
std::string gzipped(const std::string &bytes);
/// A version 1 .npy file.
std::string npyBytes(const std::string &descr, const std::string &shape, const std::string &data, bool fortran = false);
template <class T> std::string bytesOf(const std::vector<T> &values) {
  return std::string(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T));
}
template <class T> std::vector<T> valuesOf(const syl::Array &array) {
  const T *first = reinterpret_cast<const T *>(array.data.data());
  return std::vector<T>(first, first + array.elements());
}
/// The message of the Error that `body` throws; fails the test where there is none.
std::string errorOf(const std::function<void()> &body);

/// A program's result.
struct Outcome {
  int status = -1; // exit status, or 128 + signal
  std::string out, err;
};
using Environment = std::map<std::string, std::string>;
/// Starts `program` with its output in files of `folder`; returns the process.
pid_t start(const std::string &folder, const std::vector<std::string> &arguments, const Environment &environment);
Outcome finish(const std::string &folder, pid_t process);
Outcome run(const std::string &folder, const std::vector<std::string> &arguments, const Environment &environment = {});

} // namespace syltest
