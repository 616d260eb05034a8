// What a run writes down of its course: metrics.csv and a TensorBoard event file. Layer: runtime/train.
#pragma once

#include "runtime/train/RunFolder.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace syl {

/// Values of one kind of row, by name.
using LoggedValues = std::vector<std::pair<std::string, double>>;

/// Appends rows to RUN/metrics.csv and RUN/events.out.tfevents.*. metrics.csv has the columns step, epoch, name, value:
/// one line for each value, so that runs of all networks have the same form. A file that cannot be written is a
/// warning, once; the run goes on, and what was not written is tried again with the next rows.
class RunLog {
public:
  using Warn = std::function<void(const std::string &)>;
  /// Goes on from `step`: lines of later steps in metrics.csv are dropped, and in TensorBoard they no longer count.
  RunLog(const RunFolder &folder, uint64_t step, Warn warn);
  ~RunLog();
  RunLog(const RunLog &) = delete;
  RunLog &operator=(const RunLog &) = delete;

  /// `epoch` counts from 1; in TensorBoard the names are tags.
  void add(uint64_t step, uint64_t epoch, const LoggedValues &values);
  /// Hands what was added to the system.
  void flush();

private:
  /// A file that is appended to.
  struct Stream {
    std::string path;
    int file = -1;
    std::string pending;
    bool warned = false;
  };
  void write(Stream &stream);

  Stream csv, events;
  const Warn warn;
};

/// A line of metrics.csv.
struct LoggedValue {
  uint64_t step, epoch;
  std::string name;
  double value;
};
/// Reads metrics.csv; lines that are cut or not of its form are passed over. Empty where there is no such file.
std::vector<LoggedValue> readRunLog(const std::string &path);

} // namespace syl
