// Training and evaluation of a hand-built network against its formulas.
#include "Training.h"
#include <cmath>

namespace {

TEST(Train, LearnsAndCountsSteps) {
  Training run;
  syl_result before{}, after{};
  ASSERT_EQ(syl_evaluate(run.model.get(), run.state.get(), run.scratch.get(), run.inputs(0).data(),
                         run.targets(0).data(), 8, &before),
            SYL_OK);
  run.train(100, 1);
  ASSERT_EQ(syl_evaluate(run.model.get(), run.state.get(), run.scratch.get(), run.inputs(0).data(),
                         run.targets(0).data(), 8, &after),
            SYL_OK);
  EXPECT_LT(after.loss, 0.3 * before.loss);
  EXPECT_EQ(after.correct, 8);
  EXPECT_EQ(syl_state_step(run.model.get(), run.state.get()), 100u);
  EXPECT_EQ(syl_state_seed(run.model.get(), run.state.get()), 7u);
}

TEST(Train, FirstStepIsWhatTheFormulasGive) {
  Training run;
  const int features = 5, classes = 3, n = 7;
  std::vector<float> weight(15), bias(3), output(21), gradWeight(15), newBias(3), gradBias(3);
  auto get = [&](const char *name, const toy::Block &block, std::vector<float> &to) {
    ASSERT_EQ(syl_export_tensor(syl_find_tensor(run.model.get(), name), block.get(), n, to.data()), SYL_OK);
  };
  get("linear.weight", run.state, weight);
  get("linear.bias", run.state, bias);
  syl_step step = {0.5, 0, 3, 0};
  syl_result result;
  ASSERT_EQ(syl_train_step(run.model.get(), run.state.get(), run.scratch.get(), run.inputs(0).data(),
                           run.targets(0).data(), n, &step, &result),
            SYL_OK);
  get("output", run.scratch, output);
  get("grad.linear.weight", run.scratch, gradWeight);
  get("grad.linear.bias", run.scratch, gradBias);
  get("linear.bias", run.state, newBias);
  double loss = 0;
  std::vector<double> expected(15), expectedBias(3);
  for (int i = 0; i < n; ++i) {
    double logits[3], sum = 0;
    for (int k = 0; k < classes; ++k) {
      logits[k] = bias[k];
      for (int f = 0; f < features; ++f)
        logits[k] += weight[k * features + f] * run.samples.input[i * features + f];
      EXPECT_NEAR(output[i * classes + k], logits[k], 1e-6);
      sum += std::exp(logits[k]);
    }
    int label = run.samples.target[i];
    loss += (std::log(sum) - logits[label]) / n;
    for (int k = 0; k < classes; ++k) {
      double grad = (std::exp(logits[k]) / sum - (k == label)) / n;
      expectedBias[k] += grad;
      for (int f = 0; f < features; ++f)
        expected[k * features + f] += grad * run.samples.input[i * features + f];
    }
  }
  EXPECT_NEAR(result.loss, loss, 1e-6);
  for (int i = 0; i < 15; ++i)
    EXPECT_NEAR(gradWeight[i], expected[i], 1e-6);
  for (int k = 0; k < 3; ++k) {
    EXPECT_NEAR(gradBias[k], expectedBias[k], 1e-6);
    EXPECT_NEAR(newBias[k], bias[k] - 0.5 * 0.5 * expectedBias[k], 1e-6); // half of the learning rate 0.5
  }
}

TEST(Train, DoubleModelsUint8InputsAndInt64Targets) {
  Training run({.inputShape = {4, 4, 1},
                .inputDtype = SYL_UINT8,
                .targetDtype = SYL_INT64,
                .dtype = SYL_FLOAT64,
                .classes = 5,
                .slices = 3});
  run.train(200, 2);
  syl_result result;
  ASSERT_EQ(syl_evaluate(run.model.get(), run.state.get(), run.scratch.get(), run.inputs(0).data(),
                         run.targets(0).data(), 8, &result),
            SYL_OK);
  EXPECT_EQ(result.correct, 8);
  EXPECT_LT(result.loss, 0.5);
}

TEST(Train, SeveralInputsAndOutputs) {
  Training run({.several = true}), one;
  run.train(30, 2);
  one.train(30, 2);
  EXPECT_NE(run.bytes(), one.bytes()) << "the second input counts";
  syl_result result;
  ASSERT_EQ(run.evaluate(0, 8, &result), SYL_OK) << syl_last_error();
  std::vector<float> classes(24), logits(24), kept(24);
  void *const outputs[] = {classes.data(), logits.data()};
  ASSERT_EQ(syl_predict(run.model.get(), run.state.get(), run.scratch.get(), run.inputs(0).data(), 8, outputs), SYL_OK);
  ASSERT_EQ(
      syl_export_tensor(syl_find_tensor(run.model.get(), "evaluate.output.logits"), run.scratch.get(), 8, kept.data()),
      SYL_OK);
  EXPECT_EQ(logits, kept);
  double loss = 0;
  for (int i = 0; i < 8; ++i)
    loss -= std::log(classes[i * 3 + run.samples.target[i]]) / 8;
  EXPECT_NEAR(result.loss, loss, 1e-5);
}

} // namespace
