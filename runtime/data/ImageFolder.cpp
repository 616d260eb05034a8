// Finds images and decodes them row by row. Layer: runtime/data.
#include "runtime/data/ImageFolder.h"

#include "runtime/data/File.h"
#include "runtime/data/Image.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>

namespace syl {

namespace fs = std::filesystem;

namespace {

constexpr size_t messagesShown = 5;

bool isImageName(const std::string &name) {
  size_t dot = name.rfind('.');
  if (dot == std::string::npos || name[0] == '.')
    return false;
  std::string end = name.substr(dot + 1);
  std::transform(end.begin(), end.end(), end.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return end == "png" || end == "jpg" || end == "jpeg";
}

/// The images in a folder, and with `deep` in those below it, sorted by path. Links to folders are not followed.
std::vector<std::string> imagesIn(const std::string &folder, bool deep) {
  std::vector<std::string> paths;
  std::error_code code;
  auto take = [&](const fs::directory_entry &entry) {
    std::error_code ignored;
    if (isImageName(entry.path().filename().string()) && entry.is_regular_file(ignored))
      paths.push_back(entry.path().string());
  };
  if (deep)
    for (fs::recursive_directory_iterator it(folder, code), end; !code && it != end; it.increment(code))
      take(*it);
  else
    for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code))
      take(*it);
  if (code)
    throw Error(SYL_ERROR_IO, folder, "cannot read the folder: " + code.message());
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// Images decoded when their rows are read.
class ImageColumn : public Column {
public:
  ImageColumn(const std::string &path, std::vector<std::string> files, std::vector<int64_t> shape, bool planar)
      : Column(path, SYL_UINT8, std::move(shape)), files(std::move(files)), planar(planar) {}

  void read(const uint32_t *rows, size_t count, void *out) const override {
    const int64_t *sample = shape().data() + 1;
    const int64_t channels = sample[planar ? 0 : 2], height = sample[planar ? 1 : 0], width = sample[planar ? 2 : 1];
    for (size_t i = 0; i < count; ++i) {
      Image image = decodeImage(files[rows[i]], channels);
      if (image.width != width || image.height != height)
        image = resizeImage(image, width, height);
      char *target = static_cast<char *>(out) + i * rowBytes();
      const int64_t pixels = width * height;
      if (!planar || channels == 1)
        std::memcpy(target, image.pixels.data(), rowBytes());
      else
        for (int64_t channel = 0; channel < channels; ++channel)
          for (int64_t pixel = 0; pixel < pixels; ++pixel)
            target[channel * pixels + pixel] = image.pixels.data()[pixel * channels + channel];
    }
  }
  bool isDecoded() const override { return true; }

private:
  const std::vector<std::string> files;
  const bool planar;
};

/// Reads all headers and makes the column.
ColumnPointer makeColumn(const std::string &path, std::vector<std::string> files, const ImageWanted &wanted) {
  if (files.size() > size_t(INT32_MAX))
    throw Error(SYL_ERROR_MISMATCH, path, format("found %zu images, expected at most %d", files.size(), INT32_MAX));
  std::vector<int64_t> shape = wanted.shape;
  auto isColor = [](int64_t extent) { return extent == 1 || extent == 3; };
  if (!shape.empty() && (shape.size() != 3 || (!isColor(shape[2]) && !isColor(shape[0]))))
    throw Error(SYL_ERROR_MISMATCH, path,
                "found images, expected samples of shape " + shapeText(shape) + ", the input of " + wanted.network,
                "an image's shape is [H, W, 3], or [H, W, 1] in gray");
  const bool planar = !shape.empty() && !isColor(shape[2]);
  size_t wrong = 0;
  ErrorCollector errors;
  for (const std::string &file : files) {
    ImageSize size;
    bool fits = errors.run([&] {
      size = readImageSize(file);
      if (shape.empty())
        shape = {size.height, size.width, size.gray ? 1 : 3};
      int64_t height = shape[planar ? 1 : 0], width = shape[planar ? 2 : 1];
      if (!wanted.resizes && (size.width != width || size.height != height))
        throw Error(SYL_ERROR_MISMATCH, file,
                    format("found an image of %lld x %lld pixels (width x height), expected %lld x %lld",
                           (long long)size.width, (long long)size.height, (long long)width, (long long)height),
                    wrong ? ""
                          : "with `resize` among the network's `preprocess` steps, images of any size are resized to "
                            "its `input`");
    });
    if (!fits && ++wrong == messagesShown)
      break;
  }
  errors.finish();
  shape.insert(shape.begin(), int64_t(files.size()));
  return std::make_shared<ImageColumn>(path, std::move(files), std::move(shape), planar);
}

} // namespace

bool hasImages(const std::string &folder, bool flat) {
  for (const std::string &name : namesIn(folder)) {
    const std::string path = folder + "/" + name;
    if (flat ? isImageName(name) && !isFolder(path) : isFolder(path) && hasImages(path, true))
      return true;
  }
  return false;
}

std::vector<std::string> classFolders(const std::string &folder) {
  std::vector<std::string> names;
  std::error_code code;
  for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    std::error_code ignored;
    std::string name = it->path().filename().string();
    if (it->is_directory(ignored) && name[0] != '.')
      names.push_back(name);
  }
  if (code)
    throw Error(SYL_ERROR_IO, folder, "cannot read the folder: " + code.message());
  std::sort(names.begin(), names.end());
  return names;
}

ImageColumns openImageFolder(const std::string &folder, const std::vector<std::string> &classes,
                             const ImageWanted &wanted) {
  std::vector<std::string> files;
  std::vector<int64_t> labels;
  ErrorCollector errors;
  for (const std::string &name : classFolders(folder))
    errors.run([&] {
      auto known = std::find(classes.begin(), classes.end(), name);
      std::vector<std::string> here = imagesIn(folder + "/" + name, true);
      if (known == classes.end())
        throw Error(SYL_ERROR_MISMATCH, folder + "/" + name,
                    "found a class that the training part does not have, expected one of its folders");
      if (here.empty())
        throw Error(SYL_ERROR_MISMATCH, folder + "/" + name,
                    "found no image, expected .png or .jpg files of this class");
      labels.insert(labels.end(), here.size(), known - classes.begin());
      files.insert(files.end(), std::make_move_iterator(here.begin()), std::make_move_iterator(here.end()));
    });
  errors.finish();
  ImageColumns columns;
  columns.input = makeColumn(folder, std::move(files), wanted);
  Array array;
  array.dtype = SYL_INT64;
  array.shape = {int64_t(labels.size())};
  array.data = Buffer(labels.size() * sizeof(int64_t), folder);
  if (!labels.empty())
    std::memcpy(array.data.data(), labels.data(), array.data.size());
  columns.target = std::make_shared<MemoryColumn>(folder, std::move(array), classes);
  return columns;
}

ColumnPointer openImages(const std::string &path, const ImageWanted &wanted) {
  std::error_code code;
  return makeColumn(path, fs::is_directory(path, code) ? imagesIn(path, false) : std::vector<std::string>{path},
                    wanted);
}

} // namespace syl
