//===- TuneJournal.h - what a tuner has tried, on disk ------------------------------------------------------------===//
#ifndef SYLVITE_TOOLS_TUNEJOURNAL_H
#define SYLVITE_TOOLS_TUNEJOURNAL_H

#include "compiler/schedule/Search.h"
#include "compiler/support/Diagnostics.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace sylvite {

/// A try: one schedule of one kernel.
struct TuneEntry {
  std::string key, kernel; ///< of the kernel: its key and its name
  std::string rule;        ///< `schedules/avx512.yaml:12`, for people
  std::string ruleHash;    ///< of what the rule says
  TuneChoices parameters;
  std::string result;         ///< ok, compile, wrong, crash, timeout
  std::optional<double> time; ///< as a share of the first schedule's; of ok
  double ms = 0;              ///< in the step, for people; of ok
  std::string message;        ///< of what is not ok
};

/// JSON lines: one that says what is tuned, then an entry a line, each on disk before the next try starts.
class TuneJournal {
public:
  /// What the tries depend on; a journal of another subject is refused.
  struct Subject {
    std::string net, what, target, cpu;
    bool operator==(const Subject &other) const = default;
  };

  /// Opens or makes the journal and reads its entries. A last line that was cut off is dropped; anything else that is
  /// no entry is an error at its line.
  bool open(const std::filesystem::path &path, const Subject &subject, Diagnostics &diagnostics);
  const std::vector<TuneEntry> &entries() const { return list; }
  /// Returns an empty text, or why it could not be written.
  std::string append(const TuneEntry &entry);

private:
  std::vector<TuneEntry> list;
  std::ofstream file;
};

} // namespace sylvite

#endif
