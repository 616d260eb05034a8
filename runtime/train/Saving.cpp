// Saves at intervals. Layer: runtime/train.
#include "runtime/train/Saving.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

namespace syl {

SaveInterval readSaveInterval(const std::string &text, const std::string &option) {
  const Error wrong(SYL_ERROR_ARGUMENT, option,
                    "found '" + text +
                        "', expected a number and steps, epochs or minutes: 500steps, 2epochs, "
                        "10minutes");
  const size_t digits = text.find_first_not_of("0123456789.");
  const std::string number = text.substr(0, digits);
  const size_t letters = digits == std::string::npos ? digits : text.find_first_not_of(' ', digits);
  std::string unit = letters == std::string::npos ? "epochs" : text.substr(letters);
  if (unit.back() != 's')
    unit += 's';
  char *end = nullptr;
  SaveInterval interval;
  interval.count = std::strtod(number.c_str(), &end);
  if (number.empty() || *end || !(interval.count > 0 && interval.count < 1e9))
    throw wrong;
  if (unit == "steps")
    interval.unit = SaveInterval::Unit::Steps;
  else if (unit == "minutes")
    interval.unit = SaveInterval::Unit::Minutes;
  else if (unit != "epochs")
    throw wrong;
  if (interval.unit != SaveInterval::Unit::Minutes && interval.count != std::floor(interval.count))
    throw wrong;
  return interval;
}

Saver::Saver(const RunFolder &folder, Session &session, const Progress &progress, SaveInterval interval, Warn warn)
    : folder(folder), session(session), progress(progress), interval(interval), warn(std::move(warn)) {}

void Saver::resumed() {
  lastStep = syl_state_step(&session.model, session.state.get());
  lastEpoch = progress.epoch;
}

void Saver::requireFinite(const void *state, const std::string &path) const {
  if (const syl_tensor *tensor = syl_find_nonfinite(&session.model, state))
    throw Error(SYL_ERROR_NONFINITE, path,
                std::string("found nan or infinity in '") + tensor->name + "', which is not saved");
}

bool Saver::tryToSave(const std::string &path, const void *state, const Progress &of, const std::string &keepAs) {
  try {
    requireFinite(state, path);
    saveCheckpoint(path, session.model, state, &of, keepAs);
    return true;
  } catch (const Error &error) {
    if (error.status() != SYL_ERROR_IO && error.status() != SYL_ERROR_MEMORY)
      throw;
    std::string text = error.what();
    if (size_t at = text.find(": error: "); at != std::string::npos)
      text.replace(at, 9, ": warning: ");
    warn(text + "\nhint: the run goes on and tries again at the next save" +
         (lastStep == none ? "" : format("; %s holds step %llu", folder.last().c_str(), (unsigned long long)lastStep)));
    return false;
  }
}

void Saver::saveLast() {
  if (unsavedBest.size() && tryToSave(folder.best(), unsavedBest.get(), unsavedProgress, ""))
    unsavedBest = Block();
  lastTime = Clock::now(); // a failed save is not tried again before the next is due
  if (!tryToSave(folder.last(), session.state.get(), progress, folder.previous()))
    return;
  resumed();
}

void Saver::saveBest() {
  if (tryToSave(folder.best(), session.state.get(), progress, "")) {
    unsavedBest = Block();
    return;
  }
  try {
    unsavedBest = Block(session.state.size());
  } catch (const Error &) { // then the next better epoch is saved
    return;
  }
  std::memcpy(unsavedBest.get(), session.state.get(), session.state.size());
  unsavedProgress = progress;
}

void Saver::afterStep() {
  if (interval.unit == SaveInterval::Unit::Steps) {
    if (syl_state_step(&session.model, session.state.get()) % uint64_t(interval.count) == 0)
      saveLast();
  } else if (interval.unit == SaveInterval::Unit::Minutes && secondsSince(lastTime) >= 60 * interval.count) {
    saveLast();
  }
}

void Saver::afterEpoch() {
  if (interval.unit == SaveInterval::Unit::Epochs && progress.epoch % uint64_t(interval.count) == 0)
    saveLast();
}

void Saver::finish() {
  if (unsavedBest.size()) {
    saveCheckpoint(folder.best(), session.model, unsavedBest.get(), &unsavedProgress, "");
    unsavedBest = Block();
  }
  if (lastStep == syl_state_step(&session.model, session.state.get()) && lastEpoch == progress.epoch)
    return;
  requireFinite(session.state.get(), folder.last());
  saveCheckpoint(folder.last(), session.model, session.state.get(), &progress, folder.previous());
  resumed();
}

} // namespace syl
