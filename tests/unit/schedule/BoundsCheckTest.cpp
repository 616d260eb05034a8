// Schedules that would leave a buffer are found when the kernel is compiled, since its run-time assertions are left
// out.
#include "compiler/schedule/BoundsCheck.h"

#include "tests/unit/schedule/TestKernel.h"

#include <gtest/gtest.h>

namespace sylvite {
namespace {

const Halide::Target kTarget("x86-64-linux-sse41-avx-avx2-fma-no_runtime-user_context-no_asserts-no_bounds_query");

std::string errors(const std::string &body) {
  test::ConvKernel kernel;
  Diagnostics diagnostics;
  AppliedSchedule applied = apply(test::firstRule(test::ruleText(body)), kernel.funcs, {}, {}, diagnostics);
  EXPECT_EQ(diagnostics.str(), "");
  bool good = checkBounds(kernel.output, {kernel.input, kernel.weight, kernel.bias}, kTarget, {}, kernel.funcs, applied,
                          diagnostics);
  EXPECT_EQ(good, !diagnostics.hasErrors());
  std::string text = diagnostics.str();
  // Halide numbers the names of a process.
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] != '$')
      plain += text[i];
    else
      while (i + 1 < text.size() && isdigit(text[i + 1]))
        ++i;
  return plain;
}

const std::string kHint = "  hint: a loop runs past the end: use the tail exact or guard, or a larger bound\n";

TEST(BoundsCheck, SchedulesThatStayInside) {
  EXPECT_EQ(errors("conv: compute_root"), "");
  EXPECT_EQ(errors("output: [{split: [x, xo, xi, 7, exact]}, {vectorize: [c, 8]}]\n"
                   "conv: [{compute_at: [output, xo]}, {vectorize: [c, 8]}]\n"
                   "conv.update: [{vectorize: [c, 8]}, {unroll: x}]"),
            "");
  EXPECT_EQ(errors("conv: compute_root\noutput: {split: [x, xo, xi, 5, guard]}"), "");
  EXPECT_EQ(errors("conv: [{store_at: [output, n]}, {compute_at: [output, y]}, {fold_storage: [y, 2]}]"), "");
}

TEST(BoundsCheck, AnOutputLoopThatRoundsUp) {
  EXPECT_EQ(
      errors("conv: compute_root\noutput: {split: [x, xo, xi, 5, round_up]}"),
      "s.yaml:4:14: error: the schedule leaves a buffer: Output buffer output is accessed from 0 to 14 in dimension "
      "1, and has 0 to 13\n" +
          kHint);
}

TEST(BoundsCheck, AProducerThatReadsPastAnInput) {
  EXPECT_EQ(
      errors("conv: compute_root\nconv.update: {vectorize: [c, 12, round_up]}"),
      "s.yaml:4:19: error: the schedule leaves a buffer: Input buffer weight is accessed from 0 to 35 in dimension "
      "0, and has 0 to 31\n" +
          kHint);
}

TEST(BoundsCheck, AnExtentSmallerThanAVector) {
  EXPECT_EQ(
      errors("conv: compute_root\noutput: {vectorize: [x, 16]}"),
      "s.yaml:4:14: error: the schedule leaves a buffer: Output buffer output is accessed from -2 to 13 in dimension "
      "1, and has 0 to 13\n" +
          kHint);
}

TEST(BoundsCheck, BoundsAndFoldsThatAreTooSmall) {
  EXPECT_EQ(
      errors("conv: [compute_root, {bound: [c, 0, 16]}]"),
      "s.yaml:3:12: error: the schedule leaves a buffer: Func conv is needed from 0 to 31 in c, and is bound to 0 to "
      "15\n" +
          kHint);
  EXPECT_NE(errors("conv: [compute_root, {bound_storage: [x, 4]}]"), "");
}

TEST(BoundsCheck, TheNumberOfImagesAtRunTime) {
  for (const char *tail : {"guard", "shift_inwards"}) {
    Halide::Param<int> images("images");
    Halide::ImageParam input(Halide::Float(32), 2, "input");
    Halide::Var c("c"), n("n");
    Halide::Func output("output");
    output(c, n) = input(c, n) * 2.0f;
    for (Halide::OutputImageParam buffer : {Halide::OutputImageParam(input), output.output_buffer()}) {
      buffer.dim(0).set_bounds(0, 8).set_stride(1);
      buffer.dim(1).set_bounds(0, images).set_stride(8);
    }
    KernelFuncs funcs;
    funcs.add("output", output, true);
    Diagnostics diagnostics;
    AppliedSchedule applied =
        apply(test::firstRule(test::ruleText("output: {split: [n, no, ni, 4, " + std::string(tail) + "]}")), funcs, {},
              {}, diagnostics);
    bool good = checkBounds(output, {images, input}, kTarget, {{"images", {1, 16}}}, funcs, applied, diagnostics);
    EXPECT_EQ(good, std::string(tail) == "guard") << diagnostics.str();
  }
}

} // namespace
} // namespace sylvite
