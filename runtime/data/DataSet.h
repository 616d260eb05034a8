// A data set as `--data` names it, checked against the network. Layer: runtime/data.
//
// Source.h tells what `--data` may name; docs/data.md has every format. A part holds one column for each input and each
// target of the network, in the order in which the descriptor lists them. What is in memory has been checked whole:
// shapes, types without loss, finite values, class numbers in range, equal numbers of samples. The values of columns
// that are read by row are checked as they are read.
#pragma once

#include "runtime/data/Column.h"
#include "runtime/data/Source.h"

#include <optional>
#include <string>
#include <vector>

namespace syl {

/// Samples and their targets, in the types of their files.
struct Part {
  std::vector<ColumnPointer> inputs, targets;
  std::vector<std::string> inputPaths, targetPaths;
  std::shared_ptr<const std::vector<uint32_t>> rows; // which rows of the columns these are; null: all

  int64_t count() const { return rows ? int64_t(rows->size()) : inputs.empty() ? 0 : inputs[0]->count(); }
  /// Whether all columns are in memory, so that nothing is gained by reading ahead.
  bool isInMemory() const;
  /// Whether a row of some column costs enough for all cores to share the work.
  bool isDecoded() const;
};

struct DataSet {
  std::string format;
  Part train;
  std::optional<Part> test;
};

/// Which parts a caller needs; the others are not read.
enum class Parts { All, Test };

/// Reads the data set. With Parts::Test, `test` is the test part, or the training part where there is no other. Where
/// `request` has a split and the data no test part, the samples are dealt by Philox, the same way in every run. Throws
/// Error with all that is wrong.
DataSet readDataSet(const DataRequest &request, const syl_model &model, Parts parts);

/// Opens a data set without a network, for one input and one target of any shape: nothing but counts is checked. A part
/// has no targets where the data have none.
DataSet openDataSet(const DataRequest &request);

/// Reads the samples alone, for prediction: as readDataSet with Parts::Test, or the inputs' files alone: X.npy, a
/// folder of images, an image. The part has no targets.
Part readInputs(const DataRequest &request, const syl_model &model);

/// The paths of `given`, one for each of the `count` arrays, in their order: each item is NAME=FILE, or FILE where
/// there is one array. `option` is what the items were given as, for messages. Throws Error with all that is wrong.
std::vector<std::string> pathsByName(const std::vector<std::string> &given, const syl_array *arrays, int32_t count,
                                     const std::string &option);

/// The same checks for single files, without those on finite values.
Part readFiles(const std::vector<std::string> &inputPaths, const std::vector<std::string> &targetPaths,
               const syl_model &model);

/// Copies rows `rows[0 … count)` of a column to `out`, converted to `want`. Values that were not checked before are
/// checked here: throws Error where one is not finite or does not fit.
void gatherRows(const Column &column, const uint32_t *rows, size_t count, syl_dtype want, void *out);

} // namespace syl
