// The order in which a kernel's schedules are tried. Layer: schedule.
#include "compiler/schedule/Search.h"

#include <algorithm>
#include <cmath>

namespace sylvite {

namespace {
constexpr double leastGain = 0.99;
constexpr double failureCost = 0.7; // logarithm of a time: a value that failed counts as twice as slow
} // namespace

Search::Search(const std::vector<const Rule *> &rules, const KernelDims &dims) {
  for (const Rule *rule : rules)
    spaces.push_back(tuneSpace(*rule, dims));
  bestPoint = {0, spaces[0].empty() ? TuneChoices{} : spaces[0][0]};
  results[bestPoint] = 1;
}

size_t Search::size() const {
  size_t count = 0;
  for (const auto &space : spaces)
    count += space.size();
  return count;
}

size_t Search::distance(const TuneChoices &a, const TuneChoices &b) {
  size_t count = 0;
  for (const auto &[name, value] : a) {
    auto other = b.find(name);
    count += other == b.end() || other->second != value;
  }
  return count;
}

double Search::expected(size_t rule, const TuneChoices &choice) const {
  // The mean of the tried choices that share a value, against the mean of all, for each parameter.
  double sum = 0, all = 0;
  size_t count = 0;
  auto cost = [](const std::optional<double> &time) { return time ? std::log(*time) : failureCost; };
  for (const auto &[point, time] : results)
    if (point.rule == rule)
      all += cost(time), ++count;
  if (!count)
    return 0;
  all /= double(count);
  for (const auto &[name, value] : choice) {
    double same = 0;
    size_t number = 0;
    for (const auto &[point, time] : results)
      if (auto other = point.parameters.find(name);
          point.rule == rule && other != point.parameters.end() && other->second == value)
        same += cost(time), ++number;
    if (number)
      sum += same / double(number) - all;
  }
  return all + sum;
}

std::optional<Search::Point> Search::next() const {
  if (spaces.empty() || spaces[0].empty())
    return std::nullopt;
  for (const TuneChoices &choice : spaces[0])
    if (distance(choice, spaces[0][0]) == 1 && !tried({0, choice}))
      return Point{0, choice};
  for (size_t rule = 1; rule < spaces.size(); ++rule)
    if (!spaces[rule].empty() && !tried({rule, spaces[rule][0]}))
      return Point{rule, spaces[rule][0]};
  std::optional<Point> found;
  std::pair<double, size_t> least;
  for (size_t pass = 0; pass < 2 && !found; ++pass) // the best rule's choices, then the others'
    for (size_t rule = 0; rule < spaces.size(); ++rule)
      for (const TuneChoices &choice : spaces[rule]) {
        if ((rule == bestPoint.rule) != (pass == 0) || tried({rule, choice}))
          continue;
        const TuneChoices &from = pass == 0 ? bestPoint.parameters : spaces[rule][0];
        std::pair<double, size_t> cost{expected(rule, choice), distance(choice, from)};
        if (!found || cost < least) {
          found = Point{rule, choice};
          least = cost;
        }
      }
  return found;
}

void Search::result(const Point &point, std::optional<double> time) {
  if (point.rule >= spaces.size() ||
      std::find(spaces[point.rule].begin(), spaces[point.rule].end(), point.parameters) == spaces[point.rule].end() ||
      tried(point))
    return;
  results[point] = time;
  if (time && *time < bestResult * leastGain) {
    bestPoint = point;
    bestResult = *time;
  }
}

} // namespace sylvite
