// What a run was started with: RUN/run.json and RUN/network.yaml, from which `sylvite reproduce` repeats it. Layer:
// runtime/train.
#pragma once

#include "runtime/data/Source.h"
#include "runtime/train/Checkpoint.h"

#include <optional>
#include <string>
#include <vector>

namespace syl {

/// Settings that decide the bits of a run, and facts about where it was made.
struct RunRecord {
  std::string network, compiler, target, cpu; // the network's name; who compiled it, for which instruction set
  int32_t threads = 0;                        // of no influence on the bits
  std::vector<std::string> command;           // the command line
  std::string compile;                        // JSON: how the command compiled the network; empty: not known
  DataRequest data;
  std::string weights;
  PrefixRules prefix;
  std::string keepBest, onNan;
  uint64_t epochs = 0, batch = 0, seed = 0, samples = 0;
  std::string folder;  // that the run was started in: names of data and weights are relative to it
  std::string started; // UTC, as 2026-01-31T12:00:00Z
};

/// Writes run.json and network.yaml into `folder`, each atomically. Throws Error.
void writeRunRecord(const std::string &folder, const RunRecord &record, const syl_model &model);
/// Reads run.json; nothing where there is none. Throws Error (SYL_ERROR_FORMAT) where it cannot be understood.
std::optional<RunRecord> readRunRecord(const std::string &folder);

/// The CPU's name as /proc/cpuinfo has it.
std::string cpuName();
/// The time now in UTC, as 2026-01-31T12:00:00Z.
std::string timeNow();

} // namespace syl
