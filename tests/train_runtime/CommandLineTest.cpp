// The command line of the program: help, mistakes, exit statuses. Layer: tests.
#include "Scratch.h"

namespace {

using namespace syltest;

class CommandLineTest : public Scratch {
protected:
  Outcome toy(std::vector<std::string> words) const {
    words.insert(words.begin(), TOY_PROGRAM);
    return run(folder, words);
  }
};

TEST_F(CommandLineTest, EveryVerbHasHelp) {
  for (const std::string verb : {"train", "evaluate", "predict", "step", "check", "bench"}) {
    Outcome outcome = toy({verb, "--help"});
    EXPECT_EQ(outcome.status, 0);
    EXPECT_NE(outcome.out.find("Usage: sylvite " + verb + " NET.yaml [OPTIONS]"), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find("--threads"), std::string::npos);
  }
  std::string train = toy({"train", "--help"}).out;
  for (const char *option : {"--data DATA", "--epochs N", "--batch N", "--threads N", "--seed S", "--out RUN",
                             "--resume", "-q,--quiet", "fashion-mnist", "runs/toy"})
    EXPECT_NE(train.find(option), std::string::npos) << option << "\n" << train;
}

TEST_F(CommandLineTest, Mistakes) {
  auto message = [&](std::vector<std::string> words) {
    Outcome outcome = toy(words);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
  };
  EXPECT_EQ(message({}), "sylvite: error: found no verb, expected one of train, evaluate, predict, step, check, bench, "
                         "reproduce, report\n");
  EXPECT_EQ(
      message({"fly"}),
      "sylvite: error: found 'fly', expected one of train, evaluate, predict, step, check, bench, reproduce, report\n");
  EXPECT_EQ(message({"train"}), "sylvite train: error: --data is required\nhint: sylvite train --help\n");
  EXPECT_EQ(message({"check", "--fast"}),
            "sylvite check: error: The following argument was not expected: --fast\nhint: sylvite check --help\n");
  for (const char *bad : {"0", "-1", "x", "1.5", "99999999999999999999999"})
    EXPECT_EQ(message({"train", "--data", "d", "--epochs", bad}),
              "sylvite train: error: --epochs: found " + std::string(bad) +
                  ", expected a whole number from 1 to 999999999\nhint: sylvite train --help\n");
  EXPECT_EQ(message({"train", "--data", "d", "--threads", "257"}).rfind("sylvite train: error: ", 0), 0u);
  EXPECT_EQ(message({"bench", "--what", "guess"}).rfind("sylvite bench: error: --what: guess not in {", 0), 0u);
  EXPECT_EQ(message({"bench", "--batch", "9"}), "--batch: error: found 9, expected at most 8, the compiled batch\n");
  EXPECT_EQ(message({"check"}), "toy: error: found a network compiled in float32, expected float64\n");
}

} // namespace
