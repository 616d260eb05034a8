// Rules as text: what is written reads back as it was; differences of two files. Layer: tests.
#include "compiler/schedule/RuleWriter.h"
#include "compiler/support/Files.h"

#include <gtest/gtest.h>

namespace sylvite {
namespace {

ScheduleSet parsed(const std::string &text, const std::string &file = "s.yaml") {
  Diagnostics diagnostics;
  auto set = ScheduleSet::parse({{file, text}}, diagnostics);
  EXPECT_EQ(diagnostics.str(), "") << text;
  return set.value_or(ScheduleSet());
}

TEST(RuleWriter, ShippedRulesReadBack) {
  for (const char *name : {"avx512", "avx2", "general", "plain"}) {
    std::string error;
    auto text = readFile(std::string(SYLVITE_SCHEDULES "/") + name + ".yaml", kYamlSizeLimit, error);
    ASSERT_TRUE(text) << error;
    ScheduleSet set = parsed(*text), again;
    std::string written;
    for (const Rule &rule : set.rules())
      written += ruleText(rule.source);
    again = parsed(written);
    ASSERT_EQ(again.rules().size(), set.rules().size());
    for (size_t i = 0; i < set.rules().size(); ++i)
      EXPECT_EQ(again.rules()[i].text(), set.rules()[i].text());
  }
}

TEST(RuleWriter, ARuleForOneKernel) {
  ScheduleSet set =
      parsed("- kernel: [a.*, b]\n  when: {width: 3}\n  tune: {x: [1, 2, 4], y: [$lanes, 8]}\n  schedule: "
             "{output: [{split: [c, co, ci, $x]}]}\n");
  KernelDims dims{{{"lanes", 16}}, {}};
  const Rule &rule = set.rules()[0];
  std::string text =
      ruleTextFor(rule, "a.b", {{"key", "k12"}, {"cpu", "znver4"}}, {{"x", 2}, {"y", 8}}, tuneSpace(rule, dims));
  EXPECT_EQ(text, "- kernel: a.b\n  when: {key: k12, cpu: znver4}\n  tune: {x: [2, 1, 4], y: [8, 16]}\n  schedule:\n"
                  "    output: [{split: [c, co, ci, $x]}]\n");
  ScheduleSet written = parsed(text);
  EXPECT_NE(written.find("a.b", {{}, {{"key", "k12"}, {"cpu", "znver4"}}}), nullptr);
  EXPECT_EQ(written.find("a.b", {{}, {{"key", "k13"}, {"cpu", "znver4"}}}), nullptr);
  EXPECT_EQ(written.find("a.b", {{}, {{"key", "k12"}, {"cpu", "generic"}}}), nullptr);
}

TEST(RuleWriter, Differences) {
  const std::string before = "- kernel: a\n  schedule: {output: [{unroll: c}, {vectorize: [c, 8]}]}\n"
                             "- kernel: b\n  when: {width: 3}\n  schedule: {}\n- kernel: c\n  schedule: {}\n";
  EXPECT_EQ(ruleDifferences(parsed(before), parsed("# a comment\n" + before)), "");
  const std::string after =
      "- kernel: a\n  tune: {x: [2, 1]}\n  schedule: {output: [{unroll: c}, {vectorize: [c, 16]}]}\n"
      "- kernel: c\n  schedule: {}\n- kernel: b\n  when: {width: 4}\n  schedule: {}\n";
  EXPECT_EQ(ruleDifferences(parsed(before, "A"), parsed(after, "B")),
            "A:1, B:1: changed: a\n+   tune: {x: [2, 1]}\n-     output: [{unroll: c}, {vectorize: [c, 8]}]\n"
            "+     output: [{unroll: c}, {vectorize: [c, 16]}]\n"
            "A:3: removed: b when {width: 3}\n- - kernel: b\n-   when: {width: 3}\n-   schedule: {}\n"
            "B:6: added: b when {width: 4}\n+ - kernel: b\n+   when: {width: 4}\n+   schedule: {}\n");
  EXPECT_EQ(ruleDifferences(parsed("- kernel: a\n  schedule: {}\n- kernel: b\n  schedule: {}\n"),
                            parsed("- kernel: b\n  schedule: {}\n- kernel: a\n  schedule: {}\n")),
            "the rules that both have stand in another order\n");
}

} // namespace
} // namespace sylvite
