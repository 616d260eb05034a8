// The training loop. Order of samples, and so every bit of the result, follows from seed, epoch and position alone.
// Layer: runtime/train.
#include "runtime/train/Loop.h"

#include "runtime/data/File.h"
#include "runtime/train/Checkpoint.h"
#include "runtime/train/Display.h"
#include "runtime/train/Loader.h"
#include "runtime/train/NonFinite.h"
#include "runtime/train/RunRecord.h"
#include "runtime/train/Saving.h"
#include "runtime/train/Shuffle.h"
#include "runtime/train/Signals.h"
#include "runtime/train/Watch.h"
#include "runtime/train/Weights.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace syl {

Score evaluatePart(Session &session, const Part &part, const std::vector<std::string> &names) {
  const syl_model &model = session.model;
  Loader loader(model, part, model.batch, session.threads);
  Metrics metrics(model, names);
  Score score;
  int64_t count = part.count();
  loader.start({}, 0, uint64_t(count));
  for (int64_t first = 0; first < count; first += model.batch) {
    if (StopSignals::signal()) {
      score.interrupted = true;
      return score;
    }
    uint64_t rows;
    const Batch &batch = loader.next(rows);
    const int64_t n = int64_t(rows);
    score.loss += session.evaluate(batch.inputs(), batch.targets(), n).loss * double(n);
    metrics.add(session, batch.targets(), n);
  }
  score.loss /= double(count);
  score.metrics = metrics.values();
  score.tables = metrics.tables();
  return score;
}

MetricValue Score::first() const {
  return metrics.empty() ? MetricValue{"loss", "loss", loss, false, false} : metrics.front();
}

MetricValue Score::monitored(const std::string &monitor) const {
  if (monitor.empty() || monitor == "metric")
    return first();
  if (monitor == "loss")
    return {"loss", "loss", loss, false, false};
  for (const MetricValue &value : metrics)
    if (value.metric == monitor)
      return value;
  throw Error(SYL_ERROR_MISMATCH, "training", "found monitor '" + monitor + "', expected loss or one of the metrics");
}

std::string Score::line() const {
  for (const MetricValue &value : metrics)
    if (value.metric == "accuracy")
      return value.label + " " + value.text();
  MetricValue value = first();
  return value.label + " " + value.text();
}

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

/// What follows --data to name the same data again.
std::string dataWords(const DataRequest &request) {
  std::string words = shellWord(request.data);
  if (request.split > 0)
    words += format(" --split %.17g", request.split);
  if (!request.label.empty())
    words += " --label " + shellWord(request.label);
  return words;
}

/// One run of `sylvite train`.
class Run {
public:
  Run(const syl_model &model, const TrainOptions &options)
      : model(model), options(options), interval(readSaveInterval(options.saveEvery, "--save-every")),
        onNan(readOnNan(options.onNan, "--on-nan")), folder(options.out), settings(readTrainingSettings(model)),
        session(model, options.threads),
        saver(folder, session, progress, interval, [this](const std::string &text) { display->warn(text); }) {}

  int train() {
    checkOptions();
    Metrics(model, settings.metrics); // all fit, and so do the monitors
    set = readDataSet(options.data, model, Parts::All);
    if (!options.resume)
      begin();
    StopSignals signals; // before the folder, so that whoever sees the folder may stop the run
    if (options.resume && !pathExists(options.out))
      throw noCheckpoint();
    folder.lock();
    if (options.resume)
      resume();
    checkSamples();
    Display screen(options.quiet  ? Display::Mode::Quiet
                   : options.json ? Display::Mode::Json
                                  : Display::Mode::Text,
                   progress.epochs);
    display = &screen;
    if (!options.resume) {
      if (folder.startAnew())
        display->line(
            format("the run that was in %s is now in %s", options.out.c_str(), folder.file("previous").c_str()));
      writeRunRecord(options.out, record(), model);
    }
    introduce();
    requireFinite(report.empty() ? options.out : startWeights.file);
    session.checkFinite = true;
    first = progress;
    Watch logger(folder, session, progress, settings.learningRate, options.logNorms,
                 [this](const std::string &text) { display->warn(text); });
    watch = &logger;
    if (!options.from.empty())
      saver.finish(); // that checkpoint is now the last
    if (onNan == OnNan::Skip)
      snapshots.emplace(session.state.size());
    while (progress.epoch < progress.epochs && !isStopped()) {
      Epoch epoch = trainEpoch();
      if (epoch == Epoch::Complete && !finishEpoch())
        epoch = Epoch::Stopped;
      if (epoch == Epoch::Stopped || (isAtStop() && progress.epoch < progress.epochs))
        return stop();
    }
    if (progress.epoch < progress.epochs)
      display->line(format("stopped after epoch %llu of %llu: no better for %llu epochs",
                           (unsigned long long)progress.epoch, (unsigned long long)progress.epochs,
                           (unsigned long long)progress.policies.stoppingBad));
    saver.finish();
    if (options.json) {
      display->event("end", {{"epochs", std::to_string(progress.epoch)},
                             {"best_epoch", std::to_string(progress.bestEpoch)},
                             {"result", jsonText(std::string(part()) + " " + progress.bestLine)}});
      return 0;
    }
    std::printf("%s %s\n", part(), progress.bestLine.c_str());
    std::fflush(stdout);
    return 0;
  }

private:
  void checkOptions() {
    if (options.batch.value_or(1) > uint64_t(model.batch))
      throw Error(SYL_ERROR_ARGUMENT, "--batch",
                  format("found %llu, expected at most %d, the compiled batch", (unsigned long long)*options.batch,
                         model.batch));
    if (!options.from.empty() && !options.resume)
      throw Error(SYL_ERROR_ARGUMENT, "--from", "found no --resume, which --from says where to go on from",
                  "--weights FILE starts a new run from the weights of a file");
    if (options.keepBest)
      checkMonitor(*options.keepBest);
  }

  /// Throws Error unless the monitor is known.
  void checkMonitor(const std::string &monitor) const {
    std::string known = "loss";
    for (const MetricValue &value : Metrics(model, settings.metrics).values())
      known += ", " + value.metric;
    if (monitor != "loss" && (", " + known + ",").find(", " + monitor + ",") == std::string::npos)
      throw Error(SYL_ERROR_ARGUMENT, "--keep-best", "found '" + monitor + "', expected one of " + known,
                  "`metrics:` of the network file says which metrics there are");
  }

  /// Fills state and progress for a run from its beginning.
  void begin() {
    progress = Progress();
    progress.seed = options.seed.value_or(model.seed);
    progress.epochs = options.epochs.value_or(uint64_t(std::max(model.epochs, 1)));
    progress.batch = options.batch.value_or(uint64_t(model.batch));
    progress.bestMetric = options.keepBest.value_or("");
    WeightsSettings weights = settings.weights.value_or(WeightsSettings());
    weights.file = options.weights.empty() ? besideNetwork(weights.file) : options.weights;
    weights.prefix.insert(weights.prefix.end(), options.prefix.begin(), options.prefix.end());
    startFrom(weights);
  }

  void startFrom(const WeightsSettings &weights) {
    startWeights = weights;
    session.init(progress.seed);
    report = weights.file.empty() ? "" : startFromWeights(weights, model, session.state.get());
  }

  RunRecord record() const {
    const char *compile = std::getenv("SYLVITE_COMPILE");
    char folder[4096];
    RunRecord record;
    record.network = model.name;
    record.compiler = model.compiler;
    record.target = model.target;
    record.cpu = cpuName();
    record.threads = session.threads;
    record.command = options.command;
    record.compile = compile ? compile : "";
    record.data = options.data;
    record.weights = startWeights.file;
    record.prefix = startWeights.prefix;
    record.keepBest = progress.bestMetric;
    record.onNan = options.onNan;
    record.epochs = progress.epochs;
    record.batch = progress.batch;
    record.seed = progress.seed;
    record.samples = progress.samples;
    record.folder = getcwd(folder, sizeof folder) ? folder : "";
    record.started = timeNow();
    return record;
  }

  /// A path of the network file is relative to the folder that the network file is in.
  static std::string besideNetwork(const std::string &path) {
    const char *network = std::getenv("SYLVITE_NETWORK_FILE");
    size_t slash = network ? std::string(network).rfind('/') : std::string::npos;
    if (path.empty() || path[0] == '/' || slash == std::string::npos)
      return path;
    return std::string(network).substr(0, slash + 1) + path;
  }

  bool isAtStop() const {
    return options.stopAtStep && syl_state_step(&model, session.state.get()) == options.stopAtStep;
  }

  bool isStopped() const { return settings.stopping && stops(*settings.stopping, progress.policies); }

  Error noCheckpoint() const {
    return Error(SYL_ERROR_IO, folder.last(), "found no checkpoint to resume from", "start the run without --resume");
  }

  /// Goes on from a checkpoint, or from the beginning of a run that was killed before its first save.
  void resume() {
    folder.keepRun();
    std::string from = options.out;
    if (!options.from.empty() || folder.hasCheckpoint()) {
      from = folder.resume(options.from, model, session.state.get(), progress);
      if (options.from.empty())
        saver.resumed();
    } else if (std::optional<RunRecord> record = readRunRecord(options.out)) {
      progress.seed = record->seed;
      progress.epochs = record->epochs;
      progress.batch = record->batch;
      progress.samples = record->samples;
      progress.bestMetric = record->keepBest;
      WeightsSettings weights;
      weights.file = record->weights;
      weights.prefix = record->prefix;
      startFrom(weights);
    } else {
      throw noCheckpoint();
    }
    if (options.epochs)
      progress.epochs = *options.epochs;
    same("--seed", options.seed, progress.seed);
    same("--batch", options.batch, progress.batch);
    if (options.keepBest && *options.keepBest != progress.bestMetric)
      throw Error(SYL_ERROR_ARGUMENT, "--keep-best",
                  "found " + *options.keepBest + ", expected " +
                      (progress.bestMetric.empty() ? "none" : progress.bestMetric) + ", as the run to resume has it");
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
    display->event(options.resume ? "resume" : "start",
                   {{"network", jsonText(std::string(model.name))},
                    {"target", jsonText(std::string(model.target))},
                    {"out", jsonText(options.out)},
                    {"samples", std::to_string(progress.samples)},
                    {"batch", std::to_string(progress.batch)},
                    {"epochs", std::to_string(progress.epochs)},
                    {"seed", std::to_string(progress.seed)},
                    {"threads", std::to_string(session.threads)},
                    {"step", std::to_string(syl_state_step(&model, session.state.get()))}});
    if (options.resume)
      display->line(format("resuming %s at epoch %llu, step %llu", options.out.c_str(),
                           (unsigned long long)std::min(progress.epoch + 1, progress.epochs),
                           (unsigned long long)syl_state_step(&model, session.state.get())));
    else
      display->line(format("training %s on %lld samples, batch %llu, seed %llu, %d threads, %s", model.name,
                           (long long)set.train.count(), (unsigned long long)progress.batch,
                           (unsigned long long)progress.seed, session.threads, model.target));
    if (!report.empty())
      display->line(report);
    if (!options.resume)
      return;
    std::optional<RunRecord> record = readRunRecord(options.out);
    if (record && record->target != model.target)
      display->warn(format("%s: warning: the run began on %s and goes on on %s: its bits are not those of a run that "
                           "was not interrupted",
                           options.out.c_str(), record->target.c_str(), model.target));
  }

  enum class Epoch { Complete, Stopped, RolledBack };

  /// Trains on the rest of the epoch.
  Epoch trainEpoch() {
    const uint64_t count = progress.samples;
    order = epochOrder(progress.seed, progress.epoch, uint32_t(count));
    stepsPerEpoch = double((count + progress.batch - 1) / progress.batch);
    if (!loader)
      loader.emplace(model, set.train, int64_t(progress.batch), session.threads);
    loader->start(order, progress.position, count);
    const Clock::time_point begin = Clock::now();
    display->startEpoch(progress.epoch + 1, progress.position, count);
    bool fresh = true;
    while (progress.position < count) {
      if (StopSignals::signal())
        return Epoch::Stopped;
      uint64_t n;
      const Batch &batch = loader->next(n);
      if (snapshots)
        snapshots->before(session.state.get(), fresh);
      fresh = false;
      syl_result result;
      try {
        result = step(batch, n);
      } catch (const Error &error) {
        if (error.status() != SYL_ERROR_NONFINITE)
          throw;
        if (handleNonFinite(error, batch, n) == Epoch::RolledBack)
          return Epoch::RolledBack;
        continue;
      }
      if (snapshots)
        snapshots->note({progress.position, n});
      skippedInARow = 0;
      progress.position += n;
      progress.lossSum += result.loss * double(n);
      progress.correct = result.correct < 0 ? -1 : progress.correct + result.correct;
      const double trained = double(progress.position - progress.skipped);
      display->update(progress.position, progress.lossSum / trained,
                      progress.correct < 0 ? -1 : double(progress.correct) / trained);
      watch->afterStep(result, n);
      saver.afterStep();
      if (isAtStop() && progress.position < count)
        return Epoch::Stopped;
    }
    rate = display->endTraining();
    dataShare = loader->waited() / std::max(secondsSince(begin), 1e-9);
    return Epoch::Complete;
  }

  syl_result step(const Batch &batch, uint64_t n) {
    return session.trainStep(batch.inputs(), batch.targets(), int64_t(n), progress.policies.rateScale, stepsPerEpoch);
  }

  /// Throws Error where the state that training starts from is not finite; `where` is what it came from.
  void requireFinite(const std::string &where) const {
    if (const syl_tensor *tensor = syl_find_nonfinite(&model, session.state.get()))
      throw Error(SYL_ERROR_NONFINITE, where,
                  std::string("found nan or infinity in '") + tensor->name + "', expected finite numbers",
                  "start from an earlier checkpoint");
  }

  /// A step found a NaN or an infinity: stops the run with an Error, skips the step, or goes back to the last
  /// checkpoint with half the learning rate.
  Epoch handleNonFinite(const Error &error, const Batch &batch, uint64_t n) {
    const uint64_t number = syl_state_step(&model, session.state.get()) + 1;
    std::string text = error.what(), layer;
    text += findSamples(model, batch.inputs(), batch.targets(), order.data() + progress.position, n);
    if (text.find(" after step ") == std::string::npos && text.find("of the batch") == std::string::npos)
      layer =
          findLayer(session, batch.inputs(), batch.targets(), int64_t(n), progress.policies.rateScale, stepsPerEpoch);
    const std::string where =
        format("epoch %llu, step %llu%s%s", (unsigned long long)progress.epoch + 1, (unsigned long long)number,
               layer.empty() ? "" : "; found first after ", layer.c_str());
    constexpr uint64_t mostSkipped = 100, mostRollbacks = 10;
    if (onNan == OnNan::Stop || (onNan == OnNan::Skip && skippedInARow >= mostSkipped) ||
        (onNan == OnNan::Rollback && rollbacks >= mostRollbacks)) {
      const std::string kept =
          saver.savedStep() == Saver::none
              ? options.out + " has no checkpoint of this run yet"
              : format("%s still holds step %llu", folder.last().c_str(), (unsigned long long)saver.savedStep());
      throw Error::complete(SYL_ERROR_NONFINITE, text + "\nhint: lower the learning rate; " + kept + " (" + where +
                                                     "); --on-nan skip or rollback goes on");
    }
    if (size_t at = text.find(": error: "); at != std::string::npos)
      text.replace(at, 9, ": warning: ");
    if (onNan == OnNan::Skip) {
      Batch again(model, int64_t(progress.batch));
      for (const Snapshots::Step &before : snapshots->restore(session.state.get())) {
        again.gather(set.train, order.data() + before.position, before.count);
        step(again, before.count);
      }
      display->warn(text + "\nhint: the step is skipped (" + where + ")");
      ++skippedInARow;
      progress.position += n;
      progress.skipped += n;
      return Epoch::Complete;
    }
    const double scale = progress.policies.rateScale / 2;
    if (saver.savedStep() == Saver::none) {
      progress = first;
      startFrom(startWeights);
    } else
      loadCheckpoint(folder.last(), model, session.state.get(), &progress);
    ++rollbacks;
    progress.policies.rateScale = scale;
    display->warn(text + format("\nhint: rolled back to step %llu, with the learning rate times %g (%s)",
                                (unsigned long long)syl_state_step(&model, session.state.get()), scale, where.c_str()));
    return Epoch::RolledBack;
  }

  /// Evaluates the test part, or, where there is none, the training part; its accuracy is then what the steps counted.
  Score evaluateEpoch(double trainLoss) {
    if (set.test)
      return evaluatePart(session, *set.test, settings.metrics);
    if (settings.metrics == std::vector<std::string>{"accuracy"} && progress.correct >= 0) {
      Score score;
      score.metrics = {
          {"accuracy", "accuracy", double(progress.correct) / double(progress.samples - progress.skipped), true, true}};
      score.loss = trainLoss;
      return score;
    }
    Score score;
    if (!settings.metrics.empty())
      score = evaluatePart(session, set.train, settings.metrics);
    score.loss = trainLoss;
    return score;
  }

  /// Evaluates, reports and saves. False where a signal came before the score was there.
  bool finishEpoch() {
    const double trainLoss = progress.lossSum / double(progress.samples - progress.skipped);
    std::string report = format("epoch %llu/%llu  train loss %.4f", (unsigned long long)progress.epoch + 1,
                                (unsigned long long)progress.epochs, trainLoss);
    const Score score = evaluateEpoch(trainLoss);
    if (score.interrupted)
      return false;
    if (set.test)
      report += format("  test loss %.4f", score.loss);
    for (const MetricValue &value : score.metrics)
      report += std::string("  ") + part() + " " + value.label + " " + value.text();
    if (rate > 0)
      report += format("  %.0f images/s  data %.0f%%", rate, 100 * dataShare);
    display->line(report);
    EventFields fields = {{"epoch", std::to_string(progress.epoch + 1)}, {"train_loss", jsonText(trainLoss)}};
    if (set.test)
      fields.emplace_back("test_loss", jsonText(score.loss));
    for (const MetricValue &value : score.metrics)
      fields.emplace_back(std::string(part()) + " " + value.label, jsonText(value.value));
    fields.emplace_back("images_per_second", jsonText(rate));
    display->event("epoch", fields);
    follow(score);

    const MetricValue value = score.monitored(progress.bestMetric);
    const bool better = progress.bestEpoch == 0 ||
                        (value.higherIsBetter ? value.value > progress.bestValue : value.value < progress.bestValue);
    ++progress.epoch;
    progress.position = 0;
    progress.lossSum = 0;
    progress.correct = 0;
    progress.skipped = 0;
    if (better) {
      progress.bestValue = value.value;
      progress.bestLine = score.line();
      progress.bestEpoch = progress.epoch;
      saver.saveBest();
    }
    watch->afterEpoch(trainLoss, score, part());
    saver.afterEpoch();
    return true;
  }

  /// Policies that depend on the score.
  void follow(const Score &score) {
    if (settings.stopping) {
      MetricValue value = score.monitored(settings.stopping->monitor);
      followStopping(*settings.stopping, value.value, value.higherIsBetter, progress.policies);
    }
    if (!settings.plateau)
      return;
    MetricValue value = score.monitored(settings.plateau->monitor);
    if (followPlateau(*settings.plateau, settings.learningRate, value.value, value.higherIsBetter, progress.policies))
      display->line(settings.learningRate > 0
                        ? format("learning rate %g", settings.learningRate * progress.policies.rateScale)
                        : format("learning rate times %g", progress.policies.rateScale));
  }

  /// Saves after a signal and says how to go on; the exit status.
  int stop() {
    int signal = StopSignals::signal();
    display->endTraining();
    saver.finish();
    if (!signal) // at the step that was asked for
      return 0;
    if (options.json) {
      display->event("interrupted", {{"signal", std::to_string(signal)},
                                     {"saved", jsonText(folder.last())},
                                     {"step", std::to_string(syl_state_step(&model, session.state.get()))}});
      return 128 + signal;
    }
    const char *network = std::getenv("SYLVITE_NETWORK_FILE");
    std::printf("interrupted: saved %s (epoch %llu of %llu, step %llu)\n"
                "resume: sylvite train %s --data %s --out %s --resume\n",
                folder.last().c_str(), (unsigned long long)progress.epoch + 1, (unsigned long long)progress.epochs,
                (unsigned long long)syl_state_step(&model, session.state.get()),
                shellWord(network ? network : "NET.yaml").c_str(), dataWords(options.data).c_str(),
                shellWord(options.out).c_str());
    std::fflush(stdout);
    return 128 + signal;
  }

  const char *part() const { return set.test ? "test" : "train"; }

  const syl_model &model;
  const TrainOptions &options;
  const SaveInterval interval;
  const OnNan onNan;
  RunFolder folder;
  const TrainingSettings settings;
  Session session;
  Progress progress, first; // now, and where this process began
  Saver saver;
  WeightsSettings startWeights;
  std::string report;                 // of the weights that the run started from
  std::optional<Snapshots> snapshots; // where steps may be skipped
  uint64_t skippedInARow = 0, rollbacks = 0;
  DataSet set;
  std::vector<uint32_t> order; // of the epoch in progress
  double stepsPerEpoch = 0;
  Display *display = nullptr;
  Watch *watch = nullptr;
  std::optional<Loader> loader;   // of the training part
  double rate = 0, dataShare = 0; // samples a second; share of the epoch's time that the step waited for data
};

} // namespace

int trainLoop(const syl_model &model, const TrainOptions &options) { return Run(model, options).train(); }

} // namespace syl
