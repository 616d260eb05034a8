// The verbs evaluate and predict. Layer: runtime/train.
#include "runtime/data/Npy.h"
#include "runtime/train/Checkpoint.h"
#include "runtime/train/Loader.h"
#include "runtime/train/Loop.h"
#include "runtime/train/Policies.h"
#include "runtime/train/Verbs.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <vector>

namespace syl {

int evaluateVerb(const syl_model &model, const EvaluateOptions &options) {
  Session session(model, options.threads);
  reportLoad(loadCheckpoint(options.checkpoint, model, session.state.get(), nullptr, options.rules));
  DataSet set = readDataSet(options.data, model, Parts::Test);
  Score score = evaluatePart(session, *set.test, readTrainingSettings(model).metrics);
  if (options.json) {
    nlohmann::ordered_json json = {{"net", model.name}, {"samples", set.test->count()}, {"loss", score.loss}};
    json["metrics"] = nlohmann::ordered_json::object();
    for (const MetricValue &value : score.metrics)
      json["metrics"][value.label] = value.value;
    std::printf("%s\n", json.dump().c_str());
    return 0;
  }
  if (!score.tables.empty())
    std::printf("%s", score.tables.c_str());
  std::printf("test loss %.4f\n", score.loss);
  for (const MetricValue &value : score.metrics)
    std::printf("test %s %s\n", value.label.c_str(), value.text().c_str());
  return 0;
}

namespace {

/// The first rows of an output, with the class of the largest value where they are one row of classes.
void printRows(const syl_array &output, const std::vector<float> &values, int64_t shown, int64_t count) {
  const int64_t width = elementsOf(output), columns = std::min<int64_t>(width, 10);
  const bool classes = output.rank == 1 && width > 1 && output.kind && std::strcmp(output.kind, "softmax") == 0;
  std::printf("%8s  %s%s\n", "row", classes ? "class  " : "", output.kind ? output.kind : output.name);
  for (int64_t row = 0; row < shown; ++row) {
    const float *here = values.data() + row * width;
    std::printf("%8lld  ", (long long)row);
    if (classes)
      std::printf("%5lld  ", (long long)(std::max_element(here, here + width) - here));
    for (int64_t column = 0; column < columns; ++column)
      std::printf("%s%8.4f", column ? " " : "", double(here[column]));
    std::printf("%s\n", columns < width ? " …" : "");
  }
  if (shown < count)
    std::printf("%lld more rows; --out FILE.npy writes all\n", (long long)(count - shown));
}

/// FILE.npy for the only output, FILE_NAME.npy for one of several.
std::string fileOf(const std::string &out, const syl_model &model, int32_t output) {
  if (model.output_count == 1)
    return out;
  const std::string end = ".npy";
  bool ends = out.size() > end.size() && out.compare(out.size() - end.size(), end.size(), end) == 0;
  return (ends ? out.substr(0, out.size() - end.size()) : out) + "_" + model.outputs[output].name + end;
}

} // namespace

int predictVerb(const syl_model &model, const PredictOptions &options) {
  Session session(model, options.threads);
  reportLoad(loadCheckpoint(options.checkpoint, model, session.state.get(), nullptr, options.rules));
  Part part = readInputs(options.data, model);
  const int64_t all = part.count(), count = options.out.empty() ? std::min<int64_t>(all, 10) : all;
  Loader loader(model, part, model.batch, session.threads);
  loader.start({}, 0, uint64_t(count));
  std::vector<Buffer> packed;
  std::vector<void *> pointers;
  std::vector<std::vector<float>> outputs;
  for (int32_t i = 0; i < model.output_count; ++i) {
    packed.emplace_back(bytesOf(model.outputs[i]) * size_t(model.batch), model.name);
    pointers.push_back(packed.back().data());
    outputs.emplace_back(size_t(count * elementsOf(model.outputs[i])));
  }
  for (int64_t first = 0; first < count; first += model.batch) {
    uint64_t rows;
    const Batch &batch = loader.next(rows);
    const int64_t n = int64_t(rows);
    session.predict(batch.inputs(), n, pointers.data());
    for (int32_t i = 0; i < model.output_count; ++i) {
      int64_t width = elementsOf(model.outputs[i]);
      convertElements(packed[size_t(i)].data(), syl_dtype(model.outputs[i].dtype),
                      outputs[size_t(i)].data() + first * width, SYL_FLOAT32, size_t(n * width));
    }
  }
  for (int32_t i = 0; i < model.output_count; ++i) {
    const syl_array &output = model.outputs[i];
    if (options.out.empty()) {
      if (model.output_count > 1)
        std::printf("%s%s\n", i ? "\n" : "", output.name);
      printRows(output, outputs[size_t(i)], count, all);
      continue;
    }
    std::vector<int64_t> shape(output.shape, output.shape + output.rank);
    shape.insert(shape.begin(), count);
    std::string path = fileOf(options.out, model, i);
    writeNpy(path, shape, outputs[size_t(i)].data());
    std::printf("%s: float32 %s\n", path.c_str(), shapeText(shape).c_str());
  }
  return 0;
}

} // namespace syl
