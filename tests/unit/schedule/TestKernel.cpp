#include "tests/unit/schedule/TestKernel.h"

#include <gtest/gtest.h>

#include <cstring>
#include <sstream>

namespace sylvite::test {

using namespace Halide;

namespace {
Buffer<float> integers(std::vector<int> extents, int seed) {
  Buffer<float> buffer(extents);
  unsigned value = unsigned(seed);
  buffer.for_each_value([&](float &element) {
    value = (value * 1103515245u + 12345u) & 0x7fffffff;
    element = static_cast<float>(int((value >> 16) % 7) - 3);
  });
  return buffer;
}

void defineConv(Func &conv, ImageParam &input, ImageParam &weight) {
  Var c("c"), x("x"), y("y"), n("n");
  RDom r(0, 4, 0, 3, 0, 3, "r");
  conv(c, x, y, n) = 0.0f;
  conv(c, x, y, n) += weight(c, r.x, r.y, r.z) * input(r.x, x + r.y, y + r.z, n);
}

/// Where every extent is constant, as in Sylvite's kernels.
void fix(OutputImageParam buffer, const std::vector<int> &extents) {
  int stride = 1;
  for (size_t i = 0; i < extents.size(); ++i) {
    buffer.dim(static_cast<int>(i)).set_bounds(0, extents[i]).set_stride(stride);
    stride *= extents[i];
  }
}
} // namespace

ConvKernel::ConvKernel() {
  defineConv(conv, input, weight);
  output(c, x, y, n) = conv(c, x, y, n) + bias(c);
  fix(input, {4, 16, 8, 3});
  fix(weight, {32, 4, 3, 3});
  fix(bias, {32});
  fix(output.output_buffer(), {32, 14, 6, 3});
  funcs.add("conv", conv);
  funcs.nameRVars("conv", 0, {"rc", "rx", "ry"});
  funcs.add("output", output, true);
  funcs.addInput("input", input, {"c", "x", "y", "n"});
  funcs.addInput("weight", weight, {"c", "rc", "rx", "ry"});
  funcs.addInput("bias", bias, {"c"});
  input.set(integers({4, 16, 8, 3}, 1));
  weight.set(integers({32, 4, 3, 3}, 2));
  bias.set(integers({32}, 3));
}

Buffer<float> ConvKernel::run() {
  Buffer<float> result(std::vector<int>{32, 14, 6, 3});
  output.realize(result);
  return result;
}

GradWeightKernel::GradWeightKernel() {
  defineConv(conv, input, weight);
  Var c("c"), x("x"), y("y"), n("n"), rc("rc"), rx("rx"), ry("ry");
  Func adjoint("adjoint");
  adjoint(c, x, y, n) = gradOutput(c, x, y, n);
  Derivative derivative = propagate_adjoints(conv, adjoint, {{0, 31}, {0, 13}, {0, 5}, {0, 2}});
  gradWeight = derivative(weight);
  output(c, rc, rx, ry) = gradWeight(c, rc, rx, ry);
  fix(input, {4, 16, 8, 3});
  fix(gradOutput, {32, 14, 6, 3});
  fix(output.output_buffer(), {32, 4, 3, 3});
  funcs.add("grad_weight", gradWeight);
  funcs.nameVars("grad_weight", {"c", "rc", "rx", "ry"});
  funcs.nameRVars("grad_weight", 0, {"x", "y", "n"});
  funcs.add("output", output, true);
  funcs.addInput("input", input, {"c", "x", "y", "n"});
  funcs.addInput("grad_output", gradOutput, {"c", "x", "y", "n"});
  input.set(integers({4, 16, 8, 3}, 1));
  gradOutput.set(integers({32, 14, 6, 3}, 4));
}

Buffer<float> GradWeightKernel::run() {
  Buffer<float> result(std::vector<int>{32, 4, 3, 3});
  output.realize(result);
  return result;
}

Rule firstRule(const std::string &text) {
  Diagnostics diagnostics;
  auto set = ScheduleSet::parse({{"s.yaml", text}}, diagnostics);
  EXPECT_EQ(diagnostics.str(), "") << text;
  return set && !set->rules().empty() ? set->rules().front() : Rule();
}

std::string ruleText(const std::string &body, const std::string &head) {
  std::string text = "- kernel: '*'\n";
  for (const auto &[part, indent] :
       {std::pair(head, 2), std::pair(std::string("schedule:\n"), 2), std::pair(body, 4)}) {
    std::istringstream lines(part);
    for (std::string line; std::getline(lines, line);)
      text += std::string(static_cast<size_t>(indent), ' ') + line + "\n";
  }
  return text;
}

std::string errorsOf(const std::string &text, const KernelDims &dims) {
  Diagnostics diagnostics;
  auto set = ScheduleSet::parse({{"s.yaml", text}}, diagnostics);
  if (set && !set->rules().empty()) {
    ConvKernel kernel;
    AppliedSchedule applied = apply(set->rules().front(), kernel.funcs, dims, {}, diagnostics);
    EXPECT_EQ(applied.ok, !diagnostics.hasErrors());
  }
  return diagnostics.str();
}

std::string loopNest(Func func) {
  testing::internal::CaptureStderr();
  func.print_loop_nest();
  return testing::internal::GetCapturedStderr();
}

bool sameBits(const Buffer<float> &a, const Buffer<float> &b) {
  return a.number_of_elements() == b.number_of_elements() && a.dimensions() == b.dimensions() &&
         std::memcmp(a.data(), b.data(), a.size_in_bytes()) == 0;
}

} // namespace sylvite::test
