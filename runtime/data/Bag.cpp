// .npz and safetensors files as bags of arrays. Layer: runtime/data.
#include "runtime/data/Bag.h"

#include "runtime/data/File.h"
#include "runtime/data/Idx.h"
#include "runtime/data/Npy.h"
#include "runtime/data/Safetensors.h"
#include "runtime/data/Zip.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

namespace syl {

namespace {

ColumnPointer openMember(const std::shared_ptr<const InputFile> &file, const ZipMember &member) {
  const std::string name = file->path() + ":" + member.name;
  if (!member.deflated && member.size > wholeFileLimit)
    return openNpyAt(file, name, member.offset, member.size);
  Buffer whole = inflateMember(*file, member, name);
  NpyHeader header = readNpyHeader(name, whole.data(), whole.size(), whole.size());
  return std::make_shared<MemoryColumn>(name, decodeNpy(name, header, whole.data() + header.offset));
}

bool endsWith(const std::string &text, const std::string &end) {
  return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// Rows as the network takes them, one after the other.
ColumnPointer openRaw(const std::string &path, const syl_array *wanted) {
  auto file = std::make_shared<const InputFile>(path);
  if (!wanted)
    throw Error(SYL_ERROR_ARGUMENT, path, "found raw numbers, whose shape and type only a network tells",
                "--network NET.yaml");
  static const Element elements[] = {
      {Element::Unsigned, 1}, {Element::Signed, 4}, {Element::Signed, 8}, {Element::Float, 4}, {Element::Float, 8}};
  Placement placement;
  placement.element = elements[wanted->dtype];
  placement.shape.assign(wanted->shape, wanted->shape + wanted->rank);
  checkedBytes(placement.shape, placement.element.bytes, placement.stride);
  if (!placement.stride || file->size() % placement.stride)
    throw Error(SYL_ERROR_FORMAT, path,
                format("found %llu bytes, expected a multiple of %llu: %s of shape %s for each sample of '%s'",
                       (unsigned long long)file->size(), (unsigned long long)placement.stride,
                       syl_dtype_name(syl_dtype(wanted->dtype)), shapeText(placement.shape).c_str(), wanted->name));
  placement.shape.insert(placement.shape.begin(), int64_t(file->size() / placement.stride));
  return openPlacement(file, placement);
}

} // namespace

ColumnPointer openArrayFile(const std::string &path, const syl_array *wanted) {
  char magic[6] = {};
  size_t got;
  {
    InputFile file(path);
    got = file.readSome(magic, sizeof magic, 0);
  }
  if (got == 6 && std::memcmp(magic, "\x93NUMPY", 6) == 0)
    return openNpy(path);
  if (endsWith(path, ".raw") || endsWith(path, ".bin"))
    return openRaw(path, wanted);
  const bool zero = got >= 4 && !magic[0] && !magic[1], zipped = got >= 2 && magic[0] == '\x1f' && magic[1] == '\x8b';
  return zero || zipped ? openIdx(path) : openNpy(path);
}

Bag openArrayFolder(const std::string &folder) {
  Bag bag;
  bag.path = folder;
  for (const std::string &name : namesIn(folder))
    if (endsWith(name, ".npy") || endsWith(name, ".raw"))
      bag.names.push_back(name.substr(0, name.size() - 4));
  std::sort(bag.names.begin(), bag.names.end());
  bag.open = [folder](const std::string &name, const syl_array *wanted) {
    const std::string path = folder + "/" + name;
    return openArrayFile(path + (pathExists(path + ".npy") || !pathExists(path + ".raw") ? ".npy" : ".raw"), wanted);
  };
  return bag;
}

Bag openNpz(const std::string &path) {
  auto file = std::make_shared<const InputFile>(path);
  auto members = std::make_shared<std::vector<ZipMember>>(readZip(*file));
  Bag bag;
  bag.path = path;
  for (ZipMember &member : *members) {
    if (member.name.size() > 4 && member.name.compare(member.name.size() - 4, 4, ".npy") == 0)
      member.name.resize(member.name.size() - 4);
    bag.names.push_back(member.name);
  }
  bag.open = [file, members](const std::string &name, const syl_array *) {
    const auto found =
        std::find_if(members->begin(), members->end(), [&](const ZipMember &m) { return m.name == name; });
    return openMember(file, *found);
  };
  return bag;
}

Bag openSafetensors(const std::string &path) {
  auto file = std::make_shared<const SafetensorsFile>(path);
  Bag bag;
  bag.path = path;
  for (const TensorEntry &tensor : file->tensors())
    bag.names.push_back(tensor.name);
  bag.open = [file](const std::string &name, const syl_array *) {
    const TensorEntry &tensor = *file->find(name);
    std::optional<Element> element = safetensorsElement(tensor.dtype);
    const std::string where = file->path() + ":" + name;
    if (!element)
      throw Error(SYL_ERROR_MISMATCH, where,
                  "found the type " + tensor.dtype + ", expected a whole number, F16, BF16, F32 or F64");
    if (tensor.shape.size() > SYL_MAX_RANK)
      throw Error(SYL_ERROR_MISMATCH, where,
                  format("found %zu axes, expected at most %d", tensor.shape.size(), SYL_MAX_RANK));
    Placement placement;
    placement.offset = file->dataOffset() + tensor.begin;
    placement.element = *element;
    placement.shape = tensor.shape;
    placement.name = where;
    placement.stride = element->bytes;
    for (size_t axis = 1; axis < tensor.shape.size(); ++axis)
      placement.stride *= uint64_t(tensor.shape[axis]);
    return openPlacement(std::shared_ptr<const InputFile>(file, &file->input()), placement);
  };
  return bag;
}

} // namespace syl
