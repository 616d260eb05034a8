// Whole training runs of the toy program: the last line, checkpoints, signals, and resuming to the bit. Layer: tests.
#include "RunFixture.h"
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

TEST_F(RunTest, TrainsAndEndsWithTheBestAccuracy) {
  makeData(100);
  Outcome outcome = train("run");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(std::regex_match(lastLine(outcome.out), std::regex("test accuracy \\d+\\.\\d\\d%"))) << outcome.out;
  EXPECT_TRUE(std::regex_search(outcome.out, std::regex("epoch 3/3  train loss \\d\\.\\d{4}  test loss \\d\\.\\d{4}  "
                                                        "test accuracy \\d+\\.\\d\\d%  \\d+ images/s  data \\d+%\n")))
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
  EXPECT_EQ(outcome.err.find("hint: the checkpoint before"), std::string::npos) << "there is none";
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

/// Data with one sample whose logits are not finite.
void makeOneBadSample(const RunTest &test, const std::function<void(const std::string &, const std::string &)> &write,
                      int64_t count) {
  toy::Samples samples = toy::makeSamples({}, count);
  samples.input[17 * 5 + 1] = 3e38f;
  samples.input[17 * 5 + 2] = -3e38f;
  samples.input[17 * 5 + 3] = 3e38f;
  write("data/X.npy", npyBytes("<f4", syl::format("(%d, 5)", int(count)), bytesOf(samples.input)));
  write("data/Y.npy", npyBytes("<i4", syl::format("(%d,)", int(count)), bytesOf(samples.target)));
}

TEST_F(RunTest, ABadStepIsSkippedAndTheRunResumesExactly) {
  makeOneBadSample(*this, [&](auto &name, auto &bytes) { write(name, bytes); }, 1000);
  const std::vector<std::string> skip = {"--epochs", "4", "--on-nan", "skip", "--save-every", "7steps"};
  Outcome outcome = train("whole", skip);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(std::regex_search(outcome.err, std::regex("^toy: warning: found the loss (nan|-?infinity) in step \\d+, "
                                                        "expected a finite one.*\nhint: the step is skipped "
                                                        "\\(epoch 1, step \\d+; found first after kernel linear"
                                                        "\\.forward\\+grad\\)\n")))
      << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 8) << outcome.err; // two lines an epoch
  syl::SafetensorsFile file(path("whole/last.safetensors"));
  EXPECT_EQ(file.metadata("step"), std::to_string(4 * (125 - 1)));
  EXPECT_EQ(outcome.out.find("nan"), std::string::npos);
  std::vector<std::string> threads = skip;
  threads.insert(threads.end(), {"--threads", "3"});
  EXPECT_EQ(train("threads", threads).status, 0);
  EXPECT_EQ(readAll(path("threads/last.safetensors")), readAll(path("whole/last.safetensors")));
  // Killed between steps, also between the snapshot and the bad step.
  std::vector<std::string> half = skip;
  half[1] = "2";
  EXPECT_EQ(train("parts", half).status, 0);
  EXPECT_EQ(
      train("parts", {"--resume", "--epochs", "4", "--on-nan", "skip", "--from", path("parts/last-1.safetensors")})
          .status,
      0);
  EXPECT_EQ(readAll(path("parts/last.safetensors")), readAll(path("whole/last.safetensors")));
  outcome = train("stopped", {"--epochs", "4"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(train("bad", {"--on-nan", "guess"}).err,
            "--on-nan: error: found 'guess', expected stop, skip or rollback\n");
}

TEST_F(RunTest, ARunRollsBackUntilTheRateIsLowEnough) {
  makeData(40);
  Outcome outcome = run(folder, command("run", {"--epochs", "3", "--on-nan", "rollback"}), {{"TOY_RATE", "1000"}});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("\nhint: rolled back to step 0, with the learning rate times 0.5 (epoch 1, step "),
            std::string::npos)
      << outcome.err;
  syl::SafetensorsFile file(path("run/last.safetensors"));
  EXPECT_EQ(file.metadata("step"), "15");
  EXPECT_LE(std::stod(file.metadata("rate_scale").value()), 0.5);
  Environment never = {{"TOY_TRAINING", R"({"metrics": []})"}};
  makeOneBadSample(*this, [&](auto &name, auto &bytes) { write(name, bytes); }, 100);
  outcome = run(folder, {TOY_PROGRAM, "train", "--data", path("data/X.npy") + "," + path("data/Y.npy"), "--out",
                         path("never"), "--on-nan", "rollback"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 2 * 10 + 2) << outcome.err;
  EXPECT_EQ(train("all", {"--on-nan", "skip", "--batch", "1", "--epochs", "3"}).status, 0);
}

TEST_F(RunTest, WeightsThatAreNotFiniteAreRefused) {
  makeData(40);
  EXPECT_EQ(train("run", {"--epochs", "1"}).status, 0);
  syl::SafetensorsFile file(path("run/last.safetensors"));
  file.load();
  syl::SafetensorsWriter writer;
  for (const syl::TensorEntry &entry : file.tensors()) {
    std::string bytes(file.data(entry), entry.end - entry.begin);
    if (entry.name == "linear.bias")
      bytes.replace(4, 4, std::string("\0\0\xc0\x7f", 4));
    writer.add(entry.name, *syl::safetensorsType(entry.dtype), entry.shape, bytes.data());
  }
  writer.save(path("bad"), {});
  Outcome outcome = train("second", {"--weights", path("bad")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, path("bad") + ": error: found nan or infinity in 'linear.bias', expected finite numbers\n"
                                       "hint: start from an earlier checkpoint\n");
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

TEST_F(RunTest, TheFirstMetricDecidesAndStoppingEnds) {
  makeData(40);
  Environment stopping = {{"TOY_TRAINING", R"({"metrics": ["top_2", "accuracy"],
    "early_stopping": {"monitor": "loss", "patience": 2, "min_delta": 100}})"}};
  Outcome outcome = run(folder, command("run", {"--epochs", "9"}), stopping);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("stopped after epoch 3 of 9: no better for 2 epochs\n"), std::string::npos) << outcome.out;
  EXPECT_TRUE(std::regex_search(outcome.out, std::regex("test top-2 accuracy \\d+\\.\\d\\d%  test accuracy")))
      << outcome.out;
  EXPECT_TRUE(std::regex_match(lastLine(outcome.out), std::regex("test accuracy \\d+\\.\\d\\d%"))) << outcome.out;
  std::string last = readAll(path("run/last.safetensors"));
  outcome = run(folder, command("run", {"--epochs", "9", "--resume"}), stopping); // it stays stopped
  EXPECT_NE(outcome.out.find("stopped after epoch 3 of 9"), std::string::npos) << outcome.out;
  EXPECT_EQ(readAll(path("run/last.safetensors")), last);
}

TEST_F(RunTest, PlateauLowersTheRateAndResumesExactly) {
  makeData(40);
  Environment plateau = {{"TOY_TRAINING", R"({"learning_rate": 0.5, "metrics": [],
    "reduce_on_plateau": {"patience": 0, "threshold": 0.9}})"}};
  Outcome outcome = run(folder, command("whole", {"--epochs", "4"}), plateau);
  EXPECT_NE(outcome.out.find("\nlearning rate 0.05\n"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("\nlearning rate 0.005\n"), std::string::npos) << outcome.out;
  EXPECT_TRUE(std::regex_match(lastLine(outcome.out), std::regex("test loss \\d\\.\\d{4}"))) << outcome.out;
  run(folder, command("parts", {"--epochs", "2"}), plateau);
  run(folder, command("parts", {"--epochs", "4", "--resume"}), plateau);
  EXPECT_EQ(readAll(path("whole/last.safetensors")), readAll(path("parts/last.safetensors")));
  run(folder, command("steady", {"--epochs", "4"}), {{"TOY_TRAINING", "{}"}});
  EXPECT_NE(readAll(path("whole/last.safetensors")), readAll(path("steady/last.safetensors")));
}

TEST_F(RunTest, StartsFromWeights) {
  makeData(40);
  EXPECT_EQ(train("first", {"--epochs", "2"}).status, 0);
  Outcome outcome = train("second", {"--epochs", "1", "--weights", path("first/best.safetensors")});
  EXPECT_NE(outcome.out.find("\n" + path("first/best.safetensors") + ": took 4 of 4 tensors\n"), std::string::npos)
      << outcome.out << outcome.err;
  // A file that the network file names is beside it; the option comes before it.
  Environment file = {{"SYLVITE_NETWORK_FILE", path("net.yaml")},
                      {"TOY_TRAINING", R"({"weights": {"file": "first/last.safetensors"}})"}};
  outcome = run(folder, command("third", {"--epochs", "1"}), file);
  EXPECT_NE(outcome.out.find(path("first/last.safetensors") + ": took 4 of 4"), std::string::npos) << outcome.out;
  outcome = run(folder, command("third", {"--epochs", "2", "--resume"}), file);
  EXPECT_EQ(outcome.out.find("took"), std::string::npos) << outcome.out;
  outcome = train("fourth", {"--weights", path("none")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err.find(path("none") + ": error: "), 0u) << outcome.err;
}

TEST_F(RunTest, SavesAtIntervals) {
  makeData(40);
  auto stepOf = [&](const std::string &file) {
    return syl::SafetensorsFile(path(file)).metadata("step").value_or("none");
  };
  // 5 steps an epoch, 3 epochs.
  EXPECT_EQ(train("steps", {"--save-every", "4steps"}).status, 0);
  EXPECT_EQ(stepOf("steps/last.safetensors"), "15"); // the end is saved in any case
  EXPECT_EQ(stepOf("steps/last-1.safetensors"), "12");
  EXPECT_EQ(train("epochs", {"--save-every", "2 epochs"}).status, 0);
  EXPECT_EQ(stepOf("epochs/last-1.safetensors"), "10");
  EXPECT_EQ(train("minutes", {"--save-every", "10minutes"}).status, 0);
  EXPECT_EQ(stepOf("minutes/last.safetensors"), "15");
  EXPECT_FALSE(syl::pathExists(path("minutes/last-1.safetensors")));
  EXPECT_EQ(train("always", {"--save-every", "0.00000001minutes"}).status, 0);
  EXPECT_TRUE(syl::pathExists(path("always/last-1.safetensors")));
  for (const char *run : {"steps", "minutes", "always"})
    EXPECT_EQ(readAll(path(run + std::string("/last.safetensors"))), readAll(path("epochs/last.safetensors")));
  for (const std::string bad : {"x", "0", "1.5steps", "5hours", "-1", "1e3", "1steps2", "99999999999"}) {
    Outcome outcome = train("bad", {"--save-every=" + bad});
    EXPECT_EQ(outcome.status, 1) << bad;
    EXPECT_EQ(outcome.err, "--save-every: error: found '" + bad +
                               "', expected a number and steps, epochs or minutes: 500steps, 2epochs, 10minutes\n");
  }
}

TEST_F(RunTest, KeepsTheBestOfAChosenMetric) {
  makeData(40);
  Environment metrics = {{"TOY_TRAINING", R"({"metrics": ["accuracy", "top_2"]})"}};
  EXPECT_EQ(run(folder, command("loss", {"--keep-best", "loss"}), metrics).status, 0);
  syl::SafetensorsFile file(path("loss/best.safetensors"));
  EXPECT_EQ(file.metadata("best_metric"), "loss");
  EXPECT_EQ(file.metadata("best_epoch"), "3"); // the loss falls in each epoch
  EXPECT_LT(std::stod(file.metadata("best_value").value()), 1.);
  Outcome outcome = run(folder, command("bad", {"--keep-best", "rmse"}), metrics);
  EXPECT_EQ(outcome.err, "--keep-best: error: found 'rmse', expected one of loss, accuracy, top_2\n"
                         "hint: `metrics:` of the network file says which metrics there are\n");
  outcome = run(folder, command("loss", {"--resume", "--keep-best", "top_2"}), metrics);
  EXPECT_EQ(outcome.err, "--keep-best: error: found top_2, expected loss, as the run to resume has it\n");
}

TEST_F(RunTest, ADamagedCheckpointIsRefusedAndTheOneBeforeOffered) {
  makeData(40);
  EXPECT_EQ(train("run", {"--epochs", "3"}).status, 0);
  const std::string whole = readAll(path("run/last.safetensors"));
  std::string damaged = whole;
  damaged[damaged.size() / 2] = char(damaged[damaged.size() / 2] ^ 1);
  write("run/last.safetensors", damaged);
  Outcome outcome = train("run", {"--resume"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(std::regex_search(outcome.err, std::regex("run/last.safetensors: error: found "))) << outcome.err;
  const std::string before = path("run/last-1.safetensors");
  EXPECT_NE(
      outcome.err.find("\nhint: the checkpoint before it is whole, of epoch 3, step 10: --resume --from " + before),
      std::string::npos)
      << outcome.err;
  EXPECT_EQ(readAll(path("run/last.safetensors")), damaged) << "nothing is touched";
  outcome = train("run", {"--resume", "--from", before});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(readAll(path("run/last.safetensors")), whole);
  EXPECT_EQ(train("run", {"--from", before}).err.rfind("--from: error: found no --resume", 0), 0u);
}

TEST_F(RunTest, ANewRunKeepsTheOneBefore) {
  makeData(40);
  EXPECT_EQ(train("run", {"--epochs", "1"}).status, 0);
  const std::string first = readAll(path("run/last.safetensors"));
  Outcome outcome = train("run", {"--epochs", "1", "--seed", "8"});
  EXPECT_NE(outcome.out.find("the run that was in " + path("run") + " is now in " + path("run/previous") + "\n"),
            std::string::npos)
      << outcome.out;
  EXPECT_EQ(readAll(path("run/previous/last.safetensors")), first);
  const std::string second = readAll(path("run/last.safetensors"));
  train("run", {"--epochs", "1", "--seed", "9"});
  EXPECT_EQ(readAll(path("run/previous/last.safetensors")), second);
}

TEST_F(RunTest, OneRunAtATimeInAFolder) {
  makeData(20011);
  pid_t process = start(folder, command("run", {"--epochs", "1000000"}), {});
  while (!syl::pathExists(path("run/run.json")))
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::filesystem::create_directories(path("second"));
  Outcome outcome = run(path("second"), command("run"));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, path("run") + ": error: found another run at work in this folder\n"
                                       "hint: give this run a folder of its own with --out\n");
  kill(process, SIGHUP);
  outcome = finish(folder, process);
  EXPECT_EQ(outcome.status, 128 + SIGHUP);
  EXPECT_NE(outcome.out.find("interrupted: saved "), std::string::npos);
}

TEST_F(RunTest, AnIgnoredHangupStaysIgnored) {
  makeData(2000);
  std::vector<std::string> words = command("run", {"--epochs", "40"});
  words.insert(words.begin(), "/usr/bin/nohup");
  pid_t process = start(folder, words, {});
  while (!syl::pathExists(path("run/run.json")))
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  kill(process, SIGHUP);
  EXPECT_EQ(finish(folder, process).status, 0);
}

TEST_F(RunTest, LoadsWithDifferencesOnPurpose) {
  makeData(40);
  EXPECT_EQ(train("run", {"--epochs", "1"}).status, 0);
  syl::SafetensorsFile file(path("run/last.safetensors"));
  file.load();
  syl::SafetensorsWriter writer; // as another program may have saved it
  for (const syl::TensorEntry &entry : file.tensors())
    if (entry.name.rfind("optimizer.", 0) != 0 && entry.name != "linear.bias")
      writer.add((entry.name.rfind("linear.", 0) == 0 ? "net." : "") + entry.name, *syl::safetensorsType(entry.dtype),
                 entry.shape, file.data(entry));
  float other = 1;
  writer.add("head.weight", SYL_FLOAT32, {1}, &other);
  writer.save(path("sealed"), {{"sylvite", "2"}, {"step", "5"}, {"seed", "1"}});
  auto evaluate = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {TOY_PROGRAM, "evaluate", "--data", path("data"), "--checkpoint", path("sealed")};
    words.insert(words.end(), more.begin(), more.end());
    return run(folder, words);
  };
  Outcome outcome = evaluate({});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("\n  linear.bias: found nothing, expected F32 [3]"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("\n  net.linear.weight: found F32 [3, 5], expected no such tensor"), std::string::npos);
  EXPECT_NE(evaluate({"--allow-missing"}).err.find("head.weight: found F32 [1], expected no such tensor"),
            std::string::npos);
  EXPECT_NE(evaluate({"--allow-extra"}).err.find("linear.bias: found nothing"), std::string::npos);
  outcome = evaluate({"--allow-missing", "--allow-extra", "--prefix", "net.=", "--prefix", "n=x"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.err, path("sealed") + ": the network and the file differ:\n"
                                          "  head.weight: left over, F32 [1]\n"
                                          "  linear.bias: starts anew, F32 [3]\n"
                                          "  optimizer.momentum_buffer.linear.weight: starts anew, F32 [3, 5]\n"
                                          "  optimizer.momentum_buffer.linear.bias: starts anew, F32 [3]\n");
  EXPECT_EQ(evaluate({"--prefix", "net"}).err,
            "sylvite evaluate: error: --prefix: found net, expected FROM=TO\nhint: sylvite evaluate --help\n");
  outcome = evaluate({"--allow-missing", "--allow-extra", "--prefix", "input.running_mean=linear.bias"});
  EXPECT_NE(outcome.err.find("linear.bias: found F32 [5], expected F32 [3]"), std::string::npos) << outcome.err;
  EXPECT_NE(evaluate({"--allow-missing", "--allow-extra", "--prefix", "input=a", "--prefix", "linear=b"})
                .err.find("found no tensor of toy"),
            std::string::npos);
}

TEST_F(RunTest, ACheckpointOfAnotherVersionIsRefused) {
  makeData(40);
  EXPECT_EQ(train("run", {"--epochs", "1"}).status, 0);
  syl::SafetensorsFile file(path("run/last.safetensors"));
  file.load();
  syl::SafetensorsWriter writer;
  for (const syl::TensorEntry &entry : file.tensors())
    writer.add(entry.name, *syl::safetensorsType(entry.dtype), entry.shape, file.data(entry));
  writer.save(path("run/last.safetensors"), {{"sylvite", "3"}});
  EXPECT_EQ(train("run", {"--resume"}).err,
            path("run/last.safetensors") + ": error: found a checkpoint of version '3', expected version 2\n");
}

TEST_F(RunTest, SeveralInputsTargetsAndOutputs) {
  toy::Options options;
  toy::Samples samples = toy::makeSamples(options, 40);
  for (const char *name : {"input", "shift"})
    write("data/" + std::string(name) + ".npy",
          npyBytes("<f4", "(40, 5)", bytesOf(name[0] == 'i' ? samples.input : samples.shift)));
  write("data/target.npy", npyBytes("<i4", "(40,)", bytesOf(samples.target)));
  write("data/wanted.npy", npyBytes("<f4", "(40, 3)", bytesOf(samples.wanted)));
  Environment several = {{"TOY_SEVERAL", "1"}, {"TOY_TRAINING", R"({"metrics": ["accuracy", "rmse"]})"}};
  Outcome outcome = run(folder, command("run"), several);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(std::regex_search(outcome.out, std::regex("train classes accuracy \\d+\\.\\d\\d%  train logits rmse "
                                                        "\\d\\.\\d{4}")))
      << outcome.out;
  const std::string best = path("run/best.safetensors");
  outcome = run(folder, {TOY_PROGRAM, "predict", "--data", path("data"), "--checkpoint", best, "--out", path("p.npy")},
                several);
  EXPECT_EQ(outcome.out, path("p_classes.npy") + ": float32 [40, 3]\n" + path("p_logits.npy") + ": float32 [40, 3]\n")
      << outcome.err;
  outcome = run(folder, {TOY_PROGRAM, "predict", "--data", path("data"), "--checkpoint", best}, several);
  EXPECT_EQ(outcome.out.find("classes\n     row  class  softmax\n"), 0u) << outcome.out;
  EXPECT_NE(outcome.out.find("\n\nlogits\n     row  linear\n"), std::string::npos) << outcome.out;

  const std::string five = npyBytes("<f4", "(2, 5)", bytesOf(samples.input).substr(0, 40));
  write("i.npy", five);
  write("t.npy", npyBytes("<i4", "(2,)", bytesOf(samples.target).substr(0, 8)));
  write("w.npy", npyBytes("<f4", "(2, 3)", bytesOf(samples.wanted).substr(0, 24)));
  outcome = run(folder,
                {TOY_PROGRAM, "step", "--input", "shift=" + path("i.npy"), "--input", "input=" + path("i.npy"),
                 "--target", "target=" + path("t.npy"), "--target", "wanted=" + path("w.npy"), "--dump", path("d")},
                several);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  syl::SafetensorsFile file(path("d"));
  EXPECT_TRUE(file.find("output.classes") && file.find("output.logits") && !file.find("evaluate.output.logits"));
  outcome = run(folder, {TOY_PROGRAM, "bench", "--seconds", "0", "--what", "predict"}, several);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
}

TEST_F(RunTest, EvaluatePrintsTables) {
  makeData(40);
  Environment tables = {{"TOY_TRAINING", R"({"metrics": ["accuracy", "per_class", "confusion"]})"}};
  EXPECT_EQ(run(folder, command("run"), tables).status, 0);
  Outcome outcome = run(
      folder, {TOY_PROGRAM, "evaluate", "--data", path("data"), "--checkpoint", path("run/best.safetensors")}, tables);
  EXPECT_EQ(outcome.out.find("class    samples   accuracy\n    0         10 "), 0u) << outcome.out;
  EXPECT_NE(outcome.out.find("\ntest loss "), std::string::npos);
  EXPECT_TRUE(std::regex_match(lastLine(outcome.out), std::regex("test accuracy \\d+\\.\\d\\d%"))) << outcome.out;
}

} // namespace
