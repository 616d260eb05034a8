// The verb report: gathers what a run left and what its best checkpoint does. Layer: runtime/train.
#include "runtime/data/File.h"
#include "runtime/data/Image.h"
#include "runtime/train/Loader.h"
#include "runtime/train/Loop.h"
#include "runtime/train/Machine.h"
#include "runtime/train/Policies.h"
#include "runtime/train/Profile.h"
#include "runtime/train/Report.h"
#include "runtime/train/RunFolder.h"
#include "runtime/train/Verbs.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace syl {

namespace {

constexpr int64_t mostClasses = 100, shownSamples = 24, shownClasses = 3;

std::string base64(const std::string &bytes) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - at);
    uint32_t word = 0;
    for (size_t i = 0; i < 3; ++i)
      word = word << 8 | (i < count ? uint8_t(bytes[at + i]) : 0);
    for (size_t i = 0; i < 4; ++i)
      text += i <= count ? letters[word >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

std::string contentOf(const std::string &path) {
  InputFile file(path);
  std::string text(file.size(), '\0');
  file.readExactly(text.data(), text.size(), 0);
  return text;
}

/// A sample of [H, W, 1] or [H, W, 3] as a data URI, its range spread over black to white; empty where it is no image.
std::string imageOf(const syl_array &array, const void *sample, const std::string &folder) {
  if (array.rank != 3 || (array.shape[2] != 1 && array.shape[2] != 3) || elementsOf(array) > int64_t(imagePixelLimit))
    return "";
  std::vector<double> values(static_cast<size_t>(elementsOf(array)));
  convertElements(sample, syl_dtype(array.dtype), values.data(), SYL_FLOAT64, values.size());
  auto [low, high] = std::minmax_element(values.begin(), values.end());
  const bool bytes = array.dtype == SYL_UINT8;
  const double start = bytes ? 0 : *low, scale = bytes ? 1 : *high > *low ? 255 / (*high - *low) : 0;
  Image image;
  image.height = array.shape[0], image.width = array.shape[1], image.channels = array.shape[2];
  image.pixels = Buffer(values.size(), array.name);
  for (size_t i = 0; i < values.size(); ++i)
    image.pixels.data()[i] = char(uint8_t(std::lround((values[i] - start) * scale)));
  const std::string path = format("%s/.sample.%ld.png", folder.c_str(), long(getpid()));
  writePng(path, image);
  const std::string png = contentOf(path);
  unlink(path.c_str());
  return "data:image/png;base64," + base64(png);
}

/// What the network says of each sample of a part.
struct Answer {
  int64_t row, label;
  std::vector<std::pair<int64_t, double>> classes;
};

bool hasClasses(const syl_model &model) {
  return model.output_count == 1 && model.outputs[0].kind && std::strcmp(model.outputs[0].kind, "softmax") == 0 &&
         model.outputs[0].rank == 1 && model.outputs[0].shape[0] <= mostClasses &&
         model.targets[model.heads[0].target].classes == model.outputs[0].shape[0] &&
         elementsOf(model.targets[model.heads[0].target]) == 1;
}

std::vector<Answer> answersOf(Session &session, const Part &part) {
  const syl_model &model = session.model;
  const syl_array &output = model.outputs[0], &target = model.targets[model.heads[0].target];
  const size_t classes = size_t(output.shape[0]);
  Loader loader(model, part, model.batch, session.threads);
  loader.start({}, 0, uint64_t(part.count()));
  Buffer packed(bytesOf(output) * size_t(model.batch), model.name);
  void *pointer = packed.data();
  std::vector<double> values(classes * size_t(model.batch));
  std::vector<Answer> answers;
  for (int64_t first = 0; first < part.count(); first += model.batch) {
    uint64_t rows;
    const Batch &batch = loader.next(rows);
    session.predict(batch.inputs(), int64_t(rows), &pointer);
    convertElements(packed.data(), syl_dtype(output.dtype), values.data(), SYL_FLOAT64, classes * rows);
    for (uint64_t i = 0; i < rows; ++i) {
      Answer answer{first + int64_t(i), 0, {}};
      convertElements(static_cast<const char *>(batch.targets()[model.heads[0].target]) + i * bytesOf(target),
                      syl_dtype(target.dtype), &answer.label, SYL_INT64, 1);
      for (size_t c = 0; c < classes; ++c)
        answer.classes.emplace_back(int64_t(c), values[i * classes + c]);
      std::stable_sort(answer.classes.begin(), answer.classes.end(),
                       [](auto &a, auto &b) { return a.second > b.second; });
      answer.classes.resize(std::min<size_t>(classes, shownClasses));
      answers.push_back(std::move(answer));
    }
  }
  return answers;
}

/// The first `shownSamples` answers with their images.
std::vector<ReportSample> withImages(const syl_model &model, const Part &part, std::vector<Answer> answers,
                                     const std::string &folder) {
  answers.resize(std::min<size_t>(answers.size(), shownSamples));
  std::vector<ReportSample> samples;
  Batch batch(model, 1);
  for (Answer &answer : answers) {
    const uint32_t row = uint32_t(answer.row);
    batch.gather(part, &row, 1);
    samples.push_back({imageOf(model.inputs[0], batch.inputs()[0], folder), answer.row, answer.label, answer.classes});
  }
  return samples;
}

void takeAnswers(ReportContent &content, Session &session, const Part &part, const std::string &folder) {
  if (!hasClasses(session.model))
    return;
  const std::vector<Answer> answers = answersOf(session, part);
  content.classes = session.model.outputs[0].shape[0];
  content.confusion.resize(size_t(content.classes * content.classes));
  std::vector<Answer> mistakes;
  for (const Answer &answer : answers) {
    if (answer.label < 0 || answer.label >= content.classes)
      continue;
    ++content.confusion[size_t(answer.label * content.classes + answer.classes[0].first)];
    if (answer.classes[0].first != answer.label)
      mistakes.push_back(answer);
  }
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [](const Answer &a, const Answer &b) { return a.classes[0].second > b.classes[0].second; });
  content.mistakes = withImages(session.model, part, mistakes, folder);
  content.first = withImages(session.model, part, answers, folder);
}

/// Time of each kernel of the training step, on a copy of the state.
void takeKernels(ReportContent &content, const Session &session, const Part &part) {
  constexpr int steps = 12;
  const syl_model &model = session.model;
  const int64_t n = std::min<int64_t>(model.batch, part.count());
  Batch batch(model, model.batch);
  batch.range(part, 0, size_t(n));
  Block state(session.state.size()), scratch(session.scratch.size());
  const Machine machine = measureMachine(model, session.threads);
  Profile profile(model, 0);
  const syl_step settings{1, 0, session.threads, 0};
  content.stepMs = INFINITY;
  for (int i = 0; i < steps; ++i) {
    std::memcpy(state.get(), session.state.get(), state.size());
    const Clock::time_point start = Clock::now();
    require(syl_train_step(&profile.model(), state.get(), scratch.get(), batch.inputs(), batch.targets(), int32_t(n),
                           &settings, nullptr),
            model.name);
    content.stepMs = std::min(content.stepMs, secondsSince(start) * 1e3);
  }
  content.kernels = rooflineRows(profile.times(session.threads), machine, double(n) / model.batch);
  content.threads = session.threads;
}

/// Buffers of the training step, from the manifest beside this program, where there is one.
void takeBuffers(ReportContent &content, const syl_model &model) {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length <= 0)
    return;
  std::string folder(path, size_t(length));
  const std::string manifest = folder.substr(0, folder.rfind('/') + 1) + model.name + ".json";
  if (!pathExists(manifest))
    return;
  const nlohmann::json json = nlohmann::json::parse(contentOf(manifest), nullptr, false);
  if (json.is_discarded() || !json.contains("programs") || !json["programs"].contains("train"))
    return;
  for (const nlohmann::json &buffer : json["programs"]["train"]["buffers"])
    content.buffers.push_back({buffer.value("name", ""), buffer.value("block", ""), buffer.value("offset", uint64_t(0)),
                               buffer.value("bytes", uint64_t(0)), buffer.value("first_phase", int64_t(0)),
                               buffer.value("last_phase", int64_t(0))});
}

} // namespace

int reportVerb(const syl_model &model, const ReportOptions &options) {
  char resolved[PATH_MAX];
  const RunFolder folder(realpath(options.run.c_str(), resolved) ? resolved : options.run);
  const std::string out = options.out.empty()     ? folder.file("report.html")
                          : options.out[0] == '/' ? options.out
                                                  : std::string(getcwd(resolved, sizeof resolved)) + "/" + options.out;
  std::optional<RunRecord> record = readRunRecord(folder.name());
  if (!record)
    throw Error(SYL_ERROR_IO, folder.file("run.json"), "found no record of a run",
                "report takes a folder that train made");
  ReportContent content;
  content.record = *record;
  content.log = readRunLog(folder.file("metrics.csv"));
  Session session(model, options.threads);
  Progress progress;
  content.checkpoint = pathExists(folder.best()) ? folder.best() : folder.last();
  loadCheckpoint(content.checkpoint, model, session.state.get(), &progress);
  content.step = syl_state_step(&model, session.state.get());
  content.epoch = progress.epoch;
  content.stateBytes = syl_state_bytes(&model);
  content.scratchBytes = syl_scratch_bytes(&model, 0, session.threads);
  for (int32_t i = 0; i < model.tensor_count; ++i)
    if (model.tensors[i].kind == SYL_PARAMETER)
      content.parameters += syl_tensor_elements(&model.tensors[i]);
  if (!record->folder.empty() && chdir(record->folder.c_str()) != 0)
    throw Error(SYL_ERROR_IO, record->folder, "cannot go to the folder that the run was started in");
  const DataSet set = readDataSet(record->data, model, Parts::All);
  const Part &part = set.test ? *set.test : set.train;
  content.part = set.test ? "test" : "train";
  const Score score = evaluatePart(session, part, readTrainingSettings(model).metrics);
  content.loss = score.loss;
  for (const MetricValue &value : score.metrics)
    content.metrics.emplace_back(value.label, value.text());
  takeAnswers(content, session, part, folder.name());
  takeKernels(content, session, part);
  takeBuffers(content, model);
  const std::string page = reportPage(content);
  saveAtomically(out, page.data(), page.size());
  std::printf("%s: %zu KiB\n", out.c_str(), page.size() / 1024);
  return 0;
}

} // namespace syl
