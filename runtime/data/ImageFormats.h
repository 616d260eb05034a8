// The decoders behind Image.h: from a file's bytes in memory. Layer: runtime/data.
#pragma once

#include "runtime/data/Image.h"

namespace syl {

extern const char *const damagedImageHint;

/// Throws Error where the size is 0 or beyond imagePixelLimit.
void requireImageSize(const std::string &path, uint64_t width, uint64_t height);

/// By libpng. `channels` is 1 or 3.
Image decodePng(const std::string &path, const Buffer &file, int64_t channels);
ImageSize pngSize(const std::string &path, const Buffer &file);
/// By libjpeg-turbo.
Image decodeJpeg(const std::string &path, const Buffer &file, int64_t channels);
ImageSize jpegSize(const std::string &path, const Buffer &file);

} // namespace syl
