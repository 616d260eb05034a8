// Failing the Nth allocation and the Nth call of the operating system, for every N, in init, step, save, load, reading
// data and whole runs: an error with a message or success, no leak, the state unchanged, the old checkpoint intact.
// This program has its own malloc and its own open, read, write and so on, which fail on demand. Layer: tests.
#include "RunFixture.h"
#include "runtime/data/DataSet.h"
#include "runtime/data/Json.h"
#include "runtime/train/Checkpoint.h"
#include "runtime/train/Loop.h"
#include "runtime/train/Session.h"
#include "sylvite/train.h"

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <new>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

namespace {

enum class Fault { None, Allocation, AllAllocations, Io, Short };

/// What fails, counted from 1 since arm(); for this thread's calls, so that gtest's own are not hit between.
struct {
  std::atomic<Fault> kind{Fault::None};
  std::atomic<int> error{0};
  std::atomic<long> at{0}, allocations{0}, calls{0}, live{0};
} faults;

bool allocationFails() {
  const Fault kind = faults.kind;
  if (kind == Fault::None)
    return false;
  const long number = ++faults.allocations;
  return (kind == Fault::Allocation && number == faults.at) || (kind == Fault::AllAllocations && number >= faults.at);
}

/// Whether this call fails, with errno set.
bool callFails() {
  if (faults.kind == Fault::None)
    return false;
  if (++faults.calls != faults.at || faults.kind != Fault::Io)
    return false;
  errno = faults.error;
  return true;
}

/// Bytes that a transfer of `count` bytes is cut to.
size_t transferred(size_t count) {
  return faults.kind == Fault::Short && faults.calls == faults.at && count > 1 ? count / 2 : count;
}

} // namespace

#ifndef SANITIZED
extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

void *malloc(size_t bytes) {
  if (allocationFails())
    return errno = ENOMEM, nullptr;
  ++faults.live;
  return __libc_malloc(bytes);
}
void *calloc(size_t count, size_t bytes) {
  if (allocationFails())
    return errno = ENOMEM, nullptr;
  ++faults.live;
  return __libc_calloc(count, bytes);
}
void *realloc(void *memory, size_t bytes) {
  if (allocationFails())
    return errno = ENOMEM, nullptr;
  faults.live += memory == nullptr;
  return __libc_realloc(memory, bytes);
}
void *memalign(size_t alignment, size_t bytes) {
  if (allocationFails())
    return errno = ENOMEM, nullptr;
  ++faults.live;
  return __libc_memalign(alignment, bytes);
}
void *aligned_alloc(size_t alignment, size_t bytes) { return memalign(alignment, bytes); }
int posix_memalign(void **memory, size_t alignment, size_t bytes) {
  void *got = memalign(alignment, bytes);
  if (!got)
    return ENOMEM;
  *memory = got;
  return 0;
}
void free(void *memory) {
  faults.live -= memory != nullptr;
  __libc_free(memory);
}
}
#endif

extern "C" {
int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = va_arg(more, mode_t);
  va_end(more);
  return callFails() ? -1 : int(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}
ssize_t read(int file, void *to, size_t count) {
  return callFails() ? -1 : syscall(SYS_read, file, to, transferred(count));
}
ssize_t pread(int file, void *to, size_t count, off_t at) {
  return callFails() ? -1 : syscall(SYS_pread64, file, to, transferred(count), at);
}
ssize_t write(int file, const void *from, size_t count) {
  return callFails() ? -1 : syscall(SYS_write, file, from, transferred(count));
}
int fsync(int file) { return callFails() ? -1 : int(syscall(SYS_fsync, file)); }
int close(int file) { // a file is closed even where this fails
  const bool fails = callFails();
  const int error = errno, status = int(syscall(SYS_close, file));
  if (fails)
    errno = error;
  return fails ? -1 : status;
}
int rename(const char *from, const char *to) noexcept { return callFails() ? -1 : int(syscall(SYS_rename, from, to)); }
int link(const char *from, const char *to) noexcept { return callFails() ? -1 : int(syscall(SYS_link, from, to)); }
int mkdir(const char *path, mode_t mode) noexcept { return callFails() ? -1 : int(syscall(SYS_mkdir, path, mode)); }
int fstat(int file, struct stat *to) noexcept { return callFails() ? -1 : int(syscall(SYS_fstat, file, to)); }
}

namespace {

using namespace syltest;

struct Plan {
  Fault kind;
  int error;
  const char *name;
};
const Plan plans[] = {{Fault::Allocation, 0, "one allocation"},
                      {Fault::AllAllocations, 0, "all allocations"},
                      {Fault::Io, EIO, "EIO"},
                      {Fault::Io, ENOSPC, "ENOSPC"},
                      {Fault::Io, EINTR, "EINTR"},
                      {Fault::Short, 0, "short"}};

void arm(const Plan &plan, long at) {
  faults.allocations = faults.calls = 0;
  faults.at = at;
  faults.error = plan.error;
  faults.kind = plan.kind;
}
void disarm() { faults.kind = Fault::None; }

int openFiles() {
  int count = 0;
  DIR *folder = opendir("/proc/self/fd");
  while (readdir(folder))
    ++count;
  closedir(folder);
  return count;
}

class FaultTest : public RunTest {
protected:
  void SetUp() override {
#ifdef SANITIZED
    GTEST_SKIP() << "a sanitizer replaces the allocator";
#endif
    RunTest::SetUp();
  }

  /// Runs `body` with the fault at call 1, 2, … until a call is no longer reached. `body` returns whether it succeeded;
  /// `after` looks at what it left, without faults. Returns how often it failed.
  bool countLeaks = true;
  long stride = 1; ///< from one call that fails to the next that is tried
  template <class Body, class After> int forEveryCall(const Plan &plan, Body body, After after) {
    int failures = 0;
    for (long at = 1;; at += stride) {
      SCOPED_TRACE(syl::format("%s, call %ld", plan.name, at));
      const int files = openFiles();
      const long live = faults.live;
      arm(plan, at);
      const bool ok = body();
      const long reached = plan.kind == Fault::Allocation || plan.kind == Fault::AllAllocations
                               ? faults.allocations.load()
                               : faults.calls.load();
      disarm();
      if (countLeaks) {
        EXPECT_EQ(faults.live, live) << "a leak";
      }
      EXPECT_EQ(openFiles(), files) << "a file was left open";
      failures += !ok;
      after(ok);
      if (reached < at) {
        EXPECT_TRUE(ok) << "nothing failed";
        return failures;
      }
      if (HasFailure())
        return failures;
    }
    return failures;
  }
};

struct Blocks {
  explicit Blocks(const toy::Model &model)
      : state(syl_state_bytes(model.get())), scratch(syl_scratch_bytes(model.get(), 0, 2)) {}
  std::string bytes() const { return std::string(static_cast<const char *>(state.get()), state.size()); }
  toy::Block state, scratch;
};

TEST_F(FaultTest, InitAndSteps) {
  toy::Model model;
  Blocks blocks(model);
  toy::Samples samples = toy::makeSamples(model.options(), 8);
  const void *input = samples.input.data(), *target = samples.target.data();
  countLeaks = false; // the threads that are started keep what they have
  for (const Plan &plan : plans) {
    int failures = forEveryCall(
        plan,
        [&] {
          syl_step step = {0, 0, 2, 1};
          return syl_init_state(model.get(), blocks.state.get(), 1) == SYL_OK &&
                 syl_train_step(model.get(), blocks.state.get(), blocks.scratch.get(), &input, &target, 8, &step,
                                nullptr) == SYL_OK;
        },
        [](bool) {});
    EXPECT_EQ(failures, 0) << "where no thread can be had, fewer do"; // nothing else is allocated
  }
}

TEST_F(FaultTest, SaveLeavesTheOldFileOrTheNewOne) {
  toy::Model model;
  Blocks older(model), newer(model), read(model);
  ASSERT_EQ(syl_init_state(model.get(), older.state.get(), 1), SYL_OK);
  ASSERT_EQ(syl_init_state(model.get(), newer.state.get(), 2), SYL_OK);
  const std::string file = path("c.safetensors");
  for (const Plan &plan : plans) {
    char message[300];
    int failures = forEveryCall(
        plan,
        [&] {
          message[0] = 0;
          return syl_save_checkpoint(model.get(), newer.state.get(), file.c_str(), message, sizeof message) == SYL_OK;
        },
        [&](bool ok) {
          EXPECT_EQ(message[0] == 0, ok) << message;
          ASSERT_EQ(syl_load_checkpoint(model.get(), read.state.get(), file.c_str(), message, sizeof message),
                    plan.kind == Fault::None || std::filesystem::exists(file) ? SYL_OK : SYL_ERROR_IO)
              << message;
          if (ok) {
            EXPECT_EQ(read.bytes(), newer.bytes());
          } else if (std::filesystem::exists(file)) {
            EXPECT_TRUE(read.bytes() == older.bytes() || read.bytes() == newer.bytes());
          }
          int files = 0;
          for (auto &entry : std::filesystem::directory_iterator(folder))
            files += entry.path().filename() != "c.safetensors";
          EXPECT_EQ(files, 0) << "a temporary file was left";
          ASSERT_EQ(syl_save_checkpoint(model.get(), older.state.get(), file.c_str(), message, sizeof message), SYL_OK);
        });
    if (plan.kind == Fault::Short) {
      EXPECT_EQ(failures, 0) << "the rest is written";
    } else if (plan.error != EINTR) {
      EXPECT_GT(failures, 5) << plan.name;
    }
  }
}

TEST_F(FaultTest, LoadLeavesTheStateUnchanged) {
  toy::Model model;
  Blocks saved(model), other(model);
  char message[300];
  ASSERT_EQ(syl_init_state(model.get(), saved.state.get(), 1), SYL_OK);
  const std::string file = path("c.safetensors");
  ASSERT_EQ(syl_save_checkpoint(model.get(), saved.state.get(), file.c_str(), message, sizeof message), SYL_OK);
  for (const Plan &plan : plans) {
    ASSERT_EQ(syl_init_state(model.get(), other.state.get(), 2), SYL_OK);
    const std::string before = other.bytes();
    int failures = forEveryCall(
        plan,
        [&] {
          message[0] = 0;
          return syl_load_checkpoint(model.get(), other.state.get(), file.c_str(), message, sizeof message) == SYL_OK;
        },
        [&](bool ok) {
          EXPECT_EQ(message[0] == 0, ok) << message;
          EXPECT_EQ(other.bytes() == before, !ok);
          ASSERT_EQ(syl_init_state(model.get(), other.state.get(), 2), SYL_OK);
        });
    if (plan.kind == Fault::Short) {
      EXPECT_EQ(failures, 0) << "the rest is read";
    } else if (plan.error != EINTR) {
      EXPECT_GT(failures, 2) << plan.name;
    }
  }
}

TEST_F(FaultTest, ReadingDataEndsWithAnError) {
  makeData(20);
  toy::Model model;
  for (const Plan &plan : plans) {
    std::string message;
    int failures = forEveryCall(
        plan,
        [&] {
          try {
            return syl::readDataSet(path("data"), *model.get(), syl::Parts::All).train.count() == 20;
          } catch (const syl::Error &error) {
            disarm();
            EXPECT_NE(std::string(error.what()).find(": error: "), std::string::npos);
          } catch (const std::bad_alloc &) {
          }
          return false;
        },
        [](bool) {});
    if (plan.kind == Fault::Short) {
      EXPECT_EQ(failures, 0);
    } else if (plan.error != EINTR) {
      EXPECT_GT(failures, 2) << plan.name;
    }
  }
}

TEST_F(FaultTest, Json) {
  const std::string text =
      R"({"a": [1, 2, [3, {"b": "a text that is longer than a string holds by itself"}]], "c": {}})";
  for (const Plan &plan : {plans[0], plans[1]})
    EXPECT_GT(forEveryCall(
                  plan,
                  [&] {
                    try {
                      return syl::Json::parse(text).dump() == text;
                    } catch (const std::bad_alloc &) {
                      return false;
                    }
                  },
                  [](bool) {}),
              10);
}

/// A whole run in this process: its status, -1 for an exception.
int trained(const syl_model &model, const syl::TrainOptions &options) {
  try {
    return syl::trainLoop(model, options);
  } catch (const std::exception &) {
    return -1;
  }
}

TEST_F(FaultTest, ARunEndsOrGoesOnAndIsResumedToTheBit) {
  makeData(20, 8);
  toy::Model model;
  syl::TrainOptions options;
  options.data = path("data");
  options.epochs = 2;
  options.quiet = true;
  options.threads = 1;
  options.saveEvery = "2steps";
  options.out = path("whole");
  const std::string names[] = {"last.safetensors", "best.safetensors"};
  testing::internal::CaptureStdout();
  ASSERT_EQ(trained(*model.get(), options), 0);
  std::string whole[2];
  for (int i = 0; i < 2; ++i)
    whole[i] = readAll(path("whole/") + names[i]);
  int goneOn = 0;
  for (const Plan &plan : plans) {
    int number = 0;
    // A run makes thousands of allocations: the long test fails each, the suite some of all parts.
    const bool allocations = plan.kind == Fault::Allocation || plan.kind == Fault::AllAllocations;
    stride = allocations && !std::getenv("SYLVITE_LONG") ? 61 : 1;
    testing::internal::CaptureStderr();
    options.out = path("run");
    forEveryCall(
        plan, [&] { return trained(*model.get(), options) == 0; },
        [&](bool ok) {
          syl::TrainOptions again = options;
          again.resume = true;
          if (!ok && trained(*model.get(), again) != 0) { // it had not begun
            ASSERT_EQ(trained(*model.get(), options), 0);
          }
          goneOn += ok;
          for (int i = 0; i < 2; ++i)
            ASSERT_EQ(readAll(path("run/") + names[i]), whole[i]);
          std::filesystem::remove_all(path("run"));
          ++number;
        });
    testing::internal::GetCapturedStderr();
    EXPECT_GT(number, 20) << plan.name;
  }
  EXPECT_GT(goneOn, 20);
  testing::internal::GetCapturedStdout();
  std::filesystem::remove_all(path("whole"));
}

} // namespace
