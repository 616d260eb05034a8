// A data set as `--data` names it, checked against the network before anything is computed. Layer: runtime/data.
#pragma once

#include "runtime/data/Array.h"
#include "sylvite/sylvite.h"

#include <optional>
#include <string>

namespace syl {

/// Samples and their targets, in the types of their files.
struct Part {
  Array input, target;
  std::string inputPath, targetPath;
  int64_t count() const { return input.shape.empty() ? 0 : input.shape[0]; }
};

struct DataSet {
  Part train;
  std::optional<Part> test;
};

/// Which parts a caller needs; the others are not read.
enum class Parts { All, Test };

/// Reads the data set that `data` names: `fashion-mnist`, a folder of IDX files named as MNIST's (gzipped or not), a
/// folder with X.npy, Y.npy and perhaps X_test.npy, Y_test.npy, or a pair "X.npy,Y.npy". With Parts::Test, `test` is
/// the test part, or the training part where there is no other. Every file is checked against `model`: shape, type
/// without loss, finite values, labels in range. Throws Error with all that is wrong.
DataSet readDataSet(const std::string &data, const syl_model &model, Parts parts);

/// Reads the samples alone, for prediction: as readDataSet with Parts::Test, or a single X.npy. `path` gets their file.
Array readInputs(const std::string &data, const syl_model &model, std::string &path);

/// The same checks for two files, without those on finite values: any shape-compatible X.npy and Y.npy.
Part readPair(const std::string &inputPath, const std::string &targetPath, const syl_model &model);

} // namespace syl
