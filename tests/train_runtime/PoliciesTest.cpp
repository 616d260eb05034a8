// Settings from JSON, and reduce-on-plateau and early stopping on given values. Layer: tests.
#include "runtime/train/Policies.h"
#include "Scratch.h"
#include "ToyModel.h"

namespace {

using namespace syltest;

syl::TrainingSettings settingsOf(const std::string &json) {
  toy::Options options;
  options.training = json;
  toy::Model model(options);
  return syl::readTrainingSettings(*model.get());
}

TEST(Policies, SettingsAndDefaults) {
  syl::TrainingSettings none = settingsOf("{}");
  EXPECT_TRUE(none.metrics.empty());
  EXPECT_FALSE(none.plateau || none.stopping || none.weights);
  syl::TrainingSettings all = settingsOf(R"({"metrics": ["mae", "top_5"], "learning_rate": 0.1,
    "reduce_on_plateau": {"kind": "reduce_on_plateau", "patience": 2.0, "threshold_mode": "abs", "min": 0.001},
    "early_stopping": {"monitor": "loss", "patience": 5, "min_delta": 0.25},
    "weights": {"file": "x.safetensors", "prefix": [["backbone.", ""], ["head", "fc"]]}})");
  EXPECT_EQ(all.metrics, (std::vector<std::string>{"mae", "top_5"}));
  EXPECT_EQ(all.plateau->patience, 2u);
  EXPECT_EQ(all.plateau->factor, 0.1);
  EXPECT_FALSE(all.plateau->relative);
  EXPECT_EQ(all.plateau->minimum, 0.001);
  EXPECT_EQ(all.stopping->monitor, "loss");
  EXPECT_EQ(all.stopping->minDelta, 0.25);
  EXPECT_EQ(all.weights->prefix[1], (std::pair<std::string, std::string>("head", "fc")));
  EXPECT_EQ(errorOf([] { settingsOf("{\"metrics\": 3}"); }).find("toy: error: found settings that cannot be read"), 0u);
}

/// Learning rates after each value, from torch.optim.lr_scheduler.ReduceLROnPlateau with the same settings
/// (PyTorch 2.13).
std::vector<double> rates(const syl::PlateauSettings &settings, double rate, bool higher,
                          const std::vector<double> &values) {
  syl::PolicyState state;
  std::vector<double> all;
  for (double value : values) {
    syl::followPlateau(settings, rate, value, higher, state);
    all.push_back(rate * state.rateScale);
  }
  return all;
}

void expectNear(const std::vector<double> &found, const std::vector<double> &expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 1e-12 * expected[i]) << i;
}

TEST(Policies, PlateauAsInPyTorch) {
  syl::PlateauSettings settings;
  settings.patience = 1;
  settings.factor = 0.5;
  expectNear(rates(settings, 0.4, false, {5, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3.0000001, 3, 3}),
             {0.4, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025, 0.0125, 0.0125, 0.00625, 0.00625});
  settings.threshold = 0.001;
  settings.relative = false;
  settings.cooldown = 2;
  settings.minimum = 0.15;
  expectNear(rates(settings, 0.4, true, {.1, .2, .2, .2, .2005, .2, .3, .3, .3, .3, .3, .3}),
             {0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.2, 0.2, 0.15, 0.15, 0.15, 0.15});
}

TEST(Policies, StoppingCountsEvaluationsThatAreNoBetter) {
  syl::StoppingSettings settings{"", 0.1, 2};
  syl::PolicyState state;
  auto after = [&](double value, bool higher) {
    syl::followStopping(settings, value, higher, state);
    return syl::stops(settings, state);
  };
  EXPECT_FALSE(after(1, false));
  EXPECT_FALSE(after(0.95, false)); // less than min_delta
  EXPECT_FALSE(after(0.8, false));  // better
  EXPECT_FALSE(after(0.75, false));
  EXPECT_TRUE(after(0.75, false));
  state = {};
  EXPECT_FALSE(after(0.5, true));
  EXPECT_FALSE(after(0.55, true));
  EXPECT_TRUE(after(0.4, true));
}

} // namespace
