// Time of each kernel inside the step, on the step's own threads. Layer: runtime/train.
#pragma once

#include "runtime/train/Display.h"
#include "sylvite/sylvite.h"

#include <atomic>
#include <vector>

namespace syl {

/// One of a program's kernels and its time in a step.
struct KernelTime {
  const syl_kernel *kernel = nullptr;
  double seconds = 0; ///< of the step: the tasks' sum shared out among the threads, at least the longest task's
  double threads = 1; ///< that were at work on it: the tasks' sum by `seconds`
};

/// A copy of a model, one of whose programs takes the time of each task of each kernel as it runs. Calls on the copy
/// compute what those on the model do, bit for bit, and some 30 ns a task longer. One call at a time.
class Profile {
public:
  /// `program`: 0 train, 1 evaluate, 2 predict. Keeps a reference to `model`.
  Profile(const syl_model &model, int program);
  Profile(const Profile &) = delete;

  const syl_model &model() const { return timed.model; }
  /// Each kernel's time after some calls on `threads` threads: each task's best, as other programs on the machine
  /// disturb some calls of some tasks.
  std::vector<KernelTime> times(int32_t threads) const;

private:
  /// First, so that a phase finds its profile by the frame's model.
  struct Timed {
    syl_model model;
    Profile *profile;
  } timed;

  struct Phase {
    syl_phase original;
    size_t firstKernel, kernels;
    bool chain; ///< a task runs all kernels on one slice; else one of them
  };

  static int32_t run(const syl_frame *frame, syl_worker *worker, int32_t slice);
  int32_t runTask(const Phase &phase, const syl_frame *frame, syl_worker *worker, int32_t slice);
  void note(size_t kernel, int32_t task, double seconds);

  const syl_model &original;
  std::vector<const syl_kernel *> kernels; ///< of the program
  std::vector<size_t> firstTask;           ///< of each kernel, in `best`
  std::vector<double> best;                ///< seconds of each task; infinite before it first ran
  std::vector<Phase> phases;
  std::vector<int64_t> tickets; ///< tasks before each phase, and in all
  std::vector<syl_phase> timedPhases;
  std::atomic<int64_t> ticket{0};
};

} // namespace syl
