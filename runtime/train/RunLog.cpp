// metrics.csv and event files. Layer: runtime/train.
#include "runtime/train/RunLog.h"

#include "runtime/data/File.h"
#include "runtime/train/EventFile.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

namespace syl {

namespace {

const char *const csvHead = "step,epoch,name,value\n";
constexpr size_t mostPending = size_t(1) << 24; // of what cannot be written
constexpr uint64_t mostBytes = uint64_t(1) << 31;

double wallTime() {
  timeval now{};
  gettimeofday(&now, nullptr);
  return double(now.tv_sec) + double(now.tv_usec) * 1e-6;
}

std::string csvLine(uint64_t step, uint64_t epoch, const std::string &name, double value) {
  return format("%llu,%llu,%s,%.9g\n", (unsigned long long)step, (unsigned long long)epoch, name.c_str(), value);
}

std::string textOf(const std::string &path) {
  InputFile file(path);
  std::string text(size_t(std::min(file.size(), mostBytes)), '\0');
  text.resize(file.readSome(text.data(), text.size(), 0));
  return text;
}

/// Reads a line of the CSV; false where it is not of its form.
bool readLine(const std::string &line, LoggedValue &value) {
  const size_t first = line.find(','), second = line.find(',', first + 1), third = line.rfind(',');
  if (first == std::string::npos || second == std::string::npos || third == second)
    return false;
  char *end = nullptr;
  value.step = std::strtoull(line.c_str(), &end, 10);
  if (end != line.c_str() + first)
    return false;
  value.epoch = std::strtoull(line.c_str() + first + 1, &end, 10);
  if (end != line.c_str() + second)
    return false;
  value.name = line.substr(second + 1, third - second - 1);
  value.value = std::strtod(line.c_str() + third + 1, &end);
  return end != line.c_str() + third + 1 && *end == '\0';
}

/// The lines of a CSV up to `step`.
std::string linesUpTo(const std::string &text, uint64_t step) {
  std::string kept = csvHead;
  for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    LoggedValue value;
    std::string line = text.substr(at, end - at);
    if (readLine(line, value) && value.step <= step)
      kept += line + "\n";
  }
  return kept;
}

} // namespace

RunLog::RunLog(const RunFolder &folder, uint64_t step, Warn warner) : warn(std::move(warner)) {
  csv.path = folder.file("metrics.csv");
  events.path = folder.file(format("events.out.tfevents.%.0f.%ld.sylvite", wallTime(), long(getpid())));
  try {
    const std::string kept = pathExists(csv.path) ? linesUpTo(textOf(csv.path), step) : csvHead;
    saveAtomically(csv.path, kept.data(), kept.size());
  } catch (const Error &error) {
    if (error.status() != SYL_ERROR_IO)
      throw;
    csv.pending = pathExists(csv.path) ? "" : csvHead;
  }
  events.pending = eventRecord(eventVersion(wallTime()));
  if (step)
    events.pending += eventRecord(eventStart(wallTime(), step));
  flush();
}

RunLog::~RunLog() {
  flush();
  for (Stream *stream : {&csv, &events})
    if (stream->file >= 0)
      close(stream->file);
}

void RunLog::add(uint64_t step, uint64_t epoch, const LoggedValues &values) {
  std::vector<std::pair<std::string, float>> scalars;
  for (auto &[name, value] : values) {
    csv.pending += csvLine(step, epoch, name, value);
    scalars.emplace_back(name, float(value));
  }
  events.pending += eventRecord(eventScalars(wallTime(), step, scalars));
}

void RunLog::flush() {
  write(csv);
  write(events);
}

void RunLog::write(Stream &stream) {
  if (stream.file < 0)
    stream.file = ::open(stream.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  int reason = stream.file < 0 ? errno : 0;
  while (!reason && !stream.pending.empty()) {
    ssize_t wrote = ::write(stream.file, stream.pending.data(), stream.pending.size());
    if (wrote > 0)
      stream.pending.erase(0, size_t(wrote));
    else if (wrote == 0 || errno != EINTR)
      reason = wrote == 0 ? ENOSPC : errno;
  }
  if (reason && !stream.warned)
    warn(stream.path + ": warning: cannot write the file: " + systemText(reason) + "\nhint: the run goes on");
  stream.warned = reason != 0;
  if (stream.pending.size() > mostPending) // whole lines or records are lost, not parts
    stream.pending.clear();
}

std::vector<LoggedValue> readRunLog(const std::string &path) {
  std::vector<LoggedValue> values;
  if (!pathExists(path))
    return values;
  const std::string text = textOf(path);
  for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    LoggedValue value;
    if (readLine(text.substr(at, end - at), value))
      values.push_back(value);
  }
  return values;
}

} // namespace syl
