// A data set as `--data` names it, checked against the network before anything is computed. Layer: runtime/data.
//
// A data set has one file for each input and each target of the network, in the order in which the descriptor lists
// them. `--data` names it as one of
//   - fashion-mnist: where Debian's package dataset-fashion-mnist puts it;
//   - a folder of IDX files named as MNIST's (gzipped or not); for networks of one input and one target;
//   - a folder of .npy files: NAME.npy for each input and target, and NAME_test.npy for the test part. The only input
//   may
//     be called X.npy, the only target Y.npy. An input and a target of the same name share their file;
//   - the files themselves with commas between, inputs before targets: X.npy,Y.npy.
#pragma once

#include "runtime/data/Array.h"
#include "sylvite/sylvite.h"

#include <optional>
#include <string>
#include <vector>

namespace syl {

/// Samples and their targets, in the types of their files; one array for each input and target of the model.
struct Part {
  std::vector<Array> inputs, targets;
  std::vector<std::string> inputPaths, targetPaths;
  int64_t count() const { return inputs.empty() || inputs[0].shape.empty() ? 0 : inputs[0].shape[0]; }
};

struct DataSet {
  Part train;
  std::optional<Part> test;
};

/// Which parts a caller needs; the others are not read.
enum class Parts { All, Test };

/// Reads the data set that `data` names. With Parts::Test, `test` is the test part, or the training part where there is
/// no other. Every file is checked against `model`: shape, type without loss, finite values, class numbers in range,
/// equal numbers of samples. Throws Error with all that is wrong.
DataSet readDataSet(const std::string &data, const syl_model &model, Parts parts);

/// Reads the samples alone, for prediction: as readDataSet with Parts::Test, or the inputs' files alone: X.npy. The
/// part has no targets.
Part readInputs(const std::string &data, const syl_model &model);

/// The paths of `given`, one for each of the `count` arrays, in their order: each item is NAME=FILE, or FILE where
/// there is one array. `option` is what the items were given as, for messages. Throws Error with all that is wrong.
std::vector<std::string> pathsByName(const std::vector<std::string> &given, const syl_array *arrays, int32_t count,
                                     const std::string &option);

/// The same checks for single files, without those on finite values.
Part readFiles(const std::vector<std::string> &inputPaths, const std::vector<std::string> &targetPaths,
               const syl_model &model);

} // namespace syl
