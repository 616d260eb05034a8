// A run that is killed at any moment goes on from what is on disk and ends with the bits of one that was not: SIGKILL
// before every system call of a run with its saves, and at random moments. Layer: tests.
#include "RunFixture.h"
#include "runtime/data/File.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <dirent.h>
#include <random>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace syltest;

class KillTest : public RunTest {
protected:
  /// Runs the program under ptrace and kills it when it is about to make its `last`-th system call after the folder
  /// `watched` is there. Returns the number of system calls that it made since then.
  int killAtSystemCall(const std::vector<std::string> &words, const std::string &watched, int last) const {
    pid_t process = fork();
    if (process == 0) {
      ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      raise(SIGSTOP);
      _exit(executed(words));
    }
    int status = 0, calls = 0;
    waitpid(process, &status, 0);
    ptrace(PTRACE_SETOPTIONS, process, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    bool entering = false;
    for (int deliver = 0;;) {
      ptrace(PTRACE_SYSCALL, process, nullptr, deliver);
      if (waitpid(process, &status, 0) < 0 || WIFEXITED(status) || WIFSIGNALED(status))
        return calls;
      deliver = WIFSTOPPED(status) && WSTOPSIG(status) != (SIGTRAP | 0x80) && WSTOPSIG(status) != SIGTRAP
                    ? WSTOPSIG(status)
                    : 0;
      if (WSTOPSIG(status) != (SIGTRAP | 0x80))
        continue;
      entering = !entering;
      if (!entering || (calls == 0 && !syl::pathExists(watched)))
        continue;
      if (++calls == last)
        kill(process, SIGKILL);
    }
  }

  /// Resumes, or starts where nothing was begun; the status of that.
  Outcome goOn(const std::string &out, const std::vector<std::string> &more) const {
    std::vector<std::string> words = more;
    words.push_back("--resume");
    Outcome outcome = train(out, words);
    if (outcome.status == 1 && outcome.err.find("found no checkpoint to resume from") != std::string::npos)
      outcome = train(out, more);
    return outcome;
  }

  /// Names in a folder that are not among those of a whole run.
  std::string strangers(const std::string &out) const {
    std::string names;
    DIR *folder = opendir(path(out).c_str());
    while (dirent *entry = readdir(folder)) {
      const std::string name = entry->d_name;
      if (name[0] == '.' ? name != "." && name != ".." && name != ".lock"
                         : name.find_first_of("0123456789") != name.npos && name != "last-1.safetensors" &&
                               name.rfind("events.", 0) != 0)
        names += " " + name;
    }
    closedir(folder);
    return names;
  }

private:
  static int executed(const std::vector<std::string> &words) {
    std::vector<char *> pointers;
    for (const std::string &word : words)
      pointers.push_back(const_cast<char *>(word.c_str()));
    pointers.push_back(nullptr);
    if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
      return 126;
    execv(pointers[0], pointers.data());
    return 127;
  }
};

TEST_F(KillTest, BeforeEverySystemCall) {
  makeData(20, 8);
  const std::vector<std::string> more = {"--epochs", "2", "--save-every", "2steps", "--threads", "1"};
  ASSERT_EQ(train("whole", more).status, 0);
  const std::string last = readAll(path("whole/last.safetensors")), best = readAll(path("whole/best.safetensors"));
  int total = killAtSystemCall(command("counted", more), path("counted"), -1);
  ASSERT_GT(total, 60) << "the saves alone make more system calls";
  for (int call = 1; call <= total; ++call) {
    const std::string out = "run" + std::to_string(call);
    killAtSystemCall(command(out, more), path(out), call);
    Outcome outcome = goOn(out, more);
    ASSERT_EQ(outcome.status, 0) << "killed before system call " << call << ":\n" << outcome.err;
    ASSERT_EQ(readAll(path(out + "/last.safetensors")), last) << "killed before system call " << call;
    ASSERT_EQ(readAll(path(out + "/best.safetensors")), best) << "killed before system call " << call;
    ASSERT_EQ(strangers(out), "") << "killed before system call " << call;
  }
}

/// A new run in the folder of an old one: what is there at any moment is the old run or the new one.
TEST_F(KillTest, BeforeEverySystemCallOfAStartInAnotherRunsFolder) {
  makeData(20, 8);
  const std::vector<std::string> older = {"--epochs", "1", "--seed", "3"}, newer = {"--epochs", "1", "--seed", "4"};
  ASSERT_EQ(train("old", older).status, 0);
  ASSERT_EQ(train("new", newer).status, 0);
  const std::string oldLast = readAll(path("old/last.safetensors")), newLast = readAll(path("new/last.safetensors"));
  for (int call = 1; call <= 60; ++call) {
    const std::string out = "run" + std::to_string(call);
    ASSERT_EQ(train(out, older).status, 0);
    killAtSystemCall(command(out, newer), path(out), call);
    Outcome outcome = train(out, {"--resume"});
    ASSERT_EQ(outcome.status, 0) << "killed before system call " << call << ":\n" << outcome.err;
    const std::string now = readAll(path(out + "/last.safetensors"));
    ASSERT_TRUE(now == oldLast || now == newLast) << call;
    if (now == newLast) {
      ASSERT_EQ(readAll(path(out + "/previous/last.safetensors")), oldLast) << call;
    }
  }
}

/// SYLVITE_KILLS moments (20).
TEST_F(KillTest, AtRandomMoments) {
  const char *wanted = std::getenv("SYLVITE_KILLS");
  const int kills = wanted ? std::atoi(wanted) : 20;
  makeData(6011, 100);
  const std::vector<std::string> more = {"--epochs", "12", "--save-every", "37steps"};
  auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(train("whole", more).status, 0);
  const double whole = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  const std::string last = readAll(path("whole/last.safetensors")), best = readAll(path("whole/best.safetensors"));
  std::mt19937 random(20240607);
  int done = 0, runs = 0;
  while (done < kills) {
    const std::string out = "run" + std::to_string(runs++);
    for (int again = 0;; ++again) {
      std::vector<std::string> words = more;
      if (again)
        words.push_back("--resume");
      pid_t process = syltest::start(folder, command(out, words), {});
      std::this_thread::sleep_for(
          std::chrono::microseconds(int64_t(std::uniform_real_distribution<>(0, whole * 700)(random))));
      kill(process, SIGKILL);
      Outcome outcome = finish(folder, process);
      if (outcome.status == 0)
        break;
      if (outcome.status == 1) { // killed before it began, the time before
        ASSERT_NE(outcome.err.find("found no checkpoint to resume from"), std::string::npos) << outcome.err;
        again = -1;
        continue;
      }
      ASSERT_EQ(outcome.status, 128 + SIGKILL) << outcome.err;
      if (++done >= kills)
        break;
    }
    Outcome outcome = goOn(out, more);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    ASSERT_EQ(readAll(path(out + "/last.safetensors")), last) << "run " << runs;
    ASSERT_EQ(readAll(path(out + "/best.safetensors")), best) << "run " << runs;
    ASSERT_EQ(strangers(out), "");
  }
  std::printf("%d kills in %d runs\n", done, runs);
}

} // namespace
