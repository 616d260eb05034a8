// Checkpoints of the toy model: exact round trips, files from PyTorch, and what is refused. Layer: tests.
#include "runtime/train/Checkpoint.h"
#include "Scratch.h"
#include "ToyModel.h"
#include "runtime/train/Session.h"
#include "sylvite/train.h"

#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>

namespace {

using namespace syltest;

class CheckpointTest : public Scratch {
protected:
  toy::Model model;
  syl::Session session{*model.get(), 1};

  void SetUp() override {
    Scratch::SetUp();
    session.init(42);
    toy::Samples samples = toy::makeSamples(model.options(), 8);
    const void *input = samples.input.data(), *target = samples.target.data();
    for (int step = 0; step < 3; ++step)
      session.trainStep(&input, &target, 8);
  }
  std::string bytes(const syl::Session &of) const { return std::string(of.state.get(), syl_state_bytes(model.get())); }
};

TEST_F(CheckpointTest, RoundTripIsExact) {
  syl::Progress progress;
  progress.epoch = 3, progress.position = 24, progress.epochs = 9, progress.samples = 100, progress.batch = 8;
  progress.seed = 42, progress.lossSum = 0.1, progress.correct = 5, progress.bestValue = 1. / 3, progress.bestEpoch = 2;
  progress.bestLine = "top-5 accuracy 33.33%";
  progress.policies = {0.1, 1e-300, 2. / 3, 4, 5, 6, true, true};
  syl::saveCheckpoint(path("c"), *model.get(), session.state.get(), &progress);
  syl::Session other(*model.get(), 1);
  syl::Progress read;
  syl::loadCheckpoint(path("c"), *model.get(), other.state.get(), &read);
  EXPECT_EQ(bytes(session), bytes(other));
  EXPECT_EQ(read.epoch, 3u);
  EXPECT_EQ(read.position, 24u);
  EXPECT_EQ(read.epochs, 9u);
  EXPECT_EQ(read.samples, 100u);
  EXPECT_EQ(read.batch, 8u);
  EXPECT_EQ(read.seed, 42u);
  EXPECT_EQ(read.lossSum, 0.1);
  EXPECT_EQ(read.correct, 5);
  EXPECT_EQ(read.bestValue, 1. / 3);
  EXPECT_EQ(read.bestLine, "top-5 accuracy 33.33%");
  EXPECT_EQ(read.policies.rateScale, 0.1);
  EXPECT_EQ(read.policies.plateauBest, 1e-300);
  EXPECT_EQ(read.policies.stoppingBest, 2. / 3);
  EXPECT_EQ(read.policies.plateauBad, 4u);
  EXPECT_EQ(read.policies.plateauCooldown, 5u);
  EXPECT_EQ(read.policies.stoppingBad, 6u);
  EXPECT_TRUE(read.policies.plateauStarted && read.policies.stoppingStarted);
  EXPECT_EQ(read.bestEpoch, 2u);
  EXPECT_EQ(syl_state_step(model.get(), other.state.get()), 3u);
  EXPECT_EQ(syl_state_seed(model.get(), other.state.get()), 42u);
}

TEST_F(CheckpointTest, MetadataAndNames) {
  syl::saveCheckpoint(path("c"), *model.get(), session.state.get(), nullptr);
  syl::SafetensorsFile file(path("c"));
  EXPECT_EQ(file.metadata("sylvite"), "2");
  EXPECT_EQ(file.metadata("format"), "pt");
  EXPECT_EQ(file.metadata("network"), "toy");
  EXPECT_EQ(file.metadata("step"), "3");
  EXPECT_EQ(file.metadata("seed"), "42");
  EXPECT_EQ(file.metadata("batch"), "8");
  EXPECT_EQ(file.metadata("target"), "x86-64");
  EXPECT_EQ(file.metadata("sha256")->size(), 64u);
  EXPECT_EQ(nlohmann::json::parse(*file.metadata("names")),
            (nlohmann::json{"linear.weight", "linear.bias", "input.running_mean", "input.num_batches_tracked",
                            "optimizer.momentum_buffer.linear.weight", "optimizer.momentum_buffer.linear.bias"}));
}

TEST_F(CheckpointTest, CountersAreMadeUpWhereTheModelHasNone) {
  syl_model without = *model.get();
  std::vector<syl_tensor> tensors(without.tensors, without.tensors + without.tensor_count);
  tensors.erase(tensors.begin() + 3);
  syl_tensor variance = tensors[2];
  variance.name = "input.running_var";
  without.tensors = tensors.data();
  without.tensor_count = int32_t(tensors.size());
  syl::SafetensorsWriter writer;
  syl::addState(writer, without, session.state.get());
  EXPECT_EQ(writer.names()[3], "input.num_batches_tracked");
  tensors.insert(tensors.begin() + 3, variance);
  without.tensors = tensors.data();
  without.tensor_count = int32_t(tensors.size());
  syl::SafetensorsWriter both;
  syl::addState(both, without, session.state.get());
  EXPECT_EQ(both.names()[3], "input.running_var");
  EXPECT_EQ(both.names()[4], "input.num_batches_tracked");
  EXPECT_EQ(both.names().size(), 7u);
  both.save(path("c"), {});
  syl::SafetensorsFile file(path("c"));
  file.load();
  EXPECT_EQ(*reinterpret_cast<const int64_t *>(file.data(*file.find("input.num_batches_tracked"))), 3);
}

/// The file as PyTorch writes it: no metadata, so no seal.
void strip(const std::string &from, const std::string &to, const std::vector<std::string> &without,
           bool twice = false) {
  syl::SafetensorsFile file(from);
  file.load();
  std::string header = "{", data;
  for (const syl::TensorEntry &entry : file.tensors()) {
    if (std::find(without.begin(), without.end(), entry.name) != without.end())
      continue;
    std::string content(file.data(entry), entry.end - entry.begin), dtype = entry.dtype;
    if (twice && dtype == "F32") {
      std::vector<double> wide;
      for (size_t at = 0; at < content.size(); at += 4)
        wide.push_back(*reinterpret_cast<const float *>(content.data() + at));
      content = bytesOf(wide);
      dtype = "F64";
    }
    nlohmann::json item = {
        {"dtype", dtype}, {"shape", entry.shape}, {"data_offsets", {data.size(), data.size() + content.size()}}};
    header += (header.size() > 1 ? "," : "") + nlohmann::json(entry.name).dump() + ":" + item.dump();
    data += content;
  }
  header += "}";
  uint64_t length = header.size();
  FILE *out = fopen(to.c_str(), "wb");
  fwrite(&length, 8, 1, out);
  fwrite(header.data(), 1, header.size(), out);
  fwrite(data.data(), 1, data.size(), out);
  fclose(out);
}

const std::vector<std::string> slots = {"optimizer.momentum_buffer.linear.weight",
                                        "optimizer.momentum_buffer.linear.bias"};

TEST_F(CheckpointTest, AFileOfPyTorchMayLackStepSlotsAndCounters) {
  syl::saveCheckpoint(path("c"), *model.get(), session.state.get(), nullptr);
  std::vector<std::string> without = slots;
  without.push_back("input.num_batches_tracked");
  strip(path("c"), path("p"), without);
  syl::Session other(*model.get(), 1);
  syl::loadCheckpoint(path("p"), *model.get(), other.state.get());
  EXPECT_EQ(syl_state_step(model.get(), other.state.get()), 0u);
  for (const char *name : {"linear.weight", "linear.bias", "input.running_mean"}) {
    const syl_tensor *tensor = syl_find_tensor(model.get(), name);
    std::vector<float> mine(syl_tensor_elements(tensor)), theirs(mine.size(), -1);
    ASSERT_EQ(syl_export_tensor(tensor, session.state.get(), 0, mine.data()), SYL_OK);
    ASSERT_EQ(syl_export_tensor(tensor, other.state.get(), 0, theirs.data()), SYL_OK);
    EXPECT_EQ(mine, theirs) << name;
  }
  std::vector<float> slot(3, -1);
  ASSERT_EQ(syl_export_tensor(syl_find_tensor(model.get(), slots[1].c_str()), other.state.get(), 0, slot.data()),
            SYL_OK);
  EXPECT_EQ(slot, std::vector<float>(3, 0));

  strip(path("c"), path("p"), {}, true); // and may be float64 where no value changes; its counters give the step
  syl::loadCheckpoint(path("p"), *model.get(), other.state.get());
  EXPECT_EQ(syl_state_step(model.get(), other.state.get()), 3u);
}

TEST_F(CheckpointTest, MismatchListsNamesAndShapes) {
  toy::Options options;
  options.classes = 4;
  toy::Model wider(options);
  syl::saveCheckpoint(path("c"), *model.get(), session.state.get(), nullptr);
  strip(path("c"), path("p"), {"linear.bias", slots[0], slots[1]});
  syl::Session other(*wider.get(), 1);
  other.init(1);
  std::string before(other.state.get(), syl_state_bytes(wider.get()));
  EXPECT_EQ(errorOf([&] { syl::loadCheckpoint(path("p"), *wider.get(), other.state.get()); }),
            path("p") + ": error: found a checkpoint of another network than toy:\n"
                        "  linear.weight: found F32 [3, 5], expected F32 [4, 5]\n"
                        "  linear.bias: found nothing, expected F32 [4]");
  EXPECT_EQ(std::string(other.state.get(), before.size()), before);

  syl::SafetensorsWriter writer;
  syl::addState(writer, *model.get(), session.state.get());
  float extra = 0;
  writer.add("conv.weight", SYL_FLOAT32, {1}, &extra);
  writer.add("loss", SYL_FLOAT32, {1}, &extra);
  writer.save(path("x"), {});
  EXPECT_EQ(errorOf([&] { syl::loadCheckpoint(path("x"), *model.get(), session.state.get()); }),
            path("x") + ": error: found a checkpoint of another network than toy:\n"
                        "  conv.weight: found F32 [1], expected no such tensor");
}

TEST_F(CheckpointTest, EveryChangeAndEveryCutIsRefusedAndTheStateKept) {
  syl::saveCheckpoint(path("c"), *model.get(), session.state.get(), nullptr);
  std::string whole = readAll(path("c")), before = bytes(session);
  std::vector<int> changes = {1, 2, 4, 8, 16, 32, 64, 128, 255};
  if (std::getenv("SYLVITE_LONG")) { // every other value of every byte
    changes.resize(255);
    std::iota(changes.begin(), changes.end(), 1);
  }
  for (size_t at = 0; at < whole.size(); ++at)
    for (int change : changes) {
      std::string damaged = whole;
      damaged[at] = char(damaged[at] ^ change);
      write("d", damaged);
      EXPECT_THROW(syl::loadCheckpoint(path("d"), *model.get(), session.state.get()), syl::Error)
          << at << " " << change;
    }
  for (size_t length = 0; length < whole.size(); ++length) {
    write("d", whole.substr(0, length));
    EXPECT_THROW(syl::loadCheckpoint(path("d"), *model.get(), session.state.get()), syl::Error) << length;
  }
  EXPECT_EQ(bytes(session), before);
  std::string damaged = whole;
  damaged.back() ^= 1;
  write("d", damaged);
  std::string text = errorOf([&] { syl::loadCheckpoint(path("d"), *model.get(), session.state.get()); });
  EXPECT_EQ(text.rfind(path("d") + ": error: found the SHA-256 ", 0), 0u) << text;
}

TEST_F(CheckpointTest, NoPositionToResumeFrom) {
  syl::saveCheckpoint(path("c"), *model.get(), session.state.get(), nullptr);
  syl::Progress progress;
  EXPECT_EQ(errorOf([&] { syl::loadCheckpoint(path("c"), *model.get(), session.state.get(), &progress); }),
            path("c") + ": error: found no position of a training run, expected a checkpoint of `train`");
}

TEST_F(CheckpointTest, FromC) {
  char message[200] = "";
  EXPECT_EQ(syl_save_checkpoint(model.get(), session.state.get(), path("c").c_str(), message, sizeof message), SYL_OK);
  std::string before = bytes(session);
  session.init(1);
  EXPECT_EQ(syl_load_checkpoint(model.get(), session.state.get(), path("c").c_str(), message, sizeof message), SYL_OK);
  EXPECT_EQ(bytes(session), before);
  EXPECT_EQ(syl_load_checkpoint(model.get(), session.state.get(), "/none", message, sizeof message), SYL_ERROR_IO);
  EXPECT_STREQ(message, "/none: error: cannot open the file: No such file or directory");
  EXPECT_EQ(syl_load_checkpoint(model.get(), session.state.get(), "/none", message, 6), SYL_ERROR_IO);
  EXPECT_STREQ(message, "/none");
  EXPECT_EQ(syl_save_checkpoint(nullptr, nullptr, nullptr, nullptr, 0), SYL_ERROR_ARGUMENT);
}

} // namespace
