// The program behind `sylvite data`: what the readers see in a data set, with or without a network. It is apart from
// the programs that networks are linked into: no network needs to be compiled for it. Layer: runtime/train.
//
// SYLVITE_ARRAYS, which the command sets for --network, is a JSON object of the network's `name`, `training` settings,
// `inputs` and `targets`, each {name, dtype, shape, classes, ignore_index} as in sylvite.h's syl_array.
#include "runtime/data/Statistics.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <nlohmann/json.hpp>

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

/// The arrays of a network, as far as the readers look at them.
class Network {
public:
  explicit Network(const char *text) {
    json described = json::parse(text);
    std::strncpy(name, described.at("name").get<std::string>().c_str(), sizeof name - 1);
    training = described.at("training").dump();
    read(described.at("inputs"), inputs);
    read(described.at("targets"), targets);
    model.name = name;
    model.training = training.c_str();
    model.inputs = inputs.data();
    model.targets = targets.data();
    model.input_count = int32_t(inputs.size());
    model.target_count = int32_t(targets.size());
  }
  Network(const Network &) = delete;
  Network &operator=(const Network &) = delete;
  const syl_model &get() const { return model; }

private:
  void read(const json &rows, std::vector<syl_array> &arrays) {
    for (const json &row : rows) {
      syl_array array{};
      array.name = names.emplace_back(row.at("name").get<std::string>()).c_str();
      array.dtype = row.at("dtype").get<int32_t>();
      array.rank = int32_t(row.at("shape").size());
      for (int32_t axis = 0; axis < array.rank && axis < SYL_MAX_RANK; ++axis)
        array.shape[axis] = row.at("shape")[size_t(axis)].get<int64_t>();
      array.classes = row.at("classes").get<int64_t>();
      array.ignore_index = row.at("ignore_index").get<int64_t>();
      arrays.push_back(array);
    }
  }

  syl_model model{};
  char name[256] = "";
  std::string training;
  std::deque<std::string> names;
  std::vector<syl_array> inputs, targets;
};

std::vector<int64_t> sampleShape(const syl::Column &column) {
  return {column.shape().begin() + !column.shape().empty(), column.shape().end()};
}

ordered_json describe(const std::string &name, const syl::Column &column, const std::vector<uint32_t> *rows) {
  const syl::ColumnStatistics figures = statisticsOf(column, rows);
  ordered_json json = {{"name", name},
                       {"path", column.path()},
                       {"dtype", syl_dtype_name(column.dtype())},
                       {"shape", sampleShape(column)},
                       {"min", figures.minimum},
                       {"max", figures.maximum},
                       {"mean", figures.mean},
                       {"std", figures.std},
                       {"not_finite", figures.notFinite}};
  if (!figures.channelMean.empty()) {
    json["channel_mean"] = figures.channelMean;
    json["channel_std"] = figures.channelStd;
  }
  if (figures.isClasses && column.dtype() != SYL_FLOAT32 && column.dtype() != SYL_FLOAT64) {
    const std::vector<std::string> names = column.classNames();
    json["classes"] = ordered_json::array();
    for (auto &[number, count] : figures.counts) {
      ordered_json row = {{"class", number}, {"count", count}};
      if (number >= 0 && size_t(number) < names.size())
        row["name"] = names[size_t(number)];
      json["classes"].push_back(row);
    }
  }
  return json;
}

ordered_json describe(const syl::Part &part, const syl_model *model) {
  ordered_json json = {{"count", part.count()}};
  auto add = [&](const char *kind, const std::vector<syl::ColumnPointer> &columns, const syl_array *arrays) {
    json[kind] = ordered_json::array();
    for (size_t i = 0; i < columns.size(); ++i) {
      std::string name = arrays ? arrays[i].name : kind == std::string("inputs") ? "input" : "target";
      json[kind].push_back(describe(name, *columns[i], part.rows.get()));
    }
  };
  add("inputs", part.inputs, model ? model->inputs : nullptr);
  add("targets", part.targets, model ? model->targets : nullptr);
  return json;
}

std::string numbers(const ordered_json &list) {
  std::string text;
  for (const ordered_json &value : list)
    text += syl::format("%s%.6g", text.empty() ? "" : ", ", value.get<double>());
  return "[" + text + "]";
}

void printColumn(const ordered_json &column) {
  std::printf("  %-10s %-8s %-16s from %.6g to %.6g, mean %.6g, std %.6g\n", column["name"].get<std::string>().c_str(),
              column["dtype"].get<std::string>().c_str(),
              syl::shapeText(column["shape"].get<std::vector<int64_t>>()).c_str(), column["min"].get<double>(),
              column["max"].get<double>(), column["mean"].get<double>(), column["std"].get<double>());
  if (column["not_finite"].get<int64_t>())
    std::printf("  %10s %lld values are NaN or infinite\n", "", (long long)column["not_finite"].get<int64_t>());
  if (column.contains("channel_mean") && column["channel_mean"].size() > 1)
    std::printf("  %10s channels: mean %s, std %s\n", "", numbers(column["channel_mean"]).c_str(),
                numbers(column["channel_std"]).c_str());
  if (!column.contains("classes"))
    return;
  std::string line = syl::format("  %10s %zu classes:", "", column["classes"].size());
  for (const ordered_json &row : column["classes"]) {
    std::string item = " " + (row.contains("name") ? row["name"].get<std::string>() : row["class"].dump()) + " " +
                       row["count"].dump() + ",";
    if (line.size() + item.size() > 116) {
      std::printf("%s\n", line.c_str());
      line = syl::format("  %10s", "");
    }
    line += item;
  }
  line.pop_back();
  std::printf("%s\n", line.c_str());
}

void print(const ordered_json &all) {
  std::printf("%s: %s\n", all["data"].get<std::string>().c_str(), all["format"].get<std::string>().c_str());
  for (const char *part : {"train", "test"})
    if (all.contains(part)) {
      std::printf("%s: %lld samples\n", part, (long long)all[part]["count"].get<int64_t>());
      for (const char *kind : {"inputs", "targets"})
        for (const ordered_json &column : all[part][kind])
          printColumn(column);
    }
}

int show(const syl::DataRequest &request, const std::string &sheet, bool asJson) {
  const char *arrays = std::getenv("SYLVITE_ARRAYS");
  std::optional<Network> network;
  if (arrays && *arrays)
    network.emplace(arrays);
  const syl_model *model = network ? &network->get() : nullptr;
  const syl::DataSet set = model ? syl::readDataSet(request, *model, syl::Parts::All) : syl::openDataSet(request);
  ordered_json all = {{"data", request.data}, {"format", set.format}};
  if (set.train.count())
    all["train"] = describe(set.train, model);
  if (set.test)
    all["test"] = describe(*set.test, model);
  if (!sheet.empty())
    syl::writePng(sheet, syl::contactSheet(set.train.count() ? set.train : *set.test));
  if (asJson)
    std::printf("%s\n", all.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
  else
    print(all);
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("What the readers see in a data set.", "sylvite data");
  syl::DataRequest request;
  std::string sheet;
  bool asJson = false;
  app.add_option("DATA", request.data)->required();
  app.add_option("--split", request.split)->check(CLI::Range(1e-9, 1 - 1e-9));
  app.add_option("--label", request.label);
  app.add_option("--sheet", sheet);
  app.add_flag("--json", asJson);
  try {
    app.parse(argc, argv);
    return show(request, sheet, asJson);
  } catch (const CLI::ParseError &error) {
    std::fprintf(stderr, "sylvite data: error: %s\nhint: sylvite data --help\n", error.what());
  } catch (const syl::Error &error) {
    std::fprintf(stderr, "%s\n", error.what());
  } catch (const std::bad_alloc &) {
    std::fprintf(stderr, "sylvite data: error: out of memory\n");
  } catch (const std::exception &error) {
    std::fprintf(stderr, "sylvite data: internal error: %s\nhint: report this with the command and the files\n",
                 error.what());
  }
  return 1;
}
