// Metrics of a whole part, computed on the host in double from what goes into each loss and from the targets.
// Layer: runtime/train.
//
// Names, and the losses that they fit. C is the last axis of what goes into the loss.
//   accuracy   class numbers: share whose largest value is at the target (each pixel of a class map counts); labels of
//   0
//              and 1 (binary_cross_entropy): share on the right side of 0
//   top_K      class numbers: share whose target is among the K largest values
//   per_class  class numbers: accuracy of each class's targets; a table
//   confusion  class numbers: how often each class (row) was taken for each other (column); a table
//   f1         labels of 0 and 1: the mean over the C labels of F1 = 2 TP / (2 TP + FP + FN) (macro), 0 where a label
//   never
//              occurs; a label is taken where its value is above 0, a probability of 1/2. f1_micro: of all labels
//              together
//   mae, rmse  float targets otherwise: mean absolute error, root of the mean squared error, over all elements
// Targets that are the loss's ignore_index count nowhere. Where two values are equal the first is the larger.
#pragma once

#include "runtime/train/Session.h"

#include <string>
#include <vector>

namespace syl {

/// One number of a score.
struct MetricValue {
  std::string metric; // its name: accuracy, top_5, …
  std::string label;  // what is printed before the value: "accuracy", "top-5 accuracy", "depth mae"
  double value = 0;
  bool higherIsBetter = true, isShare = true; // shares are printed as percentages

  /// "91.24%" or "0.1234".
  std::string text() const;
};

/// Accumulates metrics over the calls of evaluate on one part.
class Metrics {
public:
  /// Throws Error (SYL_ERROR_MISMATCH) for a metric that is unknown or fits none of the model's losses.
  Metrics(const syl_model &model, const std::vector<std::string> &names);

  /// After session.evaluate on n samples with these targets.
  void add(const Session &session, const void *const *targets, int64_t n);
  /// In the order of the names; a metric that fits several losses has a value for each.
  std::vector<MetricValue> values() const;
  /// Tables of per_class and confusion; empty where these are not asked for.
  std::string tables() const;

private:
  enum class Kind { Accuracy, TopK, PerClass, Confusion, F1, F1Micro, Mae, Rmse };
  /// A metric of one loss.
  struct Item {
    Kind kind;
    std::string name;
    int32_t head;
    int64_t k;
    int64_t hits = 0, count = 0;  // shares
    double sum = 0;               // of absolute errors or of squares
    std::vector<int64_t> numbers; // confusion: C x C; F1: TP, FP, FN of each label
  };

  void addItem(const syl_model &model, const std::string &name, Kind kind, int64_t k);
  void addClasses(Item &item, const double *values, const void *target, int64_t positions, int64_t classes) const;
  void addLabels(Item &item, const double *values, const double *wanted, int64_t positions, int64_t labels) const;
  std::string headName(int32_t head) const;

  const syl_model &model;
  std::vector<Item> items;
};

} // namespace syl
