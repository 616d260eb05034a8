// A ring of batches between the workers and the step. Layer: runtime/train.
#include "runtime/train/Loader.h"

#include "runtime/train/Display.h"

#include <algorithm>
#include <csignal>
#include <numeric>

namespace syl {

namespace {

constexpr uint64_t ringBytes = uint64_t(64) << 20;

/// Starts a thread that gets no signals: those are for the main thread.
std::thread startQuiet(std::function<void()> body) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  struct Restore {
    sigset_t *mask;
    ~Restore() { pthread_sigmask(SIG_SETMASK, mask, nullptr); }
  } restore{&before};
  return std::thread(std::move(body));
}

} // namespace

Loader::Loader(const syl_model &model, const Part &part, int64_t rows, int32_t threads)
    : model(model), part(part), rows(uint64_t(rows)), ahead(!part.isInMemory()) {
  uint64_t one = std::max<uint64_t>(Batch::bytes(model, rows), 1);
  size_t count = ahead ? size_t(std::clamp<uint64_t>(ringBytes / one, 2, batchesAhead)) + 1 : 1; // one is in use
  for (size_t i = 0; i < count; ++i)
    slots.push_back(std::make_unique<Slot>(model, rows));
  if (!ahead)
    return;
  const size_t wantedThreads = part.isDecoded() ? size_t(std::max(threads, 1)) : 1;
  pieceRows = std::clamp<size_t>(this->rows / (2 * wantedThreads), 1, part.isDecoded() ? 8 : 64);
  try {
    for (size_t i = 0; i < wantedThreads; ++i)
      workers.push_back(startQuiet([this] { work(); }));
  } catch (const std::system_error &) {
    if (workers.empty()) {
      throw Error(SYL_ERROR_MEMORY, model.name, "cannot start a thread that reads data");
    }
  }
}

Loader::~Loader() {
  stop();
  {
    std::lock_guard lock(mutex);
    closing = true;
  }
  wanted.notify_all();
  for (std::thread &worker : workers)
    worker.join();
}

/// Drops what is not begun and waits for what is.
void Loader::stop() {
  std::unique_lock lock(mutex);
  pieces.clear();
  ready.wait(lock, [this] { return busy == 0; });
}

void Loader::start(std::vector<uint32_t> newOrder, uint64_t first, uint64_t newEnd) {
  stop();
  order = std::move(newOrder);
  given = scheduled = first;
  end = newEnd;
  seconds = 0;
  slotGiven = slotScheduled = inFlight = 0;
  for (auto &slot : slots) {
    slot->missing = 0;
    slot->error = nullptr;
  }
  if (ahead)
    schedule();
}

/// Hands out batches until the ring is full.
void Loader::schedule() {
  std::lock_guard lock(mutex);
  while (scheduled < end && inFlight + 1 < slots.size()) {
    Slot *slot = slots[slotScheduled].get();
    const uint64_t count = std::min(rows, end - scheduled);
    for (uint64_t at = 0; at < count; at += pieceRows) {
      pieces.push_back({slot, scheduled + at, size_t(std::min<uint64_t>(pieceRows, count - at)), size_t(at)});
      ++slot->missing;
    }
    scheduled += count;
    slotScheduled = (slotScheduled + 1) % slots.size();
    ++inFlight;
  }
  wanted.notify_all();
}

void Loader::work() {
  std::vector<uint32_t> counting;
  std::unique_lock lock(mutex);
  for (;;) {
    wanted.wait(lock, [this] { return closing || !pieces.empty(); });
    if (closing)
      return;
    Piece piece = pieces.front();
    pieces.pop_front();
    ++busy;
    lock.unlock();
    std::exception_ptr error;
    try {
      const uint32_t *chosen = order.empty() ? nullptr : order.data() + piece.first;
      if (!chosen) {
        counting.resize(piece.count);
        std::iota(counting.begin(), counting.end(), uint32_t(piece.first));
        chosen = counting.data();
      }
      piece.slot->batch.gather(part, chosen, piece.count, piece.at);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    --busy;
    --piece.slot->missing;
    if (error && !piece.slot->error)
      piece.slot->error = error;
    if (!piece.slot->missing || !busy)
      ready.notify_all();
  }
}

const Batch &Loader::next(uint64_t &count) {
  const Clock::time_point begin = Clock::now();
  count = std::min(rows, end - given);
  Slot *slot = slots[slotGiven].get();
  if (!ahead) {
    if (!order.empty())
      slot->batch.gather(part, order.data() + given, count);
    else
      slot->batch.range(part, int64_t(given), count);
  } else {
    {
      std::unique_lock lock(mutex);
      ready.wait(lock, [&] { return slot->missing == 0; });
    }
    slotGiven = (slotGiven + 1) % slots.size();
    --inFlight;
    if (slot->error)
      std::rethrow_exception(slot->error);
    schedule();
  }
  given += count;
  seconds += secondsSince(begin);
  return slot->batch;
}

} // namespace syl
