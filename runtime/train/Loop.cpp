// The training loop. Order of samples, and so every bit of the result, follows from seed, epoch and position alone.
// Layer: runtime/train.
#include "runtime/train/Loop.h"

#include "runtime/data/File.h"
#include "runtime/data/Json.h"
#include "runtime/train/Run.h"
#include "runtime/train/Shuffle.h"
#include "runtime/train/Signals.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace syl {

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

} // namespace

Run::Run(const syl_model &model, const TrainOptions &options)
    : model(model), options(options), interval(readSaveInterval(options.saveEvery, "--save-every")),
      onNan(readOnNan(options.onNan, "--on-nan")), folder(options.out), settings(readTrainingSettings(model)),
      session(model, options.threads),
      saver(folder, session, progress, interval, [this](const std::string &text) { display->warn(text); }) {}

int Run::train() {
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

Run::Epoch Run::trainEpoch() {
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

syl_result Run::step(const Batch &batch, uint64_t n) {
  return session.trainStep(batch.inputs(), batch.targets(), int64_t(n), progress.policies.rateScale, stepsPerEpoch);
}

Run::Epoch Run::handleNonFinite(const Error &error, const Batch &batch, uint64_t n) {
  const uint64_t number = syl_state_step(&model, session.state.get()) + 1;
  std::string text = error.what(), layer;
  text += findSamples(model, batch.inputs(), batch.targets(), order.data() + progress.position, n);
  if (text.find(" after step ") == std::string::npos && text.find("of the batch") == std::string::npos)
    layer = findLayer(session, batch.inputs(), batch.targets(), int64_t(n), progress.policies.rateScale, stepsPerEpoch);
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

Score Run::evaluateEpoch(double trainLoss) {
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

bool Run::finishEpoch() {
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

void Run::follow(const Score &score) {
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

int Run::stop() {
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

int trainLoop(const syl_model &model, const TrainOptions &options) { return Run(model, options).train(); }

} // namespace syl
