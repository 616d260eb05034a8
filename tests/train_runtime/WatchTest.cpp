// What a run writes down and shows: metrics.csv, event files, JSON lines, the bar on terminals of all widths. Layer:
// tests.
#include "RunFixture.h"
#include "runtime/data/File.h"
#include "runtime/train/Display.h"
#include "runtime/train/EventFile.h"
#include "runtime/train/RunLog.h"

#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <pty.h>
#include <regex>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace syltest;
using nlohmann::json;

TEST(EventFile, Crc32cOfKnownBytes) { // RFC 3720, B.4
  EXPECT_EQ(syl::crc32c("123456789", 9), 0xe3069283u);
  EXPECT_EQ(syl::crc32c(std::string(32, '\0').data(), 32), 0x8a9136aau);
  EXPECT_EQ(syl::crc32c(std::string(32, '\xff').data(), 32), 0x62a8ab43u);
}

/// The messages of an event file; fails where a length or a sum is wrong.
std::vector<std::string> messagesOf(const std::string &bytes) {
  std::vector<std::string> messages;
  auto word = [&](size_t at, size_t count) {
    uint64_t value = 0;
    std::memcpy(&value, bytes.data() + at, count);
    return value;
  };
  auto masked = [&](size_t at, size_t count) {
    uint32_t crc = syl::crc32c(bytes.data() + at, count);
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
  };
  size_t at = 0;
  while (at + 16 <= bytes.size()) {
    const size_t length = word(at, 8);
    EXPECT_LE(at + 16 + length, bytes.size());
    EXPECT_EQ(word(at + 8, 4), masked(at, 8));
    EXPECT_EQ(word(at + 12 + length, 4), masked(at + 12, length));
    messages.push_back(bytes.substr(at + 12, length));
    at += 16 + length;
  }
  EXPECT_EQ(at, bytes.size());
  return messages;
}

TEST(EventFile, BytesOfARecord) {
  // protobuf of Event{wall_time: 1.5, step: 300, summary: {value: {tag: "a", simple_value: 2}}}
  const std::string message = syl::eventScalars(1.5, 300, {{"a", 2.f}});
  EXPECT_EQ(message, std::string("\x09\0\0\0\0\0\0\xf8\x3f\x10\xac\x02\x2a\x0a\x0a\x08\x0a\x01"
                                 "a\x15\0\0\0\x40",
                                 24));
  EXPECT_EQ(messagesOf(syl::eventRecord(message) + syl::eventRecord("")), (std::vector<std::string>{message, ""}));
  EXPECT_EQ(syl::eventVersion(0), std::string("\x09\0\0\0\0\0\0\0\0\x1a\x0d"
                                              "brain.Event:2",
                                              24));
}

class WatchTest : public RunTest {
protected:
  std::vector<std::string> eventFiles(const std::string &out) const {
    std::vector<std::string> files;
    for (auto &entry : std::filesystem::directory_iterator(path(out)))
      if (entry.path().filename().string().rfind("events.out.tfevents.", 0) == 0)
        files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    return files;
  }
  std::string without(const std::string &text, const std::string &name) const {
    std::stringstream lines(text);
    std::string kept;
    for (std::string line; std::getline(lines, line);)
      kept += line.find(name) == std::string::npos ? line + "\n" : "";
    return kept;
  }
};

TEST_F(WatchTest, MetricsAndEventsOfARun) {
  makeData(40);
  Environment rate = {{"TOY_TRAINING", R"({"learning_rate": 0.5, "metrics": ["accuracy", "top_2"]})"}};
  ASSERT_EQ(run(folder, command("run", {"--epochs", "2", "--log-norms"}), rate).status, 0);
  std::map<std::string, int> count;
  for (const syl::LoggedValue &row : syl::readRunLog(path("run/metrics.csv"))) {
    ++count[row.name];
    EXPECT_TRUE(std::isfinite(row.value)) << row.name;
    EXPECT_LE(row.epoch, 2u);
    EXPECT_LE(row.step, 10u);
    if (row.name == "learning_rate") {
      EXPECT_EQ(row.value, 0.5);
    }
  }
  const std::map<std::string, int> expected = {{"train/loss", 10},
                                               {"learning_rate", 10},
                                               {"images_per_second", 10},
                                               {"train/epoch_loss", 2},
                                               {"test/loss", 2},
                                               {"test/accuracy", 2},
                                               {"test/top-2_accuracy", 2},
                                               {"norm.weight/linear.weight", 10},
                                               {"norm.weight/linear.bias", 10},
                                               {"norm.grad/linear.weight", 10},
                                               {"norm.grad/linear.bias", 10}};
  EXPECT_EQ(count, expected);
  std::vector<std::string> files = eventFiles("run");
  ASSERT_EQ(files.size(), 1u);
  std::vector<std::string> messages = messagesOf(readAll(files[0]));
  ASSERT_EQ(messages.size(), 1u + 10 + 2);
  EXPECT_NE(messages[0].find("brain.Event:2"), std::string::npos);
  EXPECT_NE(messages.back().find("test/accuracy"), std::string::npos);
}

TEST_F(WatchTest, AResumedRunHasTheRowsOfOneThatWasNotInterrupted) {
  makeData(40);
  ASSERT_EQ(train("whole", {"--epochs", "4"}).status, 0);
  ASSERT_EQ(train("parts", {"--epochs", "3", "--save-every", "2epochs"}).status, 0);
  ASSERT_EQ(train("parts", {"--resume", "--epochs", "4", "--from", path("parts/last-1.safetensors")}).status, 0);
  const char *speed = "images_per_second";
  EXPECT_EQ(without(readAll(path("parts/metrics.csv")), speed), without(readAll(path("whole/metrics.csv")), speed));
  EXPECT_EQ(eventFiles("parts").size(), 2u);
  // A file that was cut in the middle of a line.
  std::string text = readAll(path("whole/metrics.csv"));
  write("whole/metrics.csv", text.substr(0, text.size() / 2) + "\n1,2,x\n,,,\n1,2,name,word\n");
  ASSERT_EQ(train("whole", {"--resume", "--epochs", "5"}).status, 0);
  for (const syl::LoggedValue &row : syl::readRunLog(path("whole/metrics.csv")))
    EXPECT_TRUE(row.name.find('/') != std::string::npos || row.name == speed) << row.name;
}

TEST_F(WatchTest, JsonLines) {
  makeData(40);
  Outcome outcome = train("run", {"--json", "--epochs", "2"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  std::vector<json> events;
  std::stringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);)
    events.push_back(json::parse(line));
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0]["event"], "start");
  EXPECT_EQ(events[0]["samples"], 40);
  EXPECT_EQ(events[1]["event"], "epoch");
  EXPECT_EQ(events[1]["epoch"], 1);
  EXPECT_GT(events[1]["test_loss"].get<double>(), 0);
  EXPECT_GE(events[2]["test accuracy"].get<double>(), 0);
  EXPECT_EQ(events[3]["event"], "end");
  EXPECT_EQ(events[3]["result"].get<std::string>().rfind("test accuracy ", 0), 0u);
  EXPECT_EQ(train("run", {"--json", "--epochs", "3", "--resume"}).out.rfind("{\"event\": \"resume\"", 0), 0u);
}

TEST(ProgressLine, FitsEveryWidth) {
  const std::string whole = syl::progressLine(3, 10, 0.5, 12345, 0.25, 0.91, 65, 200, true);
  EXPECT_EQ(whole, "epoch 3/10 [" + std::string(20, '=') + std::string(20, ' ') +
                       "]  50%  12345 images/s  loss 0.2500  accuracy 91.00%  1:05 left");
  for (size_t width = 1; width < 200; ++width)
    for (bool bar : {false, true}) {
      const std::string line = syl::progressLine(3, 10, 0.5, 12345, 0.25, 0.91, 65, width, bar);
      EXPECT_LE(line.size(), width);
      EXPECT_EQ(line.substr(0, 10), std::string("epoch 3/10").substr(0, width));
    }
  EXPECT_EQ(syl::progressLine(3, 10, 0.5, 12345, 0.25, -1, 65, 27, true), "epoch 3/10  50%  1:05 left");
  EXPECT_NE(syl::progressLine(1, 1, 0, 0, NAN, -1, INFINITY, 100, true).find("? left"), std::string::npos);
}

/// The output of a run on a terminal of `columns` columns.
std::string onTerminal(const std::vector<std::string> &words, unsigned short columns) {
  winsize size{24, columns, 0, 0};
  int terminal;
  pid_t process = forkpty(&terminal, nullptr, nullptr, &size);
  if (process == 0) {
    std::vector<char *> pointers;
    for (const std::string &word : words)
      pointers.push_back(const_cast<char *>(word.c_str()));
    pointers.push_back(nullptr);
    execv(pointers[0], pointers.data());
    _exit(127);
  }
  std::string text;
  char part[4096];
  for (ssize_t got; (got = read(terminal, part, sizeof part)) > 0;)
    text.append(part, size_t(got));
  close(terminal);
  waitpid(process, nullptr, 0);
  return text;
}

TEST_F(WatchTest, TheBarStaysOnItsLine) {
  makeData(600000);
  for (unsigned short columns : {12, 80}) {
    std::string text = onTerminal(command("run" + std::to_string(columns), {"--epochs", "1"}), columns);
    size_t bars = 0;
    for (size_t at = 0; (at = text.find("\repoch ", at)) != std::string::npos; ++at) {
      const size_t end = text.find("\033[K", at);
      ASSERT_NE(end, std::string::npos);
      ++bars;
      EXPECT_LT(end - at - 1, columns) << text.substr(at, end - at);
    }
    EXPECT_GT(bars, 0u);
    EXPECT_NE(text.find("\r\033[Kepoch 1/1  train loss "), std::string::npos)
        << "an epoch's line takes the bar's place";
  }
}

TEST_F(WatchTest, ARunIsReproducedToTheBit) {
  makeData(40);
  ASSERT_EQ(train("run", {"--epochs", "3", "--seed", "4", "--threads", "2", "--keep-best", "loss"}).status, 0);
  Outcome outcome = run(folder, {TOY_PROGRAM, "reproduce", path("run"), "--threads", "1"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("\nreproduced: 6 tensors are equal to the bit at step 15\n"), std::string::npos)
      << outcome.out;
  EXPECT_EQ(readAll(path("run/reproduced/last.safetensors")), readAll(path("run/last.safetensors")));
  // Stopped in the middle of an epoch.
  ASSERT_EQ(train("half", {"--epochs", "2", "--save-every", "3steps"}).status, 0);
  std::filesystem::rename(path("half/last-1.safetensors"), path("half/last.safetensors"));
  outcome = run(folder, {TOY_PROGRAM, "reproduce", path("half"), "--out", path("again"), "-q"});
  EXPECT_NE(outcome.out.find("reproduced: 6 tensors are equal to the bit at step 9\n"), std::string::npos)
      << outcome.out << outcome.err;
  // Other data give other bits.
  makeData(40, 31);
  toy::Samples samples = toy::makeSamples({}, 40, 9);
  write("data/X.npy", npyBytes("<f4", "(40, 5)", bytesOf(samples.input)));
  outcome = run(folder, {TOY_PROGRAM, "reproduce", path("run")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.out.find("not reproduced: "), std::string::npos) << outcome.out;
  outcome = run(folder, {TOY_PROGRAM, "reproduce", path("data")});
  EXPECT_EQ(outcome.err, path("data/run.json") + ": error: found no record of a run\n"
                                                 "hint: reproduce takes a folder that train made\n");
  write("run/run.json", "{\"network\": 3}");
  EXPECT_NE(run(folder, {TOY_PROGRAM, "reproduce", path("run")}).err.find("found what is no record of a run: "),
            std::string::npos);
}

TEST_F(WatchTest, TheReportHoldsEverything) {
  toy::Options options;
  options.inputShape = {8, 8, 1};
  Environment images = {{"TOY_SHAPE", "8,8,1"}, {"TOY_TRAINING", R"({"learning_rate": 0.5, "metrics": ["accuracy"]})"}};
  for (const char *end : {"", "_test"}) {
    toy::Samples samples = toy::makeSamples(options, 40);
    write(std::string("data/X") + end + ".npy", npyBytes("<f4", "(40, 8, 8, 1)", bytesOf(samples.input)));
    write(std::string("data/Y") + end + ".npy", npyBytes("<i4", "(40,)", bytesOf(samples.target)));
  }
  ASSERT_EQ(run(folder, command("run", {"--epochs", "2", "--log-norms"}), images).status, 0);
  Outcome outcome = run(folder, {TOY_PROGRAM, "report", path("run")}, images);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const std::string page = readAll(path("run/report.html"));
  for (const char *text :
       {"<h2>Curves</h2>", ">test/accuracy</text>", ">learning rate</text>", "norms of linear.weight",
        "<h2>Confusion</h2>", "<h2>First samples</h2>", "data:image/png;base64,iVBORw0KGgo", "linear.forward+grad",
        "prefers-color-scheme: dark", "name=\"viewport\"", "</html>"})
    EXPECT_NE(page.find(text), std::string::npos) << text;
  for (const char *outside : {"http://", "https://", "<script", "<link", "@import", "url("})
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
  EXPECT_EQ(std::count(page.begin(), page.end(), '<'), std::count(page.begin(), page.end(), '>'));
  EXPECT_EQ(run(folder, {TOY_PROGRAM, "report", path("run"), "--out", path("page.html")}, images).status, 0);
  EXPECT_EQ(readAll(path("page.html")).substr(0, 15), "<!doctype html>");
  outcome = run(folder, {TOY_PROGRAM, "report", path("data")}, images);
  EXPECT_EQ(outcome.err, path("data/run.json") + ": error: found no record of a run\n"
                                                 "hint: report takes a folder that train made\n");
}

TEST_F(WatchTest, AFullDiskIsAWarningAndTheRunGoesOn) {
  makeData(40);
  std::filesystem::create_directories(path("run"));
  // Files of at most 3 kB: checkpoints do not fit, the records of the run do.
  std::vector<std::string> words = {"/bin/bash", "-c", "trap '' XFSZ; ulimit -f 3; exec \"$0\" \"$@\""};
  for (const std::string &word : command("run", {"--epochs", "200", "--save-every", "100epochs"}))
    words.push_back(word);
  Outcome outcome = run(folder, words);
  EXPECT_EQ(outcome.status, 0) << outcome.err; // the checkpoint of the toy fits
  EXPECT_NE(outcome.err.find("metrics.csv: warning: cannot write the file: File too large\nhint: the run goes on\n"),
            std::string::npos)
      << outcome.err;
}

} // namespace
