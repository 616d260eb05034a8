// Who hears of warnings and errors: the callback of the thread, else, of a program, standard error. Layer: tests.
#include "Scratch.h"
#include "ToyModel.h"
#include "sylvite/train.h"

#include <thread>

namespace {

using namespace syltest;

class MessagesTest : public Scratch {
protected:
  void TearDown() override {
    syl_set_message_callback(nullptr, nullptr);
    Scratch::TearDown();
  }
  void listen() {
    syl_set_message_callback(
        [](void *self, syl_severity severity, const char *message) {
          static_cast<MessagesTest *>(self)->heard.emplace_back(severity, message);
        },
        this);
  }
  /// Status and what went to standard error.
  std::pair<int, std::string> main(std::vector<std::string> words) {
    words.insert(words.begin(), "toy");
    std::vector<char *> arguments;
    for (std::string &word : words)
      arguments.push_back(word.data());
    testing::internal::CaptureStderr();
    const int status = syl_main(model.get(), int(arguments.size()), arguments.data());
    return {status, testing::internal::GetCapturedStderr()};
  }

  toy::Model model;
  std::vector<std::pair<int, std::string>> heard;
};

using Said = std::vector<std::pair<int, std::string>>;
const std::string noVerb = "sylvite: error: found 'fly', expected one of train, evaluate, predict, step, check, bench, "
                           "reproduce, report";

TEST_F(MessagesTest, AProgramWithoutACallbackPrints) { EXPECT_EQ(main({"fly"}), std::make_pair(1, noVerb + "\n")); }

TEST_F(MessagesTest, AProgramWithACallbackDoesNot) {
  listen();
  EXPECT_EQ(main({"fly"}), std::make_pair(1, std::string()));
  EXPECT_EQ(heard, (Said{{SYL_SEVERITY_ERROR, noVerb}}));
  heard.clear();
  // An error of the core becomes one message of the program; the callback is there again after it.
  EXPECT_EQ(main({"bench", "--batch", "9"}), std::make_pair(1, std::string()));
  EXPECT_EQ(heard, (Said{{SYL_SEVERITY_ERROR, "--batch: error: found 9, expected at most 8, the compiled batch"}}));
  heard.clear();
  syl_set_threads(-1);
  EXPECT_EQ(heard.size(), 1u);
}

TEST_F(MessagesTest, CheckpointsOfAnApp) {
  toy::Block state(syl_state_bytes(model.get()));
  const std::string missing = path("no such file");
  char message[1000];
  testing::internal::CaptureStderr();
  EXPECT_EQ(syl_load_checkpoint(model.get(), state.get(), missing.c_str(), message, sizeof message), SYL_ERROR_IO);
  EXPECT_STREQ(syl_last_error(), message);
  EXPECT_NE(std::string(message).find("no such file: error: "), std::string::npos) << message;
  listen();
  EXPECT_EQ(syl_load_checkpoint(model.get(), state.get(), missing.c_str(), nullptr, 0), SYL_ERROR_IO);
  EXPECT_EQ(syl_save_checkpoint(model.get(), nullptr, missing.c_str(), nullptr, 0), SYL_ERROR_ARGUMENT);
  EXPECT_EQ(heard, (Said{{SYL_SEVERITY_ERROR, message},
                         {SYL_SEVERITY_ERROR, "syl_save_checkpoint: error: found a null pointer"}}));
  std::thread([&] { syl_load_checkpoint(model.get(), state.get(), missing.c_str(), nullptr, 0); }).join();
  EXPECT_EQ(heard.size(), 2u) << "another thread has no callback";
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// In a program of its own, which has not yet asked for the number of threads.
TEST_F(MessagesTest, WarningsOfTheCoreArePrintedByPrograms) {
  const std::string warning =
      "sylvite: warning: SYLVITE_NUM_THREADS is 'many', expected a whole number from 1; it is ignored\n";
  Outcome outcome = run(folder, {TOY_PROGRAM, "bench", "--seconds", "0"}, {{"SYLVITE_NUM_THREADS", "many"}});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, warning);
}

} // namespace
