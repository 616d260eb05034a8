// Saves that fail are tried again, the best state as it was; states that are not finite are not saved; intervals.
// Layer: tests.
#include "runtime/train/Saving.h"
#include "Scratch.h"
#include "ToyModel.h"
#include "runtime/data/File.h"

#include <cmath>
#include <csignal>
#include <sys/resource.h>

namespace {

using namespace syltest;

/// While it lives, files may have this many bytes: a full disk.
class FullDisk {
public:
  explicit FullDisk(rlim_t bytes) {
    old = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    rlimit limit{bytes, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, old);
  }

private:
  rlimit before;
  void (*old)(int);
};

class SavingTest : public Scratch {
protected:
  void SetUp() override {
    Scratch::SetUp();
    session.init(1);
    run.emplace(path("run"));
    run->lock();
    progress.epochs = 9, progress.samples = 8, progress.batch = 8;
  }
  void step() {
    toy::Samples samples = toy::makeSamples(model.options(), 8);
    const void *input = samples.input.data(), *target = samples.target.data();
    session.trainStep(&input, &target, 8);
  }
  uint64_t stepOf(const std::string &file) const {
    syl::Session other(*model.get(), 1);
    syl::loadCheckpoint(file, *model.get(), other.state.get());
    return syl_state_step(model.get(), other.state.get());
  }
  toy::Model model;
  syl::Session session{*model.get(), 1};
  syl::Progress progress;
  std::optional<syl::RunFolder> run;
  std::vector<std::string> warnings;
  syl::Saver::Warn warn = [this](const std::string &text) { warnings.push_back(text); };
};

TEST_F(SavingTest, AFullDiskIsAWarningAndTheNextSaveTriesAgain) {
  syl::Saver saver(*run, session, progress, {}, warn);
  step();
  progress.epoch = 1;
  saver.afterEpoch();
  EXPECT_EQ(warnings.size(), 0u);
  EXPECT_EQ(saver.savedStep(), 1u);
  {
    FullDisk full(100);
    step();
    progress.epoch = 2;
    saver.saveBest();
    ASSERT_EQ(warnings.size(), 1u);
    EXPECT_EQ(warnings[0], run->best() +
                               ": warning: cannot write the file: File too large\n"
                               "hint: the run goes on and tries again at the next save; " +
                               run->last() + " holds step 1");
    saver.afterEpoch();
    EXPECT_EQ(warnings.size(), 3u) << "the best and the last";
    EXPECT_EQ(stepOf(run->last()), 1u);
    EXPECT_FALSE(syl::pathExists(run->best()));
    EXPECT_EQ(errorOf([&] { saver.finish(); }), run->best() + ": error: cannot write the file: File too large");
  }
  step();
  progress.epoch = 3;
  saver.afterEpoch();
  EXPECT_EQ(warnings.size(), 3u);
  EXPECT_EQ(stepOf(run->last()), 3u);
  EXPECT_EQ(stepOf(run->best()), 2u) << "the best state as it was";
  EXPECT_EQ(syl::SafetensorsFile(run->best()).metadata("epoch"), "2");
  EXPECT_EQ(stepOf(run->previous()), 1u);
  const std::string before = readAll(run->last());
  saver.finish();
  EXPECT_EQ(readAll(run->last()), before) << "it is there already";
}

TEST_F(SavingTest, FinishSavesWhatIsNotThere) {
  syl::Saver saver(*run, session, progress, {syl::SaveInterval::Unit::Epochs, 5}, warn);
  {
    FullDisk full(100);
    saver.saveBest();
  }
  step();
  progress.epoch = 1;
  saver.afterEpoch();
  EXPECT_EQ(saver.savedStep(), syl::Saver::none);
  saver.finish();
  EXPECT_EQ(stepOf(run->last()), 1u);
  EXPECT_EQ(stepOf(run->best()), 0u);
}

TEST_F(SavingTest, ABadStateIsNotSaved) {
  syl::Saver saver(*run, session, progress, {syl::SaveInterval::Unit::Steps, 1}, warn);
  step();
  saver.afterStep();
  EXPECT_EQ(stepOf(run->last()), 1u);
  const std::string good = readAll(run->last());
  float bad[3] = {1, NAN, 1};
  ASSERT_EQ(syl_import_tensor(syl_find_tensor(model.get(), "linear.bias"), session.state.get(), bad), SYL_OK);
  step();
  const std::string problem = ": error: found nan or infinity in 'linear.weight', which is not saved";
  EXPECT_EQ(errorOf([&] { saver.afterStep(); }), run->last() + problem);
  EXPECT_EQ(errorOf([&] { saver.saveBest(); }), run->best() + problem);
  EXPECT_EQ(errorOf([&] { saver.finish(); }), run->last() + problem);
  EXPECT_EQ(readAll(run->last()), good);
}

TEST_F(SavingTest, IntervalsAreRead) {
  auto read = [](const std::string &text) { return syl::readSaveInterval(text, "--save-every"); };
  EXPECT_EQ(read("500steps").count, 500);
  EXPECT_EQ(read("1step").unit, syl::SaveInterval::Unit::Steps);
  EXPECT_EQ(read("3").unit, syl::SaveInterval::Unit::Epochs);
  EXPECT_EQ(read("2 epochs").count, 2);
  EXPECT_EQ(read("0.5 minute").count, 0.5);
  EXPECT_EQ(read("2 ").count, 2);
  for (const char *bad : {"", "steps", "1.5epochs", "1,5minutes", "5 steps each"})
    EXPECT_EQ(errorOf([&] { read(bad); }).rfind("--save-every: error: found", 0), 0u) << bad;
}

TEST_F(SavingTest, AFolderThatIsTakenAndFilesThatAKillLeft) {
  syl::RunFolder other(path("run"));
  EXPECT_EQ(errorOf([&] { other.lock(); }).rfind(path("run") + ": error: found another run at work", 0), 0u);
  for (const char *name :
       {".last.safetensors.123-0", "last-1.safetensors.99", ".best.safetensors.7-1", "mine.txt", ".last.safetensors.x"})
    write(std::string("second/") + name, "x");
  syl::RunFolder second(path("second"));
  second.lock();
  EXPECT_EQ(syl::namesIn(path("second")), (std::vector<std::string>{".last.safetensors.x", ".lock", "mine.txt"}));
  EXPECT_FALSE(second.startAnew());
  EXPECT_FALSE(second.hasCheckpoint());
}

} // namespace
