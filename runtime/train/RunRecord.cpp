// The record of a run as JSON. Layer: runtime/train.
#include "runtime/train/RunRecord.h"

#include "runtime/data/File.h"

#include <cstring>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

namespace syl {

namespace {
using nlohmann::ordered_json;
constexpr uint64_t sizeLimit = 1 << 24;
} // namespace

void writeRunRecord(const std::string &folder, const RunRecord &record, const syl_model &model) {
  ordered_json json = {{"network", record.network},  {"compiler", record.compiler},
                       {"target", record.target},    {"cpu", record.cpu},
                       {"threads", record.threads},  {"command", record.command},
                       {"data", record.data.data},   {"split", record.data.split},
                       {"label", record.data.label}, {"samples", record.samples},
                       {"epochs", record.epochs},    {"batch", record.batch},
                       {"seed", record.seed},        {"weights", record.weights},
                       {"prefix", record.prefix},    {"keep_best", record.keepBest},
                       {"on_nan", record.onNan},     {"folder", record.folder},
                       {"started", record.started}};
  json["compile"] = record.compile.empty() ? ordered_json() : ordered_json::parse(record.compile, nullptr, false);
  std::string text = json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
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
    const ordered_json json = ordered_json::parse(text);
    json.at("network").get_to(record.network);
    json.at("compiler").get_to(record.compiler);
    json.at("target").get_to(record.target);
    json.at("cpu").get_to(record.cpu);
    json.at("threads").get_to(record.threads);
    json.at("command").get_to(record.command);
    json.at("data").get_to(record.data.data);
    json.at("split").get_to(record.data.split);
    json.at("label").get_to(record.data.label);
    json.at("samples").get_to(record.samples);
    json.at("epochs").get_to(record.epochs);
    json.at("batch").get_to(record.batch);
    json.at("seed").get_to(record.seed);
    json.at("weights").get_to(record.weights);
    json.at("prefix").get_to(record.prefix);
    json.at("keep_best").get_to(record.keepBest);
    json.at("on_nan").get_to(record.onNan);
    json.at("folder").get_to(record.folder);
    json.at("started").get_to(record.started);
    if (!json.at("compile").is_null())
      record.compile = json.at("compile").dump();
  } catch (const nlohmann::json::exception &problem) {
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
