// PNG files through libpng. libpng leaves by longjmp: what has a destructor lives outside of the guarded functions.
// Layer: runtime/data; the only user of libpng.
#include "runtime/data/File.h"
#include "runtime/data/ImageFormats.h"

#include <csetjmp>
#include <cstring>
#include <png.h>

namespace syl {

namespace {

/// What the callbacks see.
struct State {
  const char *bytes = nullptr;
  size_t size = 0, at = 0;
  char message[128] = "";
  std::string *out = nullptr;
};

void onError(png_structp png, png_const_charp text) {
  auto *state = static_cast<State *>(png_get_error_ptr(png));
  snprintf(state->message, sizeof state->message, "%s", text);
  png_longjmp(png, 1);
}
void onWarning(png_structp, png_const_charp) {}

void onRead(png_structp png, png_bytep out, size_t count) {
  auto *state = static_cast<State *>(png_get_io_ptr(png));
  if (count > state->size - state->at)
    png_error(png, "the file ends too early");
  std::memcpy(out, state->bytes + state->at, count);
  state->at += count;
}

void onWrite(png_structp png, png_bytep data, size_t count) {
  auto *state = static_cast<State *>(png_get_io_ptr(png));
  try {
    state->out->append(reinterpret_cast<const char *>(data), count);
  } catch (const std::bad_alloc &) {
    state->message[0] = '!';
  }
  if (state->message[0])
    png_error(png, "out of memory");
}
void onFlush(png_structp) {}

/// libpng's structures for reading.
struct Reader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  State state;

  Reader(const std::string &path, const Buffer &file) {
    state.bytes = file.data();
    state.size = file.size();
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, onError, onWarning);
    info = png ? png_create_info_struct(png) : nullptr;
    if (!info) {
      png_destroy_read_struct(&png, nullptr, nullptr);
      throw Error(SYL_ERROR_MEMORY, path, "cannot start to decode the image");
    }
  }
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  Reader(const Reader &) = delete;
  Reader &operator=(const Reader &) = delete;
};

/// Header and transformations to 8 bits of gray or color without transparency; the size. False on an error.
bool begin(Reader &reader, png_uint_32 &width, png_uint_32 &height, bool &gray) {
  if (setjmp(png_jmpbuf(reader.png)))
    return false;
  png_set_read_fn(reader.png, &reader.state, onRead);
  png_set_user_limits(reader.png, 1 << 20, 1 << 20);
  png_set_chunk_cache_max(reader.png, 128);
  png_set_chunk_malloc_max(reader.png, 8 << 20);
  png_set_crc_action(reader.png, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
  png_set_keep_unknown_chunks(reader.png, PNG_HANDLE_CHUNK_NEVER, nullptr, 0);
  png_read_info(reader.png, reader.info);
  width = png_get_image_width(reader.png, reader.info);
  height = png_get_image_height(reader.png, reader.info);
  gray = !(png_get_color_type(reader.png, reader.info) & PNG_COLOR_MASK_COLOR);
  png_set_expand(reader.png);   // palette and narrow gray to 8 bits
  png_set_strip_16(reader.png); // the upper byte
  png_set_strip_alpha(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  return true;
}

bool readRows(Reader &reader, png_bytepp rows) {
  if (setjmp(png_jmpbuf(reader.png)))
    return false;
  png_read_image(reader.png, rows);
  png_read_end(reader.png, nullptr);
  return true;
}

[[noreturn]] void fail(const std::string &path, const Reader &reader) {
  throw Error(SYL_ERROR_FORMAT, path, std::string("found a damaged PNG file (") + reader.state.message + ")",
              damagedImageHint);
}

bool writeAll(png_structp png, png_infop info, State &state, const Image &image) {
  if (setjmp(png_jmpbuf(png)))
    return false;
  png_set_write_fn(png, &state, onWrite, onFlush);
  png_set_IHDR(png, info, png_uint_32(image.width), png_uint_32(image.height), 8,
               image.channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  for (int64_t y = 0; y < image.height; ++y)
    png_write_row(png, reinterpret_cast<png_const_bytep>(image.pixels.data() + y * image.width * image.channels));
  png_write_end(png, nullptr);
  return true;
}

} // namespace

ImageSize pngSize(const std::string &path, const Buffer &file) {
  const char *data = file.data();
  if (file.size() < 33 || std::memcmp(data + 12, "IHDR", 4) != 0)
    throw Error(SYL_ERROR_FORMAT, path, "found a damaged PNG file (no header)", damagedImageHint);
  auto number = [&](size_t at) {
    return uint64_t(uint8_t(data[at])) << 24 | uint8_t(data[at + 1]) << 16 | uint8_t(data[at + 2]) << 8 |
           uint8_t(data[at + 3]);
  };
  requireImageSize(path, number(16), number(20));
  return {int64_t(number(16)), int64_t(number(20)), !(data[25] & PNG_COLOR_MASK_COLOR)};
}

Image decodePng(const std::string &path, const Buffer &file, int64_t channels) {
  Reader reader(path, file);
  png_uint_32 width = 0, height = 0;
  bool gray = false;
  if (!begin(reader, width, height, gray))
    fail(path, reader);
  requireImageSize(path, width, height);
  // deflate never does better than 1032 to 1, so that a small file cannot make a large image
  const size_t stored = gray ? 1 : 3;
  if (uint64_t(width) * height / 1040 / 8 > file.size())
    throw Error(SYL_ERROR_FORMAT, path,
                format("found %zu bytes, too few for %u x %u pixels", file.size(), width, height), damagedImageHint);
  Image image{int64_t(width), int64_t(height), channels, {}};
  Buffer decoded(size_t(width) * height * stored, path);
  std::vector<png_bytep> rows(height);
  for (size_t y = 0; y < height; ++y)
    rows[y] = reinterpret_cast<png_bytep>(decoded.data() + y * width * stored);
  if (!readRows(reader, rows.data()))
    fail(path, reader);
  if (int64_t(stored) == channels) {
    image.pixels = std::move(decoded);
    return image;
  }
  const size_t pixels = size_t(width) * height;
  image.pixels = Buffer(pixels * size_t(channels), path);
  const auto *from = reinterpret_cast<const uint8_t *>(decoded.data());
  auto *to = reinterpret_cast<uint8_t *>(image.pixels.data());
  for (size_t i = 0; i < pixels; ++i) {
    if (channels == 3)
      to[3 * i] = to[3 * i + 1] = to[3 * i + 2] = from[i];
    else // ITU-R 601-2, in PIL's fixed point
      to[i] = uint8_t((from[3 * i] * 19595u + from[3 * i + 1] * 38470u + from[3 * i + 2] * 7471u + 0x8000) >> 16);
  }
  return image;
}

void writePng(const std::string &path, const Image &image) {
  std::string bytes;
  State state;
  state.out = &bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &state, onError, onWarning);
  png_infop info = png ? png_create_info_struct(png) : nullptr;
  bool ok = info && writeAll(png, info, state, image);
  png_destroy_write_struct(&png, &info);
  if (!ok)
    throw Error(SYL_ERROR_MEMORY, path, std::string("cannot write the image: ") + state.message);
  saveAtomically(path, bytes.data(), bytes.size());
}

} // namespace syl
