// Reads and writes .npy files. The header is a Python dict literal of three known keys; nothing else is accepted.
// Layer: runtime/data.
#include "runtime/data/Npy.h"

#include "runtime/data/File.h"

#include <algorithm>
#include <cstring>

namespace syl {

namespace {

const char *const damagedHint = "the file is truncated or damaged; write it again with numpy.save";
constexpr size_t headerLimit = 1 << 16;

struct ParsedHeader {
  std::string descr;
  bool fortranOrder = false;
  std::vector<int64_t> shape;
};

/// Parses {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, keys in any order, each once.
class HeaderParser {
public:
  HeaderParser(const std::string &path, const std::string &text) : path(path), text(text) {}

  ParsedHeader parse() {
    ParsedHeader header;
    bool seen[3] = {false, false, false};
    expect('{');
    while (!take('}')) {
      std::string key = quoted();
      expect(':');
      int index = key == "descr" ? 0 : key == "fortran_order" ? 1 : key == "shape" ? 2 : 3;
      if (index == 3 || seen[index])
        fail();
      seen[index] = true;
      if (index == 0)
        header.descr = descr();
      else if (index == 1)
        header.fortranOrder = boolean();
      else
        header.shape = tuple();
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    space();
    if (at != text.size() || !seen[0] || !seen[1] || !seen[2])
      fail();
    return header;
  }

private:
  [[noreturn]] void fail() {
    throw Error(
        SYL_ERROR_FORMAT, path,
        format("found a damaged header at byte %zu of it, expected {'descr': …, 'fortran_order': …, 'shape': …}", at),
        damagedHint);
  }
  void space() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t'))
      ++at;
  }
  bool take(char wanted) {
    space();
    if (at >= text.size() || text[at] != wanted)
      return false;
    ++at;
    return true;
  }
  void expect(char wanted) {
    if (!take(wanted))
      fail();
  }
  std::string quoted() {
    char quote = take('\'') ? '\'' : '"';
    if (quote == '"')
      expect('"');
    size_t end = text.find(quote, at);
    if (end == std::string::npos)
      fail();
    std::string value = text.substr(at, end - at);
    at = end + 1;
    return value;
  }
  std::string descr() {
    space();
    if (at < text.size() && text[at] == '[')
      throw Error(SYL_ERROR_MISMATCH, path,
                  "found an array of records, expected bool, an integer or a float of 16, 32 or 64 bits");
    return quoted();
  }
  bool boolean() {
    space();
    for (bool value : {false, true}) {
      const char *word = value ? "True" : "False";
      if (text.compare(at, std::strlen(word), word) == 0) {
        at += std::strlen(word);
        return value;
      }
    }
    fail();
  }
  std::vector<int64_t> tuple() {
    std::vector<int64_t> values;
    expect('(');
    while (!take(')')) {
      space();
      size_t start = at;
      int64_t value = 0;
      while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
        if (at - start >= 18)
          fail();
        value = value * 10 + (text[at++] - '0');
      }
      if (at == start)
        fail();
      values.push_back(value);
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    return values;
  }

  const std::string &path;
  const std::string &text;
  size_t at = 0;
};

/// Fortran order to C order.
Buffer toCOrder(const Array &array, const std::string &path) {
  size_t width = syl_dtype_bytes(array.dtype), rank = array.shape.size(), count = size_t(array.elements());
  Buffer ordered(array.data.size(), path);
  std::vector<size_t> strides(rank), index(rank, 0);
  size_t stride = 1;
  for (size_t axis = 0; axis < rank; ++axis) {
    strides[axis] = stride;
    stride *= size_t(array.shape[axis]);
  }
  size_t from = 0;
  for (size_t to = 0; to < count; ++to) {
    std::memcpy(ordered.data() + to * width, array.data.data() + from * width, width);
    for (size_t axis = rank; axis-- > 0;) {
      from += strides[axis];
      if (++index[axis] < size_t(array.shape[axis]))
        break;
      from -= strides[axis] * index[axis];
      index[axis] = 0;
    }
  }
  return ordered;
}

} // namespace

NpyHeader readNpyHeader(const std::string &path, const char *bytes, size_t got, uint64_t total) {
  const auto *start = reinterpret_cast<const uint8_t *>(bytes);
  if (got < 10 || std::memcmp(start, "\x93NUMPY", 6) != 0 || start[6] < 1 || start[6] > 3 || (start[6] > 1 && got < 12))
    throw Error(SYL_ERROR_FORMAT, path,
                got < 10 ? format("found %zu bytes, expected at least the 10 of a .npy header", got)
                         : "found no .npy header of version 1 to 3 at the start, expected one",
                damagedHint);
  size_t prefix = start[6] == 1 ? 10 : 12;
  size_t length = start[8] | start[9] << 8;
  if (prefix == 12)
    length |= size_t(start[10]) << 16 | size_t(start[11]) << 24;
  if (length > headerLimit)
    throw Error(SYL_ERROR_FORMAT, path,
                format("found a header of %zu bytes, expected at most %zu", length, headerLimit));
  if (prefix + length > got)
    throw Error(SYL_ERROR_FORMAT, path, format("found %zu bytes, expected at least %zu", got, prefix + length),
                damagedHint);
  std::string text(bytes + prefix, length);
  ParsedHeader parsed = HeaderParser(path, text).parse();

  NpyHeader header;
  std::optional<Element> element = numpyElement(parsed.descr);
  if (!element)
    throw Error(SYL_ERROR_MISMATCH, path,
                format("found the type '%.32s', expected bool, an integer or a float of 16, 32 or 64 bits",
                       parsed.descr.c_str()),
                "convert it, in NumPy by array.astype('float32')");
  header.element = *element;
  header.fortranOrder = parsed.fortranOrder && parsed.shape.size() > 1;
  header.shape = parsed.shape;
  header.offset = prefix + length;
  if (header.shape.size() > SYL_MAX_RANK)
    throw Error(SYL_ERROR_MISMATCH, path,
                format("found %zu axes, expected at most %d", header.shape.size(), SYL_MAX_RANK));
  uint64_t held = total - std::min<uint64_t>(total, header.offset), need;
  bool possible = checkedBytes(header.shape, header.element.bytes, need);
  if (!possible || need != held)
    throw Error(SYL_ERROR_FORMAT, path,
                format("found %llu bytes of data, expected %s for %s of shape %s", (unsigned long long)held,
                       possible ? std::to_string(need).c_str() : "more than any file holds",
                       header.element.name().c_str(), shapeText(header.shape).c_str()),
                damagedHint);
  return header;
}

Array decodeNpy(const std::string &path, const NpyHeader &header, const char *stored) {
  Array array;
  array.dtype = header.element.dtype();
  array.shape = header.shape;
  uint64_t bytes;
  if (!checkedBytes(array.shape, syl_dtype_bytes(array.dtype), bytes))
    throw Error(SYL_ERROR_MEMORY, path, "found more values than memory can hold");
  array.data = Buffer(bytes, path);
  size_t count = size_t(array.elements()), good = decodeElements(header.element, stored, count, array.data.data());
  if (good < count)
    throw Error(SYL_ERROR_MISMATCH, path,
                format("found a value of 2^63 or more at index %zu, expected values that an int64 holds", good));
  if (header.fortranOrder && bytes)
    array.data = toCOrder(array, path);
  return array;
}

ColumnPointer openNpyAt(std::shared_ptr<const InputFile> file, const std::string &name, uint64_t offset, uint64_t size,
                        uint64_t limit) {
  std::string start(size_t(std::min<uint64_t>(size, headerLimit + 12)), '\0');
  file->readExactly(start.data(), start.size(), offset);
  NpyHeader header = readNpyHeader(name, start.data(), start.size(), size);
  if (header.fortranOrder || header.shape.empty()) {
    const uint64_t bytes = size - header.offset;
    Buffer stored;
    try {
      stored = Buffer(bytes, name);
    } catch (const Error &) {
      throw Error(SYL_ERROR_MEMORY, name,
                  format("cannot get %llu bytes of memory for an array in Fortran order, which is read whole",
                         (unsigned long long)bytes),
                  "write it in C order, in NumPy by numpy.ascontiguousarray");
    }
    file->readExactly(stored.data(), stored.size(), offset + header.offset);
    return std::make_shared<MemoryColumn>(name, decodeNpy(name, header, stored.data()));
  }
  Placement placement;
  placement.name = name;
  placement.offset = offset + header.offset;
  placement.element = header.element;
  placement.shape = header.shape;
  placement.stride = header.element.bytes;
  for (size_t axis = 1; axis < header.shape.size(); ++axis)
    placement.stride *= uint64_t(header.shape[axis]);
  return openPlacement(std::move(file), placement, limit);
}

ColumnPointer openNpy(const std::string &path, uint64_t limit) {
  auto file = std::make_shared<const InputFile>(path);
  return openNpyAt(file, path, 0, file->size(), limit);
}

Array readNpy(const std::string &path) {
  InputFile file(path);
  Buffer whole(file.size(), path);
  file.readExactly(whole.data(), whole.size(), 0);
  NpyHeader header = readNpyHeader(path, whole.data(), whole.size(), whole.size());
  return decodeNpy(path, header, whole.data() + header.offset);
}

void writeNpy(const std::string &path, const std::vector<int64_t> &shape, const float *values) {
  std::string tuple = "(";
  uint64_t bytes;
  checkedBytes(shape, 4, bytes);
  for (size_t axis = 0; axis < shape.size(); ++axis)
    tuple += std::to_string(shape[axis]) + (axis + 1 < shape.size() ? ", " : shape.size() == 1 ? "," : "");
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': " + tuple + "), }";
  header.append(64 - (10 + header.size() + 1) % 64, ' ');
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += char(header.size() & 255);
  file += char(header.size() >> 8);
  file += header;
  file.append(reinterpret_cast<const char *>(values), bytes);
  saveAtomically(path, file.data(), file.size());
}

} // namespace syl
