// The gradient check: a right network passes, a wrong one does not, kinks are drawn again. Layer: tests.
//
// Its models are functions of a few numbers whose loss and gradient are written out here; they are called through the
// same descriptor as compiled networks.
#include "Scratch.h"
#include "ToyModel.h"
#include "runtime/train/Verbs.h"

#include <cmath>
#include <cstring>
#include <regex>

namespace {

using namespace syltest;

/// A network of one vector of parameters w [F] and no output: loss = mean over samples of f(w . x).
struct Curve {
  enum Kind { Smooth, Zigzag, WrongSlope, WrongElement, NoGradient, RoundingOnly };
  static constexpr int features = 70;
  Kind kind;
  syl_model model{};
  syl_factor factors[2] = {{0, 0, 1, features, 1}, {0, 0, 1, 4, features}};
  syl_factor inputFactors[2] = {{0, 0, 1, 4, features}, {1, 0, 1, features, 1}};
  syl_tensor tensors[3] = {};
  syl_array input{}, target{};
  syl_phase phase{};
  static constexpr uint64_t weightAt = 128, gradientAt = 0, inputGradientAt = 1024, lossAt = 8192;

  explicit Curve(Kind kind) : kind(kind) {
    auto set = [&](syl_tensor &tensor, const char *name, int what, int32_t rank, const syl_factor *list,
                   uint64_t offset) {
      tensor.name = name;
      tensor.kind = what;
      tensor.dtype = SYL_FLOAT64;
      tensor.rank = rank;
      tensor.init = SYL_INIT_NORMAL;
      tensor.init_b = 0.3;
      tensor.shape[0] = rank == 2 ? 4 : features;
      tensor.shape[1] = features;
      tensor.factor_count = rank;
      tensor.copies = 1;
      tensor.factors = list;
      tensor.offset = offset;
    };
    set(tensors[0], "w", SYL_PARAMETER, 1, factors, weightAt);
    set(tensors[1], "grad.w", SYL_GRADIENT, 1, factors, gradientAt);
    set(tensors[2], "grad.input", SYL_GRADIENT, 2, inputFactors, inputGradientAt);
    tensors[2].batched = 1;
    phase = {run, 1, 0, "curve"};
    model.abi_version = SYL_ABI_VERSION;
    model.struct_bytes = sizeof(syl_model);
    model.name = "curve";
    model.target = model.compiler = model.optimizer = model.network_yaml = "";
    model.training = "{}";
    model.batch = 4;
    model.dtype = SYL_FLOAT64;
    input.name = "input";
    input.dtype = SYL_FLOAT32;
    input.rank = 1;
    input.shape[0] = features;
    target.name = "target";
    target.dtype = SYL_INT32;
    target.classes = 2;
    model.inputs = &input;
    model.targets = &target;
    model.input_count = model.target_count = 1;
    model.tensors = tensors;
    model.tensor_count = kind == NoGradient ? 1 : 3;
    model.state_bytes = 1024;
    model.scratch_bytes = 16384;
    model.local_bytes = 64;
    model.train = {&phase, 1, 0, lossAt, UINT64_MAX};
    current = this;
  }

  static double zigzag(double at, double &slope) {
    const double period = 0x1p-10, count = std::floor(at / period), rest = at - count * period;
    const bool odd = std::fmod(std::fabs(count), 2) == 1;
    slope = odd ? 0.5 : 1;
    return (count - odd) * 0.75 * period + odd * period + slope * rest;
  }

  static inline const Curve *current = nullptr;

  static int32_t run(const syl_frame *frame, syl_worker *, int32_t) {
    const Curve &self = *current;
    const double *w = reinterpret_cast<const double *>(frame->base[SYL_BASE_STATE] + weightAt);
    double *gradient = reinterpret_cast<double *>(frame->base[SYL_BASE_SCRATCH] + gradientAt);
    double *inputGradient = reinterpret_cast<double *>(frame->base[SYL_BASE_SCRATCH] + inputGradientAt);
    double *losses = reinterpret_cast<double *>(frame->base[SYL_BASE_SCRATCH] + lossAt);
    std::fill(gradient, gradient + features, 0);
    for (int sample = 0; sample < frame->n; ++sample) {
      float x[features];
      std::memcpy(x, frame->base[SYL_BASE_ARRAYS] + size_t(sample) * sizeof x, sizeof x);
      double loss = 1, slopes[features];
      for (int i = 0; i < features; ++i) {
        double product = w[i] * x[i], slope = 0;
        switch (self.kind) {
        case Zigzag: // slopes 1 and 1/2 in turn, with a kink every 1/1024
          loss += zigzag(product, slope);
          break;
        case RoundingOnly:
          loss += (product + 1e3) - product - 1e3;
          slope = 0;
          break;
        default:
          loss += std::sin(product);
          slope = std::cos(product);
        }
        if (self.kind == WrongSlope)
          slope *= 1 + 3e-6;
        if (self.kind == WrongElement && i == 69)
          slope += 0.1;
        slopes[i] = slope;
      }
      losses[sample] = loss;
      for (int i = 0; i < features; ++i) {
        gradient[i] += slopes[i] * x[i] / frame->n;
        inputGradient[sample * features + i] = slopes[i] * w[i] / frame->n;
      }
    }
    return 0;
  }
};

struct Checked {
  int status;
  std::string text;
};

Checked check(const syl_model &model, bool verbose = false) {
  syl::CheckOptions options;
  options.verbose = verbose;
  testing::internal::CaptureStdout();
  int status = syl::checkVerb(model, options);
  std::fflush(stdout);
  return {status, testing::internal::GetCapturedStdout()};
}

TEST(Check, ToyModelIsRight) {
  for (syl_dtype input : {SYL_FLOAT32, SYL_UINT8}) {
    toy::Options options;
    options.dtype = SYL_FLOAT64;
    options.inputDtype = input;
    options.inputShape = {5, 5, 1};
    toy::Model model(options);
    Checked checked = check(*model.get());
    EXPECT_EQ(checked.status, 0) << checked.text;
    EXPECT_TRUE(std::regex_search(checked.text, std::regex("linear.weight +75 +67 +0 .* ok\n"))) << checked.text;
    EXPECT_TRUE(std::regex_search(checked.text, std::regex("linear.bias +3 +3 +0 .* ok\n"))) << checked.text;
    EXPECT_NE(checked.text.find("toy: 2 of 2 gradients agree with central differences\n"), std::string::npos);
  }
}

TEST(Check, SmoothCurvePassesWithItsInput) {
  Checked checked = check(Curve(Curve::Smooth).model);
  EXPECT_EQ(checked.status, 0) << checked.text;
  EXPECT_TRUE(std::regex_search(checked.text, std::regex("input +210 +67 +0 .* ok\n"))) << checked.text;
}

TEST(Check, ASlopeWrongByThreeMillionthsFails) {
  Checked checked = check(Curve(Curve::WrongSlope).model);
  EXPECT_EQ(checked.status, 1) << checked.text;
  EXPECT_TRUE(std::regex_search(checked.text, std::regex("\nw +70 .* WRONG at \\d+ points\n"))) << checked.text;
  EXPECT_TRUE(std::regex_search(checked.text, std::regex("\ninput +210 .* WRONG at \\d+ points\n"))) << checked.text;
}

TEST(Check, DirectionsFindASingleWrongElement) {
  Checked checked = check(Curve(Curve::WrongElement).model);
  EXPECT_EQ(checked.status, 1) << checked.text;
}

TEST(Check, KinksAreDrawnAgain) {
  // Some 1 in 500 points has a kink within the smallest step.
  int redrawn = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Curve curve(Curve::Zigzag);
    syl::CheckOptions options;
    options.seed = seed;
    testing::internal::CaptureStdout();
    int status = syl::checkVerb(curve.model, options);
    std::fflush(stdout);
    std::string text = testing::internal::GetCapturedStdout();
    EXPECT_EQ(status, 0) << text;
    std::smatch match;
    for (const char *row : {"\nw +70 +67 +(\\d+)", "\ninput +210 +67 +(\\d+)"})
      if (std::regex_search(text, match, std::regex(row)))
        redrawn += std::stoi(match[1]);
  }
  EXPECT_GT(redrawn, 0);
}

TEST(Check, AGradientThatIsRoundingAloneIsZero) {
  Checked checked = check(Curve(Curve::RoundingOnly).model);
  EXPECT_EQ(checked.status, 0) << checked.text;
}

TEST(Check, Refusals) {
  toy::Model single;
  EXPECT_EQ(errorOf([&] { syl::checkVerb(*single.get(), {}); }),
            "toy: error: found a network compiled in float32, expected float64");
  Curve curve(Curve::NoGradient);
  EXPECT_EQ(errorOf([&] { syl::checkVerb(curve.model, {}); }),
            "curve: error: found no tensor grad.w, expected a network compiled with its gradients kept");
}

} // namespace
