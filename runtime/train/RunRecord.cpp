// The record of a run as JSON. Layer: runtime/train.
#include "runtime/train/RunRecord.h"

#include "runtime/data/File.h"
#include "runtime/data/Json.h"

#include <cstring>
#include <ctime>
#include <fstream>

namespace syl {

namespace {

constexpr uint64_t sizeLimit = 1 << 24;

/// The keys of run.json and where their values lie: visit(key, value) for each, in order.
template <class Record, class Visit> void forEachKey(Record &record, Visit visit) {
  visit("network", record.network);
  visit("compiler", record.compiler);
  visit("target", record.target);
  visit("cpu", record.cpu);
  visit("threads", record.threads);
  visit("command", record.command);
  visit("data", record.data.data);
  visit("split", record.data.split);
  visit("label", record.data.label);
  visit("samples", record.samples);
  visit("epochs", record.epochs);
  visit("batch", record.batch);
  visit("seed", record.seed);
  visit("weights", record.weights);
  visit("prefix", record.prefix);
  visit("keep_best", record.keepBest);
  visit("on_nan", record.onNan);
  visit("folder", record.folder);
  visit("started", record.started);
}

} // namespace

void writeRunRecord(const std::string &folder, const RunRecord &record, const syl_model &model) {
  Json json(Json::Kind::Map);
  forEachKey(record, [&](const char *key, const auto &value) { json.add(key, Json(value)); });
  json.add("compile", record.compile.empty() ? Json() : Json::parse(record.compile));
  const std::string text = json.dump(true) + "\n";
  saveAtomically(folder + "/network.yaml", model.network_yaml, std::strlen(model.network_yaml));
  saveAtomically(folder + "/run.json", text.data(), text.size());
}

std::optional<RunRecord> readRunRecord(const std::string &folder) {
  const std::string path = folder + "/run.json";
  if (!pathExists(path))
    return std::nullopt;
  InputFile file(path);
  if (file.size() > sizeLimit)
    throw Error(SYL_ERROR_FORMAT, path,
                format("found %llu bytes, expected at most %llu", (unsigned long long)file.size(),
                       (unsigned long long)sizeLimit));
  std::string text(file.size(), '\0');
  file.readExactly(text.data(), text.size(), 0);
  RunRecord record;
  try {
    const Json json = Json::parse(text);
    forEachKey(record, [&](const char *key, auto &value) { json.at(key).get(value); });
    if (!json.at("compile").isNull())
      record.compile = json.at("compile").dump();
  } catch (const Error &problem) {
    throw Error(SYL_ERROR_FORMAT, path, std::string("found what is no record of a run: ") + problem.what());
  }
  return record;
}

std::string cpuName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("model name", 0) == 0 && line.find(": ") != std::string::npos)
      return line.substr(line.find(": ") + 2);
  return "unknown";
}

std::string timeNow() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

} // namespace syl
