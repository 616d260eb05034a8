//===- TuneJournal.cpp - what a tuner has tried, on disk ----------------------------------------------------------===//
#include "compiler/tools/TuneJournal.h"

#include "compiler/support/Files.h"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>

using nlohmann::json;
using nlohmann::ordered_json;
namespace fs = std::filesystem;

namespace sylvite {
namespace {

constexpr size_t sizeLimit = size_t(64) << 20;

std::optional<TuneEntry> entryOf(const json &line) {
  try {
    TuneEntry entry;
    line.at("key").get_to(entry.key);
    line.at("kernel").get_to(entry.kernel);
    line.at("rule").get_to(entry.rule);
    line.at("rule_hash").get_to(entry.ruleHash);
    line.at("parameters").get_to(entry.parameters);
    line.at("result").get_to(entry.result);
    if (entry.result == "ok") {
      entry.time = line.at("time").get<double>();
      if (!(*entry.time > 0))
        return std::nullopt;
    }
    return entry;
  } catch (const json::exception &) {
    return std::nullopt;
  }
}

} // namespace

bool TuneJournal::open(const fs::path &path, const Subject &subject, Diagnostics &diagnostics) {
  std::error_code code;
  std::string error, kept;
  const std::string name = path.string();
  if (fs::exists(path, code)) {
    std::optional<std::string> text = readFile(path, sizeLimit, error);
    if (!text) {
      diagnostics.error({name}, error);
      return false;
    }
    int number = 0;
    for (size_t start = 0; start < text->size(); ++number) {
      size_t end = text->find('\n', start);
      if (end == std::string::npos)
        break; // cut off as it was written
      json line = json::parse(text->substr(start, end - start), nullptr, false);
      start = end + 1;
      if (number == 0) {
        Subject found;
        if (line.is_object() && line.value("journal", "") == "sylvite tune")
          found = {line.value("net", ""), line.value("what", ""), line.value("target", ""), line.value("cpu", "")};
        if (!(found == subject)) {
          diagnostics.error({name, 1, 1},
                            found.net.empty() ? "is no journal of `sylvite tune`"
                                              : "is of " + found.net + " " + found.what + " on " + found.cpu + " (" +
                                                    found.target + "), not of " + subject.net + " " + subject.what +
                                                    " on " + subject.cpu + " (" + subject.target + ")",
                            "write to another file with -o, or remove this one");
          return false;
        }
      } else if (std::optional<TuneEntry> entry = entryOf(line)) {
        list.push_back(*entry);
      } else {
        diagnostics.error({name, number + 1, 1}, "is no entry of a journal", "remove the line");
        return false;
      }
      kept = text->substr(0, start);
    }
    if (kept.size() < text->size())
      fs::resize_file(path, kept.size(), code);
  }
  file.open(path, std::ios::app);
  if (kept.empty())
    file << ordered_json{{"journal", "sylvite tune"},
                         {"net", subject.net},
                         {"what", subject.what},
                         {"target", subject.target},
                         {"cpu", subject.cpu}}
                .dump()
         << "\n"
         << std::flush;
  if (!file)
    diagnostics.error({name}, std::string("cannot be written: ") + strerror(errno));
  return bool(file);
}

std::string TuneJournal::append(const TuneEntry &entry) {
  ordered_json line = {{"key", entry.key},
                       {"kernel", entry.kernel},
                       {"rule", entry.rule},
                       {"rule_hash", entry.ruleHash},
                       {"parameters", entry.parameters},
                       {"result", entry.result}};
  if (entry.time) {
    line["time"] = *entry.time;
    line["ms"] = entry.ms;
  }
  if (!entry.message.empty())
    line["message"] = entry.message;
  file << line.dump() << "\n" << std::flush;
  return file ? "" : strerror(errno);
}

} // namespace sylvite
