// The progress of a training run on standard output: a live bar on a terminal, else a plain line every few seconds.
// Layer: runtime/train.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace syl {

using Clock = std::chrono::steady_clock;

/// Seconds since `start`.
double secondsSince(Clock::time_point start);

/// Shows one epoch after the other. Not shown at all when quiet.
class Display {
public:
  Display(bool quiet, uint64_t epochs);

  /// A line of its own.
  void line(const std::string &text);
  /// Text on standard error, quiet or not.
  void warn(const std::string &text);
  /// Epoch `epoch` (from 1) starts with `done` of its `total` samples.
  void startEpoch(uint64_t epoch, uint64_t done, uint64_t total);
  /// `done` samples are trained on, with this mean loss and accuracy (-1: none) so far. Cheap: draws at most ten times
  /// a second.
  void update(uint64_t done, double loss, double accuracy = -1);
  /// Clears the bar; samples per second of what was trained on since startEpoch.
  double endTraining();

private:
  void clear();

  const bool quiet, live;
  const uint64_t epochs;
  uint64_t epoch = 0, first = 0, done = 0, total = 0;
  Clock::time_point start, drawn;
  bool onScreen = false;
};

} // namespace syl
