// A step allocates nothing: this program has its own malloc, calloc, realloc, aligned_alloc, posix_memalign, memalign
// and mmap, which count. The counts hold for all threads.
#include "ToyModel.h"
#include <atomic>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// The sanitizers have their own allocator, which must stay in place.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SKIP_UNDER_SANITIZERS GTEST_SKIP() << "a sanitizer replaces the allocator"
#else
#define SKIP_UNDER_SANITIZERS static_cast<void>(0)
#endif

namespace {
std::atomic<long> allocations{0};
}

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)

extern "C" {

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

void *malloc(size_t bytes) {
  ++allocations;
  return __libc_malloc(bytes);
}
void *calloc(size_t count, size_t bytes) {
  ++allocations;
  return __libc_calloc(count, bytes);
}
void *realloc(void *memory, size_t bytes) {
  ++allocations;
  return __libc_realloc(memory, bytes);
}
void *memalign(size_t alignment, size_t bytes) {
  ++allocations;
  return __libc_memalign(alignment, bytes);
}
void *aligned_alloc(size_t alignment, size_t bytes) {
  ++allocations;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void **memory, size_t alignment, size_t bytes) {
  ++allocations;
  *memory = __libc_memalign(alignment, bytes);
  return *memory ? 0 : 12;
}
void *mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) noexcept {
  ++allocations;
  return reinterpret_cast<void *>(syscall(SYS_mmap, address, bytes, protection, flags, file, offset));
}
}

#endif

namespace {

TEST(Allocation, TheCountersCount) {
  SKIP_UNDER_SANITIZERS;
  void *volatile memory; // so that no call is optimised away
  long before = allocations;
  memory = std::malloc(10);
  std::free(memory);
  memory = std::calloc(1, 10);
  std::free(memory);
  memory = std::aligned_alloc(64, 64);
  std::free(memory);
  munmap(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
  EXPECT_EQ(allocations - before, 4);
}

TEST(Allocation, StepsInitAndCopiesAllocateNothing) {
  SKIP_UNDER_SANITIZERS;
  toy::Model model({.batch = 32, .inputShape = {20}, .slices = 8});
  toy::Block state(syl_state_bytes(model.get())), scratch(syl_scratch_bytes(model.get(), 0, 4));
  toy::Samples samples = toy::makeSamples(model.options(), 32);
  std::vector<float> output(32 * 3), weight(60);
  const syl_tensor *tensor = syl_find_tensor(model.get(), "linear.weight");
  ASSERT_EQ(syl_set_threads(4), SYL_OK);
  syl_status status = SYL_OK;
  auto all = [&] {
    auto require = [&](syl_status result) { status = status == SYL_OK ? result : status; };
    require(syl_init_state(model.get(), state.get(), 1));
    const void *const input = samples.input.data(), *const target = samples.target.data();
    void *const outputs = output.data();
    for (int i = 0; i < 50; ++i) {
      syl_result result;
      require(syl_train_step(model.get(), state.get(), scratch.get(), &input, &target, 32, nullptr, &result));
      require(syl_evaluate(model.get(), state.get(), scratch.get(), &input, &target, 31, &result));
      require(syl_predict(model.get(), state.get(), scratch.get(), &input, 30, &outputs));
    }
    require(syl_export_tensor(tensor, state.get(), 0, weight.data()));
    require(syl_import_tensor(tensor, state.get(), weight.data()));
  };
  long before = allocations;
  all(); // starts the threads
  EXPECT_GT(allocations - before, 0) << "starting threads allocates, and is counted";
  before = allocations;
  all();
  long after = allocations;
  EXPECT_EQ(status, SYL_OK) << syl_last_error();
  EXPECT_EQ(after - before, 0);
  syl_set_threads(0);
}

// An error's message needs no memory either.
TEST(Allocation, ErrorsAllocateNothing) {
  SKIP_UNDER_SANITIZERS;
  toy::Model model({.failingSlices = 2});
  toy::Block state(syl_state_bytes(model.get())), scratch(syl_scratch_bytes(model.get(), 0, 1));
  toy::Samples samples = toy::makeSamples(model.options(), 8);
  syl_init_state(model.get(), state.get(), 1);
  syl_step step = {0, 0, 1, 0};
  const void *const input = samples.input.data(), *const target = samples.target.data();
  long before = allocations;
  syl_status failed = syl_train_step(model.get(), state.get(), scratch.get(), &input, &target, 8, &step, nullptr);
  syl_status wrong = syl_train_step(model.get(), state.get(), scratch.get(), &input, &target, 99, &step, nullptr);
  long after = allocations;
  EXPECT_EQ(failed, SYL_ERROR_KERNEL);
  EXPECT_EQ(wrong, SYL_ERROR_ARGUMENT);
  EXPECT_EQ(after - before, 0);
}

} // namespace
