// Directives that do not fit a kernel: every message with its exact text.
#include "tests/unit/schedule/TestKernel.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace sylvite {
namespace {

using test::errorsOf;
using test::ruleText;

/// `s.yaml:3:` errors of one line under `schedule:`, where most cases need no other.
std::string errors(const std::string &body, const std::string &head = "", const KernelDims &dims = {}) {
  return errorsOf(ruleText(body, head), dims);
}

TEST(DirectiveErrors, UnknownFunc) {
  EXPECT_EQ(errors("convv: compute_root"),
            "s.yaml:3:5: error: the kernel has no Func 'convv'; it has: conv, output, input, weight, bias\n"
            "  hint: did you mean 'conv'?\n");
  EXPECT_EQ(
      errors("conv: {compute_at: [outputs, y]}"),
      "s.yaml:3:25: error: compute_at: the kernel has no Func 'outputs'; it has: conv, output, input, weight, bias\n"
      "  hint: did you mean 'output'?\n");
  EXPECT_EQ(errors("'grad_*': compute_root"),
            "s.yaml:3:5: error: no Func of the kernel fits 'grad_*'; it has: conv, output, input, weight, bias\n");
  EXPECT_EQ(errors("conv: {in: [weigth, conv]}"),
            "s.yaml:3:17: error: in: the kernel has no Func 'weigth'; it has: conv, output, input, weight, bias\n"
            "  hint: did you mean 'weight'?\n");
}

TEST(DirectiveErrors, UnknownStage) {
  EXPECT_EQ(errors("output.update: {unroll: c}"), "s.yaml:3:5: error: 'output' has no update\n");
  EXPECT_EQ(errors("conv.update3: {unroll: c}"), "s.yaml:3:5: error: 'conv' has only 1 update\n");
  EXPECT_EQ(errors("conv: {compute_at: [output.update, x]}"),
            "s.yaml:3:25: error: compute_at: there is no stage 'output.update'\n");
  EXPECT_EQ(errors("output: {compute_with: [conv.update2, x]}"),
            "s.yaml:3:29: error: compute_with: there is no stage 'conv.update2'\n");
}

TEST(DirectiveErrors, UnknownVar) {
  EXPECT_EQ(errors("output: [{split: [x, xo, xi, 7]}, {vectorize: xii}]"),
            "s.yaml:3:51: error: vectorize: 'output' has no Var 'xii'; it has: c, xi, xo, y, n\n"
            "  hint: did you mean 'xi'?\n");
  EXPECT_EQ(errors("conv.update: {reorder: [c, rz, x]}"),
            "s.yaml:3:32: error: reorder: 'conv.update' has no Var 'rz'; it has: rc, rx, ry, c, x, y, n\n"
            "  hint: did you mean 'rc'?\n");
  EXPECT_EQ(errors("conv: {compute_at: [output, row]}"),
            "s.yaml:3:33: error: compute_at: 'output' has no Var 'row'; it has: c, x, y, n\n");
  EXPECT_EQ(errors("conv: {bound: [rc, 0, 4]}"),
            "s.yaml:3:20: error: bound: 'conv' has no dimension 'rc'; it has: c, x, y, n\n"
            "  hint: did you mean 'c'?\n");
  EXPECT_EQ(errors("conv: {reorder_storage: [c, q]}"),
            "s.yaml:3:33: error: reorder_storage: 'conv' has no dimension 'q'; it has: c, x, y, n\n");
}

TEST(DirectiveErrors, OneMistakeIsReportedOnce) {
  // The Vars of a split that failed, and the Func of an rfactor that failed, are not missed afterwards.
  EXPECT_EQ(errors("output: [{split: [cc, co, ci, 8]}, {reorder: [ci, x, co]}, {vectorize: ci}]\n"
                   "conv: {compute_at: [output, co]}\n"
                   "conv.update: {rfactor: {into: partial, keep: {rq: u}}}\n"
                   "partial: compute_root"),
            "s.yaml:3:23: error: split: 'output' has no Var 'cc'; it has: c, x, y, n\n"
            "  hint: did you mean 'c'?\n"
            "s.yaml:5:51: error: rfactor: 'conv.update' has no Var 'rq'; it has: rc, rx, ry, c, x, y, n\n"
            "  hint: did you mean 'rc'?\n");
}

TEST(DirectiveErrors, AllAreFoundInOneRun) {
  EXPECT_EQ(errors("output: [{unroll: q}, {split: [x, c, xi, 2]}, {vectorize: [c, 0]}, {fuse: [x, x, t]}]"),
            "s.yaml:3:23: error: unroll: 'output' has no Var 'q'; it has: c, x, y, n\n"
            "s.yaml:3:39: error: split: 'output' already has a Var 'c'\n"
            "s.yaml:3:67: error: vectorize: 0 is less than 1\n"
            "s.yaml:3:83: error: fuse: 'x' cannot be fused with itself\n");
}

TEST(DirectiveErrors, Splits) {
  EXPECT_EQ(errors("output: {split: [x, xo, xi, 4, exact]}"),
            "s.yaml:3:22: error: split: the extent 14 of 'x' is no multiple of 4\n"
            "  hint: choose a factor that divides it, or another tail than exact\n");
  EXPECT_EQ(errors("conv.update: {unroll: [rc, 3, exact]}"),
            "s.yaml:3:28: error: unroll: the extent 4 of 'rc' is no multiple of 3\n"
            "  hint: choose a factor that divides it, or another tail than exact\n");
  EXPECT_EQ(errors("output: [{fuse: [c, x, t]}, {split: [t, a, b, 64]}, {split: [a, d, e, 2, exact]}]"),
            "s.yaml:3:66: error: split: the extent 7 of 'a' is no multiple of 2\n"
            "  hint: choose a factor that divides it, or another tail than exact\n");
  EXPECT_EQ(errors("output: {split: [x, xi, xi, 7]}"), "s.yaml:3:29: error: split: both halves are called 'xi'\n");
  EXPECT_EQ(errors("output: {split: [x, y, xi, 7]}"), "s.yaml:3:25: error: split: 'output' already has a Var 'y'\n");
  EXPECT_EQ(errors("output: {rename: [x, y]}"), "s.yaml:3:26: error: rename: 'output' already has a Var 'y'\n");
  EXPECT_EQ(errors("output: {reorder: [x, y, x]}"), "s.yaml:3:30: error: reorder: 'x' is named twice\n");
  EXPECT_EQ(errors("conv: {reorder_storage: [x, y, x]}"), "s.yaml:3:36: error: reorder_storage: 'x' is named twice\n");
}

TEST(DirectiveErrors, Numbers) {
  KernelDims dims{{{"lanes", 16}, {"width", 14}}, {}};
  EXPECT_EQ(errors("output: {vectorize: [c, $lane]}", "", dims),
            "s.yaml:3:29: error: unknown name '$lane'\n  hint: did you mean 'lanes'?\n");
  EXPECT_EQ(errors("output: {vectorize: [c, $lanes - 16]}", "", dims),
            "s.yaml:3:29: error: vectorize: '$lanes - 16' is 0, which is less than 1\n");
  EXPECT_EQ(errors("output: {vectorize: [c, 3000000000]}"),
            "s.yaml:3:29: error: vectorize: 3000000000 does not fit in 32 bits\n");
  EXPECT_EQ(errors("output: {vectorize: [c, $lanes / ($width - 14)]}", "", dims),
            "s.yaml:3:29: error: division by zero in '$lanes / ($width - 14)'\n");
}

TEST(DirectiveErrors, Outputs) {
  EXPECT_EQ(errors("output: {compute_at: [conv, x]}"),
            "s.yaml:3:14: error: compute_at: 'output' is an output of the kernel and is computed at the root\n");
  EXPECT_EQ(errors("output: compute_inline"),
            "s.yaml:3:13: error: compute_inline: 'output' is an output of the kernel and cannot be inlined\n");
  EXPECT_EQ(errors("conv: compute_inline"),
            "s.yaml:3:11: error: compute_inline: 'conv' has an update and cannot be inlined\n");
  EXPECT_EQ(errors("conv: {compute_at: [conv, x]}"),
            "s.yaml:3:25: error: compute_at: 'conv' cannot be computed or stored inside itself\n");
  EXPECT_EQ(errors("conv: {compute_at: [weight, c]}"),
            "s.yaml:3:25: error: compute_at: 'weight' is an input of the kernel and has no loops\n");
}

TEST(DirectiveErrors, Inputs) {
  EXPECT_EQ(errors("weight: compute_root"),
            "s.yaml:3:13: error: compute_root: 'weight' is an input of the kernel\n"
            "  hint: only in, dimension and host_alignment fit; schedule a copy, made by in: {of: weight, as: name}\n");
  EXPECT_EQ(errors("conv: {dimension: {axis: 0, min: 0}}"),
            "s.yaml:3:12: error: dimension: 'conv' is neither an input nor an output of the kernel\n");
  EXPECT_EQ(errors("weight: {dimension: {axis: 4, min: 0}}"),
            "s.yaml:3:32: error: dimension: 'weight' has 4 axes, numbered from 0\n");
}

TEST(DirectiveErrors, Wrappers) {
  EXPECT_EQ(errors("output: {in: [weight, output]}"), "s.yaml:3:27: error: in: 'output' does not read 'weight'\n");
  EXPECT_EQ(errors("output: {in: {of: weight, for: conv, as: bias}}"),
            "s.yaml:3:46: error: in: the kernel already has a Func 'bias'\n");
  EXPECT_EQ(
      errors("output: [{in: [weight, conv]}, {in: [weight, conv]}]"),
      "s.yaml:3:37: error: in: the kernel already has a Func 'weight_in_conv'\n  hint: name the new one with 'as'\n");
  EXPECT_EQ(errors("output: [{in: [weight, conv]}, {in: {of: weight, for: conv, as: w}}]"),
            "s.yaml:3:37: error: in: there already is such a wrapper, 'weight_in_conv'\n");
  EXPECT_EQ(errors("conv: {clone_in: {as: twin}}"), "s.yaml:3:12: error: clone_in: needs 'for'\n");
}

TEST(DirectiveErrors, Rfactor) {
  EXPECT_EQ(errors("conv: {rfactor: {into: partial, keep: {rc: u}}}"),
            "s.yaml:3:12: error: rfactor: is about an update, and 'conv' is a pure definition\n"
            "  hint: write it under 'conv.update'\n");
  EXPECT_EQ(errors("conv.update: {rfactor: {into: output, keep: {rc: u}}}"),
            "s.yaml:3:35: error: rfactor: the kernel already has a Func 'output'\n");
  EXPECT_EQ(errors("conv.update: {rfactor: {into: partial, keep: {x: u}}}"),
            "s.yaml:3:51: error: rfactor: 'x' is no RVar\n");
  EXPECT_EQ(errors("conv.update: {rfactor: {into: partial, keep: {rc: x}}}"),
            "s.yaml:3:55: error: rfactor: 'conv' already has a Var 'x'\n");
}

TEST(DirectiveErrors, SkipZeros) {
  EXPECT_EQ(errors("conv: {skip_zeros: rc}"),
            "s.yaml:3:12: error: skip_zeros: is about an update, and 'conv' is a pure definition\n"
            "  hint: write it under 'conv.update'\n");
  EXPECT_EQ(errors("conv.update: {skip_zeros: [rx, x]}"), "s.yaml:3:36: error: skip_zeros: 'x' is no RVar\n");
}

TEST(DirectiveErrors, HalidesOwnAreReportedAtTheDirectiveInTheFilesNames) {
  EXPECT_EQ(
      errors("conv.update: {split: [rc, rco, rci, 2, shift_inwards]}"),
      "s.yaml:3:19: error: split: Halide: When splitting Var rc ShiftInwards is not a legal tail strategy for update "
      "definitions, as it may change the meaning of the algorithm\n");
}

TEST(DirectiveErrors, HalidesOwnThroughAReporterThatThrows) {
  class Reporter : public Halide::CompileTimeErrorReporter {
    void warning(const char *message) override { throw std::runtime_error(message); }
    void error(const char *message) override { throw std::runtime_error(message); }
  } reporter;
  Halide::set_custom_compile_time_error_reporter(&reporter);
  std::string text = errors("conv.update: {split: [rc, rco, rci, 2, round_up]}");
  Halide::set_custom_compile_time_error_reporter(nullptr);
  EXPECT_EQ(text.find("s.yaml:3:19: error: split: Halide: When splitting "), 0u) << text;
}

TEST(DirectiveErrors, BoundsThatAreStatedAlready) {
  EXPECT_EQ(errors("output: {bound: [c, 4, 2]}"),
            "s.yaml:3:14: error: bound: the extent of 'c' is already fixed to 32\n");
  EXPECT_EQ(errors("output: {bound: [c, 4, 32]}"),
            "s.yaml:3:14: error: bound: the minimum of 'c' is already fixed to 0\n");
  EXPECT_EQ(errors("output: {bound: [c, 0, 32]}"), "");
  EXPECT_EQ(errors("conv: [compute_root, {bound: [x, 0, 14]}, {bound_extent: [x, 15]}]"),
            "s.yaml:3:48: error: bound_extent: the extent of 'x' is already fixed to 14\n");
  EXPECT_EQ(errors("weight: {dimension: {axis: 0, extent: 16}}"),
            "s.yaml:3:35: error: dimension: the extent of axis 0 is already fixed to 32\n");
}

TEST(DirectiveErrors, ALoopThatIsLaterTakenAway) {
  EXPECT_EQ(errors("conv: {compute_at: [output, x]}\noutput: {split: [x, xo, xi, 7]}"),
            "s.yaml:3:33: error: compute_at: 'output' no longer has Var 'x' at the end of the schedule\n"
            "  hint: a later directive splits, fuses or renames it; write this directive after that one\n");
}

TEST(DirectiveErrors, Parameters) {
  KernelDims dims{{{"width", 14}}, {}};
  EXPECT_EQ(errors("output: {unroll: x}", "tune: {width: [1, 2]}", dims),
            "s.yaml:2:10: error: 'width' is a dimension of this kernel and cannot be a parameter\n");
  EXPECT_EQ(errors("output: {unroll: x}", "let: {half: $widht / 2}", dims),
            "s.yaml:2:15: error: unknown name '$widht'\n  hint: did you mean 'width'?\n");
  Diagnostics diagnostics;
  test::ConvKernel kernel;
  Rule rule = test::firstRule(ruleText("output: {unroll: [x, $tile]}", "tune: {tile: [7, 2]}"));
  apply(rule, kernel.funcs, {}, {{"tile", 3}, {"tiel", 1}}, diagnostics);
  EXPECT_EQ(diagnostics.str(),
            "s.yaml:1:3: error: the rule has no parameter 'tiel' to tune\n  hint: did you mean 'tile'?\n"
            "s.yaml:2:10: error: tune: 3 is not a choice of 'tile'\n");
}

TEST(DirectiveErrors, BlameFindsTheDirectiveBehindALoweringError) {
  test::ConvKernel kernel;
  Diagnostics diagnostics;
  Rule rule = test::firstRule(ruleText("weight: {in: {for: conv, as: packed}}\n"
                                       "conv: compute_root\n"
                                       "packed: {compute_at: [output, x]}"));
  AppliedSchedule applied = apply(rule, kernel.funcs, {}, {}, diagnostics);
  ASSERT_TRUE(applied.ok) << diagnostics.str();
  std::string message;
  try {
    kernel.run();
  } catch (const Halide::Error &error) {
    message = halideMessage(error);
  }
  EXPECT_NE(message, ""); // conv, computed at the root, reads packed, which is computed inside output
  EXPECT_EQ(applied.blame(message, kernel.funcs).str(), "s.yaml:5:14") << message;
  EXPECT_EQ(applied.blame("nothing known", kernel.funcs).str(), "s.yaml:1:3");
}

} // namespace
} // namespace sylvite
