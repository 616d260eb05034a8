// Metrics on the host. Layer: runtime/train.
#include "runtime/train/Metrics.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace syl {

namespace {

/// A matrix of more classes squared would not fit on a screen, nor in much memory.
constexpr int64_t mostClasses = 4096;

const syl_array &targetOf(const syl_model &model, int32_t head) { return model.targets[model.heads[head].target]; }

/// Elements of one sample of what goes into a loss.
int64_t valueElements(const syl_model &model, int32_t head) {
  const syl_tensor &tensor = model.tensors[model.heads[head].value];
  return int64_t(syl_tensor_elements(&tensor)) / std::max<int64_t>(tensor.shape[0], 1);
}

int64_t lastAxis(const syl_model &model, int32_t head) {
  const syl_tensor &tensor = model.tensors[model.heads[head].value];
  return tensor.rank > 1 ? tensor.shape[tensor.rank - 1] : 1;
}

bool hasValue(const syl_model &model, int32_t head) { return model.heads[head].value >= 0; }
bool isBinary(const syl_model &model, int32_t head) {
  return std::strcmp(model.heads[head].loss, "binary_cross_entropy") == 0;
}
bool isClasses(const syl_model &model, int32_t head) {
  return targetOf(model, head).classes > 0 &&
         elementsOf(targetOf(model, head)) * lastAxis(model, head) == valueElements(model, head);
}
bool isFloat(const syl_model &model, int32_t head) {
  const syl_array &target = targetOf(model, head);
  return target.classes == 0 && elementsOf(target) == valueElements(model, head);
}

int64_t classAt(const void *target, syl_dtype type, int64_t index) {
  int64_t value;
  convertElements(static_cast<const char *>(target) + size_t(index) * syl_dtype_bytes(type), type, &value, SYL_INT64,
                  1);
  return value;
}

double share(int64_t part, int64_t whole) { return whole ? double(part) / double(whole) : 0; }

} // namespace

std::string MetricValue::text() const { return isShare ? format("%.2f%%", 100 * value) : format("%.4f", value); }

Metrics::Metrics(const syl_model &model, const std::vector<std::string> &names) : model(model) {
  static const std::pair<const char *, Kind> known[] = {{"accuracy", Kind::Accuracy},
                                                        {"per_class", Kind::PerClass},
                                                        {"confusion", Kind::Confusion},
                                                        {"f1", Kind::F1},
                                                        {"f1_micro", Kind::F1Micro},
                                                        {"f1_macro", Kind::F1},
                                                        {"mae", Kind::Mae},
                                                        {"rmse", Kind::Rmse}};
  for (const std::string &name : names) {
    auto found = std::find_if(std::begin(known), std::end(known), [&](auto &row) { return name == row.first; });
    if (found != std::end(known)) {
      addItem(model, name, found->second, 0);
      continue;
    }
    bool top = name.rfind("top_", 0) == 0 && name.size() > 4 && name.size() < 12 &&
               name.find_first_not_of("0123456789", 4) == std::string::npos;
    int64_t k = top ? std::stoll(name.substr(4)) : 0;
    if (k < 1)
      throw Error(SYL_ERROR_MISMATCH, model.name,
                  "found the metric '" + name +
                      "', expected one of accuracy, top_K, "
                      "per_class, confusion, f1, f1_micro, "
                      "mae, rmse");
    addItem(model, name, Kind::TopK, k);
  }
}

void Metrics::addItem(const syl_model &of, const std::string &name, Kind kind, int64_t k) {
  bool any = false;
  for (int32_t head = 0; head < of.output_count; ++head) {
    if (!hasValue(of, head))
      continue;
    bool classes = isClasses(of, head), binary = isBinary(of, head) && isFloat(of, head);
    bool fits = kind == Kind::Accuracy                                                    ? classes || binary
                : kind == Kind::TopK || kind == Kind::PerClass || kind == Kind::Confusion ? classes
                : kind == Kind::F1 || kind == Kind::F1Micro ? binary
                                                            : isFloat(of, head) && !binary;
    if (!fits)
      continue;
    any = true;
    Item item{kind, name, head, k, 0, 0, 0, {}};
    const int64_t width = lastAxis(of, head);
    if (kind == Kind::PerClass || kind == Kind::Confusion) {
      if (width > mostClasses)
        throw Error(SYL_ERROR_MISMATCH, of.name,
                    format("found %lld classes, expected at most %lld for the metric %s", (long long)width,
                           (long long)mostClasses, name.c_str()));
      item.numbers.resize(size_t(width * width));
    } else if (kind == Kind::F1 || kind == Kind::F1Micro) {
      item.numbers.resize(size_t(3 * width));
    }
    items.push_back(std::move(item));
  }
  if (!any)
    throw Error(SYL_ERROR_MISMATCH, of.name, "found the metric '" + name + "', which fits none of the losses",
                "accuracy, top_K, per_class and confusion take class numbers; f1 takes binary_cross_entropy; mae and "
                "rmse take float targets");
}

void Metrics::add(const Session &session, const void *const *targets, int64_t n) {
  int32_t loaded = -1;
  std::vector<double> values, wanted;
  for (Item &item : items) {
    const syl_head &head = model.heads[item.head];
    const syl_tensor &tensor = model.tensors[head.value];
    const syl_array &target = model.targets[head.target];
    if (loaded != item.head) {
      const size_t count = size_t(n * valueElements(model, item.head));
      Buffer packed(count * syl_dtype_bytes(syl_dtype(tensor.dtype)), tensor.name);
      require(syl_export_tensor(&tensor, session.scratch.get(), int32_t(n), packed.data()), tensor.name);
      values.resize(count);
      convertElements(packed.data(), syl_dtype(tensor.dtype), values.data(), SYL_FLOAT64, count);
      if (target.classes == 0) {
        wanted.resize(size_t(n * elementsOf(target)));
        convertElements(targets[head.target], syl_dtype(target.dtype), wanted.data(), SYL_FLOAT64, wanted.size());
      }
      loaded = item.head;
    }
    const int64_t width = lastAxis(model, item.head), elements = int64_t(values.size());
    if (target.classes > 0)
      addClasses(item, values.data(), targets[head.target], elements / width, width);
    else if (item.kind == Kind::Mae || item.kind == Kind::Rmse)
      for (int64_t i = 0; i < elements; ++i, ++item.count) {
        double error = values[size_t(i)] - wanted[size_t(i)];
        item.sum += item.kind == Kind::Mae ? std::fabs(error) : error * error;
      }
    else
      addLabels(item, values.data(), wanted.data(), elements / width, width);
  }
}

void Metrics::addClasses(Item &item, const double *values, const void *target, int64_t positions,
                         int64_t classes) const {
  const syl_array &array = targetOf(model, item.head);
  for (int64_t p = 0; p < positions; ++p) {
    const int64_t label = classAt(target, syl_dtype(array.dtype), p);
    if (label == array.ignore_index || label < 0 || label >= classes)
      continue;
    const double *row = values + p * classes;
    ++item.count;
    if (item.kind == Kind::TopK) {
      int64_t before = 0; // values that come before the target's
      for (int64_t c = 0; c < classes; ++c)
        before += row[c] > row[label] || (row[c] == row[label] && c < label);
      item.hits += before < item.k;
      continue;
    }
    const int64_t taken = std::max_element(row, row + classes) - row;
    item.hits += taken == label;
    if (!item.numbers.empty())
      ++item.numbers[size_t(label * classes + taken)];
  }
}

void Metrics::addLabels(Item &item, const double *values, const double *wanted, int64_t positions,
                        int64_t labels) const {
  for (int64_t i = 0; i < positions * labels; ++i, ++item.count) {
    const bool taken = values[i] > 0, is = wanted[i] > 0.5;
    item.hits += taken == is;
    if (!item.numbers.empty() && (taken || is))
      ++item.numbers[size_t(i % labels * 3 + (taken && is ? 0 : taken ? 1 : 2))];
  }
}

std::string Metrics::headName(int32_t head) const {
  return model.output_count > 1 ? std::string(model.outputs[head].name) + " " : "";
}

std::vector<MetricValue> Metrics::values() const {
  std::vector<MetricValue> all;
  for (const Item &item : items) {
    auto add = [&](const std::string &label, double value, bool higher, bool isShare) {
      all.push_back({item.name, headName(item.head) + label, value, higher, isShare});
    };
    auto f1 = [](int64_t hits, int64_t wrong, int64_t missed) { return share(2 * hits, 2 * hits + wrong + missed); };
    switch (item.kind) {
    case Kind::Accuracy:
      add("accuracy", share(item.hits, item.count), true, true);
      break;
    case Kind::TopK:
      add(format("top-%lld accuracy", (long long)item.k), share(item.hits, item.count), true, true);
      break;
    case Kind::F1: {
      double sum = 0;
      for (size_t label = 0; label < item.numbers.size(); label += 3)
        sum += f1(item.numbers[label], item.numbers[label + 1], item.numbers[label + 2]);
      add("f1", sum / double(item.numbers.size() / 3), true, false);
      break;
    }
    case Kind::F1Micro: {
      int64_t totals[3] = {};
      for (size_t i = 0; i < item.numbers.size(); ++i)
        totals[i % 3] += item.numbers[i];
      add("f1 micro", f1(totals[0], totals[1], totals[2]), true, false);
      break;
    }
    case Kind::Mae:
      add("mae", item.count ? item.sum / double(item.count) : 0, false, false);
      break;
    case Kind::Rmse:
      add("rmse", item.count ? std::sqrt(item.sum / double(item.count)) : 0, false, false);
      break;
    case Kind::PerClass:
    case Kind::Confusion:
      break;
    }
  }
  return all;
}

std::string Metrics::tables() const {
  std::string text;
  for (const Item &item : items) {
    if (item.kind != Kind::PerClass && item.kind != Kind::Confusion)
      continue;
    const int64_t classes = lastAxis(model, item.head);
    auto count = [&](int64_t row, int64_t column) { return item.numbers[size_t(row * classes + column)]; };
    if (item.kind == Kind::PerClass) {
      text += headName(item.head) + format("%5s %10s %10s\n", "class", "samples", "accuracy");
      for (int64_t row = 0; row < classes; ++row) {
        int64_t total = 0;
        for (int64_t column = 0; column < classes; ++column)
          total += count(row, column);
        text += format("%5lld %10lld %9.2f%%\n", (long long)row, (long long)total, 100 * share(count(row, row), total));
      }
      continue;
    }
    int64_t largest = *std::max_element(item.numbers.begin(), item.numbers.end());
    int width = int(std::max(std::to_string(largest).size(), std::to_string(classes - 1).size())) + 1;
    text += headName(item.head) + "confusion: rows are targets, columns what was taken\n     ";
    for (int64_t column = 0; column < classes; ++column)
      text += format("%*lld", width, (long long)column);
    text += "\n";
    for (int64_t row = 0; row < classes; ++row) {
      text += format("%5lld", (long long)row);
      for (int64_t column = 0; column < classes; ++column)
        text += format("%*lld", width, (long long)count(row, column));
      text += "\n";
    }
  }
  return text;
}

} // namespace syl
