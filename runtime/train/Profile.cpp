// Phases that take their kernels' times. Layer: runtime/train.
//
// All phases of the copy have one function, which has no argument to tell it the phase: each task takes a ticket, and
// as a phase starts when all tasks of the one before are done, the ticket's number says which it is.
#include "runtime/train/Profile.h"

#include <algorithm>
#include <limits>

namespace syl {

Profile::Profile(const syl_model &model, int program) : timed{model, this}, original(model) {
  syl_program *const programs[] = {&timed.model.train, &timed.model.evaluate, &timed.model.predict};
  syl_program &mine = *programs[program];
  for (int32_t k = 0; k < model.kernel_count; ++k)
    if (model.kernels[k].program == program) {
      kernels.push_back(&model.kernels[k]);
      firstTask.push_back(best.size());
      best.resize(best.size() + size_t(model.kernels[k].slices), std::numeric_limits<double>::infinity());
    }
  size_t next = 0;
  tickets.push_back(0);
  for (int32_t p = 0; p < mine.phase_count; ++p) {
    const syl_phase &phase = mine.phases[p];
    Phase record{phase, next, 0, false};
    while (next < kernels.size() && kernels[next]->phase == p)
      ++next, ++record.kernels;
    record.chain = record.kernels > 1 && !phase.kernels;
    phases.push_back(record);
    tickets.push_back(tickets.back() + phase.slices);
    timedPhases.push_back({run, phase.slices, phase.kernels, phase.name});
  }
  mine.phases = timedPhases.data();
}

int32_t Profile::run(const syl_frame *frame, syl_worker *worker, int32_t slice) {
  Profile &self = *reinterpret_cast<const Timed *>(frame->model)->profile;
  int64_t mine = self.ticket.fetch_add(1) % self.tickets.back();
  size_t phase = size_t(std::upper_bound(self.tickets.begin(), self.tickets.end(), mine) - self.tickets.begin()) - 1;
  syl_frame real = *frame;
  real.model = &self.original;
  return self.runTask(self.phases[phase], &real, worker, slice);
}

void Profile::note(size_t kernel, int32_t task, double seconds) {
  double &mine = best[firstTask[kernel] + size_t(task)]; // no other thread has this task
  mine = std::min(mine, seconds);
}

int32_t Profile::runTask(const Phase &phase, const syl_frame *frame, syl_worker *worker, int32_t slice) {
  Clock::time_point before = Clock::now();
  for (size_t k = phase.firstKernel; k < phase.firstKernel + phase.kernels; ++k) {
    const syl_kernel &kernel = *kernels[k];
    if (!phase.chain && slice >= kernel.slices) { // another kernel's task
      slice -= kernel.slices;
      continue;
    }
    int32_t code = kernel.run(frame, worker, slice);
    Clock::time_point after = Clock::now();
    note(k, slice, std::chrono::duration<double>(after - before).count());
    before = after;
    if (code || !phase.chain)
      return code;
  }
  return 0;
}

std::vector<KernelTime> Profile::times(int32_t threads) const {
  std::vector<KernelTime> rows;
  for (size_t k = 0; k < kernels.size(); ++k) {
    double sum = 0, longest = 0;
    for (int32_t task = 0; task < kernels[k]->slices; ++task) {
      double seconds = best[firstTask[k] + size_t(task)];
      if (seconds == std::numeric_limits<double>::infinity()) // never ran
        continue;
      sum += seconds;
      longest = std::max(longest, seconds);
    }
    double seconds = std::max(sum / threads, longest);
    rows.push_back({kernels[k], seconds, seconds > 0 ? sum / seconds : 1});
  }
  return rows;
}

} // namespace syl
