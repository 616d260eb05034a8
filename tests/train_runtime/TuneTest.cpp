// The program that `sylvite tune` runs: it finds kernels that compute something else, and times all. Layer: tests.
#include "ToyModel.h"
#include "sylvite/train.h"

#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

namespace {

/// The toy's kernels, the second of which then does some damage: in its first slice, which alone writes the first
/// weight. All is static: a kernel has no argument for it.
class TuneTest : public testing::Test {
protected:
  toy::Model toy;
  std::vector<syl_kernel> kernels{toy.get()->kernels, toy.get()->kernels + toy.get()->kernel_count};
  std::vector<syl_phase> phases{toy.get()->train.phases, toy.get()->train.phases + toy.get()->train.phase_count};
  syl_model damaged = *toy.get();
  static decltype(syl_kernel::run) originals[2];
  static const syl_model *whole; // the toy's functions find its numbers behind its own model, not behind a copy
  static int32_t (*damage)(const syl_frame *frame);

  template <int K> static int32_t asToy(const syl_frame *frame, syl_worker *worker, int32_t slice) {
    syl_frame real = *frame;
    real.model = whole;
    return originals[K](&real, worker, slice);
  }
  static int32_t run(const syl_frame *frame, syl_worker *worker, int32_t slice) {
    int32_t code = asToy<1>(frame, worker, slice);
    return code || slice ? code : damage(frame);
  }

  /// The lines that it prints when the second kernel does `how`.
  std::vector<nlohmann::json> tuned(int32_t (*how)(const syl_frame *frame), int status = 0) {
    whole = toy.get();
    for (int k : {0, 1})
      originals[k] = toy.get()->kernels[k].run;
    damage = how;
    kernels[0].run = phases[0].run = asToy<0>;
    kernels[1].run = phases[1].run = run;
    damaged.kernels = kernels.data();
    damaged.train.phases = phases.data();
    testing::internal::CaptureStdout();
    EXPECT_EQ(
        syl_tune_main(toy.get(), toy.get(), &damaged, R"({"program": 0, "rows": [0, 1], "threads": 2, "seconds": 0})"),
        status);
    std::istringstream output(testing::internal::GetCapturedStdout());
    std::vector<nlohmann::json> lines;
    for (std::string line; std::getline(output, line);)
      lines.push_back(nlohmann::json::parse(line));
    return lines;
  }

  /// The first float of the weights: of the 8 rows of the toy's batch, 3 take part in the check.
  static float &weight(const syl_frame *frame) {
    return *reinterpret_cast<float *>(frame->base[SYL_BASE_STATE] + sizeof(syl_state_header));
  }
};
decltype(syl_kernel::run) TuneTest::originals[2];
const syl_model *TuneTest::whole;
int32_t (*TuneTest::damage)(const syl_frame *frame);

TEST_F(TuneTest, EqualKernelsAreRightAndTimed) {
  std::vector<nlohmann::json> lines = tuned([](const syl_frame *) { return 0; });
  ASSERT_EQ(lines.size(), 5u);
  for (int row : {0, 1}) {
    EXPECT_EQ(lines[size_t(row) * 2]["start"], row);
    EXPECT_EQ(lines[size_t(row) * 2 + 1]["row"], row);
    EXPECT_EQ(lines[size_t(row) * 2 + 1]["error"], 0);
    EXPECT_EQ(lines[size_t(row) * 2 + 1]["problem"], "");
  }
  ASSERT_EQ(lines[4]["rows"].size(), 2u);
  for (const nlohmann::json &row : lines[4]["rows"]) {
    EXPECT_GT(row[1], 0);
    EXPECT_GT(row[2], 0);
  }
  EXPECT_GT(lines[4]["candidate_ms"], 0);
}

TEST_F(TuneTest, WrongResults) {
  auto lines = tuned([](const syl_frame *frame) {
    weight(frame) *= 1.001f;
    return 0;
  });
  EXPECT_EQ(lines.at(1)["problem"], "");
  EXPECT_NE(lines.at(3)["problem"].get<std::string>().find("results differ by "), std::string::npos) << lines[3];
}

TEST_F(TuneTest, RoundingIsNotWrong) {
  auto lines = tuned([](const syl_frame *frame) {
    weight(frame) *= 1.0000002f;
    return 0;
  });
  EXPECT_EQ(lines.at(3)["problem"], "") << lines[3];
}

TEST_F(TuneTest, NotANumber) {
  auto lines = tuned([](const syl_frame *frame) {
    weight(frame) = 0.0f / (frame->n - 1000000 == 0 ? 1.0f : 0.0f);
    return 0;
  });
  EXPECT_NE(lines.at(3)["problem"].get<std::string>().find("no numbers"), std::string::npos) << lines[3];
}

TEST_F(TuneTest, ChangedIntegers) {
  auto lines = tuned([](const syl_frame *frame) {
    *reinterpret_cast<int32_t *>(&weight(frame)) = 5; // bits of a count, where a weight was
    return 0;
  });
  EXPECT_NE(lines.at(3)["problem"].get<std::string>().find("integers differ"), std::string::npos) << lines[3];
}

TEST_F(TuneTest, AKernelThatFailsIsTheLastStarted) {
  testing::internal::CaptureStderr();
  auto lines = tuned([](const syl_frame *) { return -7; }, 1);
  EXPECT_EQ(lines.back(), (nlohmann::json{{"start", 1}}));
  EXPECT_NE(testing::internal::GetCapturedStderr().find("reported error -7"), std::string::npos);
}

} // namespace
