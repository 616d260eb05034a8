// Rules without a kernel: choosing by name and conditions, arithmetic, tune spaces, and every error of a file's text.
#include "compiler/schedule/Rules.h"
#include "compiler/schedule/Arithmetic.h"

#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>
#include <fstream>

namespace sylvite {
namespace {

using schedule::Arithmetic;

std::string errors(const std::string &text, const std::vector<std::string> &dimNames = {}) {
  Diagnostics diagnostics;
  auto set = ScheduleSet::parse({{"s.yaml", text}}, diagnostics, dimNames);
  EXPECT_NE(set.has_value(), diagnostics.hasErrors());
  return diagnostics.str();
}

/// The errors of a directive in a rule that is otherwise right; it stands at column 15 of line 3.
std::string directiveErrors(const std::string &directive) {
  return errors("- kernel: '*'\n  schedule:\n    output: [ " + directive + "]\n");
}

// ---- the text of a rule

std::string flow(const std::string &text) {
  Diagnostics diagnostics;
  auto node = schedule::parseYaml(text, "s.yaml", diagnostics);
  EXPECT_EQ(diagnostics.str(), "");
  return node ? schedule::flowText(*node) : "";
}

TEST(Rules, TextIsWithoutLayoutAndComments) {
  const char *one = "- kernel: [conv2d.forward, 'conv?d.*'] # comment\n  when: {width: '>= 3'}\n  schedule:\n    "
                    "output:\n      - split: [x, xo, xi, $a * 2]\n      - unroll: xi\n";
  std::string text = flow(one);
  EXPECT_EQ(text,
            "[{kernel: [conv2d.forward, 'conv?d.*'], when: {width: '>= 3'}, schedule: {output: [{split: [x, xo, xi, "
            "$a * 2]}, {unroll: xi}]}}]");
  EXPECT_EQ(flow(text), text);
  EXPECT_EQ(flow("[ 'it''s', \"a\\nb\", ~, 'null', '', '*', a b]"), "['it''s', \"a\\nb\", ~, 'null', '', '*', a b]");
}

TEST(Rules, FittingOnesInOrder) {
  Diagnostics diagnostics;
  auto set =
      ScheduleSet::parse({{"s.yaml", "- kernel: a.*\n  when: {key: k12}\n  schedule: {}\n- kernel: b\n  schedule: "
                                     "{}\n- kernel: a.b\n  when: {key: k13}\n  schedule: {}\n- kernel: '*'\n  "
                                     "schedule: {}\n"}},
                         diagnostics);
  ASSERT_TRUE(set);
  std::vector<const Rule *> rules = set->fitting("a.b", {{}, {{"key", "k12"}}});
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0]->where(), "s.yaml:1");
  EXPECT_EQ(rules[1]->where(), "s.yaml:9");
}

// ---- choosing a rule

bool fits(const std::string &condition, const KernelDims &dims) {
  Diagnostics diagnostics;
  auto set =
      ScheduleSet::parse({{"s.yaml", "- kernel: '*'\n  when: " + condition + "\n  schedule: {}\n"}}, diagnostics);
  EXPECT_EQ(diagnostics.str(), "");
  return set && set->find("conv2d.forward", dims) != nullptr;
}

TEST(Rules, Conditions) {
  KernelDims dims{{{"filters", 48}, {"lanes", 16}, {"width", 14}, {"kernel_h", 3}}, {{"dtype", "float32"}}};
  for (const char *condition : {"{filters: 48}",
                                "{filters: '>= 48'}",
                                "{filters: '<= 48'}",
                                "{filters: '> 47'}",
                                "{filters: '< 49'}",
                                "{filters: '!= 47'}",
                                "{filters: '== 48'}",
                                "{filters: 'multiple of 16'}",
                                "{filters: 'not multiple of 32'}",
                                "{filters: '14..48'}",
                                "{filters: '48..48'}",
                                "{filters: [1, 48]}",
                                "{filters: ['<= 2', '>= 40']}",
                                "{filters: '>= 32 and multiple of $lanes'}",
                                "{filters: 3 * $lanes}",
                                "{filters: '$lanes .. 4 * $lanes'}",
                                "{dtype: float32}",
                                "{dtype: '!= float64'}",
                                "{dtype: [float64, float32]}",
                                "{filters: 48, width: 14}",
                                "{}"})
    EXPECT_TRUE(fits(condition, dims)) << condition;
  for (const char *condition :
       {"{filters: 47}", "{filters: '>= 49'}", "{filters: '<= 47'}", "{filters: '> 48'}", "{filters: '< 48'}",
        "{filters: '!= 48'}", "{filters: 'multiple of 32'}", "{filters: 'not multiple of 16'}", "{filters: '14..28'}",
        "{filters: [1, 2]}", "{filters: '>= 32 and multiple of 32'}", "{dtype: float64}", "{dtype: '!= float32'}",
        "{filters: 48, width: 15}", "{stride: 1}", "{filters: 'multiple of $tile'}", "{dtype: 32}", "{filters: many}",
        "{filters: 'multiple of ($lanes - 16)'}"})
    EXPECT_FALSE(fits(condition, dims)) << condition;
}

TEST(Rules, TheFirstThatFitsIsTaken) {
  Diagnostics diagnostics;
  auto set =
      ScheduleSet::parse({{"mine.yaml", "- kernel: [linear.forward, conv2d.grad_*]\n  when: {filters: '>= 32'}\n"
                                        "  algorithm: winograd\n  schedule: {}\n"},
                          {"shipped.yaml", "- kernel: conv2d.*\n  schedule: {}\n- kernel: '*'\n  schedule: {}\n"}},
                         diagnostics);
  ASSERT_TRUE(set) << diagnostics.str();
  KernelDims wide{{{"filters", 64}}, {}}, narrow{{{"filters", 8}}, {}};
  EXPECT_EQ(set->find("conv2d.grad_weight", wide)->where(), "mine.yaml:1");
  EXPECT_EQ(set->find("conv2d.grad_weight", wide)->algorithm, "winograd");
  EXPECT_EQ(set->find("conv2d.grad_weight", narrow)->where(), "shipped.yaml:1");
  EXPECT_EQ(set->find("conv2d.forward", wide)->where(), "shipped.yaml:1");
  EXPECT_EQ(set->find("relu.forward", wide)->where(), "shipped.yaml:3");
  EXPECT_EQ(set->find("relu.forward", wide)->algorithm, "direct");
  EXPECT_EQ(set->explain("conv2d.grad_weight", narrow), "mine.yaml:1: does not fit, filters: >= 32 (it is 8)\n"
                                                        "shipped.yaml:1: taken\n");
  EXPECT_EQ(set->explain("linear.forward", {}), "mine.yaml:1: does not fit, filters: >= 32 (this kernel has none)\n"
                                                "shipped.yaml:3: taken\n");
  EXPECT_EQ(ScheduleSet().find("relu.forward", wide), nullptr);
  EXPECT_EQ(ScheduleSet().explain("relu.forward", wide), "no rule fits\n");
}

TEST(Rules, Globs) {
  EXPECT_TRUE(schedule::globFits("conv2d.*", "conv2d.forward"));
  EXPECT_TRUE(schedule::globFits("*grad*", "conv2d.grad_weight"));
  EXPECT_TRUE(schedule::globFits("conv?d.forward", "conv2d.forward"));
  EXPECT_FALSE(schedule::globFits("conv2d", "conv2d.forward"));
  EXPECT_FALSE(schedule::globFits("*.update", "conv2d.forward"));
  // The classical bad case for backtracking.
  EXPECT_FALSE(schedule::globFits("*a*a*a*a*a*a*a*a*a*a*b", std::string(100, 'a')));
}

TEST(Rules, TuneSpace) {
  Diagnostics diagnostics;
  auto set = ScheduleSet::parse(
      {{"s.yaml", "- kernel: '*'\n  tune: {tile: [14, 7], vectors: [2, 1, $lanes / 8]}\n  schedule: {}\n"}},
      diagnostics);
  ASSERT_TRUE(set) << diagnostics.str();
  KernelDims dims{{{"lanes", 16}}, {}};
  EXPECT_EQ(tuneSpace(set->rules()[0], dims), (std::vector<TuneChoices>{{{"tile", 14}, {"vectors", 2}},
                                                                        {{"tile", 14}, {"vectors", 1}},
                                                                        {{"tile", 7}, {"vectors", 2}},
                                                                        {{"tile", 7}, {"vectors", 1}}}));
  EXPECT_EQ(tuneSpace(set->rules()[0], dims, 2).size(), 2u);
}

// ---- arithmetic

int64_t value(const std::string &text, const schedule::Values &values = {}) {
  Diagnostics diagnostics;
  auto expression = Arithmetic::parse(text, {"s.yaml", 1, 1}, diagnostics);
  auto result = expression ? expression->evaluate(values, diagnostics) : std::nullopt;
  EXPECT_EQ(diagnostics.str(), "") << text;
  return result.value_or(-999);
}

std::string arithmeticError(const std::string &text) {
  Diagnostics diagnostics;
  if (auto expression = Arithmetic::parse(text, {"s.yaml", 1, 1}, diagnostics))
    expression->evaluate({{"lanes", 16}}, diagnostics);
  return diagnostics.str();
}

TEST(Arithmetic, Values) {
  EXPECT_EQ(value("42"), 42);
  EXPECT_EQ(value("2 + 3 * 4"), 14);
  EXPECT_EQ(value("(2 + 3) * 4"), 20);
  EXPECT_EQ(value("20 - 5 - 3"), 12);
  EXPECT_EQ(value("100 / 7 / 2"), 7);
  EXPECT_EQ(value("-7 / 2"), -4);
  EXPECT_EQ(value("7 / -2"), -4);
  EXPECT_EQ(value("-7 % 3"), 2);
  EXPECT_EQ(value("- -3"), 3);
  EXPECT_EQ(value("$vectors * $lanes", {{"vectors", 2}, {"lanes", 16}}), 32);
  EXPECT_EQ(value("($width+13)/14", {{"width", 15}}), 2);
  EXPECT_EQ(value("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(value("(-9223372036854775807 - 1) % -1"), 0);
}

TEST(Arithmetic, Errors) {
  EXPECT_EQ(arithmeticError(""), "s.yaml:1:1: error: expected a number or $name\n");
  EXPECT_EQ(arithmeticError("2 +"), "s.yaml:1:4: error: expected a number or $name\n");
  EXPECT_EQ(arithmeticError("2 3"), "s.yaml:1:3: error: expected an operator, found '3'\n");
  EXPECT_EQ(arithmeticError("(2"), "s.yaml:1:3: error: expected ')'\n");
  EXPECT_EQ(arithmeticError("2 + lanes"),
            "s.yaml:1:5: error: expected a number, found 'lanes' (a parameter is written '$lanes')\n");
  EXPECT_EQ(arithmeticError("2 + $"), "s.yaml:1:6: error: expected a name after '$'\n");
  EXPECT_EQ(arithmeticError("2.5"), "s.yaml:1:2: error: expected an integer, found '2.5'\n");
  EXPECT_EQ(arithmeticError("2 + ,"), "s.yaml:1:5: error: expected a number or $name, found ','\n");
  EXPECT_EQ(arithmeticError("99999999999999999999"), "s.yaml:1:19: error: a number does not fit in 64 bits\n");
  EXPECT_EQ(arithmeticError("9223372036854775807 + 1"),
            "s.yaml:1:1: error: the value of '9223372036854775807 + 1' does not fit in 64 bits\n");
  EXPECT_EQ(arithmeticError("(-9223372036854775807 - 1) / -1"),
            "s.yaml:1:1: error: the value of '(-9223372036854775807 - 1) / -1' does not fit in 64 bits\n");
  EXPECT_EQ(arithmeticError("4 % ($lanes - 16)"), "s.yaml:1:1: error: division by zero in '4 % ($lanes - 16)'\n");
  EXPECT_EQ(arithmeticError("$lane"), "s.yaml:1:1: error: unknown name '$lane'\n  hint: did you mean 'lanes'?\n");
  EXPECT_EQ(arithmeticError(std::string(65, '(') + "1"),
            "s.yaml:1:65: error: an expression is nested more than 64 deep\n");
  EXPECT_EQ(arithmeticError(std::string(1001, '1')),
            "s.yaml:1:1: error: an expression is longer than 1000 characters\n");
}

// ---- what is wrong with a file

TEST(RuleErrors, Shapes) {
  EXPECT_EQ(errors(""), "s.yaml: error: the file has no rules\n");
  EXPECT_EQ(errors("kernel: x"), "s.yaml:1:1: error: a schedule file is a list of rules, found a map\n"
                                 "  hint: start each rule with '- kernel:'\n");
  EXPECT_EQ(errors("- conv"), "s.yaml:1:3: error: a rule is a map, found 'conv'\n");
  EXPECT_EQ(errors("- kernal: x\n  schedule: {}"),
            "s.yaml:1:3: error: unknown key 'kernal' in a rule\n  hint: did you mean 'kernel'?\n"
            "s.yaml:1:3: error: a rule needs 'kernel'\n"
            "  hint: write the name of a kernel, such as conv2d.forward, or '*'\n");
  EXPECT_EQ(errors("- kernel: '*'"), "s.yaml:1:3: error: a rule needs 'schedule'\n");
  EXPECT_EQ(errors("- kernel: 'a b'\n  schedule: {}"),
            "s.yaml:1:11: error: 'kernel' needs the name of a kernel, found 'a b'\n"
            "  hint: write a name such as conv2d.forward, with * for any characters\n");
  EXPECT_EQ(errors("- kernel: []\n  schedule: {}"), "s.yaml:1:11: error: 'kernel' needs at least one name\n");
  EXPECT_EQ(errors("- {kernel: a, algorithm: [b], schedule: {}}"),
            "s.yaml:1:26: error: 'algorithm' needs a word, found a list\n");
  EXPECT_EQ(errors("- {kernel: a, schedule: 4}"),
            "s.yaml:1:25: error: 'schedule' needs a map from Funcs to lists of directives, found '4'\n");
  EXPECT_EQ(errors("- {kernel: a, schedule: [b]}"),
            "s.yaml:1:26: error: 'schedule' needs a map from Funcs to lists of directives, found 'b'\n");
  EXPECT_EQ(errors("- {kernel: a, schedule: {conv: }}"), "s.yaml:1:32: error: 'conv' needs a list of directives\n");
}

TEST(RuleErrors, Conditions) {
  EXPECT_EQ(errors("- {kernel: a, when: 4, schedule: {}}"), "s.yaml:1:21: error: 'when' needs a map, found '4'\n"
                                                            "  hint: write when: {filters: '>= 32'}\n");
  EXPECT_EQ(errors("- {kernel: a, when: {filters: {}}, schedule: {}}"),
            "s.yaml:1:31: error: when: 'filters' needs a condition, not a map\n"
            "  hint: write a number, a word, '>= 32', 'multiple of 14', '14..28', or a list of these\n");
  EXPECT_EQ(errors("- {kernel: a, when: {filters: [[1]]}, schedule: {}}"),
            "s.yaml:1:32: error: when: 'filters' needs a condition, not a list\n");
  EXPECT_EQ(errors("- kernel: a\n  when:\n    filters: '>= many'\n    width: 14..\n  schedule: {}"),
            "s.yaml:3:17: error: expected a number, found 'many' (a parameter is written '$many')\n"
            "s.yaml:4:16: error: expected a number or $name\n");
  EXPECT_EQ(errors("- {kernel: a, when: {filter: 4, width: 'multiple of $lane'}, schedule: {}}",
                   {"filters", "width", "lanes"}),
            "s.yaml:1:22: error: when: no kernel has 'filter'\n  hint: did you mean 'filters'?\n"
            "s.yaml:1:52: error: unknown name '$lane'\n  hint: did you mean 'lanes'?\n");
}

TEST(RuleErrors, Parameters) {
  EXPECT_EQ(errors("- {kernel: a, tune: [1], schedule: {}}"), "s.yaml:1:21: error: 'tune' needs a map, found a list\n"
                                                              "  hint: write tune: {tile_x: [14, 7]}\n");
  EXPECT_EQ(errors("- {kernel: a, let: 3, schedule: {}}"), "s.yaml:1:20: error: 'let' needs a map, found '3'\n"
                                                           "  hint: write let: {block: $vectors * $lanes}\n");
  EXPECT_EQ(errors("- {kernel: a, tune: {x: []}, schedule: {}}"),
            "s.yaml:1:25: error: tune: 'x' needs at least one value\n");
  EXPECT_EQ(errors("- {kernel: a, tune: {x: [[2]]}, schedule: {}}"),
            "s.yaml:1:26: error: tune: 'x' needs a number, found a list\n");
  EXPECT_EQ(errors("- {kernel: a, tune: {2x: [2]}, schedule: {}}"),
            "s.yaml:1:22: error: tune: '2x' is no name for a parameter\n");
  EXPECT_EQ(errors("- {kernel: a, tune: {x: 2}, let: {x: 3}, schedule: {}}"),
            "s.yaml:1:35: error: let: parameter 'x' is already in 'tune'\n");
  EXPECT_EQ(errors("- {kernel: a, tune: {lanes: [2]}, schedule: {conv: {unroll: [x, $lane]}}}", {"lanes"}),
            "s.yaml:1:22: error: tune: 'lanes' is a dimension of kernels and cannot be a parameter\n"
            "s.yaml:1:65: error: unknown name '$lane'\n  hint: did you mean 'lanes'?\n");
}

TEST(RuleErrors, Directives) {
  EXPECT_EQ(directiveErrors("vectorise: c"),
            "s.yaml:3:15: error: unknown directive 'vectorise'\n  hint: did you mean 'vectorize'?\n");
  EXPECT_EQ(directiveErrors("[split]"), "s.yaml:3:15: error: expected a directive, found a list\n"
                                        "  hint: write a list: [{reorder: [c, x]}, {vectorize: [c, 16]}]\n");
  EXPECT_EQ(directiveErrors("{split: [x, a, b, 2], unroll: a}"),
            "s.yaml:3:15: error: a directive has one key, found 2\n"
            "  hint: write a list: [{reorder: [c, x]}, {vectorize: [c, 16]}]\n");
  EXPECT_EQ(directiveErrors("split: [x, xo, xi]"),
            "s.yaml:3:22: error: split: needs 4 to 5 arguments, found 3\n"
            "  hint: write split: [var, outer, inner, factor] or [var, outer, inner, factor, tail]\n");
  EXPECT_EQ(
      directiveErrors("split: [x, xo, xi, 2, gard]"),
      "s.yaml:3:37: error: split: unknown tail 'gard'\n  hint: did you mean 'guard'? it is one of: auto, exact, guard, "
      "shift_inwards, round_up, predicate, predicate_loads, predicate_stores, shift_inwards_and_blend, "
      "round_up_and_blend\n");
  EXPECT_EQ(directiveErrors("split: [x, xo, x i, 2]"),
            "s.yaml:3:30: error: split: expected the name of a Var, found 'x i'\n"
            "  hint: write split: [var, outer, inner, factor] or [var, outer, inner, factor, tail]\n");
  EXPECT_EQ(directiveErrors("vectorize: [c, lanes]"),
            "s.yaml:3:30: error: expected a number, found 'lanes' (a parameter is written '$lanes')\n");
  EXPECT_EQ(directiveErrors("unroll: {c: 2, x: 2}"),
            "s.yaml:3:23: error: unroll: needs one Var, found 2\n"
            "  hint: write unroll: var, [var, factor] or [var, factor, tail]\n");
  EXPECT_EQ(directiveErrors("compute_root: x"), "s.yaml:3:29: error: compute_root: takes no arguments\n"
                                                "  hint: write compute_root, without arguments\n");
  EXPECT_EQ(directiveErrors("compute_at"), "s.yaml:3:15: error: compute_at: needs 2 arguments, found nothing\n"
                                           "  hint: write compute_at: [func, var]\n");
  EXPECT_EQ(directiveErrors("compute_at: [conv.upd, x]"),
            "s.yaml:3:28: error: 'conv.upd' is not the name of a Func or a stage\n"
            "  hint: a stage is written 'conv', 'conv.update' (the first update) or 'conv.update1'\n");
  EXPECT_EQ(directiveErrors("store_in: vtcm"), "s.yaml:3:25: error: store_in: unknown memory type 'vtcm'\n"
                                               "  hint: it is one of: stack, heap, register, auto\n");
  EXPECT_EQ(directiveErrors("reorder: c"), "s.yaml:3:24: error: reorder: needs at least 2 arguments, found 1\n"
                                           "  hint: write reorder: [innermost, ..., outermost]\n");
  EXPECT_EQ(directiveErrors("in: {off: conv}"),
            "s.yaml:3:20: error: in: unknown key 'off'\n  hint: did you mean 'of'?\n");
  EXPECT_EQ(directiveErrors("dimension: {min: 0}"),
            "s.yaml:3:26: error: dimension: needs 'axis'\n"
            "  hint: write dimension: {axis: 0, min: 0, extent: 32, stride: 1}\n");
  EXPECT_EQ(directiveErrors("dimension: {axis: 0}"),
            "s.yaml:3:26: error: dimension: needs 'min', 'extent' or 'stride'\n"
            "  hint: write dimension: {axis: 0, min: 0, extent: 32, stride: 1}\n");
  EXPECT_EQ(directiveErrors("prefetch: {of: conv}"),
            "s.yaml:3:25: error: prefetch: needs 'at'\n"
            "  hint: write prefetch: {of: func, at: var, from: var, offset: 2, bounds: guard}\n");
  EXPECT_EQ(directiveErrors("rfactor: {into: a, keep: rx}"),
            "s.yaml:3:40: error: rfactor: 'keep' needs a map from RVar to the name of a new Var, found 'rx'\n"
            "  hint: write rfactor: {into: name, keep: {rvar: var}}\n");
  EXPECT_EQ(errors("- {kernel: a, schedule: {conv.update: compute_root}}"),
            "s.yaml:1:39: error: compute_root: is about a whole Func, not a stage\n  hint: write it under 'conv'\n");
  EXPECT_EQ(errors("- {kernel: a, schedule: {'conv, a.update': {unroll: c}}}"),
            "s.yaml:1:26: error: Funcs that share directives must name the same stage\n");
}

TEST(RuleErrors, WhatIsNotOffered) {
  EXPECT_EQ(directiveErrors("atomic"), "s.yaml:3:15: error: 'atomic' is not offered: it would add floats in any order, "
                                       "and results must not depend on the "
                                       "number of threads\n");
  for (const char *name : {"allow_race_conditions", "async", "memoize", "ring_buffer", "set_estimate", "specialize"})
    EXPECT_EQ(directiveErrors(name).find("s.yaml:3:15: error: '" + std::string(name) + "' is not offered: "), 0u)
        << name;
}

TEST(RuleErrors, EveryDirectiveRefusesArgumentsItCannotTake) {
  for (const std::string &name : schedule::directiveNames()) {
    EXPECT_NE(directiveErrors(name + ": {zzz: [[1]]}"), "") << name;
    EXPECT_NE(directiveErrors(name + ": [[1], [2], [3], [4]]"), "") << name;
    EXPECT_NE(directiveErrors(name + ": [a, b, c, d, e, f, g, h, i, j, k, '']"), "") << name;
  }
}

// ---- the file as YAML

TEST(YamlErrors, NotYaml) {
  EXPECT_EQ(errors("- kernel: [a\n"), "s.yaml:2:1: error: not YAML: end of sequence flow not found\n");
  EXPECT_EQ(errors("a: *b"), "s.yaml:1:4: error: not YAML: the referenced anchor is not defined\n");
  EXPECT_EQ(errors(std::string("- a\0b", 5)), "s.yaml: error: is not a text file\n");
  EXPECT_EQ(errors("- {kernel: a, schedule: {}}\n---\n- b\n"),
            "s.yaml:1:1: error: holds more than one YAML document\n");
}

TEST(YamlErrors, DoubledKeys) {
  EXPECT_EQ(errors("- kernel: a\n  kernel: b\n  schedule:\n    conv: compute_root\n    conv: compute_root\n"),
            "s.yaml:2:3: error: key 'kernel' is written twice\n  hint: the first one is at line 1\n"
            "s.yaml:5:5: error: key 'conv' is written twice\n  hint: the first one is at line 4\n");
  EXPECT_EQ(errors("- {[a]: b}"), "s.yaml:1:4: error: a key must be a word, not a list\n");
}

TEST(YamlErrors, Limits) {
  const std::string tooDeep = "error: lists and maps are nested more than 64 deep\n",
                    tooMany = "error: more than 100000 values, with aliases expanded\n";
  auto around = [](int count, const std::string &inner) {
    return std::string(size_t(count), '[') + inner + std::string(size_t(count), ']');
  };
  auto has = [](const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; };
  EXPECT_FALSE(has(errors(around(64, "x")), tooDeep));
  EXPECT_EQ(errors(around(65, "x")), "s.yaml:1:65: " + tooDeep);
  auto aliased = [&](int depth) { // aliases of what holds aliases
    return "- &a " + around(20, "x") + "\n- &b " + around(20, "*a") + "\n- " + around(depth - 41, "*b") + "\n";
  };
  EXPECT_FALSE(has(errors(aliased(64)), tooDeep));
  EXPECT_EQ(errors(aliased(65)), "s.yaml:3:27: " + tooDeep);
  auto items = [](size_t count, const std::string &item) {
    std::string text = "[";
    for (size_t i = 0; i < count; ++i)
      text += item + ", ";
    return text + "]";
  };
  EXPECT_FALSE(has(errors(items(99'999, "x")), tooMany));
  EXPECT_TRUE(has(errors(items(100'000, "x")), tooMany));
  auto counted = [&](size_t values) { // the file's list; one of 10,000 values, and eight times more; what is left
    return "- &a " + items(9'999, "x") + "\n- " + items(8, "*a") + "\n- " + items(values - 90'003, "x") + "\n";
  };
  EXPECT_FALSE(has(errors(counted(100'000)), tooMany));
  EXPECT_TRUE(has(errors(counted(100'001)), tooMany));
  std::string laughs = "- &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    std::string alias = "*a" + std::to_string(i - 1) + " ";
    laughs += "- &a" + std::to_string(i) + " [" + alias;
    for (int k = 0; k < 9; ++k)
      laughs += ", " + alias;
    laughs += "]\n";
  }
  EXPECT_EQ(errors(laughs), "s.yaml:5:50: error: more than 100000 values, with aliases expanded\n");
  EXPECT_EQ(errors("&a [*a]"), "s.yaml:1:5: error: an alias stands inside its own anchor\n");
}

TEST(YamlErrors, AnchorsAreExpanded) {
  Diagnostics diagnostics;
  auto set = ScheduleSet::parse({{"s.yaml", "- kernel: a\n  schedule:\n    conv: &tile [{unroll: x}, {unroll: c}]\n"
                                            "    output: *tile\n"}},
                                diagnostics);
  ASSERT_TRUE(set) << diagnostics.str();
  EXPECT_EQ(set->rules()[0].blocks[1].directives.size(), 2u);
}

TEST(YamlErrors, HostileTextsEndInAnErrorWithinASecond) {
  const size_t size = 1 << 20;
  auto repeated = [&](const std::string &part) {
    std::string text;
    while (text.size() < size)
      text += part;
    return text;
  };
  for (const char *part : {"[",    "{",      "- ",  "? ",     "a: ",  "&a ",          "!a ", "\"",      "'", "[a, ",
                           "{a: ", "- - \n", "*",   "%",      "a\n",  "- a\n",        "|\n", "- ? a\n", "#", "\t",
                           "{a, ", "a,",     "[],", "x: [\n", "\xff", "\xef\xbb\xbf", ": ",  "-\n"}) {
    std::clock_t start = std::clock(); // processor time: other processes do not count
    EXPECT_NE(errors(repeated(part)), "") << part;
    double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    EXPECT_LT(seconds, 1.0) << "'" << part << "'";
  }
}

TEST(YamlErrors, Files) {
  namespace fs = std::filesystem;
  fs::path folder = fs::path(testing::TempDir()) / "sylvite_schedule_files";
  fs::create_directories(folder);
  std::string large = (folder / "large.yaml").string(), largest = (folder / "largest.yaml").string();
  std::ofstream(large) << std::string((1 << 20) + 1, '#');
  const std::string rule = "- {kernel: '*', schedule: {}}\n";
  std::ofstream(largest) << rule << std::string((1 << 20) - rule.size(), '#');
  Diagnostics none;
  EXPECT_TRUE(ScheduleSet::load({largest}, none)) << none.str();
  Diagnostics diagnostics;
  EXPECT_FALSE(ScheduleSet::load({folder / "missing.yaml", folder, large}, diagnostics));
  EXPECT_EQ(diagnostics.str(), folder.string() + "/missing.yaml: error: no such file\n" + folder.string() +
                                   ": error: is a folder\n" + large + ": error: larger than 1048576 bytes\n");
  fs::remove_all(folder);
}

TEST(YamlErrors, SeveralFilesInOneRun) {
  Diagnostics diagnostics;
  EXPECT_FALSE(ScheduleSet::parse({{"a.yaml", "- b\n"}, {"c.yaml", "- d\n"}}, diagnostics));
  EXPECT_EQ(diagnostics.str(),
            "a.yaml:1:3: error: a rule is a map, found 'b'\nc.yaml:1:3: error: a rule is a map, found 'd'\n");
}

} // namespace
} // namespace sylvite
