// The order in which a kernel's schedules are tried. Layer: tests.
#include "compiler/schedule/Search.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sylvite {
namespace {

class SearchTest : public testing::Test {
protected:
  Search make(const std::string &text) {
    Diagnostics diagnostics;
    set = ScheduleSet::parse({{"s.yaml", text}}, diagnostics);
    EXPECT_EQ(diagnostics.str(), "");
    return Search(set->fitting("k", {}), {});
  }
  std::optional<ScheduleSet> set;
};

const char *twoRules = "- kernel: k\n  tune: {a: [1, 2, 4], b: [8, 9], c: [0, 1]}\n  schedule: {}\n"
                       "- kernel: k\n  tune: {d: [5, 6]}\n  schedule: {}\n";

TEST_F(SearchTest, SingleChangesFirstThenOtherRules) {
  Search search = make(twoRules);
  EXPECT_EQ(search.size(), 14u);
  std::vector<Search::Point> order;
  for (int i = 0; i < 5; ++i) {
    order.push_back(*search.next());
    search.result(order.back(), 1.5);
  }
  const std::vector<Search::Point> expected = {{0, {{"a", 1}, {"b", 8}, {"c", 1}}},
                                               {0, {{"a", 1}, {"b", 9}, {"c", 0}}},
                                               {0, {{"a", 2}, {"b", 8}, {"c", 0}}},
                                               {0, {{"a", 4}, {"b", 8}, {"c", 0}}},
                                               {1, {{"d", 5}}}};
  EXPECT_EQ(order, expected);
  EXPECT_EQ(search.bestTime(), 1);
  EXPECT_EQ(search.tries(), 5u);
}

TEST_F(SearchTest, CombinesWhatWasFaster) {
  Search search = make(twoRules);
  for (int i = 0; i < 5; ++i) {
    Search::Point point = *search.next();
    double time = point.rule ? 3 : (point.parameters["a"] == 4 ? 0.8 : 1) * (point.parameters["b"] == 9 ? 0.7 : 1);
    search.result(point, time);
  }
  EXPECT_EQ(search.best(), (Search::Point{0, {{"a", 1}, {"b", 9}, {"c", 0}}}));
  Search::Point combined = *search.next();
  EXPECT_EQ(combined, (Search::Point{0, {{"a", 4}, {"b", 9}, {"c", 0}}}));
  search.result(combined, 0.56);
  EXPECT_EQ(search.best(), combined);
}

TEST_F(SearchTest, AvoidsValuesThatFail) {
  Search search = make("- kernel: k\n  tune: {a: [1, 2], b: [1, 2], c: [1, 2]}\n  schedule: {}\n");
  for (int i = 0; i < 3; ++i) {
    Search::Point point = *search.next();
    search.result(point, point.parameters["a"] == 2 ? std::nullopt : std::optional<double>(0.9));
  }
  EXPECT_EQ(*search.next(), (Search::Point{0, {{"a", 1}, {"b", 2}, {"c", 2}}}));
}

TEST_F(SearchTest, EndsWhenAllAreTried) {
  Search search = make(twoRules);
  std::set<Search::Point> seen;
  while (auto point = search.next()) {
    EXPECT_TRUE(seen.insert(*point).second);
    search.result(*point, seen.size() % 3 ? std::optional<double>(1 + 1 / double(seen.size())) : std::nullopt);
  }
  EXPECT_EQ(seen.size(), 13u);
  EXPECT_EQ(search.tries(), 13u);
}

TEST_F(SearchTest, FindsTheFastestOfASeparableSpaceWithFewTries) {
  Search search = make("- kernel: k\n  tune: {a: [1, 2, 3, 4], b: [1, 2, 3, 4], c: [1, 2, 3, 4], d: [1, 2, 3, 4]}\n"
                       "  schedule: {}\n");
  auto time = [](const TuneChoices &at) {
    double sum = 0;
    for (const auto &[name, value] : at)
      sum += std::abs(double(value - 3)) * 0.1;
    return std::exp(sum - 0.8);
  };
  while (search.tries() < 20)
    search.result(*search.next(), time(search.next()->parameters));
  EXPECT_EQ(search.best().parameters, (TuneChoices{{"a", 3}, {"b", 3}, {"c", 3}, {"d", 3}}));
}

TEST_F(SearchTest, IgnoresWhatIsNotInTheSpaceAndGainsBelowNoise) {
  Search search = make(twoRules);
  search.result({0, {{"a", 3}, {"b", 8}, {"c", 0}}}, 0.1);
  search.result({7, {}}, 0.1);
  search.result({0, {{"a", 2}, {"b", 8}, {"c", 0}}}, 0.995);
  EXPECT_EQ(search.bestTime(), 1);
  EXPECT_EQ(search.tries(), 1u);
}

} // namespace
} // namespace sylvite
