// The verbs evaluate, predict, step and bench of the toy program. Layer: tests.
#include "Scratch.h"
#include "ToyModel.h"
#include "runtime/data/Npy.h"
#include "runtime/data/Safetensors.h"
#include "runtime/train/Checkpoint.h"
#include "runtime/train/Session.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

namespace {

using namespace syltest;

class VerbsTest : public Scratch {
protected:
  toy::Model model;
  toy::Samples samples = toy::makeSamples(model.options(), 30);

  void SetUp() override {
    Scratch::SetUp();
    write("X.npy", npyBytes("<f4", "(30, 5)", bytesOf(samples.input)));
    write("Y.npy", npyBytes("<i4", "(30,)", bytesOf(samples.target)));
    write("X8.npy", npyBytes("<f4", "(7, 5)", bytesOf(samples.input).substr(0, 7 * 20)));
    write("Y8.npy", npyBytes("<i8", "(7,)", bytesOf(samples.targetInt64).substr(0, 7 * 8)));
    syl::Session session(*model.get(), 1);
    session.init(3);
    syl::saveCheckpoint(path("c"), *model.get(), session.state.get(), nullptr);
  }
  Outcome toy(std::vector<std::string> words, const Environment &environment = {}) const {
    words.insert(words.begin(), TOY_PROGRAM);
    return run(folder, words, environment);
  }
};

TEST_F(VerbsTest, EvaluatePrintsLossAndAccuracy) {
  Outcome outcome = toy({"evaluate", "--data", path("X.npy") + "," + path("Y.npy"), "--checkpoint", path("c")});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  syl::Session session(*model.get(), 1);
  session.init(3);
  double loss = 0;
  int64_t correct = 0;
  for (int64_t first = 0; first < 30; first += 8) {
    int64_t n = std::min<int64_t>(8, 30 - first);
    const void *input = samples.input.data() + first * 5, *target = samples.target.data() + first;
    syl_result result = session.evaluate(&input, &target, n);
    loss += result.loss * double(n) / 30;
    correct += result.correct;
  }
  EXPECT_EQ(outcome.out, syl::format("test loss %.4f\ntest accuracy %.2f%%\n", loss, 100. * double(correct) / 30));

  outcome = toy({"evaluate", "--data", path("X.npy") + "," + path("Y.npy"), "--checkpoint", path("c"), "--json"});
  nlohmann::json json = nlohmann::json::parse(outcome.out); // one object and nothing else
  EXPECT_EQ(json["net"], model.get()->name);
  EXPECT_EQ(json["samples"], 30);
  EXPECT_NEAR(json["loss"].get<double>(), loss, 1e-12);
  EXPECT_NEAR(json["metrics"]["accuracy"].get<double>(), double(correct) / 30, 1e-12);
}

void predictRow(syl::Session &session, const void *input, void *output) { session.predict(&input, 1, &output); }

TEST_F(VerbsTest, PredictWritesEveryRow) {
  Outcome outcome = toy({"predict", "--data", path("X.npy"), "--checkpoint", path("c"), "--out", path("p.npy")});
  EXPECT_EQ(outcome.out, path("p.npy") + ": float32 [30, 3]\n") << outcome.err;
  syl::Array array = syl::readNpy(path("p.npy"));
  EXPECT_EQ(array.dtype, SYL_FLOAT32);
  EXPECT_EQ(array.shape, (std::vector<int64_t>{30, 3}));
  syl::Session session(*model.get(), 1);
  session.init(3);
  std::vector<float> expected(90), found = valuesOf<float>(array);
  for (int64_t row = 0; row < 30; ++row)
    predictRow(session, samples.input.data() + row * 5, expected.data() + row * 3);
  EXPECT_EQ(found, expected);
}

TEST_F(VerbsTest, PredictPrintsTheFirstRows) {
  Outcome outcome = toy({"predict", "--data", path("X.npy"), "--checkpoint", path("c")});
  EXPECT_TRUE(
      std::regex_search(outcome.out, std::regex("^     row  class  softmax\n"
                                                "       0      [012]    0\\.\\d{4}   0\\.\\d{4}   0\\.\\d{4}\n")))
      << outcome.out << outcome.err;
  EXPECT_NE(outcome.out.find("\n20 more rows; --out FILE.npy writes all\n"), std::string::npos);
}

TEST_F(VerbsTest, PredictInDouble) {
  Environment wide = {{"TOY_DTYPE", "float64"}};
  Outcome outcome = toy({"predict", "--data", path("X.npy"), "--checkpoint", path("c"), "--out", path("p.npy")}, wide);
  EXPECT_EQ(outcome.out, path("p.npy") + ": float32 [30, 3]\n") << outcome.err;
  std::vector<float> row = valuesOf<float>(syl::readNpy(path("p.npy")));
  EXPECT_NEAR(row[0] + row[1] + row[2], 1, 1e-6);
}

std::vector<float> floats(const syl::SafetensorsFile &file, const std::string &name) {
  const syl::TensorEntry *entry = file.find(name);
  EXPECT_TRUE(entry) << name;
  if (!entry || entry->dtype != "F32")
    return {};
  const float *first = reinterpret_cast<const float *>(file.data(*entry));
  return std::vector<float>(first, first + (entry->end - entry->begin) / 4);
}

TEST_F(VerbsTest, StepDumpsEverything) {
  Outcome outcome = toy({"step", "--state", path("c"), "--input", path("X8.npy"), "--target", path("Y8.npy"), "--steps",
                         "2", "--dump", path("d")});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  syl::SafetensorsFile file(path("d"));
  file.load();
  std::vector<std::string> names;
  for (const syl::TensorEntry &entry : file.tensors())
    names.push_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{"linear.weight", "linear.bias", "input.running_mean",
                                             "input.num_batches_tracked", "optimizer.momentum_buffer.linear.weight",
                                             "optimizer.momentum_buffer.linear.bias", "grad.linear.weight",
                                             "grad.linear.bias", "output", "loss"}));
  EXPECT_EQ(file.find("output")->shape, (std::vector<int64_t>{7, 3}));
  EXPECT_EQ(file.find("loss")->shape, std::vector<int64_t>{2});

  // The loss of the last step follows from the logits, and the weights from the slots: w -= 0.5 v, twice.
  std::vector<float> logits = floats(file, "output"), loss = floats(file, "loss");
  double sum = 0;
  for (int row = 0; row < 7; ++row) {
    double total = 0;
    for (int k = 0; k < 3; ++k)
      total += std::exp(double(logits[size_t(row * 3 + k)]));
    sum += std::log(total) - logits[size_t(row * 3 + samples.target[size_t(row)])];
  }
  EXPECT_NEAR(loss[1], sum / 7, 1e-6);
  EXPECT_LT(loss[1], loss[0]);
  EXPECT_NE(outcome.out.find("after 2 steps on 7 samples"), std::string::npos);

  // A dump is a state: one step and one more from its dump are two steps.
  toy({"step", "--state", path("c"), "--input", path("X8.npy"), "--target", path("Y8.npy"), "--dump", path("1")});
  toy({"step", "--state", path("1"), "--input", path("X8.npy"), "--target", path("Y8.npy"), "--dump", path("2")});
  syl::SafetensorsFile second(path("2"));
  second.load();
  for (const std::string &name : names) {
    if (name != "loss" && name != "input.num_batches_tracked") {
      EXPECT_EQ(floats(second, name), floats(file, name)) << name;
    }
  }
  EXPECT_EQ(floats(second, "loss")[0], loss[1]);
  EXPECT_EQ(second.metadata("step"), "2");
}

TEST_F(VerbsTest, StepStartsFromTheSeed) {
  auto weights = [&](const std::string &seed) {
    toy({"step", "--seed", seed, "--input", path("X8.npy"), "--target", path("Y8.npy"), "--dump", path("d" + seed)});
    syl::SafetensorsFile file(path("d" + seed));
    file.load();
    return floats(file, "linear.weight");
  };
  EXPECT_EQ(weights("3"), weights("3"));
  EXPECT_NE(weights("3"), weights("4"));
}

TEST_F(VerbsTest, StepInDoubleTakesFloats) {
  Outcome outcome =
      toy({"step", "--state", path("c"), "--input", path("X8.npy"), "--target", path("Y8.npy"), "--dump", path("d")},
          {{"TOY_DTYPE", "float64"}});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  syl::SafetensorsFile file(path("d"));
  EXPECT_EQ(file.find("grad.linear.weight")->dtype, "F64");
  EXPECT_EQ(file.find("loss")->dtype, "F64");
}

TEST_F(VerbsTest, StepRefusesMoreRowsThanTheBatch) {
  Outcome outcome = toy({"step", "--input", path("X.npy"), "--target", path("Y.npy"), "--dump", path("d")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, path("X.npy") + ": error: found 30 rows, expected at most 8, the compiled batch\n"
                                         "hint: --batch 30\n");
}

TEST_F(VerbsTest, BenchJson) {
  for (const char *what : {"train", "predict", "evaluate"}) {
    Outcome outcome =
        toy({"bench", "--what", what, "--json", "--seconds", "0", "--kernels", "--batch", "5", "--threads", "2"});
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    nlohmann::json json = nlohmann::json::parse(outcome.out);
    EXPECT_EQ(json.size(), 12u);
    EXPECT_EQ(json["net"], "toy");
    EXPECT_EQ(json["what"], what);
    EXPECT_EQ(json["batch"], 5);
    EXPECT_EQ(json["threads"], 2);
    EXPECT_EQ(json["steps"], 5);
    EXPECT_GT(json["best_ms"], 0);
    EXPECT_GE(json["median_ms"], json["best_ms"]);
    EXPECT_GT(json["peak_rss_mb"], 0);
    ASSERT_EQ(json["kernels"].size(), std::string(what) == "train" ? 2u : 1u);
    for (const char *key : {"name", "ms", "calls", "threads", "GFLOP/s", "GB/s", "intensity", "roof", "bound", "rule"})
      EXPECT_TRUE(json["kernels"][0].contains(key));
    double sum = 0;
    for (const nlohmann::json &kernel : json["kernels"]) {
      EXPECT_GT(kernel["ms"], 0);
      EXPECT_GE(kernel["threads"], 1);
      EXPECT_LE(kernel["threads"], 2);
      sum += kernel["ms"].get<double>();
    }
    EXPECT_NEAR(json["kernels_ms"], sum, 1e-9);
    EXPECT_NEAR(json["gap_ms"], json["best_ms"].get<double>() - sum, 1e-9);
    EXPECT_GT(json["machine"]["GFLOP/s"]["one_thread"], 0);
    for (const char *level : {"L1", "L2", "L3", "DRAM"})
      EXPECT_GT(json["machine"]["GB/s"][level]["all_threads"], 0);
  }
}

TEST_F(VerbsTest, BenchTable) {
  Outcome outcome = toy({"bench", "--seconds", "0", "--kernels"});
  EXPECT_TRUE(
      std::regex_search(outcome.out, std::regex("^toy train, batch 8, \\d+ threads, x86-64: best \\d+\\.\\d{3} ms, "
                                                "median \\d+\\.\\d{3} ms \\(\\d+ images/s\\) over 5 steps, peak "
                                                "memory \\d+ MB\n")))
      << outcome.out;
  EXPECT_NE(outcome.out.find("\nlinear.update "), std::string::npos);
  EXPECT_NE(outcome.out.find(" toy.yaml:1\n"), std::string::npos);
  EXPECT_NE(outcome.out.find("\ngap: "), std::string::npos);
}

TEST_F(VerbsTest, BenchRoofline) {
  Outcome outcome = toy({"bench", "--seconds", "0", "--roofline", path("roofline.svg")});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  std::ifstream file(path("roofline.svg"));
  std::string svg((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(svg.rfind("<svg ", 0), 0u);
  EXPECT_NE(svg.find("<title>linear.forward+grad: "), std::string::npos);
  EXPECT_NE(svg.find("DRAM "), std::string::npos);
  EXPECT_NE(svg.find("</svg>"), std::string::npos);
  outcome = toy({"bench", "--seconds", "0", "--roofline", path("none/roofline.svg")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("roofline.svg: error: cannot be written: No such file"), std::string::npos) << outcome.err;
}

} // namespace
