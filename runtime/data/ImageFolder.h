// Folders of PNG and JPEG files, a folder for each class, as torchvision.datasets.ImageFolder reads them.
// Layer: runtime/data.
#pragma once

#include "runtime/data/Column.h"

#include <optional>

namespace syl {

/// How images become rows.
struct ImageWanted {
  std::vector<int64_t> shape; // [H,W,1 or 3] or [1 or 3,H,W]; empty: the first image's
  bool resizes = false;       // whether images of another size are resized to it
  std::string network;        // for messages
};

struct ImageColumns {
  ColumnPointer input, target; // no target where the images have no classes
};

/// Whether a folder has images (.png, .jpg, .jpeg, in either case) in folders of its own, or, with `flat`, in itself.
bool hasImages(const std::string &folder, bool flat = false);

/// Names of the folders in a folder, sorted by bytes: the classes, numbered from 0.
std::vector<std::string> classFolders(const std::string &folder);

/// The images below each class's folder, in the order of classes and paths. All headers are read; the pixels are
/// decoded when rows are. `classes` are the names that give the numbers. Throws Error with all that do not fit.
ImageColumns openImageFolder(const std::string &folder, const std::vector<std::string> &classes,
                             const ImageWanted &wanted);
/// The images in one folder, or one image, without classes.
ColumnPointer openImages(const std::string &path, const ImageWanted &wanted);

} // namespace syl
