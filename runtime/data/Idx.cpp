// Reads IDX files. The header promises a size; it is checked against what the file can hold before memory is taken.
// Layer: runtime/data.
#include "runtime/data/Idx.h"

#include "runtime/data/File.h"

#include <algorithm>
#include <cstring>
#include <unistd.h>
#include <zlib.h>

namespace syl {

namespace {

const char *const damagedHint = "the file is truncated or damaged; copy or download it again";

/// The file's bytes in order, inflated where it is gzipped.
class Stream {
public:
  explicit Stream(const InputFile &file) : file(file) {
    uint8_t magic[2] = {0, 0};
    file.readSome(magic, 2, 0);
    zipped = magic[0] == 0x1f && magic[1] == 0x8b;
    if (!zipped)
      return;
    int copy = dup(file.descriptor());
    archive = copy < 0 ? nullptr : gzdopen(copy, "rb");
    if (!archive) {
      if (copy >= 0)
        close(copy);
      throw Error(SYL_ERROR_MEMORY, file.path(), "cannot start to inflate the file");
    }
    gzbuffer(archive, 1 << 17);
  }
  ~Stream() {
    if (archive)
      gzclose_r(archive);
  }
  Stream(const Stream &) = delete;
  Stream &operator=(const Stream &) = delete;

  bool isZipped() const { return zipped; }
  /// Most bytes that the whole file can yield: deflate never does better than 1032 to 1.
  uint64_t limit() const { return zipped ? file.size() * 1040 : file.size(); }

  /// Reads up to `count` bytes; fewer at the end of the file.
  size_t read(char *out, size_t count) {
    size_t done = 0;
    if (!zipped) {
      done = file.readSome(out, count, position);
    } else {
      while (done < count) {
        int got = gzread(archive, out + done, unsigned(std::min<size_t>(count - done, 1 << 30)));
        if (got < 0)
          fail();
        if (got == 0)
          break;
        done += size_t(got);
      }
    }
    position += done;
    return done;
  }

  /// Throws unless the file ends here, its checksum included.
  void requireEnd() {
    char extra;
    if (read(&extra, 1) != 0)
      throw Error(
          SYL_ERROR_FORMAT, file.path(),
          format("found more bytes, expected the end of the file after %llu", (unsigned long long)position - 1));
    if (!zipped)
      return;
    int code = Z_OK;
    gzerror(archive, &code);
    if (code != Z_OK && code != Z_STREAM_END)
      fail();
  }

private:
  [[noreturn]] void fail() {
    int code = Z_OK;
    const char *text = gzerror(archive, &code);
    const char *colon = std::strstr(text, ": "); // zlib puts its name for the file in front
    throw Error(code == Z_MEM_ERROR ? SYL_ERROR_MEMORY : SYL_ERROR_FORMAT, file.path(),
                format("found damaged gzip data (%s) after %llu bytes, expected a whole gzip file",
                       colon ? colon + 2 : text, (unsigned long long)position),
                damagedHint);
  }

  const InputFile &file;
  gzFile archive = nullptr;
  bool zipped = false;
  uint64_t position = 0;
};

std::optional<Element> elementOf(uint8_t code) {
  switch (code) {
  case 0x08:
    return Element{Element::Unsigned, 1, true};
  case 0x09:
    return Element{Element::Signed, 1, true};
  case 0x0b:
    return Element{Element::Signed, 2, true};
  case 0x0c:
    return Element{Element::Signed, 4, true};
  case 0x0d:
    return Element{Element::Float, 4, true};
  case 0x0e:
    return Element{Element::Float, 8, true};
  default:
    return std::nullopt;
  }
}

} // namespace

ColumnPointer openIdx(const std::string &path, uint64_t limit) {
  auto file = std::make_shared<const InputFile>(path);
  Stream stream(*file);
  uint8_t header[4 + 4 * SYL_MAX_RANK];
  size_t got = stream.read(reinterpret_cast<char *>(header), 4);
  if (got < 4)
    throw Error(SYL_ERROR_FORMAT, path, format("found %zu bytes, expected at least the 4 of an IDX header", got),
                damagedHint);
  size_t rank = header[3];
  std::optional<Element> element = elementOf(header[2]);
  if (header[0] || header[1] || !element || rank < 1 || rank > SYL_MAX_RANK)
    throw Error(SYL_ERROR_FORMAT, path,
                format("found the first bytes %02x %02x %02x %02x, expected an IDX file: 00 00, then a type of 08 "
                       "(uint8), 09 (int8), 0b (int16), 0c (int32), 0d (float32) or 0e (float64), then 1 to %d axes",
                       header[0], header[1], header[2], header[3], SYL_MAX_RANK));
  const size_t headerBytes = 4 + 4 * rank;
  got = stream.read(reinterpret_cast<char *>(header) + 4, 4 * rank);
  if (got < 4 * rank)
    throw Error(SYL_ERROR_FORMAT, path, format("found %zu bytes, expected an IDX header of %zu", 4 + got, headerBytes),
                damagedHint);
  Placement placement;
  placement.element = *element;
  placement.offset = headerBytes;
  for (size_t axis = 0; axis < rank; ++axis) {
    const uint8_t *bytes = header + 4 + 4 * axis;
    placement.shape.push_back(int64_t(bytes[0]) << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]);
  }

  uint64_t bytes, decoded;
  if (!checkedBytes(placement.shape, element->bytes, bytes) ||
      !checkedBytes(placement.shape, syl_dtype_bytes(element->dtype()), decoded))
    throw Error(SYL_ERROR_FORMAT, path,
                format("found the shape %s in the header, which no file can hold", shapeText(placement.shape).c_str()),
                damagedHint);
  auto truncated = [&](uint64_t found) {
    return Error(SYL_ERROR_FORMAT, path,
                 format("found %llu bytes of data, expected %llu for %s of shape %s", (unsigned long long)found,
                        (unsigned long long)bytes, element->name().c_str(), shapeText(placement.shape).c_str()),
                 damagedHint);
  };
  if (bytes > stream.limit())
    throw truncated(stream.limit() > headerBytes ? stream.limit() - headerBytes : 0);
  if (!stream.isZipped()) {
    if (file->size() < headerBytes + bytes)
      throw truncated(file->size() - headerBytes);
    if (file->size() > headerBytes + bytes)
      throw Error(SYL_ERROR_FORMAT, path,
                  format("found more bytes, expected the end of the file after %llu",
                         (unsigned long long)(headerBytes + bytes)));
    placement.stride = placement.shape[0] ? bytes / uint64_t(placement.shape[0]) : 0;
    return openPlacement(file, placement, limit);
  }
  // Inflated a piece at a time, so that a small file that promises much costs only what it holds.
  Array array;
  array.dtype = element->dtype();
  array.shape = placement.shape;
  array.data = Buffer(decoded, path);
  std::vector<char> piece(1 << 20); // a multiple of every element's size
  for (uint64_t at = 0; at < bytes; at += piece.size()) {
    size_t want = size_t(std::min<uint64_t>(piece.size(), bytes - at));
    got = stream.read(piece.data(), want);
    if (got < want)
      throw truncated(at + got);
    decodeElements(*element, piece.data(), want / element->bytes,
                   array.data.data() + at / element->bytes * syl_dtype_bytes(array.dtype));
  }
  stream.requireEnd();
  return std::make_shared<MemoryColumn>(path, std::move(array));
}

} // namespace syl
