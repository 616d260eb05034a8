// What the machine has: instruction sets, CPU limits of cgroups, and the default number of threads.
#include "Training.h"
#include "runtime/core/internal.h"
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

// A folder of files that stands for /sys/fs/cgroup, and a file that stands for /proc/self/cgroup.
class Cgroup : public testing::Test {
protected:
  void SetUp() override {
    char name[] = "/tmp/sylvite-cgroup-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    root = name;
  }
  void TearDown() override { std::filesystem::remove_all(root); }

  void write(const std::string &path, const std::string &text) {
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
  }
  int32_t limit(const std::string &processes) {
    write("self", processes);
    return syl_cgroup_cpu_limit((root / "self").c_str(), root.c_str());
  }

  std::filesystem::path root;
};

TEST_F(Cgroup, NoFileIsNoLimit) { EXPECT_EQ(syl_cgroup_cpu_limit("/does/not/exist", root.c_str()), 0); }

TEST_F(Cgroup, Version2) {
  write("cpu.max", "max 100000\n");
  EXPECT_EQ(limit("0::/\n"), 0);
  write("cpu.max", "200000 100000\n");
  EXPECT_EQ(limit("0::/\n"), 2);
  write("cpu.max", "150000 100000\n");
  EXPECT_EQ(limit("0::/\n"), 2) << "rounded up";
  write("cpu.max", "50000 100000\n");
  EXPECT_EQ(limit("0::/\n"), 1);
}

TEST_F(Cgroup, Version2TakesTheSmallestOfTheAncestors) {
  write("a/cpu.max", "300000 100000\n");
  write("a/b/cpu.max", "max 100000\n");
  write("a/b/c/cpu.max", "800000 100000\n");
  EXPECT_EQ(limit("0::/a/b/c\n"), 3);
  EXPECT_EQ(limit("0::/a/b\n"), 3);
  EXPECT_EQ(limit("0::/not/here\n"), 0);
}

TEST_F(Cgroup, Version1) {
  write("cpu,cpuacct/docker/x/cpu.cfs_quota_us", "400000\n");
  write("cpu,cpuacct/docker/x/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limit("12:cpuset:/docker/x\n11:cpu,cpuacct:/docker/x\n0::/\n"), 4);
  write("cpu,cpuacct/docker/x/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(limit("11:cpu,cpuacct:/docker/x\n"), 0);
  write("cpu/cpu.cfs_quota_us", "500000\n");
  write("cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limit("4:cpuacct,cpu:/on/the/host/only\n"), 5) << "in a container the mount point is the cgroup";
  EXPECT_EQ(limit("3:cpuacct:/\n2:cpuset:/\n"), 0);
}

TEST_F(Cgroup, NonsenseIsNoLimit) {
  write("cpu.max", "many\n");
  EXPECT_EQ(limit("0::/\n"), 0);
  write("cpu.max", "100000 0\n");
  EXPECT_EQ(limit("0::/\n"), 0);
  EXPECT_EQ(limit("no colons here\n:\n::\n"), 0);
  EXPECT_EQ(limit("0::/" + std::string(20000, 'x') + "\n"), 0);
}

TEST(Cpu, AffinityBoundsTheCount) {
  cpu_set_t set;
  ASSERT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  EXPECT_GE(syl_cpu_count(), 1);
  EXPECT_LE(syl_cpu_count(), CPU_COUNT(&set));
}

TEST(Cpu, FeaturesAgreeWithTheCompilersDetection) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512vl");
  EXPECT_EQ((syl_cpu_features() & SYL_CPU_AVX2_FMA) != 0, avx2);
  EXPECT_EQ((syl_cpu_features() & SYL_CPU_AVX512) != 0, avx512);
#else
  EXPECT_EQ(syl_cpu_features(), 0u);
#endif
}

// The exit status of this program, started again with an argument and a value of SYLVITE_NUM_THREADS (null: none),
// bound to some of the CPUs that it has (0: all).
int again(const char *argument, const char *value, int cpus = 0) {
  std::string self = std::filesystem::read_symlink("/proc/self/exe");
  pid_t child = fork();
  if (child == 0) {
    value ? setenv("SYLVITE_NUM_THREADS", value, 1) : unsetenv("SYLVITE_NUM_THREADS");
    cpu_set_t all, some;
    CPU_ZERO(&some);
    sched_getaffinity(0, sizeof all, &all);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&some) < cpus; ++cpu)
      if (CPU_ISSET(cpu, &all))
        CPU_SET(cpu, &some);
    if (cpus)
      sched_setaffinity(0, sizeof some, &some);
    execl(self.c_str(), self.c_str(), argument, nullptr);
    _exit(255);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int threadsWith(const char *value) { return again("--report-threads", value); }

TEST(Cpu, DefaultThreadsComeFromTheEnvironment) {
  const int cpus = std::min(syl_cpu_count(), 200);
  EXPECT_EQ(threadsWith("3"), 3);
  EXPECT_EQ(threadsWith("0"), cpus);
  EXPECT_EQ(threadsWith(""), cpus);
  EXPECT_EQ(threadsWith("two"), cpus);
  EXPECT_EQ(threadsWith("2x"), cpus);
  EXPECT_EQ(threadsWith("-4"), cpus);
  EXPECT_EQ(threadsWith("99999999999999999999"), 200);
}

TEST(Cpu, DefaultThreadsFollowTheAffinityMask) {
  cpu_set_t set;
  ASSERT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  EXPECT_EQ(again("--report-threads", nullptr, 1), 1);
  if (CPU_COUNT(&set) >= 2) {
    EXPECT_EQ(again("--report-threads", nullptr, 2), std::min(syl_cpu_count(), 2));
  }
  EXPECT_EQ(again("--report-threads", "3", 1), 3) << "the environment goes before it";
}

TEST(Cpu, AValueThatIsIgnoredIsWarnedOf) {
  for (const char *bad : {"0", "two", "2x", "-4"})
    EXPECT_EQ(again("--report-warning", bad), 1) << bad;
  for (const char *good : {"3", ""})
    EXPECT_EQ(again("--report-warning", good), 0) << good;
}

TEST(Cpu, ThreadsThatTheSystemRefusesAreWarnedOfOnce) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer needs all addresses";
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "a sanitizer needs all addresses";
#endif
#endif
  EXPECT_EQ(again("--without-threads", nullptr), 0);
}

} // namespace

// Two steps on four threads where there is no room for a thread's stack: bits of one thread, one warning.
static int stepWithoutThreads() {
  static std::string heard;
  syl_set_message_callback([](void *, syl_severity, const char *message) { heard += message + std::string("\n"); },
                           nullptr);
  Training run, reference;
  reference.train(2, 1);
  std::ifstream file("/proc/self/statm");
  rlim_t pages = 0;
  file >> pages;
  const rlim_t bytes = pages * rlim_t(sysconf(_SC_PAGESIZE)) + (4 << 20);
  const rlimit limit = {bytes, bytes};
  if (setrlimit(RLIMIT_AS, &limit) != 0)
    return 2;
  run.train(2, 4);
  if (heard != "the system refuses to start threads: 1 of 4 are used\n")
    return 3;
  return run.bytes() == reference.bytes() ? 0 : 4;
}

// With --report-threads the exit status is the number of threads, 200 at most; with --report-warning whether there was
// a warning that names the variable; with --without-threads 0 where all went well.
int main(int argc, char **argv) {
  const std::string argument = argc == 2 ? argv[1] : "";
  if (argument == "--report-threads")
    return std::min(syl_threads(), 200);
  if (argument == "--report-warning") {
    static int warned;
    syl_set_message_callback(
        [](void *, syl_severity severity, const char *message) {
          warned += severity == SYL_SEVERITY_WARNING && std::string(message).find("SYLVITE_NUM_THREADS is '") == 0;
        },
        nullptr);
    syl_threads();
    syl_threads();
    return warned;
  }
  if (argument == "--without-threads")
    return stepWithoutThreads();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
