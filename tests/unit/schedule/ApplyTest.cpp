// Every directive on real pipelines: the loop nest is as asked for, and the results keep their bits.
#include "tests/unit/schedule/TestKernel.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sylvite {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::Not;

const Halide::Buffer<float> &expectedOutput() {
  static const Halide::Buffer<float> result = ConvKernel().run();
  return result;
}

/// The lines of a loop nest without their indentation.
std::string flat(const std::string &nest) {
  std::istringstream lines(nest);
  std::string result;
  for (std::string line; std::getline(lines, line);)
    result += line.substr(std::min(line.size(), line.find_first_not_of(' '))) + "\n";
  return result;
}

/// Applies a schedule to the convolution, checks its results against those without a schedule, and returns the lines of
/// the loop nest, outermost first.
std::string nestAfter(const std::string &body, const std::string &head = "", const KernelDims &dims = {},
                      const TuneChoices &choices = {}) {
  ConvKernel kernel;
  Diagnostics diagnostics;
  AppliedSchedule applied = apply(firstRule(ruleText(body, head)), kernel.funcs, dims, choices, diagnostics);
  EXPECT_EQ(diagnostics.str(), "") << body;
  if (!applied.ok)
    return "";
  try {
    EXPECT_TRUE(sameBits(kernel.run(), expectedOutput())) << body;
    return flat(loopNest(kernel.output));
  } catch (const Halide::Error &error) {
    ADD_FAILURE() << error.what() << "\n" << body;
    return "";
  }
}

TEST(Apply, TheDesignsExampleIsARegisterTile) {
  std::string head = "when: {vector_bytes: 64, filters: '>= 32', width: 'multiple of 14'}\n"
                     "tune: {tile_x: [14, 7], vectors: [2, 1, 4], unroll_c: [2, 1, 4]}\n";
  std::string body = "output:\n"
                     "  - split: [c, co, ci, $vectors * $lanes]\n"
                     "  - split: [x, xo, xi, $tile_x, exact]\n"
                     "  - reorder: [ci, xi, xo, y, co, n]\n"
                     "  - vectorize: [ci, $lanes]\n"
                     "  - unroll: ci\n"
                     "  - unroll: xi\n"
                     "conv: [{compute_at: [output, xo]}, {store_in: stack}, {vectorize: [c, $lanes]}, {unroll: c}, "
                     "{unroll: x}]\n"
                     "conv.update: [{reorder: [c, x, rc, rx, ry]}, {vectorize: [c, $lanes]}, {unroll: c}, {unroll: x}, "
                     "{unroll: {rc: $unroll_c}}]\n";
  KernelDims dims{{{"vector_bytes", 64}, {"filters", 32}, {"width", 14}, {"lanes", 16}}, {}};
  std::string nest = nestAfter(body, head, dims);
  EXPECT_EQ(nest, "produce output:\n"
                  "for n in [0, 2]:\n"
                  "for y in [0, 5]:\n"
                  "produce conv:\n"
                  "unrolled x in [0, 13]:\n"
                  "unrolled c.c in [0, 1]:\n"
                  "vectorized c.c_v in [0, 15]:\n"
                  "conv(...) = ...\n"
                  "for r in [0, 2]:\n"
                  "for r in [0, 2]:\n"
                  "for r.rc in [0, 1]:\n"
                  "unrolled r.rc_u in [0, 1]:\n"
                  "unrolled x in [0, 13]:\n"
                  "unrolled c.c in [0, 1]:\n"
                  "vectorized c.c_v in [0, 15]:\n"
                  "conv(...) = ...\n"
                  "consume conv:\n"
                  "unrolled x.xi in [0, 13]:\n"
                  "unrolled c.ci.ci in [0, 1]:\n"
                  "vectorized c.ci.ci_v in [0, 15]:\n"
                  "output(...) = ...\n");
  EXPECT_THAT(nestAfter(body, head, dims, {{"tile_x", 7}, {"vectors", 1}, {"unroll_c", 4}}),
              testing::AllOf(HasSubstr("unrolled x.xi in [0, 6]"), HasSubstr("unrolled r.rc_u in [0, 3]")));
}

TEST(Apply, PlainComputesEveryFuncAtTheRoot) {
  Diagnostics diagnostics;
  auto set = ScheduleSet::load({SYLVITE_SCHEDULES "/plain.yaml"}, diagnostics);
  ASSERT_TRUE(set) << diagnostics.str();
  ConvKernel kernel;
  const Rule *rule = set->find("conv2d.forward", {});
  ASSERT_TRUE(rule);
  AppliedSchedule applied = apply(*rule, kernel.funcs, {}, {}, diagnostics);
  EXPECT_TRUE(applied.ok) << diagnostics.str();
  EXPECT_EQ(applied.str(), "rule " SYLVITE_SCHEDULES "/plain.yaml:3, algorithm direct\n"
                           "  conv: compute_root\n  output: compute_root\n");
  EXPECT_TRUE(sameBits(kernel.run(), expectedOutput()));
  EXPECT_THAT(
      flat(loopNest(kernel.output)),
      testing::StartsWith("produce conv:\nfor n in [0, 2]:\nfor y in [0, 5]:\nfor x in [0, 13]:\nfor c in [0, 31]:\n"));
}

TEST(Apply, SplitTails) {
  for (const char *tail :
       {"auto", "guard", "shift_inwards", "round_up", "predicate", "predicate_loads", "predicate_stores", "exact"}) {
    // Those that store past the end of the loop need a factor of 14 on an output; 5 shows what the others do at the
    // end.
    std::string name = tail;
    std::string factor = name == "round_up" || name == "exact" || name == "predicate_loads" ? "7" : "5";
    std::string nest = nestAfter("conv: compute_root\noutput: {split: [x, xo, xi, " + factor + ", " + tail + "]}");
    EXPECT_THAT(nest, HasSubstr("for x.xi in [0, " + std::to_string(factor == "7" ? 6 : 4) + "]")) << tail;
  }
  // These two are for updates, where they store back what was there.
  EXPECT_THAT(nestAfter("conv: compute_root\nconv.update: {split: [x, xo, xi, 5, shift_inwards_and_blend]}"),
              HasSubstr("for x.xi in [0, 4]"));
  EXPECT_THAT(nestAfter("conv: compute_root\nconv.update: {split: [x, xo, xi, 7, round_up_and_blend]}"),
              HasSubstr("for x.xi in [0, 6]"));
}

TEST(Apply, SplitOfAnRVarGivesRVars) {
  EXPECT_THAT(nestAfter("conv: compute_root\nconv.update: [{split: [rc, rco, rci, 3]}, {split: [rci, a, b, 2]}, "
                        "{reorder: [b, c, a, rco]}]"),
              HasSubstr("for r.rci.a in [0, 1]:\nfor c in [0, 31]:\nfor r.rci.b in [0, 1]:\nconv(...)"));
}

TEST(Apply, TileInBothForms) {
  EXPECT_THAT(nestAfter("conv: compute_root\noutput: {tile: [c, x, co, xo, ci, xi, 8, 7]}"),
              HasSubstr("for x.xo in [0, 1]:\nfor c.co in [0, 3]:\nfor x.xi in [0, 6]:\n"
                        "for c.ci in [0, 7]:"));
  EXPECT_THAT(nestAfter("conv: compute_root\noutput: {tile: [c, x, ci, xi, 8, 7, guard]}"),
              HasSubstr("for x.x in [0, 1]:\nfor c.c in [0, 3]:\nfor x.xi in [0, 6]:\n"
                        "for c.ci in [0, 7]:"));
}

TEST(Apply, FuseRenameReorder) {
  EXPECT_THAT(
      nestAfter("conv: compute_root\noutput: [{fuse: [y, n, yn]}, {rename: [yn, row]}, {reorder: [x, c, row]}]"),
      HasSubstr("for y.yn.row in [0, 17]:\nfor c in [0, 31]:\nfor x in [0, 13]:"));
  EXPECT_THAT(nestAfter("conv: compute_root\nconv.update: [{fuse: [rx, ry, rxy]}, {unroll: [rxy, 3]}]"),
              HasSubstr("unrolled r.rxy.rxy_u in [0, 2]"));
}

TEST(Apply, VarsThatMayBeMissing) {
  EXPECT_THAT(nestAfter("conv: compute_root\noutput: [{reorder: [x, 'z?', c]}, {unroll: 'z?'}]"),
              HasSubstr("for c in [0, 31]:\nfor x in [0, 13]:"));
}

TEST(Apply, LoopKinds) {
  EXPECT_THAT(nestAfter("conv: compute_root\noutput: [{vectorize: [c, 16]}, {unroll: [x, 7]}, {parallel: n}]"),
              HasSubstr("parallel n in [0, 2]:\nfor y in [0, 5]:\nfor x.x in [0, 1]:\n"
                        "unrolled x.x_u in [0, 6]:\nfor c.c in [0, 1]:\n"
                        "vectorized c.c_v in [0, 15]:"));
  EXPECT_THAT(nestAfter("conv: compute_root\noutput: [{vectorize: c}, {unroll: x}, {parallel: [y, 2]}]"),
              HasSubstr("parallel y.y in [0, 2]:\nfor y.y_t in [0, 1]:\nunrolled x in [0, 13]:\n"
                        "vectorized c in [0, 31]:"));
  EXPECT_THAT(nestAfter("conv: compute_root\noutput: [{parallel: n}, {serial: n}, {vectorize: {c: 8}}]"),
              testing::AllOf(HasSubstr("for n in"), HasSubstr("vectorized c.c_v in [0, 7]")));
  EXPECT_THAT(nestAfter("conv: compute_root\noutput: [{vectorize: [c, 12, guard]}, {unroll: [x, 4, shift_inwards]}]"),
              testing::AllOf(HasSubstr("vectorized c.c_v in [0, 11]"), HasSubstr("unrolled x.x_u in [0, 3]")));
}

TEST(Apply, ComputeAndStore) {
  EXPECT_THAT(nestAfter("conv: [{compute_at: [output, y]}, {store_in: heap}]"),
              testing::StartsWith("produce output:\nfor n in [0, 2]:\nfor y in [0, 5]:\nproduce conv:"));
  EXPECT_THAT(nestAfter("conv: [{store_at: [output, n]}, {compute_at: [output, y]}, {store_in: auto}]"),
              HasSubstr("for n in [0, 2]:\nstore conv:\nfor y in [0, 5]:\nproduce conv:"));
  EXPECT_THAT(nestAfter("conv: [store_root, {compute_at: [output, n]}]"),
              testing::StartsWith("store conv:\nproduce output:"));
  EXPECT_THAT(nestAfter("conv: [{hoist_storage: [output, n]}, {compute_at: [output, x]}, {store_in: stack}]"),
              testing::AllOf(HasSubstr("for x in [0, 13]:\n"), HasSubstr("produce conv:")));
  EXPECT_THAT(nestAfter("conv: [hoist_storage_root, {compute_at: [output, x]}, {store_in: register}, {unroll: c}]\n"
                        "conv.update: {unroll: c}\noutput: {unroll: c}"),
              HasSubstr("unrolled c in [0, 31]"));
}

TEST(Apply, ComputeInlineUndoesComputeRoot) {
  std::string nest = nestAfter("conv: {compute_at: [output, y]}\n"
                               "output: {in: {of: weight, for: conv, as: packed}}\n"
                               "packed: [compute_root, compute_inline]");
  EXPECT_THAT(nest, Not(HasSubstr("produce weight")));
}

TEST(Apply, BoundsAndStorage) {
  nestAfter("conv: [compute_root, {reorder_storage: [x, c, y, n]}, {align_storage: [x, 16]}, {bound_extent: [c, 32]}]");
  nestAfter("conv: [compute_root, {bound: [c, 0, 32]}, {align_bounds: [x, 2]}, {align_bounds: [y, 2, 0]}, "
            "{align_extent: [n, 3]}, {bound_storage: [x, 14]}]");
  nestAfter("conv: [{store_at: [output, n]}, {compute_at: [output, y]}, {fold_storage: [y, 1]}]");
  nestAfter("conv: [{store_at: [output, n]}, {compute_at: [output, y]}, {fold_storage: [y, 2, forward]}]");
  nestAfter("input: [{dimension: {axis: 0, min: 0, extent: 4, stride: 1}}, {host_alignment: 4}]\n"
            "output: [{dimension: {axis: 1, extent: 14}}, {host_alignment: 4}]");
  // A known extent is what exact needs.
  EXPECT_EQ(errorsOf(ruleText("conv: [compute_root, {bound_extent: [x, 14]}, {split: [x, xo, xi, 4, exact]}]")),
            "s.yaml:3:60: error: split: the extent 14 of 'x' is no multiple of 4\n"
            "  hint: choose a factor that divides it, or another tail than exact\n");
}

TEST(Apply, Partition) {
  nestAfter("conv: compute_root\noutput: [{split: [x, xo, xi, 5, guard]}, {never_partition: [xo, xi]}, "
            "{partition: [c, never]}, {partition: [n, auto]}]");
  nestAfter("conv: compute_root\noutput: [{split: [x, xo, xi, 5, guard]}, {always_partition: xo}]");
  nestAfter("conv: compute_root\noutput: [never_partition_all]\nconv.update: never_partition_all");
  ConvKernel kernel;
  Diagnostics diagnostics;
  apply(firstRule(ruleText("conv: compute_root\noutput: always_partition_all")), kernel.funcs, {}, {}, diagnostics);
  EXPECT_EQ(diagnostics.str(), "");
  EXPECT_THROW(kernel.run(), Halide::Error); // Halide: nothing here can be partitioned, and it was asked to.
}

TEST(Apply, SkipZeros) {
  // The gradient of a convolution of 10 pixels by its 12 inputs; a term that must not be taken would show.
  Halide::Var x("x");
  Halide::RDom r(0, 3, "r");
  Halide::Func adjoint("adjoint"), gradient("gradient"), output("output");
  adjoint(x) = select(x >= 0 && x < 10, Halide::cast<float>(x + 1), 1000.0f);
  gradient(x) = 0.0f;
  gradient(x) += adjoint(x - r) * Halide::cast<float>(r + 1);
  output(x) = gradient(x);
  KernelFuncs funcs;
  funcs.add("output", output, true);
  funcs.add("gradient", gradient);
  funcs.nameRVars("gradient", 0, {"rx"});
  funcs.setNonzero("gradient", 0, r.x.name(), x - r >= 0 && x - r < 10);
  Diagnostics diagnostics;
  apply(firstRule(ruleText("gradient: compute_root\ngradient.update: [{skip_zeros: [rx, 'ry?']}, {unroll: rx}]")),
        funcs, {}, {}, diagnostics);
  EXPECT_EQ(diagnostics.str(), "");
  Halide::Buffer<float> result = output.realize({12});
  for (int at = 0; at < 12; ++at) {
    float wanted = 0;
    for (int tap = 0; tap < 3; ++tap)
      wanted += at - tap >= 0 && at - tap < 10 ? float((at - tap + 1) * (tap + 1)) : 0;
    EXPECT_EQ(result(at), wanted) << at;
  }
  nestAfter("conv.update: {skip_zeros: [rx, ry]}"); // nothing is known to be zero
}

TEST(Apply, Prefetch) {
  nestAfter("conv: {compute_at: [output, y]}\n"
            "conv.update: [{prefetch: {of: weight, at: ry}}, {prefetch: {of: input, at: ry, from: ry, offset: 2, "
            "bounds: clamp}}]");
  nestAfter("conv: compute_root\noutput: {prefetch: {of: conv, at: y, offset: 1, bounds: non_faulting}}");
  ConvKernel kernel;
  Diagnostics diagnostics;
  apply(firstRule(ruleText("conv: compute_root\noutput: {prefetch: {of: conv, at: y, offset: 2}}")), kernel.funcs, {},
        {}, diagnostics);
  Halide::Module module = kernel.output.compile_to_module(kernel.output.infer_arguments());
  std::ostringstream text;
  text << module;
  EXPECT_THAT(text.str(), HasSubstr("prefetch"));
}

TEST(Apply, ComputeWith) {
  Halide::Var x("x"), y("y");
  Halide::Func a("a"), b("b"), sum("sum");
  a(x, y) = x + y;
  b(x, y) = x * y;
  sum(x, y) = a(x, y) + b(x, y);
  KernelFuncs funcs;
  funcs.add("a", a);
  funcs.add("b", b);
  funcs.add("output", sum, true);
  Diagnostics diagnostics;
  apply(firstRule(ruleText("a: compute_root\nb: [compute_root, {compute_with: [a, y, auto]}]")), funcs, {}, {},
        diagnostics);
  EXPECT_EQ(diagnostics.str(), "");
  EXPECT_THAT(loopNest(sum), HasSubstr("fused.y"));
  Halide::Buffer<int> result = sum.realize({4, 4});
  EXPECT_EQ(result(3, 2), 11);
}

TEST(Apply, WrappersOfInputsAndFuncs) {
  EXPECT_THAT(nestAfter("input: {in: [weight, conv]}\n"
                        "weight_in_conv: [compute_root, {reorder_storage: [rc, c, rx, ry]}, {vectorize: [c, 16]}]"),
              testing::AllOf(HasSubstr("produce weight"), HasSubstr("vectorized _0.c_v in [0, 15]")));
  EXPECT_THAT(nestAfter("weight: {in: {for: conv, as: packed}}\nconv: {compute_at: [output, y]}\n"
                        "packed: [{compute_at: [output, n]}, {unroll: rx}]"),
              HasSubstr("for n in [0, 2]:\nproduce weight"));
  EXPECT_THAT(nestAfter("conv: [{in: [conv, output]}, compute_root]\nconv_in_output: {compute_at: [output, y]}"),
              HasSubstr("for y in [0, 5]:\nproduce conv:\nfor x in [0, 13]:\nfor c in [0, 31]:\nconv(...)"));
  EXPECT_THAT(nestAfter("conv: [{in: {as: copy}}, compute_root]\ncopy: {compute_at: [output, x]}"),
              HasSubstr("for x in [0, 13]:\nproduce conv:\nfor c in [0, 31]:\nconv(...)"));
  EXPECT_THAT(
      nestAfter("conv: [{clone_in: {of: conv, for: output, as: twin}}]\n"
                "twin: [{compute_at: [output, y]}]\ntwin.update: [{reorder: [c, rc, x, rx, ry]}, {unroll: rc}]"),
      testing::AllOf(HasSubstr("unrolled r in [0, 3]")));
}

TEST(Apply, GlobsListsAndOptionalFuncs) {
  std::string nest = nestAfter("'residual?': compute_root\n'conv.update1?': {unroll: c}\n"
                               "'conv, output': {vectorize: [c, 8]}\nconv.update: {vectorize: [c, 8]}\n"
                               "'co*?': compute_root\nconv: compute_root\n");
  EXPECT_THAT(nest, HasSubstr("vectorized c.c_v in [0, 7]:\noutput(...)"));
}

TEST(Apply, ScheduleAsAListMayReturnToAFunc) {
  EXPECT_THAT(nestAfter("- conv: compute_root\n- output: {vectorize: [c, 8]}\n- conv: {vectorize: [c, 8]}\n"
                        "  conv.update: {vectorize: [c, 8]}"),
              HasSubstr("vectorized c.c_v in [0, 7]:\nconv(...)"));
}

TEST(Apply, DerivedWeightGradientWithRfactorTwice) {
  Halide::Buffer<float> expected = GradWeightKernel().run();
  GradWeightKernel kernel;
  Diagnostics diagnostics;
  // An accumulator for each image and block of rows, which lives in the registers of one task, then merged in order.
  Rule rule =
      firstRule(ruleText("output: {vectorize: [c, 16]}\n"
                         "grad_weight: [compute_root, {vectorize: [c, 16]}]\n"
                         "grad_weight.update:\n"
                         "  - split: [y, yo, yi, 2]\n"
                         "  - rfactor: {into: partial, keep: {yo: v, n: w}}\n"
                         "  - reorder: [c, rc, rx, ry, yo, n]\n"
                         "  - vectorize: [c, 16]\n"
                         "partial: [compute_root, {vectorize: [c, 16]}]\n"
                         "partial.update:\n"
                         "  - reorder: [c, rc, x, yi, rx, ry, v, w]\n"
                         "  - rfactor: {into: tile, keep: {x: u}}\n"
                         "  - parallel: w\n"
                         "tile: [{compute_at: [partial, v]}, {vectorize: [c, 16]}]\n"
                         "tile.update: [{reorder: [c, u, yi, rc, rx, ry]}, {vectorize: [c, 16]}, {unroll: yi}]\n"));
  AppliedSchedule applied = apply(rule, kernel.funcs, {}, {}, diagnostics);
  EXPECT_EQ(diagnostics.str(), "");
  EXPECT_TRUE(sameBits(kernel.run(), expected));
  EXPECT_EQ(kernel.funcs.roles(),
            (std::vector<std::string>{"grad_weight", "output", "input", "grad_output", "partial", "tile"}));
  // What Halide knows of the new Funcs is there under the file's names.
  EXPECT_EQ(kernel.funcs.describe(), "grad_weight: c_v[16] c rc rx ry\n"
                                     "grad_weight.update: c_v[16] c rc rx ry yo[3] n[3]\n"
                                     "output: c_v[16] c[2] rc[4] rx[3] ry[3]  (output)\n"
                                     "input: input c x y n\n"
                                     "grad_output: input c x y n\n"
                                     "partial: c_v[16] c rc rx ry v[3] w[3]\n"
                                     "partial.update: c rc x[14] rx ry v[3] w[3]\n"
                                     "tile: c_v[16] c rc rx ry v w u[14]\n"
                                     "tile.update: c_v[16] c u[14] yi[2] rc rx ry v[3] w[3]\n");
  // The accumulators are made within the loop over blocks of rows, each image is one task, and the sums are in
  // registers.
  EXPECT_THAT(flat(loopNest(kernel.output)), testing::AllOf(HasSubstr("parallel w"), HasSubstr("unrolled yi")));
}

} // namespace
} // namespace sylvite
