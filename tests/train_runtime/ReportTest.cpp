// The report's pictures and page, from made-up content. Layer: tests.
#include "runtime/train/Report.h"

#include <cmath>
#include <gtest/gtest.h>

namespace {

size_t countOf(const std::string &text, const std::string &part) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size())
    ++count;
  return count;
}

TEST(LineChart, HasALineForEachSeries) {
  std::string svg =
      syl::lineChart("loss <1>", "step", {{"train", {{0, 1}, {10, 0.5}, {20, 0.25}}}, {"test", {{20, 2}}}});
  EXPECT_EQ(countOf(svg, "<path class=\"line c0\""), 1u);
  EXPECT_EQ(countOf(svg, "<path class=\"line c1\""), 1u);
  EXPECT_EQ(countOf(svg, "<circle"), 4u) << "few points are shown as dots";
  EXPECT_NE(svg.find("loss &lt;1&gt;"), std::string::npos);
  EXPECT_NE(svg.find(">train</text>"), std::string::npos);
  EXPECT_NE(svg.find(">0.5</text>"), std::string::npos) << "a tick";
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(LineChart, ManyPointsAreThinnedAndOddOnesLeftOut) {
  std::vector<std::pair<double, double>> points;
  for (int i = 0; i < 10000; ++i)
    points.emplace_back(i * 1000, i % 7 ? i : NAN);
  std::string svg = syl::lineChart("x", "step", {{"x", points}});
  EXPECT_LT(svg.size(), 12000u);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(countOf(svg, "<circle"), 0u);
  EXPECT_NE(svg.find("k</text>"), std::string::npos) << "thousands";
}

TEST(LineChart, FlatAndEmpty) {
  EXPECT_EQ(syl::lineChart("x", "step", {}), "");
  EXPECT_EQ(syl::lineChart("x", "step", {{"x", {{1, INFINITY}}}}), "");
  for (double value : {0., 1e-30, -5., 1e12}) {
    std::string svg = syl::lineChart("x", "step", {{"x", {{3, value}}}});
    EXPECT_EQ(countOf(svg, "<circle"), 1u) << value;
    EXPECT_EQ(svg.find("nan"), std::string::npos) << svg;
    EXPECT_EQ(svg.find("inf"), std::string::npos) << svg;
  }
}

TEST(MemoryChart, HasARectangleForEachBufferOfTheBlock) {
  const std::vector<syl::ReportBuffer> buffers = {{"a", "scratch", 0, 3 << 20, 0, 4},
                                                  {"b", "scratch", 3 << 20, 1 << 20, 2, 2},
                                                  {"<c>", "local", 0, 100, 1, 1},
                                                  {"d", "state", 0, 100, 0, 9}};
  std::string svg = syl::memoryChart(buffers, "scratch");
  EXPECT_EQ(countOf(svg, "<rect"), 2u);
  EXPECT_NE(svg.find("<title>a: 3.00 MiB, phases 0 to 4</title>"), std::string::npos) << svg;
  EXPECT_NE(svg.find("scratch block over the step"), std::string::npos);
  EXPECT_NE(syl::memoryChart(buffers, "local").find("&lt;c&gt;"), std::string::npos);
  EXPECT_EQ(syl::memoryChart(buffers, "heap"), "");
  EXPECT_EQ(syl::memoryChart({{"a", "local", 0, 0, 0, 0}}, "local"), "");
}

TEST(ReportPage, ShowsWhatThereIsAndNothingElse) {
  syl::ReportContent content;
  content.record.network = "a<b & 'c' \"d\"";
  content.part = "train";
  std::string page = syl::reportPage(content);
  EXPECT_NE(page.find("a&lt;b &amp; &#39;c&#39; &quot;d&quot;"), std::string::npos);
  EXPECT_NE(page.find("no metrics.csv"), std::string::npos);
  for (const char *absent : {"Confusion", "Mistakes", "First samples", "Memory over"})
    EXPECT_EQ(page.find(std::string("<h2>") + absent), std::string::npos) << absent;
  content.classes = 2;
  content.confusion = {3, 0, 1, 4};
  content.first = {{"", 7, 1, {{1, 0.75}, {0, 0.25}}}};
  content.mistakes = {{"data:,", 8, 0, {{1, 0.9}}}, {"", 9, 0, {}}};
  content.buffers = {{"a", "scratch", 0, 64, 0, 1}};
  content.log = {{1, 1, "train/loss", 0.5}, {2, 1, "train/loss", 0.25}, {2, 1, "norm.grad/w", 1}};
  content.stateBytes = 5 << 20;
  content.kernels.resize(2);
  content.kernels[0].name = "small";
  content.kernels[1].name = "large";
  content.kernels[1].ms = 3;
  page = syl::reportPage(content);
  for (const char *present : {"Confusion", "Mistakes", "First samples", "Memory over"})
    EXPECT_NE(page.find(std::string("<h2>") + present), std::string::npos) << present;
  EXPECT_LT(page.find("<td>large</td>"), page.find("<td>small</td>")) << "the heaviest first";
  EXPECT_NE(page.find("class=\"right\">target 1"), std::string::npos);
  EXPECT_NE(page.find("class=\"wrong\">target 0"), std::string::npos);
  EXPECT_NE(page.find("75.0%"), std::string::npos);
  EXPECT_NE(page.find("5.0 MiB"), std::string::npos);
  EXPECT_EQ(page.find("<img alt=\"sample 7\""), std::string::npos) << "no image, no picture";
}

} // namespace
