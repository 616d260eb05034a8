// How a run begins: from the network's initialisation, from weights, or from a checkpoint. Layer: runtime/train.
#include "runtime/data/File.h"
#include "runtime/data/Json.h"
#include "runtime/train/Run.h"

#include <algorithm>
#include <cstdlib>
#include <unistd.h>

namespace syl {

void Run::checkOptions() {
  if (options.batch.value_or(1) > uint64_t(model.batch))
    throw Error(
        SYL_ERROR_ARGUMENT, "--batch",
        format("found %llu, expected at most %d, the compiled batch", (unsigned long long)*options.batch, model.batch));
  if (!options.from.empty() && !options.resume)
    throw Error(SYL_ERROR_ARGUMENT, "--from", "found no --resume, which --from says where to go on from",
                "--weights FILE starts a new run from the weights of a file");
  if (options.keepBest)
    checkMonitor(*options.keepBest);
}

void Run::checkMonitor(const std::string &monitor) const {
  std::string known = "loss";
  for (const MetricValue &value : Metrics(model, settings.metrics).values())
    known += ", " + value.metric;
  if (monitor != "loss" && (", " + known + ",").find(", " + monitor + ",") == std::string::npos)
    throw Error(SYL_ERROR_ARGUMENT, "--keep-best", "found '" + monitor + "', expected one of " + known,
                "`metrics:` of the network file says which metrics there are");
}

void Run::begin() {
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

void Run::startFrom(const WeightsSettings &weights) {
  startWeights = weights;
  session.init(progress.seed);
  report = weights.file.empty() ? "" : startFromWeights(weights, model, session.state.get());
}

RunRecord Run::record() const {
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

std::string Run::besideNetwork(const std::string &path) {
  const char *network = std::getenv("SYLVITE_NETWORK_FILE");
  size_t slash = network ? std::string(network).rfind('/') : std::string::npos;
  if (path.empty() || path[0] == '/' || slash == std::string::npos)
    return path;
  return std::string(network).substr(0, slash + 1) + path;
}

Error Run::noCheckpoint() const {
  return Error(SYL_ERROR_IO, folder.last(), "found no checkpoint to resume from", "start the run without --resume");
}

void Run::resume() {
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

void Run::same(const char *option, const std::optional<uint64_t> &given, uint64_t saved) {
  if (given && *given != saved)
    throw Error(SYL_ERROR_ARGUMENT, option,
                format("found %llu, expected %llu, as the run to resume has it", (unsigned long long)*given,
                       (unsigned long long)saved));
}

void Run::checkSamples() {
  uint64_t count = uint64_t(set.train.count());
  if (options.resume && (progress.samples != count || progress.position > count))
    throw Error(SYL_ERROR_MISMATCH, set.train.inputPaths[0],
                format("found %llu samples, expected %llu, as the run to resume has them", (unsigned long long)count,
                       (unsigned long long)progress.samples));
  progress.samples = count;
}

void Run::introduce() {
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

void Run::requireFinite(const std::string &where) const {
  if (const syl_tensor *tensor = syl_find_nonfinite(&model, session.state.get()))
    throw Error(SYL_ERROR_NONFINITE, where,
                std::string("found nan or infinity in '") + tensor->name + "', expected finite numbers",
                "start from an earlier checkpoint");
}

} // namespace syl
