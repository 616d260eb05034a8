// PNG and JPEG files as pixels. Layer: runtime/data.
#pragma once

#include "runtime/data/Array.h"

#include <string>
#include <vector>

namespace syl {

/// Largest image, in pixels.
constexpr uint64_t imagePixelLimit = uint64_t(1) << 26;

/// Bytes [height, width, channels].
struct Image {
  int64_t width = 0, height = 0, channels = 0;
  Buffer pixels;
};

struct ImageSize {
  int64_t width = 0, height = 0;
  bool gray = false; // one channel in the file
};

/// The size that the file's header states. Throws Error where it is no PNG or JPEG file, or too large.
ImageSize readImageSize(const std::string &path);

/// Decodes a file to 1 (gray) or 3 (red, green, blue) channels of 8 bits, as PIL's convert('L') and convert('RGB') do:
/// transparency is dropped, gray is repeated, 16 bits become the upper 8. Throws Error where the file is truncated,
/// damaged or of another kind.
Image decodeImage(const std::string &path, int64_t channels);

/// Writes an 8-bit PNG file. Throws Error (SYL_ERROR_IO).
void writePng(const std::string &path, const Image &image);

/// The image in another size: each pixel is the mean of those it covers, weighted by a triangle (bilinear with
/// antialiasing), as PIL's resize and torchvision.transforms.Resize do.
Image resizeImage(const Image &image, int64_t width, int64_t height);

} // namespace syl
