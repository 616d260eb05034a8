// The batches of an epoch in their order, filled ahead of the step by worker threads where reading takes time.
// Layer: runtime/train.
#pragma once

#include "runtime/train/Batch.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace syl {

/// Gives batch after batch. Parts in memory are copied (or used in place) when the batch is asked for. Of all others
/// worker threads read up to `batchesAhead` batches ahead: one thread for plain files, as many as the step has where
/// rows are decoded. What is given depends on the order alone, not on threads. For one thread at a time.
class Loader {
public:
  static constexpr size_t batchesAhead = 4;

  /// Batches of `rows` samples of `part`, which must outlive the loader.
  Loader(const syl_model &model, const Part &part, int64_t rows, int32_t threads);
  ~Loader();
  Loader(const Loader &) = delete;
  Loader &operator=(const Loader &) = delete;

  /// Starts at position `first` of `order` (empty: the samples as they come), up to position `end`.
  void start(std::vector<uint32_t> order, uint64_t first, uint64_t end);
  /// The next batch, valid until the next call; its samples are in `count`. Throws the Error of a sample that cannot
  /// be read.
  const Batch &next(uint64_t &count);
  /// Seconds that next() took since start().
  double waited() const { return seconds; }

private:
  /// One batch on its way.
  struct Slot {
    Slot(const syl_model &model, int64_t rows) : batch(model, rows) {}
    Batch batch;
    size_t missing = 0; // pieces that are not read yet
    std::exception_ptr error;
  };
  /// Rows of one batch that one worker reads at a time.
  struct Piece {
    Slot *slot;
    uint64_t first;
    size_t count, at;
  };

  void stop();
  void work();
  void schedule();

  const syl_model &model;
  const Part &part;
  const uint64_t rows;
  const bool ahead;
  std::vector<uint32_t> order;
  uint64_t given = 0, scheduled = 0, end = 0; // positions
  double seconds = 0;
  std::vector<std::unique_ptr<Slot>> slots; // a ring
  size_t slotGiven = 0, slotScheduled = 0, inFlight = 0;
  size_t pieceRows = 1;

  std::mutex mutex;
  std::condition_variable wanted, ready;
  std::deque<Piece> pieces;
  size_t busy = 0;
  bool closing = false;
  std::vector<std::thread> workers;
};

} // namespace syl
