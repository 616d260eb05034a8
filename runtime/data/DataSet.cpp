// Finds the files of a data set and checks them against a network. Layer: runtime/data.
#include "runtime/data/DataSet.h"

#include "runtime/data/File.h"
#include "runtime/data/Idx.h"
#include "runtime/data/Npy.h"

#include <cstdlib>
#include <cstring>

namespace syl {

namespace {

/// The files of one part.
struct Files {
  std::string input, target;
  bool exist() const { return !input.empty(); }
};

/// What a data set's name stands for.
struct Source {
  bool idx = false;
  Files train, test;
};

bool endsWith(const std::string &text, const char *end) {
  size_t length = std::strlen(end);
  return text.size() >= length && text.compare(text.size() - length, length, end) == 0;
}

/// The file's name plain or gzipped, whichever exists; empty where neither does.
std::string idxFile(const std::string &folder, const std::string &name) {
  for (const char *suffix : {"", ".gz"})
    if (pathExists(folder + "/" + name + suffix))
      return folder + "/" + name + suffix;
  return "";
}

Files idxFiles(const std::string &folder, const std::string &part) {
  std::string images = part + "-images-idx3-ubyte", labels = part + "-labels-idx1-ubyte";
  Files files{idxFile(folder, images), idxFile(folder, labels)};
  if (files.input.empty() != files.target.empty())
    throw Error(SYL_ERROR_IO, folder,
                "found " + (files.input.empty() ? labels : images) + " alone, expected " +
                    (files.input.empty() ? images : labels) + " (or .gz) beside it");
  return files;
}

Source findFolder(const std::string &folder) {
  Source source;
  source.train = idxFiles(folder, "train");
  source.test = idxFiles(folder, "t10k");
  source.idx = source.train.exist();
  if (source.idx)
    return source;
  source.test = {};
  if (!pathExists(folder + "/X.npy") || !pathExists(folder + "/Y.npy"))
    throw Error(SYL_ERROR_IO, folder,
                "found no data set, expected train-images-idx3-ubyte and "
                "train-labels-idx1-ubyte (or .gz), or X.npy and Y.npy");
  source.train = {folder + "/X.npy", folder + "/Y.npy"};
  if (pathExists(folder + "/X_test.npy"))
    source.test = {folder + "/X_test.npy", folder + "/Y_test.npy"};
  return source;
}

Source findSource(const std::string &data) {
  if (data == "fashion-mnist") {
    const char *place = std::getenv("SYLVITE_DATASETS");
    std::string folder = std::string(place && *place ? place : "/usr/share/datasets") + "/fashion-mnist";
    if (!isFolder(folder))
      throw Error(SYL_ERROR_IO, folder, "found no such folder, expected the data set fashion-mnist",
                  "apt-get install dataset-fashion-mnist");
    return findFolder(folder);
  }
  if (isFolder(data))
    return findFolder(data);
  size_t comma = data.find(',');
  if (comma != std::string::npos) {
    Source source;
    source.train = {data.substr(0, comma), data.substr(comma + 1)};
    return source;
  }
  const char *hint = "--data takes fashion-mnist, a folder of IDX files, a folder with X.npy and Y.npy, or X.npy,Y.npy";
  if (pathExists(data))
    throw Error(SYL_ERROR_ARGUMENT, data, "found a single file, expected a data set", hint);
  throw Error(SYL_ERROR_IO, data, "found no such file or folder, expected a data set", hint);
}

/// Shapes are equal, or `wanted` has axes of one element at its end that `found` leaves out.
bool shapeFits(const std::vector<int64_t> &found, const int64_t *wanted, size_t rank) {
  while (rank > found.size() && wanted[rank - 1] == 1)
    --rank;
  return found.size() == rank && std::equal(found.begin(), found.end(), wanted);
}

void checkInput(const Array &input, const std::string &path, const syl_model &model, bool finite) {
  if (input.shape.empty())
    throw Error(SYL_ERROR_MISMATCH, path, "found a single number, expected an array of samples");
  std::vector<int64_t> sample(input.shape.begin() + 1, input.shape.end());
  if (!shapeFits(sample, model.input_shape, size_t(model.input_rank)))
    throw Error(SYL_ERROR_MISMATCH, path,
                "found samples of shape " + shapeText(sample) + ", expected " +
                    shapeText(model.input_shape, size_t(model.input_rank)) + ", the input of " + model.name);
  if (input.shape[0] == 0)
    throw Error(SYL_ERROR_MISMATCH, path, "found no samples, expected at least 1");
  if (input.shape[0] > INT32_MAX)
    throw Error(SYL_ERROR_MISMATCH, path,
                format("found %lld samples, expected at most %d", (long long)input.shape[0], INT32_MAX));
  requireLossless(input, syl_dtype(model.input_dtype), path);
  if (finite)
    requireFinite(input, path);
}

/// Value of an integer-valued element as text and number.
int64_t labelAt(const Array &labels, size_t index) {
  int64_t value;
  convertElements(labels.data.data() + index * syl_dtype_bytes(labels.dtype), labels.dtype, &value, SYL_INT64, 1);
  return value;
}

void checkTarget(const Array &target, const std::string &path, const syl_model &model, bool finite) {
  std::vector<int64_t> sample(target.shape.begin() + !target.shape.empty(), target.shape.end());
  bool single = model.target_rank == 0 && sample.size() == 1 && sample[0] == 1; // a column of labels
  if (target.shape.empty() || (!single && !shapeFits(sample, model.target_shape, size_t(model.target_rank))))
    throw Error(SYL_ERROR_MISMATCH, path,
                "found targets of shape " + shapeText(sample) + ", expected " +
                    (model.classes ? "one class number for each sample"
                                   : shapeText(model.target_shape, size_t(model.target_rank))));
  if (!model.classes) {
    requireLossless(target, syl_dtype(model.target_dtype), path);
    if (finite)
      requireFinite(target, path);
    return;
  }
  requireLossless(target, SYL_INT64, path);
  for (size_t i = 0, count = size_t(target.elements()); i < count; ++i) {
    int64_t label = labelAt(target, i);
    if (label < 0 || label >= model.classes)
      throw Error(SYL_ERROR_MISMATCH, path,
                  format("found label %lld at index %zu, expected 0 to %lld: the network has %lld classes",
                         (long long)label, i, (long long)model.classes - 1, (long long)model.classes));
  }
}

Part readPart(const Files &files, bool idx, const syl_model &model, bool finite) {
  Part part;
  part.inputPath = files.input;
  part.targetPath = files.target;
  ErrorCollector errors;
  bool both = errors.run([&] {
    part.input = idx ? readIdx(files.input) : readNpy(files.input);
    checkInput(part.input, files.input, model, finite);
  });
  both &= errors.run([&] {
    part.target = idx ? readIdx(files.target) : readNpy(files.target);
    checkTarget(part.target, files.target, model, finite);
  });
  if (both)
    errors.run([&] {
      if (part.target.shape[0] != part.input.shape[0])
        throw Error(SYL_ERROR_MISMATCH, files.target,
                    format("found %lld targets, expected %lld, one for each sample of %s",
                           (long long)part.target.shape[0], (long long)part.input.shape[0], files.input.c_str()));
    });
  errors.finish();
  return part;
}

} // namespace

DataSet readDataSet(const std::string &data, const syl_model &model, Parts parts) {
  Source source = findSource(data);
  DataSet set;
  ErrorCollector errors;
  if (parts == Parts::All)
    errors.run([&] { set.train = readPart(source.train, source.idx, model, true); });
  const Files &test = parts == Parts::Test && !source.test.exist() ? source.train : source.test;
  if (test.exist())
    errors.run([&] { set.test = readPart(test, source.idx, model, true); });
  errors.finish();
  return set;
}

Array readInputs(const std::string &data, const syl_model &model, std::string &path) {
  bool idx = false;
  if (data.find(',') == std::string::npos && endsWith(data, ".npy") && !isFolder(data)) {
    path = data;
  } else {
    Source source = findSource(data);
    idx = source.idx;
    path = source.test.exist() ? source.test.input : source.train.input;
  }
  Array input = idx ? readIdx(path) : readNpy(path);
  checkInput(input, path, model, true);
  return input;
}

Part readPair(const std::string &inputPath, const std::string &targetPath, const syl_model &model) {
  return readPart({inputPath, targetPath}, false, model, false);
}

} // namespace syl
