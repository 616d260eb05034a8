// The folder of a training run: which files it has, that one run works in it at a time, and which checkpoint a run goes
// on from. Layer: runtime/train.
//
//   last.safetensors, last-1.safetensors   the last two checkpoints
//   best.safetensors                       the checkpoint of the best epoch
//   run.json, network.yaml                 what the run was started with (RunRecord.h)
//   previous/                              the run that was in the folder before this one was started
#pragma once

#include "runtime/train/Checkpoint.h"

#include <string>

namespace syl {

class RunFolder {
public:
  explicit RunFolder(std::string path);
  ~RunFolder();
  RunFolder(const RunFolder &) = delete;
  RunFolder &operator=(const RunFolder &) = delete;

  /// Makes the folder and locks it, and removes what a killed save left. Throws Error (SYL_ERROR_IO) where that fails,
  /// or where another run works in it.
  void lock();
  /// Moves the files of the run that is here to previous/, in place of what is there. Killed at any moment, it is
  /// finished or taken back by the next start. Returns whether there was a run.
  bool startAnew();
  /// Takes back a startAnew that was killed.
  void keepRun();

  /// A file of the folder.
  std::string file(const std::string &name) const { return path + "/" + name; }
  const std::string &name() const { return path; }
  std::string last() const { return file("last.safetensors"); }
  std::string previous() const { return file("last-1.safetensors"); }
  std::string best() const { return file("best.safetensors"); }
  /// Whether a checkpoint, or the record of a run, is here.
  bool hasCheckpoint() const;

  /// Loads the checkpoint to go on from: `from`, or the last one where that is empty. One that is damaged, of another
  /// network or of another version is refused with the reason, and a hint on the one before it where that is whole.
  /// Returns its path. Throws Error; then `state` and `progress` are unchanged.
  std::string resume(const std::string &from, const syl_model &model, void *state, Progress &progress) const;

private:
  void removeStaleFiles() const;
  std::string path;
  int lockFile = -1;
};

} // namespace syl
