// syl_choose_version: which of several versions of a network runs. Layer: tests.
#include "ToyModel.h"
#include "gtest/gtest.h"

#include <cstdlib>
#include <cstring>

namespace {

constexpr uint64_t none = 0, beyond = UINT64_C(1) << 40; // bits that any CPU has, and that none has

/// Target of the version chosen from some that need these features, the environment being as given.
std::string chosen(const std::vector<std::pair<const char *, uint64_t>> &versions, const char *environment) {
  toy::Model toy;
  std::vector<syl_model> models(versions.size(), *toy.get());
  std::vector<const syl_model *> pointers;
  for (size_t i = 0; i < versions.size(); ++i) {
    models[i].target = versions[i].first;
    models[i].cpu_features = versions[i].second;
    pointers.push_back(&models[i]);
  }
  if (environment)
    setenv("SYLVITE_CPU", environment, 1);
  syl_model model;
  std::memset(&model, 0, sizeof model);
  syl_choose_version(&model, pointers.data(), int32_t(pointers.size()));
  unsetenv("SYLVITE_CPU");
  EXPECT_EQ(model.struct_bytes, sizeof model);
  EXPECT_EQ(model.tensors, toy.get()->tensors);
  return model.target;
}

TEST(Version, TheFirstThatTheCpuRuns) {
  EXPECT_EQ(chosen({{"wide", none}, {"narrow", none}}, nullptr), "wide");
  EXPECT_EQ(chosen({{"wide", beyond}, {"narrow", none}}, nullptr), "narrow");
  EXPECT_EQ(chosen({{"wide", beyond}, {"middle", none}, {"narrow", none}}, nullptr), "middle");
}

TEST(Version, TheEnvironmentAsksForAnother) {
  EXPECT_EQ(chosen({{"wide", none}, {"narrow", none}}, "narrow"), "narrow");
  EXPECT_EQ(chosen({{"wide", none}, {"narrow", none}}, "wide"), "wide");
}

TEST(Version, NeverWhatTheCpuDoesNotRun) {
  EXPECT_EQ(chosen({{"wide", beyond}, {"narrow", none}}, "wide"), "narrow");
  EXPECT_EQ(chosen({{"wide", none}, {"narrow", none}}, "unknown"), "wide");
  EXPECT_EQ(chosen({{"wide", none}, {"narrow", none}}, ""), "wide");
}

TEST(Version, WhereNoneFitsCallsSayWhy) {
  toy::Model toy;
  syl_model narrow = *toy.get(), model;
  narrow.target = "narrow";
  narrow.cpu_features = beyond;
  const syl_model *versions[] = {&narrow};
  syl_choose_version(&model, versions, 1);
  EXPECT_EQ(syl_init_state(&model, nullptr, 1), SYL_ERROR_MISMATCH);
  EXPECT_NE(std::string(syl_last_error()).find("was compiled for narrow, which this CPU does not have"),
            std::string::npos)
      << syl_last_error();
}

} // namespace
