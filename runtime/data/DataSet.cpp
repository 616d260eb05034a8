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
  std::vector<std::string> inputs, targets;
  bool exist() const { return !inputs.empty(); }
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
  std::string imagesName = part + "-images-idx3-ubyte", labelsName = part + "-labels-idx1-ubyte";
  std::string images = idxFile(folder, imagesName), labels = idxFile(folder, labelsName);
  if (images.empty() != labels.empty())
    throw Error(SYL_ERROR_IO, folder,
                "found " + (images.empty() ? labelsName : imagesName) + " alone, expected " +
                    (images.empty() ? imagesName : labelsName) + " (or .gz) beside it");
  return images.empty() ? Files() : Files{{images}, {labels}};
}

bool isSingle(const syl_model &model) { return model.input_count == 1 && model.target_count == 1; }

/// NAME.npy, where `only` (X or Y) is another name of an array that is the only one.
std::string npyFile(const std::string &folder, const syl_array *arrays, int32_t count, int32_t index, const char *only,
                    const std::string &suffix) {
  std::string alone = folder + "/" + only + suffix + ".npy";
  return count == 1 && pathExists(alone) ? alone : folder + "/" + arrays[index].name + suffix + ".npy";
}

Files npyFiles(const std::string &folder, const syl_model &model, const std::string &suffix) {
  Files files;
  for (int32_t i = 0; i < model.input_count; ++i)
    files.inputs.push_back(npyFile(folder, model.inputs, model.input_count, i, "X", suffix));
  for (int32_t i = 0; i < model.target_count; ++i)
    files.targets.push_back(npyFile(folder, model.targets, model.target_count, i, "Y", suffix));
  return files;
}

/// The first of the files that is not there, or nothing.
std::string missing(const Files &files) {
  for (const auto *list : {&files.inputs, &files.targets})
    for (const std::string &path : *list)
      if (!pathExists(path))
        return path;
  return "";
}

/// "X.npy and Y.npy", or the names of all files.
std::string expectedFiles(const syl_model &model) {
  std::string names;
  for (int32_t i = 0; i < model.input_count + model.target_count; ++i) {
    bool input = i < model.input_count;
    const syl_array &array = input ? model.inputs[i] : model.targets[i - model.input_count];
    bool alone = (input ? model.input_count : model.target_count) == 1;
    names += (i == 0                                           ? ""
              : i + 1 < model.input_count + model.target_count ? ", "
                                                               : " and ") +
             (alone ? std::string(input ? "X" : "Y") : array.name) + ".npy";
  }
  return names;
}

Source findFolder(const std::string &folder, const syl_model &model) {
  Source source;
  if (isSingle(model)) {
    source.train = idxFiles(folder, "train");
    source.test = idxFiles(folder, "t10k");
    source.idx = source.train.exist();
    if (source.idx)
      return source;
  }
  source.train = npyFiles(folder, model, "");
  source.test = npyFiles(folder, model, "_test");
  if (!missing(source.train).empty())
    throw Error(SYL_ERROR_IO, folder,
                std::string("found no data set, expected ") +
                    (isSingle(model) ? "train-images-idx3-ubyte and train-labels-idx1-ubyte (or .gz), or " : "") +
                    expectedFiles(model));
  if (!pathExists(source.test.inputs[0]))
    source.test = {};
  return source;
}

std::vector<std::string> splitAtCommas(const std::string &text) {
  std::vector<std::string> parts;
  for (size_t begin = 0, comma; begin != std::string::npos; begin = comma == std::string::npos ? comma : comma + 1) {
    comma = text.find(',', begin);
    parts.push_back(text.substr(begin, comma == std::string::npos ? comma : comma - begin));
  }
  return parts;
}

Source findSource(const std::string &data, const syl_model &model) {
  if (data == "fashion-mnist") {
    const char *place = std::getenv("SYLVITE_DATASETS");
    std::string folder = std::string(place && *place ? place : "/usr/share/datasets") + "/fashion-mnist";
    if (!isFolder(folder))
      throw Error(SYL_ERROR_IO, folder, "found no such folder, expected the data set fashion-mnist",
                  "apt-get install dataset-fashion-mnist");
    return findFolder(folder, model);
  }
  if (isFolder(data))
    return findFolder(data, model);
  std::vector<std::string> paths = splitAtCommas(data);
  if (paths.size() > 1) {
    if (paths.size() != size_t(model.input_count + model.target_count))
      throw Error(SYL_ERROR_ARGUMENT, "--data",
                  format("found %zu files, expected %d, as in %s", paths.size(), model.input_count + model.target_count,
                         expectedFiles(model).c_str()));
    Source source;
    source.train = {{paths.begin(), paths.begin() + model.input_count},
                    {paths.begin() + model.input_count, paths.end()}};
    return source;
  }
  std::string hint =
      "--data takes " +
      std::string(isSingle(model) ? "fashion-mnist, a folder of IDX files, a folder with X.npy and "
                                    "Y.npy, or X.npy,Y.npy"
                                  : "a folder with " + expectedFiles(model) + ", or these files with commas between");
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

std::string described(const syl_array &array) { return shapeText(array.shape, size_t(array.rank)); }

/// Value of an integer-valued element as text and number.
int64_t labelAt(const Array &labels, size_t index) {
  int64_t value;
  convertElements(labels.data.data() + index * syl_dtype_bytes(labels.dtype), labels.dtype, &value, SYL_INT64, 1);
  return value;
}

/// Class numbers in range, or the number that stands for none.
void checkClasses(const Array &array, const std::string &path, const syl_array &want, bool isTarget) {
  requireLossless(array, SYL_INT64, path);
  for (size_t i = 0, count = size_t(array.elements()); i < count; ++i) {
    int64_t label = labelAt(array, i);
    if ((label < 0 || label >= want.classes) && (label != want.ignore_index || label == SYL_NO_CLASS))
      throw Error(SYL_ERROR_MISMATCH, path,
                  format(isTarget ? "found label %lld at index %zu, expected 0 to %lld: the network has %lld classes"
                                  : "found %lld at index %zu, expected 0 to %lld: the embedding has %lld rows",
                         (long long)label, i, (long long)want.classes - 1, (long long)want.classes));
  }
}

void checkValues(const Array &array, const std::string &path, const syl_array &want, bool finite, bool isTarget) {
  if (want.classes) {
    checkClasses(array, path, want, isTarget);
    return;
  }
  requireLossless(array, syl_dtype(want.dtype), path);
  if (finite)
    requireFinite(array, path);
}

void checkInput(const Array &input, const std::string &path, const syl_model &model, int32_t index, bool finite) {
  const syl_array &want = model.inputs[index];
  if (input.shape.empty())
    throw Error(SYL_ERROR_MISMATCH, path, "found a single number, expected an array of samples");
  std::vector<int64_t> sample(input.shape.begin() + 1, input.shape.end());
  if (!shapeFits(sample, want.shape, size_t(want.rank)))
    throw Error(SYL_ERROR_MISMATCH, path,
                "found samples of shape " + shapeText(sample) + ", expected " + described(want) + ", the input " +
                    (model.input_count > 1 ? std::string("'") + want.name + "' " : "") + "of " + model.name);
  if (input.shape[0] == 0)
    throw Error(SYL_ERROR_MISMATCH, path, "found no samples, expected at least 1");
  if (input.shape[0] > INT32_MAX)
    throw Error(SYL_ERROR_MISMATCH, path,
                format("found %lld samples, expected at most %d", (long long)input.shape[0], INT32_MAX));
  checkValues(input, path, want, finite, false);
}

void checkTarget(const Array &target, const std::string &path, const syl_array &want, bool finite) {
  std::vector<int64_t> sample(target.shape.begin() + !target.shape.empty(), target.shape.end());
  bool single = want.rank == 0 && sample.size() == 1 && sample[0] == 1; // a column of labels
  if (target.shape.empty() || (!single && !shapeFits(sample, want.shape, size_t(want.rank))))
    throw Error(SYL_ERROR_MISMATCH, path,
                "found targets of shape " + shapeText(sample) + ", expected " +
                    (want.classes && want.rank == 0 ? "one class number for each sample" : described(want)));
  checkValues(target, path, want, finite, true);
}

/// Reads inputs and targets and checks them; no targets where `files` has none.
Part readPart(const Files &files, bool idx, const syl_model &model, bool finite) {
  Part part;
  part.inputPaths = files.inputs;
  part.targetPaths = files.targets;
  part.inputs.resize(files.inputs.size());
  part.targets.resize(files.targets.size());
  ErrorCollector errors;
  bool all = true;
  for (size_t i = 0; i < files.inputs.size(); ++i)
    all &= errors.run([&] {
      part.inputs[i] = idx ? readIdx(files.inputs[i]) : readNpy(files.inputs[i]);
      checkInput(part.inputs[i], files.inputs[i], model, int32_t(i), finite);
    });
  for (size_t i = 0; i < files.targets.size(); ++i)
    all &= errors.run([&] {
      part.targets[i] = idx ? readIdx(files.targets[i]) : readNpy(files.targets[i]);
      checkTarget(part.targets[i], files.targets[i], model.targets[i], finite);
    });
  auto sameCount = [&](const Array &array, const std::string &path, const char *what) {
    errors.run([&] {
      if (array.shape[0] != part.count())
        throw Error(SYL_ERROR_MISMATCH, path,
                    format("found %lld %s, expected %lld, one for each sample of %s", (long long)array.shape[0], what,
                           (long long)part.count(), files.inputs[0].c_str()));
    });
  };
  for (size_t i = 1; all && i < part.inputs.size(); ++i)
    sameCount(part.inputs[i], files.inputs[i], "samples");
  for (size_t i = 0; all && i < part.targets.size(); ++i)
    sameCount(part.targets[i], files.targets[i], "targets");
  errors.finish();
  return part;
}

} // namespace

DataSet readDataSet(const std::string &data, const syl_model &model, Parts parts) {
  Source source = findSource(data, model);
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

Part readInputs(const std::string &data, const syl_model &model) {
  std::vector<std::string> paths = splitAtCommas(data);
  bool alone = !isFolder(data) && paths.size() == size_t(model.input_count);
  for (const std::string &path : paths)
    alone &= endsWith(path, ".npy");
  if (alone)
    return readPart({paths, {}}, false, model, true);
  Source source = findSource(data, model);
  const Files &files = source.test.exist() ? source.test : source.train;
  return readPart({files.inputs, {}}, source.idx, model, true);
}

std::vector<std::string> pathsByName(const std::vector<std::string> &given, const syl_array *arrays, int32_t count,
                                     const std::string &option) {
  std::vector<std::string> paths(static_cast<size_t>(count));
  std::string names;
  for (int32_t i = 0; i < count; ++i)
    names += (i ? ", " : "") + std::string(arrays[i].name);
  ErrorCollector errors;
  for (const std::string &item : given)
    errors.run([&] {
      size_t equals = item.find('=');
      int32_t index = count;
      for (int32_t i = 0; i < count && equals != std::string::npos; ++i)
        if (item.compare(0, equals, arrays[i].name) == 0)
          index = i;
      if (index == count && count == 1) { // the whole is a file's name
        index = 0;
        equals = std::string::npos;
      }
      if (index == count)
        throw Error(SYL_ERROR_ARGUMENT, option, "found '" + item + "', expected NAME=FILE of one of " + names);
      std::string &path = paths[size_t(index)];
      if (!path.empty())
        throw Error(SYL_ERROR_ARGUMENT, option, std::string("found two files for ") + arrays[index].name);
      path = equals == std::string::npos ? item : item.substr(equals + 1);
    });
  for (int32_t i = 0; i < count; ++i)
    errors.run([&] {
      if (paths[size_t(i)].empty())
        throw Error(SYL_ERROR_ARGUMENT, option,
                    std::string("found no file for ") + arrays[i].name + ", expected " + option + " " + arrays[i].name +
                        "=FILE");
    });
  errors.finish();
  return paths;
}

Part readFiles(const std::vector<std::string> &inputPaths, const std::vector<std::string> &targetPaths,
               const syl_model &model) {
  return readPart({inputPaths, targetPaths}, false, model, false);
}

} // namespace syl
