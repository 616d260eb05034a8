// A small convolution, its derivative, and helpers: what the schedule tests apply rules to.
#pragma once

#include "compiler/schedule/Schedule.h"

#include <Halide.h>

#include <memory>
#include <string>
#include <vector>

namespace sylvite::test {

/// conv: [N=3,H=6,W=14,C=32] from input [3,8,16,4] and weight [32,4,3,3] (c, rc, rx, ry), then output = conv + bias.
/// Values are small integers, so that sums are exact in any order.
struct ConvKernel {
  Halide::Var c{"c"}, x{"x"}, y{"y"}, n{"n"};
  Halide::ImageParam input{Halide::Float(32), 4, "input"}, weight{Halide::Float(32), 4, "weight"},
      bias{Halide::Float(32), 1, "bias"};
  Halide::Func conv{"conv"}, output{"output"};
  KernelFuncs funcs;

  ConvKernel();
  Halide::Buffer<float> run();
};

/// The derivative of the same convolution: grad_weight [32,4,3,3] from input and grad_output, by propagate_adjoints.
struct GradWeightKernel {
  Halide::ImageParam input{Halide::Float(32), 4, "input"}, weight{Halide::Float(32), 4, "weight"},
      gradOutput{Halide::Float(32), 4, "grad_output"};
  Halide::Func conv{"conv"}, gradWeight, output{"output"};
  KernelFuncs funcs;

  GradWeightKernel();
  Halide::Buffer<float> run();
};

/// The first rule of `text`, a schedule file called `s.yaml`; fails the test if it has errors.
Rule firstRule(const std::string &text);
/// A file of one rule for every kernel with this text under `schedule:` (indented by the helper) and, before it, the
/// lines `head` (`tune: ...`). The first line of `body` is line 3, or later by the lines of `head`.
std::string ruleText(const std::string &body, const std::string &head = "");
/// What load or apply reports for a schedule of the ConvKernel; empty if it fits.
std::string errorsOf(const std::string &text, const KernelDims &dims = {});
/// The loop nest that Halide prints for a Func.
std::string loopNest(Halide::Func func);
/// True if both have the same shape and bits.
bool sameBits(const Halide::Buffer<float> &a, const Halide::Buffer<float> &b);

} // namespace sylvite::test
