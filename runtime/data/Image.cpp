// Which decoder a file needs, and resizing. Layer: runtime/data.
#include "runtime/data/Image.h"

#include "runtime/data/File.h"
#include "runtime/data/ImageFormats.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace syl {

const char *const damagedImageHint = "the file is truncated or damaged; copy it again, or take it out of the folder";

void requireImageSize(const std::string &path, uint64_t width, uint64_t height) {
  if (!width || !height || width > imagePixelLimit || height > imagePixelLimit || width * height > imagePixelLimit)
    throw Error(SYL_ERROR_MISMATCH, path,
                format("found an image of %llu x %llu pixels, expected 1 to %llu pixels", (unsigned long long)width,
                       (unsigned long long)height, (unsigned long long)imagePixelLimit));
}

namespace {

enum class Kind { Png, Jpeg };
constexpr uint64_t fileLimit = uint64_t(256) << 20, headBytes = 1 << 18;

/// Up to `limit` bytes from the start of the file.
Buffer readHead(const InputFile &file, uint64_t limit) {
  Buffer bytes(size_t(std::min(limit, file.size())), file.path());
  file.readExactly(bytes.data(), bytes.size(), 0);
  return bytes;
}

Kind kindOf(const std::string &path, const Buffer &bytes) {
  if (bytes.size() >= 8 && std::memcmp(bytes.data(), "\x89PNG\r\n\x1a\n", 8) == 0)
    return Kind::Png;
  if (bytes.size() >= 3 && std::memcmp(bytes.data(), "\xff\xd8\xff", 3) == 0)
    return Kind::Jpeg;
  throw Error(SYL_ERROR_FORMAT, path, "found neither the first bytes of a PNG nor those of a JPEG file",
              "convert it, or take it out of the folder");
}

/// What one axis of a resize takes: for each output the first input and the weights of it and those after it.
struct Taps {
  std::vector<int64_t> first;
  std::vector<std::vector<float>> weights;

  Taps(int64_t from, int64_t to) {
    const double scale = double(from) / double(to), support = std::max(scale, 1.);
    for (int64_t i = 0; i < to; ++i) {
      const double center = (double(i) + 0.5) * scale;
      int64_t begin = std::max<int64_t>(0, int64_t(center - support + 0.5));
      int64_t end = std::min<int64_t>(from, int64_t(center + support + 0.5));
      std::vector<float> row;
      double sum = 0;
      for (int64_t k = begin; k < end; ++k) {
        double weight = std::max(0., 1 - std::fabs((double(k) - center + 0.5) / support));
        row.push_back(float(weight));
        sum += weight;
      }
      for (float &weight : row)
        weight = float(weight / sum);
      first.push_back(begin);
      weights.push_back(std::move(row));
    }
  }
};

uint8_t rounded(float value) { return uint8_t(std::clamp(value + 0.5f, 0.f, 255.f)); }

} // namespace

ImageSize readImageSize(const std::string &path) {
  InputFile file(path);
  Buffer head = readHead(file, headBytes);
  if (kindOf(path, head) == Kind::Png)
    return pngSize(path, head);
  try {
    return jpegSize(path, head);
  } catch (const Error &) {
    if (file.size() <= headBytes)
      throw;
    return jpegSize(path, readHead(file, fileLimit)); // its size comes after large notes
  }
}

Image decodeImage(const std::string &path, int64_t channels) {
  InputFile file(path);
  if (file.size() > fileLimit)
    throw Error(SYL_ERROR_MISMATCH, path,
                format("found %llu bytes, expected an image file of at most %llu", (unsigned long long)file.size(),
                       (unsigned long long)fileLimit));
  Buffer bytes = readHead(file, fileLimit);
  return kindOf(path, bytes) == Kind::Png ? decodePng(path, bytes, channels) : decodeJpeg(path, bytes, channels);
}

Image resizeImage(const Image &image, int64_t width, int64_t height) {
  const int64_t channels = image.channels;
  Taps across(image.width, width), down(image.height, height);
  const auto *from = reinterpret_cast<const uint8_t *>(image.pixels.data());
  std::vector<uint8_t> middle(size_t(image.height * width * channels)); // rounded in between, as PIL does
  for (int64_t y = 0; y < image.height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t c = 0; c < channels; ++c) {
        float sum = 0;
        int64_t k = across.first[size_t(x)];
        for (float weight : across.weights[size_t(x)])
          sum += weight * float(from[(y * image.width + k++) * channels + c]);
        middle[size_t((y * width + x) * channels + c)] = rounded(sum);
      }
  Image result{width, height, channels, Buffer(size_t(width * height * channels), "image")};
  auto *to = reinterpret_cast<uint8_t *>(result.pixels.data());
  for (int64_t y = 0; y < height; ++y)
    for (int64_t i = 0; i < width * channels; ++i) {
      float sum = 0;
      int64_t k = down.first[size_t(y)];
      for (float weight : down.weights[size_t(y)])
        sum += weight * float(middle[size_t(k++ * width * channels + i)]);
      to[y * width * channels + i] = rounded(sum);
    }
  return result;
}

} // namespace syl
