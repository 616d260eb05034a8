// What `--data` names: which files, in which format, make up the parts of a data set. Layer: runtime/data.
#pragma once

#include "runtime/data/Column.h"

#include <functional>
#include <string>
#include <vector>

namespace syl {

/// How a user named a data set.
struct DataRequest {
  std::string data;
  double split = 0;  // share of the training part where the data have no test part; 0: do not split
  std::string label; // of a CSV file: the label's column

  DataRequest() = default;
  DataRequest(std::string data) : data(std::move(data)) {}
  DataRequest(const char *data) : data(data) {}
};

/// What is to be read. Without a network: one input and one target of any shape.
struct Wanted {
  const syl_model *model = nullptr; // null: not known
  bool targets = true;
  std::string label;

  size_t inputCount() const { return model ? size_t(model->input_count) : 1; }
  size_t targetCount() const { return model ? size_t(model->target_count) : 1; }
  bool isSingle() const { return inputCount() == 1 && targetCount() == 1; }
  const syl_array *input(size_t index) const { return model ? &model->inputs[index] : nullptr; }
  const syl_array *target(size_t index) const { return model ? &model->targets[index] : nullptr; }
};

/// Arrays of one part, opened, in the order of inputs and targets; nothing is checked against the network yet.
struct Opened {
  std::vector<ColumnPointer> inputs, targets;
};

/// A data set that was found. A part is opened when it is asked for; a function is empty where there is no such part.
struct Source {
  std::string format; // "IDX", "images", … for people
  std::function<Opened()> train, test;
  std::vector<std::string> classes; // names of the folders of images
};

/// Tells the format by looking at the files. Throws Error where there is no data set.
Source findSource(const std::string &data, const Wanted &wanted);

/// Splits "a,b,c".
std::vector<std::string> splitAtCommas(const std::string &text);

} // namespace syl
