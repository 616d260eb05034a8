// The verbs evaluate and predict. Layer: runtime/train.
#include "runtime/data/Npy.h"
#include "runtime/train/Checkpoint.h"
#include "runtime/train/Loop.h"
#include "runtime/train/Verbs.h"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace syl {

int evaluateVerb(const syl_model &model, const EvaluateOptions &options) {
  Session session(model, options.threads);
  loadCheckpoint(options.checkpoint, model, session.state.get());
  DataSet set = readDataSet(options.data, model, Parts::Test);
  Score score = evaluatePart(session, *set.test);
  std::printf("test loss %.4f\n", score.loss);
  if (score.accuracy >= 0)
    std::printf("test accuracy %s\n", percent(score.accuracy).c_str());
  return 0;
}

namespace {

/// The first rows, with the class of the largest output where the outputs are one row of classes.
void printRows(const syl_model &model, const std::vector<float> &outputs, int64_t shown, int64_t count) {
  const int64_t width = outputElements(model), columns = std::min<int64_t>(width, 10);
  const bool classes = model.classes > 0 && width == model.classes;
  std::printf("%8s  %s%s\n", "row", classes ? "class  " : "", model.output_kind);
  for (int64_t row = 0; row < shown; ++row) {
    const float *values = outputs.data() + row * width;
    std::printf("%8lld  ", (long long)row);
    if (classes)
      std::printf("%5lld  ", (long long)(std::max_element(values, values + width) - values));
    for (int64_t column = 0; column < columns; ++column)
      std::printf("%s%8.4f", column ? " " : "", double(values[column]));
    std::printf("%s\n", columns < width ? " …" : "");
  }
  if (shown < count)
    std::printf("%lld more rows; --out FILE.npy writes all\n", (long long)(count - shown));
}

} // namespace

int predictVerb(const syl_model &model, const PredictOptions &options) {
  Session session(model, options.threads);
  loadCheckpoint(options.checkpoint, model, session.state.get());
  std::string path;
  Array input = readInputs(options.data, model, path);
  const int64_t width = outputElements(model), all = input.shape[0];
  const int64_t count = options.out.empty() ? std::min<int64_t>(all, 10) : all;
  const syl_dtype type = syl_dtype(model.dtype);
  Buffer space(inputBytes(model) * size_t(model.batch), path);
  Buffer packed(size_t(width) * size_t(model.batch) * syl_dtype_bytes(type), path);
  std::vector<float> outputs(size_t(count * width));
  for (int64_t first = 0; first < count; first += model.batch) {
    int64_t n = std::min<int64_t>(model.batch, count - first);
    session.predict(rowRange(input, first, size_t(n), syl_dtype(model.input_dtype), space), n, packed.data());
    convertElements(packed.data(), type, outputs.data() + first * width, SYL_FLOAT32, size_t(n * width));
  }
  if (options.out.empty()) {
    printRows(model, outputs, count, all);
    return 0;
  }
  std::vector<int64_t> shape(model.output_shape, model.output_shape + model.output_rank);
  shape.insert(shape.begin(), count);
  writeNpy(options.out, shape, outputs.data());
  std::printf("%s: float32 %s\n", options.out.c_str(), shapeText(shape).c_str());
  return 0;
}

} // namespace syl
