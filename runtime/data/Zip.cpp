// The directory at the end of a ZIP archive, and raw deflate. Layer: runtime/data.
#include "runtime/data/Zip.h"

#include <algorithm>
#include <cstring>
#include <zlib.h>

namespace syl {

namespace {

const char *const damagedHint = "the file is truncated or damaged; copy it again, or write it again with numpy.savez";
constexpr uint64_t directoryLimit = uint64_t(16) << 20, memberLimit = 65536;

/// A little-endian number of `bytes` bytes.
uint64_t number(const char *data, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = bytes; i-- > 0;)
    value = value << 8 | uint8_t(data[i]);
  return value;
}

Error damaged(const InputFile &file, const std::string &text) {
  return Error(SYL_ERROR_FORMAT, file.path(), text, damagedHint);
}

/// Where the central directory lies.
struct Directory {
  uint64_t offset = 0, bytes = 0, members = 0;
};

Directory findDirectory(const InputFile &file) {
  const size_t endBytes = 22;
  std::string tail(size_t(std::min<uint64_t>(file.size(), endBytes + 65535)), '\0');
  const uint64_t tailStart = file.size() - tail.size();
  file.readExactly(tail.data(), tail.size(), tailStart);
  size_t at = tail.rfind("PK\5\6");
  if (at == std::string::npos || tail.size() - at < endBytes)
    throw damaged(file, "found no directory at the end, expected that of a ZIP archive");
  const char *end = tail.data() + at;
  if (number(end + 4, 2) != 0 && number(end + 4, 2) != 0xffff)
    throw damaged(file, "found a part of an archive in several files, expected a whole one");
  Directory directory{number(end + 16, 4), number(end + 12, 4), number(end + 10, 2)};
  bool wide = directory.offset == 0xffffffff || directory.bytes == 0xffffffff || directory.members == 0xffff;
  if (wide && at >= 20 && std::memcmp(end - 20, "PK\6\7", 4) == 0) {
    char record[56];
    uint64_t place = number(end - 20 + 8, 8);
    if (place > file.size() || file.size() - place < sizeof record)
      throw damaged(file, "found a zip64 directory outside of the file");
    file.readExactly(record, sizeof record, place);
    if (std::memcmp(record, "PK\6\6", 4) != 0)
      throw damaged(file, "found no zip64 directory where the archive says");
    directory = {number(record + 48, 8), number(record + 40, 8), number(record + 32, 8)};
  }
  if (directory.offset > file.size() || directory.bytes > file.size() - directory.offset)
    throw damaged(file, "found a directory outside of the file");
  if (directory.bytes > directoryLimit || directory.members > memberLimit)
    throw damaged(file, format("found a directory of %llu members, expected at most %llu",
                               (unsigned long long)directory.members, (unsigned long long)memberLimit));
  return directory;
}

/// Takes the 64-bit values of the extra field for those that are 0xffffffff in the entry.
void readZip64(const InputFile &file, const char *extra, size_t length, uint64_t *const values[3]) {
  for (size_t at = 0; at + 4 <= length;) {
    size_t id = number(extra + at, 2), bytes = number(extra + at + 2, 2);
    at += 4;
    if (bytes > length - at)
      throw damaged(file, "found an extra field that is cut off");
    size_t place = at;
    for (int i = 0; id == 1 && i < 3; ++i)
      if (*values[i] == 0xffffffff) {
        if (place + 8 > at + bytes)
          throw damaged(file, "found a zip64 field that is cut off");
        *values[i] = number(extra + place, 8);
        place += 8;
      }
    at += bytes;
  }
}

} // namespace

std::vector<ZipMember> readZip(const InputFile &file) {
  Directory directory = findDirectory(file);
  std::string entries(directory.bytes, '\0');
  file.readExactly(entries.data(), entries.size(), directory.offset);
  std::vector<ZipMember> members;
  size_t at = 0;
  for (uint64_t index = 0; index < directory.members; ++index) {
    const size_t fixed = 46;
    const char *entry = entries.data() + at;
    if (entries.size() - at < fixed || std::memcmp(entry, "PK\1\2", 4) != 0)
      throw damaged(file, format("found no entry %llu in the directory", (unsigned long long)index + 1));
    size_t nameLength = number(entry + 28, 2), extraLength = number(entry + 30, 2), comment = number(entry + 32, 2);
    if (entries.size() - at - fixed < nameLength + extraLength + comment)
      throw damaged(file, format("found entry %llu of the directory cut off", (unsigned long long)index + 1));
    ZipMember member;
    member.name.assign(entry + fixed, nameLength);
    member.crc = uint32_t(number(entry + 16, 4));
    member.packed = number(entry + 20, 4);
    member.size = number(entry + 24, 4);
    uint64_t local = number(entry + 42, 4);
    uint64_t *const wide[3] = {&member.size, &member.packed, &local};
    readZip64(file, entry + fixed + nameLength, extraLength, wide);
    at += fixed + nameLength + extraLength + comment;
    const uint64_t method = number(entry + 10, 2);
    if (number(entry + 8, 2) & 1)
      throw Error(SYL_ERROR_MISMATCH, file.path(), "found the encrypted member '" + member.name + "'");
    if (method != 0 && method != 8)
      throw Error(SYL_ERROR_MISMATCH, file.path(),
                  format("found the compression method %llu of '%s', expected 0 (none) or 8 (deflate)",
                         (unsigned long long)method, member.name.c_str()),
                  "write it again with numpy.savez or numpy.savez_compressed");
    member.deflated = method == 8;
    char header[30];
    if (local > file.size() || file.size() - local < sizeof header)
      throw damaged(file, "found '" + member.name + "' outside of the file");
    file.readExactly(header, sizeof header, local);
    if (std::memcmp(header, "PK\3\4", 4) != 0)
      throw damaged(file, "found no member '" + member.name + "' where the directory says");
    member.offset = local + sizeof header + number(header + 26, 2) + number(header + 28, 2);
    if (member.offset > file.size() || member.packed > file.size() - member.offset ||
        (!member.deflated && member.packed != member.size) || member.size / 1040 > member.packed)
      throw damaged(file, format("found member '%s' of %llu bytes, more than the file holds", member.name.c_str(),
                                 (unsigned long long)member.size));
    members.push_back(std::move(member));
  }
  return members;
}

Buffer inflateMember(const InputFile &file, const ZipMember &member, const std::string &name) {
  Buffer content(member.size, name);
  if (!member.deflated) {
    file.readExactly(content.data(), content.size(), member.offset);
  } else {
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
      throw Error(SYL_ERROR_MEMORY, name, "cannot start to inflate the file");
    std::unique_ptr<z_stream, int (*)(z_stream *)> guard(&stream, inflateEnd);
    std::vector<char> piece(1 << 17);
    uint64_t done = 0, written = 0;
    int code = Z_OK;
    while (code == Z_OK) {
      if (!stream.avail_in) {
        stream.avail_in = uInt(std::min<uint64_t>(piece.size(), member.packed - done));
        stream.next_in = reinterpret_cast<Bytef *>(piece.data());
        file.readExactly(piece.data(), stream.avail_in, member.offset + done);
        done += stream.avail_in;
      }
      char spare; // where the member is larger than it says
      const uInt room = uInt(std::min<uint64_t>(content.size() - written, 1 << 30));
      stream.next_out = reinterpret_cast<Bytef *>(room ? content.data() + written : &spare);
      stream.avail_out = room ? room : 1;
      code = inflate(&stream, Z_NO_FLUSH);
      if (!room && !stream.avail_out)
        throw damaged(file, "found more bytes in '" + member.name + "' than the directory says");
      if (room)
        written += room - stream.avail_out;
      if (code == Z_BUF_ERROR || (code == Z_OK && !stream.avail_in && done == member.packed && stream.avail_out))
        break;
    }
    if (code != Z_STREAM_END || written != member.size)
      throw damaged(file, format("found damaged deflate data in '%s' after %llu bytes, expected %llu",
                                 member.name.c_str(), (unsigned long long)written, (unsigned long long)member.size));
  }
  uLong crc = crc32(0, nullptr, 0);
  for (size_t at = 0; at < content.size(); at += 1 << 30)
    crc = crc32(crc, reinterpret_cast<const Bytef *>(content.data() + at),
                uInt(std::min<size_t>(content.size() - at, 1 << 30)));
  if (uint32_t(crc) != member.crc)
    throw damaged(file,
                  format("found the checksum %08lx of '%s', expected %08x", crc, member.name.c_str(), member.crc));
  return content;
}

} // namespace syl
