// Starting from the weights of another network: names, prefixes, shapes, and the report. Layer: tests.
#include "runtime/train/Weights.h"
#include "Scratch.h"
#include "ToyModel.h"
#include "runtime/data/Safetensors.h"
#include "runtime/train/Session.h"

namespace {

using namespace syltest;

class WeightsTest : public Scratch {
protected:
  toy::Model model;
  syl::Session session{*model.get(), 1};
  const std::vector<float> weight = std::vector<float>(15, 2), bias = {1, 2, 3};

  void SetUp() override {
    Scratch::SetUp();
    session.init(1);
  }
  std::string load(std::vector<std::pair<std::string, std::string>> prefix = {}) {
    return syl::startFromWeights({path("w"), std::move(prefix)}, *model.get(), session.state.get());
  }
  std::vector<float> tensor(const char *name) {
    const syl_tensor *found = syl_find_tensor(model.get(), name);
    std::vector<float> values(syl_tensor_elements(found));
    EXPECT_EQ(syl_export_tensor(found, session.state.get(), 0, values.data()), SYL_OK);
    return values;
  }
  std::string bytes() const { return std::string(session.state.get(), session.state.size()); }
};

TEST_F(WeightsTest, TakesWhatBothHaveAndReportsTheRest) {
  syl::SafetensorsWriter writer;
  writer.add("old.linear.weight", SYL_FLOAT32, {3, 5}, weight.data());
  writer.add("head.weight", SYL_FLOAT32, {3}, bias.data());
  writer.add("optimizer.exp_avg.head.weight", SYL_FLOAT32, {3}, bias.data());
  writer.save(path("w"), {});
  std::vector<float> before = tensor("linear.bias");
  EXPECT_EQ(load({{"old.", ""}, {"o", "wrong"}}), path("w") + ": took 1 of 4 tensors\n"
                                                              "  starts anew: linear.bias F32 [3]\n"
                                                              "  starts anew: input.running_mean F32 [5]\n"
                                                              "  left over: head.weight F32 [3]");
  EXPECT_EQ(tensor("linear.weight"), weight);
  EXPECT_EQ(tensor("linear.bias"), before);
  EXPECT_EQ(syl_state_step(model.get(), session.state.get()), 0u);
  EXPECT_EQ(syl_state_seed(model.get(), session.state.get()), 1u);
}

TEST_F(WeightsTest, RefusalsLeaveTheStateAlone) {
  const std::string before = bytes();
  syl::SafetensorsWriter other, shapes;
  other.add("fc.bias", SYL_FLOAT32, {3}, bias.data());
  other.save(path("w"), {});
  EXPECT_EQ(errorOf([&] { load(); }),
            path("w") + ": error: found no tensor of toy:\n"
                        "  left over: fc.bias F32 [3]\n"
                        "  starts anew: linear.weight F32 [3, 5]\n"
                        "  starts anew: linear.bias F32 [3]\n"
                        "  starts anew: input.running_mean F32 [5]\n"
                        "hint: `prefix: {FROM: TO}` maps the names of the file to those of the network");
  shapes.add("linear.bias", SYL_FLOAT32, {3}, bias.data());
  shapes.add("linear.weight", SYL_FLOAT32, {5, 3}, weight.data());
  shapes.add("fc.bias", SYL_FLOAT32, {3}, bias.data());
  shapes.save(path("w"), {});
  EXPECT_EQ(errorOf([&] { load({{"fc", "linear"}}); }),
            path("w") + ": error: found tensors that do not fit toy:\n"
                        "  linear.weight: found F32 [5, 3], expected F32 [3, 5]\n"
                        "  linear.bias: found twice, as linear.bias and as fc.bias\n"
                        "hint: give them another name by `prefix`, or leave them out of the file");
  EXPECT_EQ(bytes(), before);
}

} // namespace
