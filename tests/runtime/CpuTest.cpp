// What the machine has: instruction sets, CPU limits of cgroups, and the default number of threads.
#include "runtime/core/internal.h"
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sched.h>
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

// What a fresh process takes from SYLVITE_NUM_THREADS: this program again, with only the test below.
int threadsWith(const char *value) {
  std::string self = std::filesystem::read_symlink("/proc/self/exe");
  pid_t child = fork();
  if (child == 0) {
    setenv("SYLVITE_NUM_THREADS", value, 1);
    execl(self.c_str(), self.c_str(), "--report-threads", nullptr);
    _exit(255);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

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

} // namespace

// With --report-threads the exit status is the number of threads, 200 at most.
int main(int argc, char **argv) {
  if (argc == 2 && std::string(argv[1]) == "--report-threads")
    return std::min(syl_threads(), 200);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
