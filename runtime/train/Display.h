// The progress of a training run on standard output: a live bar on a terminal, else a plain line every few seconds; or
// JSON, one object a line. Layer: runtime/train.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace syl {

using Clock = std::chrono::steady_clock;

/// Seconds since `start`.
double secondsSince(Clock::time_point start);

/// Names and values, which are JSON, of an event.
using EventFields = std::vector<std::pair<std::string, std::string>>;

/// Shows one epoch after the other. What a person reads is not shown when quiet or where JSON is asked for.
class Display {
public:
  enum class Mode { Text, Quiet, Json };
  Display(Mode mode, uint64_t epochs);

  /// A line of its own.
  void line(const std::string &text);
  /// A warning, quiet or not: tell().
  void warn(const std::string &text);
  /// A line of JSON, where that is asked for: {"event": NAME, …}.
  void event(const std::string &name, const EventFields &fields) const;
  /// Epoch `epoch` (from 1) starts with `done` of its `total` samples.
  void startEpoch(uint64_t epoch, uint64_t done, uint64_t total);
  /// `done` samples are trained on, with this mean loss and accuracy (-1: none) so far. Cheap: draws at most ten times
  /// a second.
  void update(uint64_t done, double loss, double accuracy = -1);
  /// Clears the bar; samples per second of what was trained on since startEpoch.
  double endTraining();

private:
  void clear();

  const Mode mode;
  const bool live;
  const uint64_t epochs;
  uint64_t epoch = 0, first = 0, done = 0, total = 0;
  Clock::time_point start, drawn;
  bool onScreen = false;
};

/// The line of a running epoch, at most `width` columns wide: what is not so important is left out first. `bar` says
/// whether it has a bar.
std::string progressLine(uint64_t epoch, uint64_t epochs, double share, double rate, double loss, double accuracy,
                         double secondsLeft, size_t width, bool bar);

} // namespace syl
