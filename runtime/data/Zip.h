// ZIP archives as far as .npz files use them: stored and deflated members, zip64. Source: PKWARE's APPNOTE 6.3.
// Layer: runtime/data.
#pragma once

#include "runtime/data/Array.h"
#include "runtime/data/File.h"

#include <memory>
#include <string>
#include <vector>

namespace syl {

/// One file of an archive.
struct ZipMember {
  std::string name;
  bool deflated = false;
  uint64_t offset = 0, packed = 0, size = 0; // where its bytes lie; bytes there; bytes inflated
  uint32_t crc = 0;
};

/// The members of an archive, in its order. Every size is checked against the file. Throws Error where the archive is
/// damaged, encrypted, of several volumes, or has a member of another compression.
std::vector<ZipMember> readZip(const InputFile &file);

/// The whole content of a member, its checksum compared. `name` is what messages call it. Throws Error.
Buffer inflateMember(const InputFile &file, const ZipMember &member, const std::string &name);

} // namespace syl
