// Whole training runs of the toy program: the last line, checkpoints, signals, and resuming to the bit. Layer: tests.
#include "Scratch.h"
#include "ToyModel.h"
#include "runtime/data/Safetensors.h"
#include "runtime/train/Checkpoint.h"
#include "runtime/train/Loop.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <regex>
#include <sys/stat.h>
#include <thread>

namespace {

using namespace syltest;

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

TEST_F(RunTest, TrainsAndEndsWithTheBestAccuracy) {
  makeData(100);
  Outcome outcome = train("run");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(std::regex_match(lastLine(outcome.out), std::regex("test accuracy \\d+\\.\\d\\d%"))) << outcome.out;
  EXPECT_TRUE(std::regex_search(outcome.out, std::regex("epoch 3/3  train loss \\d\\.\\d{4}  test loss \\d\\.\\d{4}  "
                                                        "test accuracy \\d+\\.\\d\\d%  \\d+ images/s\n")))
      << outcome.out;
  for (const char *name : {"run/last.safetensors", "run/last-1.safetensors", "run/best.safetensors"})
    EXPECT_TRUE(syl::pathExists(path(name))) << name;

  toy::Model model;
  syl::Session session(*model.get(), 1);
  syl::Progress progress;
  syl::loadCheckpoint(path("run/last.safetensors"), *model.get(), session.state.get(), &progress);
  EXPECT_EQ(progress.epoch, 3u);
  EXPECT_EQ(syl_state_step(model.get(), session.state.get()), 3u * 13); // the last batch of 4 is trained on
  syl::loadCheckpoint(path("run/best.safetensors"), *model.get(), session.state.get(), &progress);
  Outcome evaluated =
      run(folder, {TOY_PROGRAM, "evaluate", "--data", path("data"), "--checkpoint", path("run/best.safetensors")});
  EXPECT_EQ(lastLine(evaluated.out), lastLine(outcome.out));
}

TEST_F(RunTest, QuietPrintsTheLastLineOnly) {
  makeData(40);
  Outcome outcome = train("run", {"-q", "--epochs", "1"});
  EXPECT_TRUE(std::regex_match(outcome.out, std::regex("test accuracy \\d+\\.\\d\\d%\n"))) << outcome.out;
}

TEST_F(RunTest, SameBitsWithAnyThreadsAndOtherBitsWithAnotherSeed) {
  makeData(50);
  train("one", {"--threads", "1"});
  train("three", {"--threads", "3"});
  train("seed", {"--seed", "9"});
  EXPECT_EQ(readAll(path("one/last.safetensors")), readAll(path("three/last.safetensors")));
  EXPECT_NE(readAll(path("one/last.safetensors")), readAll(path("seed/last.safetensors")));
}

TEST_F(RunTest, ResumeAfterWholeEpochsIsExact) {
  makeData(50);
  EXPECT_EQ(train("whole", {"--epochs", "4"}).status, 0);
  EXPECT_EQ(train("parts", {"--epochs", "2"}).status, 0);
  Outcome outcome = train("parts", {"--epochs", "4", "--resume"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("resuming " + path("parts") + " at epoch 3, step 14\n"), std::string::npos) << outcome.out;
  for (const char *name : {"/last.safetensors", "/last-1.safetensors"}) // best of 2 epochs says so in its metadata
    EXPECT_EQ(readAll(path("whole") + name), readAll(path("parts") + name)) << name;
  outcome = train("parts", {"--resume"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(lastLine(outcome.out), lastLine(train("whole", {"--resume"}).out));
}

/// Stops a run with `signal` as soon as it has trained a little; what it left is resumed.
TEST_F(RunTest, StopAndResumeIsExact) {
  makeData(20011);
  std::vector<std::string> epochs = {"--epochs", "30"};
  EXPECT_EQ(train("whole", epochs).status, 0);
  int stopped = 0;
  for (int wait : {20, 35, 50}) {
    for (int signal : {SIGINT, SIGTERM}) {
      std::string out = "parts" + std::to_string(wait) + std::to_string(signal);
      pid_t process = start(folder, command(out, epochs), {});
      struct stat status;
      while (stat(path(out).c_str(), &status) != 0) // the folder comes just before the handlers
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      std::this_thread::sleep_for(std::chrono::milliseconds(wait));
      kill(process, signal);
      Outcome outcome = finish(folder, process);
      if (outcome.status == 0)
        continue; // it was faster
      ++stopped;
      ASSERT_EQ(outcome.status, 128 + signal) << outcome.err;
      EXPECT_TRUE(std::regex_search(
          outcome.out, std::regex("interrupted: saved .*/last.safetensors \\(epoch \\d+ of 30, step \\d+\\)\n"
                                  "resume: sylvite train NET.yaml --data .*/data --out .* --resume\n$")))
          << outcome.out;
      outcome = train(out, {"--resume"});
      ASSERT_EQ(outcome.status, 0) << outcome.err;
      EXPECT_EQ(readAll(path("whole/last.safetensors")), readAll(path(out + "/last.safetensors")));
      EXPECT_EQ(readAll(path("whole/best.safetensors")), readAll(path(out + "/best.safetensors")));
    }
  }
  EXPECT_GT(stopped, 0);
}

TEST_F(RunTest, StopDuringAnEvaluationIsExact) {
  makeData(16, 200000);
  EXPECT_EQ(train("whole", {"--epochs", "4"}).status, 0);
  syl::Progress progress;
  for (int wait = 20; progress.position != 16 && wait < 400; wait += 20) { // until the signal comes at the right time
    std::filesystem::remove_all(path("parts"));
    pid_t process = start(folder, command("parts", {"--epochs", "4"}), {});
    while (!syl::pathExists(path("parts")))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(wait));
    kill(process, SIGINT);
    Outcome outcome = finish(folder, process);
    ASSERT_EQ(outcome.status, outcome.out.find("interrupted") == std::string::npos ? 0 : 130) << outcome.out;
    toy::Model model;
    syl::Session session(*model.get(), 1);
    syl::loadCheckpoint(path("parts/last.safetensors"), *model.get(), session.state.get(), &progress);
  }
  EXPECT_EQ(progress.position, 16u);
  EXPECT_EQ(train("parts", {"--resume"}).status, 0);
  EXPECT_EQ(readAll(path("whole/last.safetensors")), readAll(path("parts/last.safetensors")));
  EXPECT_EQ(readAll(path("whole/best.safetensors")), readAll(path("parts/best.safetensors")));
}

TEST_F(RunTest, NoTestPart) {
  makeData(40);
  Outcome outcome = run(folder, {TOY_PROGRAM, "train", "--data", path("data/X.npy") + "," + path("data/Y.npy"), "--out",
                                 path("run"), "-q"});
  EXPECT_TRUE(std::regex_match(outcome.out, std::regex("train accuracy \\d+\\.\\d\\d%\n")))
      << outcome.out << outcome.err;
}

TEST_F(RunTest, Refusals) {
  makeData(40);
  auto refused = [&](const std::string &out, std::vector<std::string> more, const std::string &message) {
    Outcome outcome = train(out, std::move(more));
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.err, message + "\n");
    EXPECT_EQ(outcome.out.find("accuracy"), std::string::npos);
  };
  write("file", "");
  refused("file/run", {}, path("file/run") + ": error: cannot create the folder: Not a directory");
  refused("file", {}, path("file") + ": error: found a file, expected a folder or nothing");
  refused("run", {"--batch", "9"}, "--batch: error: found 9, expected at most 8, the compiled batch");
  refused("run", {"--resume"},
          path("run/last.safetensors") + ": error: found no checkpoint to resume from\n"
                                         "hint: start the run without --resume");
  EXPECT_EQ(train("run", {"--batch", "4", "--seed", "5", "--epochs", "1"}).status, 0);
  refused("run", {"--resume", "--batch", "8"}, "--batch: error: found 8, expected 4, as the run to resume has it");
  refused("run", {"--resume", "--seed", "6"}, "--seed: error: found 6, expected 5, as the run to resume has it");
  makeData(41);
  refused("run", {"--resume", "--epochs", "2"},
          path("data/X.npy") + ": error: found 41 samples, expected 40, as the run to resume has them");
  std::string damaged = readAll(path("run/last.safetensors"));
  write("run/last.safetensors", damaged.substr(0, damaged.size() - 1));
  Outcome outcome = train("run", {"--resume"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("run/last.safetensors: error: found "), std::string::npos) << outcome.err;
}

TEST_F(RunTest, ALossThatIsNotFiniteStopsTheRunAndKeepsTheCheckpoint) {
  makeData(40);
  EXPECT_EQ(train("run", {"--epochs", "1"}).status, 0);
  std::string kept = readAll(path("run/last.safetensors"));
  Outcome outcome = run(folder, command("run", {"--resume", "--epochs", "3"}), {{"TOY_RATE", "1e38"}});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(std::regex_search(outcome.err, std::regex("^toy: error: found the loss (nan|infinity) in step \\d+, "
                                                        "expected a finite one\nhint: lower the learning rate; ")))
      << outcome.err;
  EXPECT_EQ(readAll(path("run/last.safetensors")), kept);
}

TEST_F(RunTest, OutputFolderWithASpaceIsQuotedForTheShell) {
  makeData(20011);
  pid_t process = start(folder, command("a run", {"--epochs", "1000000"}), {{"SYLVITE_NETWORK_FILE", "my net.yaml"}});
  while (!syl::pathExists(path("a run")))
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  kill(process, SIGINT);
  Outcome outcome = finish(folder, process);
  EXPECT_EQ(outcome.status, 130);
  EXPECT_NE(outcome.out.find("resume: sylvite train 'my net.yaml' --data " + path("data") + " --out '" + path("a run") +
                             "' --resume\n"),
            std::string::npos)
      << outcome.out;
}

} // namespace
