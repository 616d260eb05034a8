// The verb reproduce: repeats a run from its record and compares the bits. Layer: runtime/train.
#include "runtime/data/File.h"
#include "runtime/train/Loop.h"
#include "runtime/train/RunRecord.h"
#include "runtime/train/Verbs.h"

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace syl {

namespace {

std::string absolute(const std::string &path) {
  char resolved[PATH_MAX];
  return realpath(path.c_str(), resolved) ? resolved : path;
}

/// Names of tensors in which two files differ; `equal` counts the others.
std::vector<std::string> differing(const SafetensorsFile &a, const SafetensorsFile &b, size_t &equal) {
  std::vector<std::string> names;
  equal = 0;
  for (const TensorEntry &entry : a.tensors()) {
    const TensorEntry *other = b.find(entry.name);
    const size_t bytes = entry.end - entry.begin;
    if (other && other->end - other->begin == bytes && std::memcmp(a.data(entry), b.data(*other), bytes) == 0)
      ++equal;
    else
      names.push_back(entry.name);
  }
  return names;
}

} // namespace

int reproduceVerb(const syl_model &model, const ReproduceOptions &options) {
  const std::string run = absolute(options.run), out = options.out.empty() ? run + "/reproduced" : options.out;
  std::optional<RunRecord> record = readRunRecord(run);
  if (!record)
    throw Error(SYL_ERROR_IO, run + "/run.json", "found no record of a run",
                "reproduce takes a folder that train made");
  if (record->target != model.target)
    throw Error(SYL_ERROR_MISMATCH, run, "found a run on " + record->target + ", expected " + model.target,
                "bits are those of one instruction set: --cpu " + record->target);
  const std::string last = run + "/last.safetensors";
  Progress progress;
  uint64_t step;
  {
    Block state(syl_state_bytes(&model));
    loadCheckpoint(last, model, state.get(), &progress);
    step = syl_state_step(&model, state.get());
  }
  if (!record->folder.empty() && chdir(record->folder.c_str()) != 0)
    throw Error(SYL_ERROR_IO, record->folder, "cannot go to the folder that the run was started in");
  TrainOptions train;
  train.data = record->data;
  train.out = out;
  train.weights = record->weights;
  train.prefix = record->prefix;
  train.epochs = progress.epochs;
  train.batch = record->batch;
  train.seed = record->seed;
  train.threads = options.threads;
  train.quiet = options.quiet;
  train.saveEvery = "1000000epochs"; // the end alone
  if (!record->keepBest.empty())
    train.keepBest = record->keepBest;
  train.onNan = record->onNan;
  train.stopAtStep = step;
  train.command = record->command;
  if (!options.quiet)
    std::printf("repeating %s to step %llu in %s\n", run.c_str(), (unsigned long long)step, out.c_str());
  if (int status = trainLoop(model, train))
    return status;
  SafetensorsFile original(last), repeated(out + "/last.safetensors");
  original.load();
  repeated.load();
  size_t equal;
  const std::vector<std::string> names = differing(original, repeated, equal);
  if (names.empty() && original.metadata("step") == repeated.metadata("step")) {
    std::printf("reproduced: %zu tensors are equal to the bit at step %llu\n", equal, (unsigned long long)step);
    return 0;
  }
  std::printf("not reproduced: %zu of %zu tensors differ at step %s and step %s:", names.size(), names.size() + equal,
              original.metadata("step").value_or("?").c_str(), repeated.metadata("step").value_or("?").c_str());
  for (const std::string &name : names)
    std::printf(" %s", name.c_str());
  std::printf("\n");
  return 1;
}

} // namespace syl
