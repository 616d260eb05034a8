// Which schedule of a kernel to try next, from what the tried ones took. Knows nothing of Halide. Layer: schedule.
#pragma once

#include "compiler/schedule/Rules.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sylvite {

/// The search among all rules that fit one kernel and all choices of their `tune:` lists. It starts at the first rule's
/// defaults, whose time is 1. First it asks for all single changes of these and for the defaults of the other rules;
/// then for what it expects to be the fastest of the best rule's other choices: as if each parameter's values made the
/// kernel faster or slower by factors of their own.
class Search {
public:
  /// A schedule: one of the rules, with a value for each of its parameters.
  struct Point {
    size_t rule = 0;
    TuneChoices parameters;
    bool operator==(const Point &other) const = default;
    bool operator<(const Point &other) const {
      return rule != other.rule ? rule < other.rule : parameters < other.parameters;
    }
  };

  Search() = default;
  /// `rules` fit the kernel, in the order in which they are tried; at least one.
  Search(const std::vector<const Rule *> &rules, const KernelDims &dims);

  /// How many schedules there are.
  size_t size() const;
  /// How many of them have a result.
  size_t tries() const { return results.size() - 1; }
  /// The next to try, or nothing when all have been.
  std::optional<Point> next() const;
  /// A schedule's time as a share of the first's; nothing where it failed. Other points than next()'s are taken too,
  /// those outside of the space are not.
  void result(const Point &point, std::optional<double> time);
  /// The fastest so far; it is only replaced by what is faster by more than 1%.
  const Point &best() const { return bestPoint; }
  double bestTime() const { return bestResult; }
  bool tried(const Point &point) const { return results.count(point) != 0; }

  /// All choices of one rule.
  const std::vector<TuneChoices> &space(size_t rule) const { return spaces[rule]; }

private:
  /// How many parameters differ.
  static size_t distance(const TuneChoices &a, const TuneChoices &b);
  /// The logarithm of the expected time of a choice of `rule`.
  double expected(size_t rule, const TuneChoices &choice) const;

  std::vector<std::vector<TuneChoices>> spaces; ///< of each rule, the default first
  std::map<Point, std::optional<double>> results;
  Point bestPoint;
  double bestResult = 1;
};

} // namespace sylvite
