// Halide kernels on a worker: heap, errors, printing and parallel loops go through the runtime's own callbacks.
#include "runtime/core/internal.h"
#include "test_blur.h"
#include "test_print.h"
#include "test_require.h"
#include <HalideBuffer.h>
#include <gtest/gtest.h>
#include <vector>

namespace {

using Buffer = Halide::Runtime::Buffer<float>;

// A worker with a heap of `bytes` bytes.
struct Worker : syl_worker {
  explicit Worker(size_t bytes) : syl_worker{} {
    memory = static_cast<char *>(std::aligned_alloc(SYL_ALIGNMENT, (bytes + 127) / 128 * 128));
    heap = heap_top = memory;
    heap_end = memory + bytes;
  }
  ~Worker() { std::free(memory); }
  char *memory;
};

Buffer ramp(int width, int height) {
  Buffer buffer(width, height);
  buffer.fill([](int x, int y) { return float(x + 100 * y); });
  return buffer;
}

TEST(Kernel, TakesTemporariesFromTheWorkersHeapAndRunsParallelLoops) {
  Worker worker(64 + 64 + 1024 * 4);
  Buffer input = ramp(17, 10), output(16, 9);
  ASSERT_EQ(test_blur(&worker, input, output), 0) << worker.message;
  for (int y = 0; y < 9; ++y)
    for (int x = 0; x < 16; ++x)
      ASSERT_EQ(output(x, y), input(x, y) + input(x + 1, y) + input(x, y + 1) + input(x + 1, y + 1));
  EXPECT_TRUE(syl_heap_is_empty(&worker));
  EXPECT_EQ(worker.failed, 0);
}

TEST(Kernel, AnEmptyHeapIsAnErrorWithAMessage) {
  Worker worker(128);
  Buffer input = ramp(17, 10), output(16, 9);
  testing::internal::CaptureStderr();
  EXPECT_NE(test_blur(&worker, input, output), 0);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(worker.failed, 1);
  EXPECT_NE(std::string(worker.message).find("Out of memory"), std::string::npos) << worker.message;
}

TEST(Kernel, AFailedRequirementReachesTheWorker) {
  Worker worker(1024);
  Buffer input = ramp(4, 4), output(4, 4);
  EXPECT_EQ(test_require(&worker, input, output), 0);
  input(2, 1) = -1;
  testing::internal::CaptureStderr();
  EXPECT_NE(test_require(&worker, input, output), 0);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_NE(std::string(worker.message).find("negative input"), std::string::npos) << worker.message;
}

TEST(Kernel, ABadBufferReachesTheWorker) {
  Worker worker(4096);
  Buffer input = ramp(4, 4), output(16, 9);
  EXPECT_NE(test_blur(&worker, input, output), 0);
  EXPECT_NE(std::string(worker.message).find("input"), std::string::npos) << worker.message;
}

TEST(Kernel, NothingIsPrinted) {
  Worker worker(1024);
  Buffer input = ramp(2, 2), output(2, 2);
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  EXPECT_EQ(test_print(&worker, input, output), 0);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

// ---- the heap itself ----

TEST(Heap, BlocksAreAlignedAndSurroundedByReadableMemory) {
  Worker worker(64 + 3 * (64 + 128));
  char *last = nullptr;
  for (size_t bytes : {1, 65, 128}) {
    char *block = static_cast<char *>(halide_malloc(&worker, bytes));
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 64, 0u);
    EXPECT_GE(block - 64, worker.heap);
    EXPECT_LE(block + bytes + 64, worker.heap_end);
    EXPECT_GT(block, last);
    std::fill_n(block, bytes, 'x');
    last = block;
  }
}

TEST(Heap, ABlockFreedBelowTheTopGoesWithThoseAbove) {
  Worker worker(4096);
  void *a = halide_malloc(&worker, 100), *b = halide_malloc(&worker, 0), *c = halide_malloc(&worker, 300);
  halide_free(&worker, b);
  void *d = halide_malloc(&worker, 10);
  EXPECT_GT(d, c);
  halide_free(&worker, d);
  EXPECT_EQ(halide_malloc(&worker, 10), d);
  halide_free(&worker, d);
  halide_free(&worker, c);
  EXPECT_FALSE(syl_heap_is_empty(&worker));
  EXPECT_EQ(halide_malloc(&worker, 1), b);
  halide_free(&worker, a);
  halide_free(&worker, b);
  EXPECT_TRUE(syl_heap_is_empty(&worker));
  halide_free(&worker, nullptr);
}

TEST(Heap, HoldsWhatItsDocumentedSizeSays) {
  Worker worker(64 + (64 + 256) + (64 + 64));
  void *a = halide_malloc(&worker, 200), *b = halide_malloc(&worker, 64);
  EXPECT_NE(a, nullptr);
  EXPECT_NE(b, nullptr);
  EXPECT_EQ(halide_malloc(&worker, 0), nullptr);
  EXPECT_EQ(halide_malloc(&worker, SIZE_MAX), nullptr);
  EXPECT_EQ(halide_malloc(&worker, SIZE_MAX / 2), nullptr);
}

TEST(Heap, WithoutAWorkerMemoryComesFromTheProcess) {
  void *block = halide_malloc(nullptr, 100);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 64, 0u);
  halide_free(nullptr, block);
  EXPECT_EQ(halide_malloc(nullptr, SIZE_MAX - 10), nullptr);
}

} // namespace
