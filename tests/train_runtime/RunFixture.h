// What tests of whole training runs share: data, the command, its last line. Layer: tests.
#pragma once

#include "Scratch.h"
#include "ToyModel.h"

#include <string>
#include <vector>

namespace syltest {

/// A test that trains the toy program on generated data.
class RunTest : public Scratch {
protected:
  /// A folder with `count` training and `testCount` test samples.
  void makeData(int64_t count, int64_t testCount = 30) const {
    toy::Options options;
    auto part = [&](const std::string &suffix, int64_t rows, uint32_t seed) {
      toy::Samples samples = toy::makeSamples(options, rows, seed);
      write("data/X" + suffix + ".npy", npyBytes("<f4", syl::format("(%d, 5)", int(rows)), bytesOf(samples.input)));
      write("data/Y" + suffix + ".npy", npyBytes("<i4", syl::format("(%d,)", int(rows)), bytesOf(samples.target)));
    };
    part("", count, 1);
    part("_test", testCount, 2);
  }
  std::vector<std::string> command(const std::string &out, std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {TOY_PROGRAM, "train", "--data", path("data"), "--out", path(out)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Outcome train(const std::string &out, std::vector<std::string> more = {}) const {
    return run(folder, command(out, std::move(more)));
  }
  static std::string lastLine(const std::string &text) {
    std::string whole = text.substr(0, text.empty() ? 0 : text.size() - 1);
    return whole.substr(whole.rfind('\n') + 1);
  }
};

} // namespace syltest
