// JPEG files through libjpeg-turbo. libjpeg leaves by longjmp: what has a destructor lives outside of the guarded
// functions. Layer: runtime/data; the only user of libjpeg.
#include "runtime/data/ImageFormats.h"

#include <csetjmp>
#include <cstdio>
#include <cstring>

#include <jpeglib.h>

#include <jerror.h>

namespace syl {

namespace {

constexpr int scanLimit = 100;

/// libjpeg's structures, with errors that come back.
struct Reader {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf back{};
  char message[JMSG_LENGTH_MAX] = "";

  Reader() {
    jpeg.err = jpeg_std_error(&errors);
    jpeg.client_data = this;
    errors.error_exit = onError;
    errors.emit_message = onMessage;
    errors.output_message = [](j_common_ptr) {};
    progress.progress_monitor = onProgress;
  }
  ~Reader() { jpeg_destroy_decompress(&jpeg); }
  Reader(const Reader &) = delete;
  Reader &operator=(const Reader &) = delete;

  static void onError(j_common_ptr info) {
    auto *reader = static_cast<Reader *>(info->client_data);
    info->err->format_message(info, reader->message);
    std::longjmp(reader->back, 1);
  }
  /// Warnings that mean lost pixels are errors.
  static void onMessage(j_common_ptr info, int level) {
    const int code = info->err->msg_code;
    if (level < 0 &&
        (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_ARITH_BAD_CODE))
      onError(info);
  }
  /// A file of many scans would take for ever.
  static void onProgress(j_common_ptr info) {
    auto *reader = static_cast<Reader *>(info->client_data);
    if (reader->jpeg.input_scan_number > scanLimit) {
      snprintf(reader->message, sizeof reader->message, "more than %d scans", scanLimit);
      std::longjmp(reader->back, 1);
    }
  }
};

bool begin(Reader &reader, const Buffer &file) {
  if (setjmp(reader.back))
    return false;
  jpeg_create_decompress(&reader.jpeg);
  reader.jpeg.progress = &reader.progress;
  reader.jpeg.mem->max_memory_to_use = long(384) << 20;
  jpeg_mem_src(&reader.jpeg, reinterpret_cast<const unsigned char *>(file.data()),
               static_cast<unsigned long>(file.size()));
  jpeg_read_header(&reader.jpeg, TRUE);
  return true;
}

bool decode(Reader &reader, unsigned char *pixels, int64_t channels, int64_t width, int64_t height) {
  if (setjmp(reader.back))
    return false;
  jpeg_start_decompress(&reader.jpeg);
  if (reader.jpeg.output_components != channels || reader.jpeg.output_width != width ||
      reader.jpeg.output_height != height) {
    snprintf(reader.message, sizeof reader.message, "an unknown arrangement of colors");
    return false;
  }
  while (reader.jpeg.output_scanline < reader.jpeg.output_height) {
    JSAMPROW row = pixels + size_t(reader.jpeg.output_scanline) * size_t(width * channels);
    jpeg_read_scanlines(&reader.jpeg, &row, 1);
  }
  jpeg_finish_decompress(&reader.jpeg);
  return true;
}

[[noreturn]] void fail(const std::string &path, const Reader &reader) {
  throw Error(SYL_ERROR_FORMAT, path, std::string("found a damaged JPEG file (") + reader.message + ")",
              damagedImageHint);
}

} // namespace

ImageSize jpegSize(const std::string &path, const Buffer &file) {
  Reader reader;
  if (!begin(reader, file))
    fail(path, reader);
  requireImageSize(path, reader.jpeg.image_width, reader.jpeg.image_height);
  return {int64_t(reader.jpeg.image_width), int64_t(reader.jpeg.image_height), reader.jpeg.num_components == 1};
}

Image decodeJpeg(const std::string &path, const Buffer &file, int64_t channels) {
  Reader reader;
  if (!begin(reader, file))
    fail(path, reader);
  const int64_t width = reader.jpeg.image_width, height = reader.jpeg.image_height;
  requireImageSize(path, uint64_t(width), uint64_t(height));
  if (uint64_t(width) * uint64_t(height) / 256 > file.size() * 8) // a block of 64 pixels takes at least a bit
    throw Error(
        SYL_ERROR_FORMAT, path,
        format("found %zu bytes, too few for %lld x %lld pixels", file.size(), (long long)width, (long long)height),
        damagedImageHint);
  if (reader.jpeg.jpeg_color_space == JCS_CMYK || reader.jpeg.jpeg_color_space == JCS_YCCK)
    throw Error(SYL_ERROR_MISMATCH, path, "found a JPEG file of four colors (CMYK), expected gray or RGB",
                "convert it, with ImageMagick by: convert FILE -colorspace sRGB FILE");
  reader.jpeg.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  Image image{width, height, channels, Buffer(size_t(width * height * channels), path)};
  if (!decode(reader, reinterpret_cast<unsigned char *>(image.pixels.data()), channels, width, height))
    fail(path, reader);
  return image;
}

} // namespace syl
