// The training loop. Order of samples, and so every bit of the result, follows from seed, epoch and position alone.
// Layer: runtime/train.
#include "runtime/train/Loop.h"

#include "runtime/train/Batch.h"
#include "runtime/train/Checkpoint.h"
#include "runtime/train/Display.h"
#include "runtime/train/Shuffle.h"
#include "runtime/train/Signals.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace syl {

Score evaluatePart(Session &session, const Part &part) {
  const syl_model &model = session.model;
  Batch batch(model, model.batch);
  Score score;
  int64_t correct = 0, count = part.count();
  for (int64_t first = 0; first < count; first += model.batch) {
    if (StopSignals::signal()) {
      score.interrupted = true;
      return score;
    }
    int64_t n = std::min<int64_t>(model.batch, count - first);
    batch.range(part, first, size_t(n));
    syl_result result = session.evaluate(batch.inputs(), batch.targets(), n);
    score.loss += result.loss * double(n);
    correct = result.correct < 0 ? -1 : correct + result.correct;
  }
  score.loss /= double(count);
  if (correct >= 0)
    score.accuracy = double(correct) / double(count);
  return score;
}

std::string percent(double fraction) { return format("%.2f%%", 100 * fraction); }

namespace {

/// The text as one word of a shell command.
std::string shellWord(const std::string &text) {
  if (!text.empty() &&
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,/:@%") ==
          std::string::npos)
    return text;
  std::string word = "'";
  for (char letter : text)
    word += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return word + "'";
}

/// One run of `sylvite train`.
class Run {
public:
  Run(const syl_model &model, const TrainOptions &options)
      : model(model), options(options), last(options.out + "/last.safetensors"),
        previous(options.out + "/last-1.safetensors"), best(options.out + "/best.safetensors"),
        session(model, options.threads) {}

  int train() {
    checkOptions();
    set = readDataSet(options.data, model, Parts::All);
    start();
    checkSamples();
    StopSignals signals; // before the folder, so that whoever sees the folder may stop the run
    makeFolders(options.out);
    Display screen(options.quiet, progress.epochs);
    display = &screen;
    introduce();
    while (progress.epoch < progress.epochs) {
      if (!trainEpoch() || !finishEpoch())
        return stop();
    }
    std::printf("%s\n", lastLine().c_str());
    std::fflush(stdout);
    return 0;
  }

private:
  void checkOptions() {
    if (options.batch.value_or(1) > uint64_t(model.batch))
      throw Error(SYL_ERROR_ARGUMENT, "--batch",
                  format("found %llu, expected at most %d, the compiled batch", (unsigned long long)*options.batch,
                         model.batch));
  }

  /// Fills state and progress, fresh or from the last checkpoint.
  void start() {
    if (options.resume) {
      resume();
      return;
    }
    progress.seed = options.seed.value_or(model.seed);
    progress.epochs = options.epochs.value_or(uint64_t(std::max(model.epochs, 1)));
    progress.batch = options.batch.value_or(uint64_t(model.batch));
    session.init(progress.seed);
  }

  void resume() {
    std::string from = pathExists(last) || !pathExists(previous) ? last : previous;
    if (!pathExists(from))
      throw Error(SYL_ERROR_IO, from, "found no checkpoint to resume from", "start the run without --resume");
    loadCheckpoint(from, model, session.state.get(), &progress);
    if (options.epochs)
      progress.epochs = *options.epochs;
    same("--seed", options.seed, progress.seed);
    same("--batch", options.batch, progress.batch);
    if (progress.batch < 1 || progress.batch > uint64_t(model.batch))
      throw Error(SYL_ERROR_MISMATCH, from,
                  format("found batch %llu, expected 1 to %d, the compiled batch", (unsigned long long)progress.batch,
                         model.batch),
                  format("--batch %llu", (unsigned long long)progress.batch));
  }

  void same(const char *option, const std::optional<uint64_t> &given, uint64_t saved) {
    if (given && *given != saved)
      throw Error(SYL_ERROR_ARGUMENT, option,
                  format("found %llu, expected %llu, as the run to resume has it", (unsigned long long)*given,
                         (unsigned long long)saved));
  }

  void checkSamples() {
    uint64_t count = uint64_t(set.train.count());
    if (options.resume && (progress.samples != count || progress.position > count))
      throw Error(SYL_ERROR_MISMATCH, set.train.inputPaths[0],
                  format("found %llu samples, expected %llu, as the run to resume has them", (unsigned long long)count,
                         (unsigned long long)progress.samples));
    progress.samples = count;
  }

  void introduce() {
    if (options.resume)
      display->line(format("resuming %s at epoch %llu, step %llu", options.out.c_str(),
                           (unsigned long long)std::min(progress.epoch + 1, progress.epochs),
                           (unsigned long long)syl_state_step(&model, session.state.get())));
    else
      display->line(format("training %s on %lld samples, batch %llu, seed %llu, %d threads, %s", model.name,
                           (long long)set.train.count(), (unsigned long long)progress.batch,
                           (unsigned long long)progress.seed, session.threads, model.target));
  }

  /// Trains on the rest of the epoch. False where a signal came.
  bool trainEpoch() {
    const Part &part = set.train;
    const uint64_t count = progress.samples;
    std::vector<uint32_t> order = epochOrder(progress.seed, progress.epoch, uint32_t(count));
    const double stepsPerEpoch = double((count + progress.batch - 1) / progress.batch);
    Batch batch(model, int64_t(progress.batch));
    display->startEpoch(progress.epoch + 1, progress.position, count);
    while (progress.position < count) {
      if (StopSignals::signal())
        return false;
      uint64_t n = std::min(progress.batch, count - progress.position);
      const uint32_t *rows = order.data() + progress.position;
      batch.gather(part, rows, n);
      syl_result result = session.trainStep(batch.inputs(), batch.targets(), int64_t(n), 1, stepsPerEpoch);
      if (!std::isfinite(result.loss))
        throw Error(SYL_ERROR_KERNEL, model.name,
                    format("found the loss %s in step %llu, expected a finite one",
                           std::isnan(result.loss) ? "nan" : "infinity",
                           (unsigned long long)syl_state_step(&model, session.state.get())),
                    "lower the learning rate; " + options.out + " still holds the checkpoints of the epochs before");
      progress.position += n;
      progress.lossSum += result.loss * double(n);
      progress.correct = result.correct < 0 ? -1 : progress.correct + result.correct;
      display->update(progress.position, progress.lossSum / double(progress.position));
    }
    rate = display->endTraining();
    return true;
  }

  /// Evaluates, reports and saves. False where a signal came before the score was there.
  bool finishEpoch() {
    const double trainLoss = progress.lossSum / double(progress.samples);
    std::string report = format("epoch %llu/%llu  train loss %.4f", (unsigned long long)progress.epoch + 1,
                                (unsigned long long)progress.epochs, trainLoss);
    Score score{trainLoss, -1, false};
    if (set.test) {
      score = evaluatePart(session, *set.test);
      if (score.interrupted)
        return false;
      report += format("  test loss %.4f", score.loss);
    } else if (progress.correct >= 0) {
      score.accuracy = double(progress.correct) / double(progress.samples);
    }
    if (score.accuracy >= 0)
      report += std::string("  ") + part() + " accuracy " + percent(score.accuracy);
    if (rate > 0)
      report += format("  %.0f images/s", rate);
    display->line(report);

    bool better = progress.bestEpoch == 0 ||
                  (score.accuracy >= 0 ? score.accuracy > progress.bestAccuracy : score.loss < progress.bestLoss);
    ++progress.epoch;
    progress.position = 0;
    progress.lossSum = 0;
    progress.correct = 0;
    if (better) {
      progress.bestAccuracy = score.accuracy;
      progress.bestLoss = score.loss;
      progress.bestEpoch = progress.epoch;
      saveCheckpoint(best, model, session.state.get(), &progress);
    }
    saveCheckpoint(last, model, session.state.get(), &progress, previous);
    return true;
  }

  /// Saves after a signal and says how to go on; the exit status.
  int stop() {
    int signal = StopSignals::signal();
    display->endTraining();
    saveCheckpoint(last, model, session.state.get(), &progress, previous);
    const char *network = std::getenv("SYLVITE_NETWORK_FILE");
    std::printf("interrupted: saved %s (epoch %llu of %llu, step %llu)\n"
                "resume: sylvite train %s --data %s --out %s --resume\n",
                last.c_str(), (unsigned long long)progress.epoch + 1, (unsigned long long)progress.epochs,
                (unsigned long long)syl_state_step(&model, session.state.get()),
                shellWord(network ? network : "NET.yaml").c_str(), shellWord(options.data).c_str(),
                shellWord(options.out).c_str());
    std::fflush(stdout);
    return 128 + signal;
  }

  const char *part() const { return set.test ? "test" : "train"; }

  std::string lastLine() const {
    return progress.bestAccuracy >= 0 ? std::string(part()) + " accuracy " + percent(progress.bestAccuracy)
                                      : std::string(part()) + format(" loss %.4f", progress.bestLoss);
  }

  const syl_model &model;
  const TrainOptions &options;
  const std::string last, previous, best;
  Session session;
  Progress progress;
  DataSet set;
  Display *display = nullptr;
  double rate = 0;
};

} // namespace

int trainLoop(const syl_model &model, const TrainOptions &options) { return Run(model, options).train(); }

} // namespace syl
