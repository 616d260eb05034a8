// Opens data sets and checks them against a network. Layer: runtime/data.
#include "runtime/data/DataSet.h"

#include "runtime/data/Bag.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace syl {

namespace {

/// Shapes are equal, or `wanted` has axes of one element at its end that `found` leaves out.
bool shapeFits(const std::vector<int64_t> &found, const int64_t *wanted, size_t rank) {
  while (rank > found.size() && wanted[rank - 1] == 1)
    --rank;
  return found.size() == rank && std::equal(found.begin(), found.end(), wanted);
}

std::string described(const syl_array &array) { return shapeText(array.shape, size_t(array.rank)); }

/// Class numbers in range, or the number that stands for none.
void checkClasses(const Column &column, const syl_array &want, bool isTarget) {
  const size_t elements = size_t(column.rowElements()), bytes = syl_dtype_bytes(column.dtype());
  forEachWindow(column, [&](int64_t first, size_t count, const char *values) {
    const size_t firstIndex = size_t(first) * elements;
    requireLossless(values, column.dtype(), count * elements, SYL_INT64, column.path(), firstIndex);
    for (size_t i = 0; i < count * elements; ++i) {
      int64_t label;
      convertElements(values + i * bytes, column.dtype(), &label, SYL_INT64, 1);
      if ((label < 0 || label >= want.classes) && (label != want.ignore_index || label == SYL_NO_CLASS))
        throw Error(SYL_ERROR_MISMATCH, column.path(),
                    format(isTarget ? "found label %lld at index %zu, expected 0 to %lld: the network has %lld classes"
                                    : "found %lld at index %zu, expected 0 to %lld: the embedding has %lld rows",
                           (long long)label, firstIndex + i, (long long)want.classes - 1, (long long)want.classes));
    }
  });
}

void checkValues(const Column &column, const syl_array &want, bool finite, bool isTarget) {
  std::vector<std::string> names = column.classNames();
  if (want.classes && isTarget && !names.empty() && int64_t(names.size()) != want.classes) {
    std::string list;
    for (size_t i = 0; i < names.size() && i < 12; ++i)
      list += (i ? ", " : "") + names[i];
    throw Error(SYL_ERROR_MISMATCH, column.path(),
                format("found %zu classes (%s%s), expected the network's %lld", names.size(), list.c_str(),
                       names.size() > 12 ? ", …" : "", (long long)want.classes));
  }
  if (want.classes) {
    checkClasses(column, want, isTarget);
    return;
  }
  const Array *array = column.array();
  if (!array)
    return; // checked as they are read
  const size_t count = size_t(array->elements());
  requireLossless(array->data.data(), array->dtype, count, syl_dtype(want.dtype), column.path());
  if (finite)
    requireFinite(array->data.data(), array->dtype, count, column.path());
}

void checkInput(const Column &input, const syl_model &model, size_t index, bool finite) {
  const syl_array &want = model.inputs[index];
  const std::vector<int64_t> &shape = input.shape();
  if (shape.empty())
    throw Error(SYL_ERROR_MISMATCH, input.path(), "found a single number, expected an array of samples");
  std::vector<int64_t> sample(shape.begin() + 1, shape.end());
  if (!shapeFits(sample, want.shape, size_t(want.rank)))
    throw Error(SYL_ERROR_MISMATCH, input.path(),
                "found samples of shape " + shapeText(sample) + ", expected " + described(want) + ", the input " +
                    (model.input_count > 1 ? std::string("'") + want.name + "' " : "") + "of " + model.name);
  if (shape[0] == 0)
    throw Error(SYL_ERROR_MISMATCH, input.path(), "found no samples, expected at least 1");
  if (shape[0] > INT32_MAX)
    throw Error(SYL_ERROR_MISMATCH, input.path(),
                format("found %lld samples, expected at most %d", (long long)shape[0], INT32_MAX));
  checkValues(input, want, finite, false);
}

void checkTarget(const Column &target, const syl_array &want, bool finite) {
  const std::vector<int64_t> &shape = target.shape();
  std::vector<int64_t> sample(shape.begin() + !shape.empty(), shape.end());
  bool single = want.rank == 0 && sample.size() == 1 && sample[0] == 1; // a column of labels
  if (shape.empty() || (!single && !shapeFits(sample, want.shape, size_t(want.rank))))
    throw Error(SYL_ERROR_MISMATCH, target.path(),
                "found targets of shape " + shapeText(sample) + ", expected " +
                    (want.classes && want.rank == 0 ? "one class number for each sample" : described(want)));
  checkValues(target, want, finite, true);
}

/// As many rows in each column as in the first.
void checkCounts(const Part &part, ErrorCollector &errors) {
  auto sameCount = [&](const ColumnPointer &column, const char *what) {
    errors.run([&] {
      if (column->count() != part.inputs[0]->count())
        throw Error(SYL_ERROR_MISMATCH, column->path(),
                    format("found %lld %s, expected %lld, one for each sample of %s", (long long)column->count(), what,
                           (long long)part.inputs[0]->count(), part.inputs[0]->path().c_str()));
    });
  };
  for (size_t i = 1; i < part.inputs.size(); ++i)
    sameCount(part.inputs[i], "samples");
  for (const ColumnPointer &target : part.targets)
    sameCount(target, "targets");
}

Part partOf(Opened opened) {
  Part part;
  part.inputs = std::move(opened.inputs);
  part.targets = std::move(opened.targets);
  for (const ColumnPointer &column : part.inputs)
    part.inputPaths.push_back(column->path());
  for (const ColumnPointer &column : part.targets)
    part.targetPaths.push_back(column->path());
  return part;
}

/// Opens a part and checks it. What is wrong with the files and with their content is reported together.
Part checkedPart(const std::function<Opened()> &open, const syl_model &model, bool finite) {
  Part part = partOf(open());
  ErrorCollector errors;
  bool all = true;
  for (size_t i = 0; i < part.inputs.size(); ++i)
    all &= errors.run([&] { checkInput(*part.inputs[i], model, i, finite); });
  for (size_t i = 0; i < part.targets.size(); ++i)
    all &= errors.run([&] { checkTarget(*part.targets[i], model.targets[i], finite); });
  if (all)
    checkCounts(part, errors);
  errors.finish();
  return part;
}

/// The classes that words or folders name must have the same numbers in both parts.
void checkSameClasses(const Part &train, const Part &test) {
  for (size_t i = 0; i < train.targets.size(); ++i) {
    std::vector<std::string> names = train.targets[i]->classNames(), others = test.targets[i]->classNames();
    if (names == others)
      continue;
    auto list = [](const std::vector<std::string> &words) {
      std::string text;
      for (size_t k = 0; k < words.size() && k < 12; ++k)
        text += (k ? ", " : "") + words[k];
      return words.empty() ? std::string("numbers") : text;
    };
    throw Error(SYL_ERROR_MISMATCH, test.targetPaths[i],
                "found the labels " + list(others) + ", expected " + list(names) + " as in " + train.targetPaths[i],
                "write the labels as numbers");
  }
}

/// Deals the rows into round(count * share) for training and the rest, in ascending order each.
void splitRows(const std::string &where, Part &train, Part &test, double share) {
  const uint32_t count = uint32_t(train.inputs[0]->count());
  const uint32_t first = uint32_t(double(count) * share + 0.5);
  if (first < 1 || first >= count)
    throw Error(SYL_ERROR_MISMATCH, where,
                format("found %u samples, of which --split %g leaves none for one of the parts", count, share));
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  const uint32_t key[2] = {0x73706c69, 0}; // one for all runs: evaluate and predict see the part that train did not
  for (uint32_t i = count; i > 1; --i) {
    const uint32_t place[4] = {i, 0, 0, 0};
    uint32_t words[4];
    syl_philox(place, key, words);
    const uint64_t bits = uint64_t(words[1]) << 32 | words[0];
    std::swap(order[i - 1], order[size_t((static_cast<unsigned __int128>(bits) * i) >> 64)]);
  }
  std::sort(order.begin(), order.begin() + first);
  std::sort(order.begin() + first, order.end());
  train.rows = std::make_shared<const std::vector<uint32_t>>(order.begin(), order.begin() + first);
  test.rows = std::make_shared<const std::vector<uint32_t>>(order.begin() + first, order.end());
}

void checkRequest(const DataRequest &request, const Source &source) {
  if (request.split && source.test)
    throw Error(SYL_ERROR_ARGUMENT, "--split", "found a test part in " + request.data + ", expected none",
                "--data train=DATA takes the training part alone");
  if (!request.label.empty() && source.format != "CSV")
    throw Error(SYL_ERROR_ARGUMENT, "--label", "found " + source.format + ", expected a CSV file");
}

} // namespace

bool Part::isInMemory() const {
  auto inMemory = [](const ColumnPointer &column) { return column->array() != nullptr; };
  return std::all_of(inputs.begin(), inputs.end(), inMemory) && std::all_of(targets.begin(), targets.end(), inMemory);
}

bool Part::isDecoded() const {
  auto decoded = [](const ColumnPointer &column) { return column->isDecoded(); };
  return std::any_of(inputs.begin(), inputs.end(), decoded) || std::any_of(targets.begin(), targets.end(), decoded);
}

DataSet readDataSet(const DataRequest &request, const syl_model &model, Parts parts) {
  Wanted wanted;
  wanted.model = &model;
  wanted.label = request.label;
  Source source = findSource(request.data, wanted);
  checkRequest(request, source);
  if (!source.train && (parts == Parts::All || !source.test))
    throw Error(SYL_ERROR_ARGUMENT, request.data, "found no training part", "--data train=DATA,test=DATA");
  DataSet set;
  set.format = source.format;
  ErrorCollector errors;
  if (request.split) {
    set.train = checkedPart(source.train, model, true);
    set.test = set.train;
    splitRows(request.data, set.train, *set.test, request.split);
    return set;
  }
  bool both = parts == Parts::All && source.test;
  if (parts == Parts::All)
    both &= errors.run([&] { set.train = checkedPart(source.train, model, true); });
  const std::function<Opened()> &test = parts == Parts::Test && !source.test ? source.train : source.test;
  if (test)
    both &= errors.run([&] { set.test = checkedPart(test, model, true); });
  if (both)
    errors.run([&] { checkSameClasses(set.train, *set.test); });
  errors.finish();
  return set;
}

DataSet openDataSet(const DataRequest &request) {
  Wanted wanted;
  wanted.label = request.label;
  Source source;
  try {
    source = findSource(request.data, wanted);
  } catch (const Error &) {
    wanted.targets = false; // samples alone
    try {
      source = findSource(request.data, wanted);
    } catch (const Error &) {
      wanted.targets = true;
      source = findSource(request.data, wanted); // its message fits the usual case
    }
  }
  checkRequest(request, source);
  DataSet set;
  set.format = source.format;
  ErrorCollector errors;
  auto open = [&](const std::function<Opened()> &part) {
    Part opened = partOf(part());
    for (const ColumnPointer &column : opened.inputs)
      if (column->shape().empty() || column->count() == 0 || column->count() > INT32_MAX)
        throw Error(SYL_ERROR_MISMATCH, column->path(),
                    format("found %lld samples, expected 1 to %d", (long long)column->count(), INT32_MAX));
    ErrorCollector counts;
    checkCounts(opened, counts);
    counts.finish();
    return opened;
  };
  if (source.train)
    errors.run([&] { set.train = open(source.train); });
  if (source.test)
    errors.run([&] { set.test = open(source.test); });
  errors.finish();
  if (request.split) {
    set.test = set.train;
    splitRows(request.data, set.train, *set.test, request.split);
  }
  return set;
}

Part readInputs(const DataRequest &request, const syl_model &model) {
  Wanted wanted;
  wanted.model = &model;
  wanted.targets = false;
  wanted.label = request.label;
  Source source = findSource(request.data, wanted);
  checkRequest(request, source);
  Part part = checkedPart(source.test ? source.test : source.train, model, true);
  if (request.split) {
    Part train = part;
    splitRows(request.data, train, part, request.split);
  }
  return part;
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
  auto open = [&] {
    Opened opened;
    ErrorCollector errors;
    for (size_t i = 0; i < inputPaths.size(); ++i)
      errors.run([&] { opened.inputs.push_back(openArrayFile(inputPaths[i], &model.inputs[i])); });
    for (size_t i = 0; i < targetPaths.size(); ++i)
      errors.run([&] { opened.targets.push_back(openArrayFile(targetPaths[i], &model.targets[i])); });
    errors.finish();
    return opened;
  };
  return checkedPart(open, model, false);
}

void gatherRows(const Column &column, const uint32_t *rows, size_t count, syl_dtype want, void *out) {
  if (const Array *array = column.array()) {
    gatherRows(*array, rows, count, want, out);
    return;
  }
  const size_t elements = size_t(column.rowElements()), bytes = column.rowBytes();
  Buffer space;
  char *values = static_cast<char *>(out);
  if (column.dtype() != want) {
    space = Buffer(count * bytes, column.path());
    values = space.data();
  }
  column.read(rows, count, values);
  for (size_t i = 0; i < count; ++i) {
    const size_t firstIndex = rows[i] * elements;
    requireLossless(values + i * bytes, column.dtype(), elements, want, column.path(), firstIndex);
    requireFinite(values + i * bytes, column.dtype(), elements, column.path(), firstIndex);
  }
  if (column.dtype() != want)
    convertElements(values, column.dtype(), out, want, count * elements);
}

} // namespace syl
