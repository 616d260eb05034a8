// When a training run saves, and what happens where a save fails. Layer: runtime/train.
#pragma once

#include "runtime/train/Checkpoint.h"
#include "runtime/train/Display.h"
#include "runtime/train/RunFolder.h"
#include "runtime/train/Session.h"

#include <functional>
#include <string>

namespace syl {

/// The time between two saves.
struct SaveInterval {
  enum class Unit { Steps, Epochs, Minutes } unit = Unit::Epochs;
  double count = 1;
};

/// Reads "500steps", "2epochs", "10minutes", with or without a space or the last s; a number alone counts epochs.
/// Steps and epochs are whole numbers from 1, minutes may have a fraction. Throws Error (SYL_ERROR_ARGUMENT) with
/// `option` in front.
SaveInterval readSaveInterval(const std::string &text, const std::string &option);

/// Saves a run's checkpoints. A save that fails (a full disk) is a warning, not the end of the run: the old file stays,
/// and the next save tries again, for the best checkpoint too. States that hold a NaN or an infinity are not saved.
class Saver {
public:
  using Warn = std::function<void(const std::string &)>;
  Saver(const RunFolder &folder, Session &session, const Progress &progress, SaveInterval interval, Warn warn);

  /// After a step of the epoch in progress, and after a complete epoch (progress.epoch counts it already).
  void afterStep();
  void afterEpoch();
  /// Saves the present state as best.safetensors.
  void saveBest();
  /// Saves the present state as last.safetensors, unless it is there already; throws Error where that fails.
  void finish();
  /// The step that last.safetensors holds; `none` before the first save.
  static constexpr uint64_t none = UINT64_MAX;
  uint64_t savedStep() const { return lastStep; }
  /// The run goes on from what last.safetensors holds.
  void resumed();

private:
  bool tryToSave(const std::string &path, const void *state, const Progress &of, const std::string &keepAs);
  void saveLast();
  void requireFinite(const void *state, const std::string &path) const;

  const RunFolder &folder;
  Session &session;
  const Progress &progress;
  const SaveInterval interval;
  const Warn warn;
  Clock::time_point lastTime = Clock::now();
  uint64_t lastStep = none, lastEpoch = none;
  Block unsavedBest; // a best state whose save failed
  Progress unsavedProgress;
};

} // namespace syl
