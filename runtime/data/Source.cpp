// Looks at files and folders. Layer: runtime/data.
#include "runtime/data/Source.h"

#include "runtime/data/Bag.h"
#include "runtime/data/Cifar.h"
#include "runtime/data/Csv.h"
#include "runtime/data/Idx.h"
#include "runtime/data/ImageFolder.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

namespace syl {

namespace {

bool endsWith(const std::string &text, const std::string &end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// ---- IDX ----

/// The file's name plain or gzipped, whichever exists; empty where neither does.
std::string idxFile(const std::string &folder, const std::string &name) {
  for (const char *suffix : {"", ".gz"})
    if (pathExists(folder + "/" + name + suffix))
      return folder + "/" + name + suffix;
  return "";
}

std::function<Opened()> idxPart(const std::string &folder, const std::string &part, bool targets) {
  std::string imagesName = part + "-images-idx3-ubyte", labelsName = part + "-labels-idx1-ubyte";
  std::string images = idxFile(folder, imagesName), labels = idxFile(folder, labelsName);
  if (images.empty() != labels.empty())
    throw Error(SYL_ERROR_IO, folder,
                "found " + (images.empty() ? labelsName : imagesName) + " alone, expected " +
                    (images.empty() ? imagesName : labelsName) + " (or .gz) beside it");
  if (images.empty())
    return {};
  return [=] {
    Opened opened;
    ErrorCollector errors;
    errors.run([&] { opened.inputs.push_back(openIdx(images)); });
    if (targets)
      errors.run([&] { opened.targets.push_back(openIdx(labels)); });
    errors.finish();
    return opened;
  };
}

// ---- arrays by name ----

/// Names that an array may have: its own, and, where it is the only one, those that people use.
std::vector<std::string> namesOf(const Wanted &wanted, bool input, size_t index) {
  const syl_array *array = input ? wanted.input(index) : wanted.target(index);
  std::vector<std::string> names;
  if ((input ? wanted.inputCount() : wanted.targetCount()) == 1)
    names = input ? std::vector<std::string>{"X", "x", "input", "inputs", "images", "image", "data"}
                  : std::vector<std::string>{"Y", "y", "target", "targets", "labels", "label"};
  if (array)
    names.insert(names.begin() + !names.empty(), array->name);
  return names;
}

/// The array's name in the bag, or nothing.
std::string nameIn(const Bag &bag, const std::vector<std::string> &names, bool test) {
  for (const std::string &name : names)
    for (const std::string &form : test ? std::vector<std::string>{name + "_test", "test_" + name}
                                        : std::vector<std::string>{name, name + "_train", "train_" + name})
      if (std::find(bag.names.begin(), bag.names.end(), form) != bag.names.end())
        return form;
  return "";
}

/// "X and Y", or the names of all arrays, each with `end`.
std::string expectedNames(const Wanted &wanted, const std::string &end) {
  std::string names;
  const size_t inputs = wanted.inputCount(), count = inputs + (wanted.targets ? wanted.targetCount() : 0);
  for (size_t i = 0; i < count; ++i)
    names += (i == 0          ? ""
              : i + 1 < count ? ", "
                              : " and ") +
             namesOf(wanted, i < inputs, i < inputs ? i : i - inputs)[0] + end;
  return names;
}

/// A part of a bag, or nothing where its first input is not there. A part must be whole.
std::function<Opened()> bagPart(const Bag &bag, const Wanted &wanted, bool test, bool folder) {
  struct Item {
    bool input;
    size_t index;
    std::string name;
  };
  std::vector<Item> items;
  for (size_t i = 0; i < wanted.inputCount(); ++i)
    items.push_back({true, i, ""});
  for (size_t i = 0; wanted.targets && i < wanted.targetCount(); ++i)
    items.push_back({false, i, ""});
  std::string lacking;
  for (Item &item : items) {
    std::vector<std::string> names = namesOf(wanted, item.input, item.index);
    item.name = nameIn(bag, names, test);
    if (item.name.empty()) {
      item.name = names[0] + (test ? "_test" : "");
      if (item.input && item.index == 0)
        return {};
      if (!folder && lacking.empty())
        lacking = item.name;
    }
  }
  if (!lacking.empty())
    throw Error(SYL_ERROR_MISMATCH, bag.path,
                "found no array '" + lacking + "', expected it beside '" + items[0].name + "'");
  return [=] {
    Opened opened;
    ErrorCollector errors;
    for (const Item &item : items)
      errors.run([&] {
        const syl_array *array = item.input ? wanted.input(item.index) : wanted.target(item.index);
        (item.input ? opened.inputs : opened.targets).push_back(bag.open(item.name, array));
      });
    errors.finish();
    return opened;
  };
}

Source bagSource(const std::string &format, const Bag &bag, const Wanted &wanted) {
  Source source{format, bagPart(bag, wanted, false, false), bagPart(bag, wanted, true, false), {}};
  if (!source.train && !source.test) {
    std::string names;
    for (size_t i = 0; i < bag.names.size() && i < 12; ++i)
      names += (i ? ", " : "") + bag.names[i];
    throw Error(SYL_ERROR_MISMATCH, bag.path,
                "found " + (names.empty() ? "no array" : "the arrays " + names) + ", expected " +
                    expectedNames(wanted, "") + (wanted.model ? "" : ", or --network to tell their names"));
  }
  return source;
}

// ---- CSV ----

void requireSingle(const Wanted &wanted, const std::string &path, const char *what) {
  if (!wanted.isSingle())
    throw Error(SYL_ERROR_MISMATCH, path,
                std::string("found ") + what +
                    format(", expected arrays by name for the %zu inputs and %zu targets of %s", wanted.inputCount(),
                           wanted.targetCount(), wanted.model->name));
}

std::function<Opened()> csvPart(const std::string &path, const Wanted &wanted) {
  requireSingle(wanted, path, "a table");
  return [=] {
    CsvWanted table;
    if (wanted.model) {
      table.input = wanted.model->inputs[0];
      table.target = wanted.model->targets[0];
    }
    table.targets = wanted.targets;
    table.label = wanted.label;
    CsvColumns columns = openCsv(path, table);
    Opened opened;
    opened.inputs.push_back(columns.input);
    if (wanted.targets)
      opened.targets.push_back(columns.target);
    return opened;
  };
}

// ---- CIFAR ----

std::function<Opened()> cifarPart(std::vector<std::string> paths, bool hundred, const Wanted &wanted) {
  const syl_array *input = wanted.input(0), *target = wanted.target(0);
  const bool planar = input && input->rank == 3 && input->shape[0] == 3 && input->shape[2] != 3;
  const bool coarse = target && target->classes == 20, targets = wanted.targets;
  return [=] {
    CifarColumns columns = openCifar(paths, hundred, planar, coarse);
    Opened opened;
    opened.inputs.push_back(columns.input);
    if (targets)
      opened.targets.push_back(columns.target);
    return opened;
  };
}

/// The folder's files of CIFAR-10 or CIFAR-100, if it has them.
bool findCifar(const std::string &folder, const Wanted &wanted, Source &source) {
  std::vector<std::string> batches;
  for (int i = 1; i <= 5; ++i)
    if (pathExists(folder + format("/data_batch_%d.bin", i)))
      batches.push_back(folder + format("/data_batch_%d.bin", i));
  const std::string train = folder + "/train.bin", test = folder + "/test.bin", testBatch = folder + "/test_batch.bin";
  const bool hundred = batches.empty() && pathExists(train) && pathExists(folder + "/fine_label_names.txt");
  if (batches.empty() && !hundred)
    return false;
  source.format = hundred ? "CIFAR-100" : "CIFAR-10";
  source.train = cifarPart(hundred ? std::vector<std::string>{train} : batches, hundred, wanted);
  if (pathExists(hundred ? test : testBatch))
    source.test = cifarPart({hundred ? test : testBatch}, hundred, wanted);
  return true;
}

// ---- images ----

ImageWanted imageWanted(const Wanted &wanted) {
  ImageWanted images;
  if (!wanted.model)
    return images;
  const syl_array &input = wanted.model->inputs[0];
  images.network = wanted.model->name;
  images.shape.assign(input.shape, input.shape + input.rank);
  nlohmann::json settings =
      nlohmann::json::parse(wanted.model->training ? wanted.model->training : "{}", nullptr, false);
  if (settings.is_object() && settings.contains("resizes"))
    for (const nlohmann::json &name : settings["resizes"])
      images.resizes |= name == input.name;
  return images;
}

std::function<Opened()> imagePart(const std::string &folder, const std::vector<std::string> &classes,
                                  const Wanted &wanted) {
  return [=] {
    ImageColumns columns = openImageFolder(folder, classes, imageWanted(wanted));
    Opened opened;
    opened.inputs.push_back(columns.input);
    if (wanted.targets)
      opened.targets.push_back(columns.target);
    return opened;
  };
}

/// Class folders in the folder, or in its folders train and test (val, valid, validation).
bool findImages(const std::string &folder, const Wanted &wanted, Source &source) {
  const bool parts = hasImages(folder + "/train");
  if (!parts && !hasImages(folder))
    return false;
  requireSingle(wanted, folder, "folders of images");
  const std::string train = parts ? folder + "/train" : folder;
  source.format = "images";
  source.classes = classFolders(train);
  source.train = imagePart(train, source.classes, wanted);
  for (const char *name : {"test", "val", "valid", "validation"})
    if (parts && !source.test && hasImages(folder + "/" + name))
      source.test = imagePart(folder + "/" + name, source.classes, wanted);
  return true;
}

// ---- what a path is ----

std::string hintOf(const Wanted &wanted) {
  return "--data takes " +
         (wanted.isSingle()
              ? std::string("fashion-mnist, a folder of IDX files, of X.npy and Y.npy, of class folders "
                            "of images or of CIFAR's files, a .npz, .safetensors or .csv file, or "
                            "X.npy,Y.npy")
              : "a folder with " + expectedNames(wanted, ".npy") + ", or these files with commas between");
}

Source findFile(const std::string &path, const Wanted &wanted) {
  char magic[16] = {};
  uint64_t size;
  {
    InputFile file(path);
    file.readSome(magic, sizeof magic, 0);
    size = file.size();
  }
  if (std::memcmp(magic, "PK\3\4", 4) == 0 || endsWith(path, ".npz"))
    return bagSource(".npz", openNpz(path), wanted);
  if (magic[8] == '{' || endsWith(path, ".safetensors"))
    return bagSource("safetensors", openSafetensors(path), wanted);
  if (endsWith(path, ".csv") || endsWith(path, ".tsv") || endsWith(path, ".txt"))
    return {"CSV", csvPart(path, wanted), {}, {}};
  const bool ten = isCifarSize(size, false);
  if (endsWith(path, ".bin") && wanted.isSingle() && (ten || isCifarSize(size, true)))
    return {ten ? "CIFAR-10" : "CIFAR-100", cifarPart({path}, !ten, wanted), {}, {}};
  const bool image = std::memcmp(magic, "\x89PNG", 4) == 0 || std::memcmp(magic, "\xff\xd8\xff", 3) == 0;
  if ((!wanted.targets && wanted.inputCount() == 1) || (image && !wanted.targets))
    return {image ? "image" : "array",
            [=] {
              Opened opened;
              opened.inputs.push_back(image ? openImages(path, imageWanted(wanted))
                                            : openArrayFile(path, wanted.input(0)));
              return opened;
            },
            {},
            {}};
  throw Error(SYL_ERROR_ARGUMENT, path, "found a single file, expected a data set", hintOf(wanted));
}

Source findFolder(const std::string &folder, const Wanted &wanted) {
  Source source;
  if (wanted.isSingle()) {
    source.train = idxPart(folder, "train", wanted.targets);
    source.test = idxPart(folder, "t10k", wanted.targets);
    source.format = "IDX";
    if (source.train || findCifar(folder, wanted, source) || findImages(folder, wanted, source))
      return source;
  }
  for (const char *end : {".npz", ".safetensors", ".csv", ".tsv"}) {
    const std::string train = folder + "/train" + end, test = folder + "/test" + end;
    if (!pathExists(train))
      continue;
    source = findFile(train, wanted);
    if (pathExists(test)) {
      Source other = findFile(test, wanted);
      source.test = other.test ? other.test : other.train;
    }
    return source;
  }
  const Bag bag = openArrayFolder(folder);
  source.format = "arrays";
  source.train = bagPart(bag, wanted, false, true);
  source.test = bagPart(bag, wanted, true, true);
  auto whole = [&](bool input, size_t index) { return !nameIn(bag, namesOf(wanted, input, index), false).empty(); };
  bool complete = bool(source.train);
  for (size_t i = 0; i < wanted.inputCount(); ++i)
    complete = complete && whole(true, i);
  for (size_t i = 0; wanted.targets && i < wanted.targetCount(); ++i)
    complete = complete && whole(false, i);
  if (complete)
    return source;
  if (!wanted.targets && wanted.inputCount() == 1 && hasImages(folder, true))
    return {"images",
            [=] {
              Opened opened;
              opened.inputs.push_back(openImages(folder, imageWanted(wanted)));
              return opened;
            },
            {},
            {}};
  throw Error(SYL_ERROR_IO, folder,
              std::string("found no data set, expected ") +
                  (wanted.isSingle() ? "train-images-idx3-ubyte and train-labels-idx1-ubyte (or .gz), or " : "") +
                  expectedNames(wanted, ".npy"),
              hintOf(wanted));
}

/// The files of all inputs and targets, in this order.
Source findList(const std::vector<std::string> &paths, const Wanted &wanted) {
  const size_t inputs = wanted.inputCount(), targets = wanted.targetCount();
  const bool alone = !wanted.targets && paths.size() == inputs;
  if (!alone && paths.size() != inputs + targets)
    throw Error(SYL_ERROR_ARGUMENT, "--data",
                format("found %zu files, expected %zu, as in %s", paths.size(), inputs + targets,
                       expectedNames(wanted, ".npy").c_str()));
  return {"arrays",
          [=] {
            Opened opened;
            ErrorCollector errors;
            for (size_t i = 0; i < inputs; ++i)
              errors.run([&] { opened.inputs.push_back(openArrayFile(paths[i], wanted.input(i))); });
            for (size_t i = 0; wanted.targets && i < targets; ++i)
              errors.run([&] { opened.targets.push_back(openArrayFile(paths[inputs + i], wanted.target(i))); });
            errors.finish();
            return opened;
          },
          {},
          {}};
}

/// train=DATA,test=DATA, in which DATA may have commas of its own.
Source findParts(const std::vector<std::string> &items, const Wanted &wanted) {
  std::string named[2];
  int at = 0;
  for (const std::string &item : items) {
    const bool train = item.rfind("train=", 0) == 0, test = item.rfind("test=", 0) == 0;
    at = train ? 0 : test ? 1 : at;
    if ((train || test) && !named[at].empty())
      throw Error(SYL_ERROR_ARGUMENT, "--data", std::string("found two ") + (train ? "train" : "test") + " parts");
    named[at] += (named[at].empty() ? "" : ",") + (train ? item.substr(6) : test ? item.substr(5) : item);
  }
  Source source;
  if (!named[0].empty()) {
    source = findSource(named[0], wanted);
    source.test = {};
  }
  if (named[1].empty())
    return source;
  Source other = findSource(named[1], wanted);
  source.test = other.test ? other.test : other.train;
  if (source.format.empty())
    source.format = other.format;
  if (!source.classes.empty() && !other.classes.empty() && other.classes != source.classes)
    source.test = imagePart(named[1], source.classes, wanted); // numbered as in the training part
  return source;
}

} // namespace

std::vector<std::string> splitAtCommas(const std::string &text) {
  std::vector<std::string> parts;
  for (size_t begin = 0, comma; begin != std::string::npos; begin = comma == std::string::npos ? comma : comma + 1) {
    comma = text.find(',', begin);
    parts.push_back(text.substr(begin, comma == std::string::npos ? comma : comma - begin));
  }
  return parts;
}

Source findSource(const std::string &data, const Wanted &wanted) {
  if (data == "fashion-mnist") {
    const char *place = std::getenv("SYLVITE_DATASETS");
    std::string folder = std::string(place && *place ? place : "/usr/share/datasets") + "/fashion-mnist";
    if (!isFolder(folder))
      throw Error(SYL_ERROR_IO, folder, "found no such folder, expected the data set fashion-mnist",
                  "apt-get install dataset-fashion-mnist");
    return findFolder(folder, wanted);
  }
  if (isFolder(data))
    return findFolder(data, wanted);
  if (pathExists(data))
    return findFile(data, wanted);
  std::vector<std::string> items = splitAtCommas(data);
  if (items[0].rfind("train=", 0) == 0 || items[0].rfind("test=", 0) == 0)
    return findParts(items, wanted);
  if (items.size() > 1)
    return findList(items, wanted);
  throw Error(SYL_ERROR_IO, data, "found no such file or folder, expected a data set", hintOf(wanted));
}

} // namespace syl
