// Strict reader and atomic writer of safetensors files. The header is parsed as a stream that admits the format's
// structure only, so that a hostile file costs no more memory than its own length. Layer: runtime/data.
#include "runtime/data/Safetensors.h"

#include "runtime/data/Sha256.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <unordered_set>

namespace syl {

namespace {

constexpr uint64_t headerLimit = 100'000'000;
const char *const damagedHint = "the file is truncated or damaged; use an older checkpoint or copy it again";
const char sealKey[] = "\"sha256\":\"";
constexpr size_t sealDigits = 64;

/// Bits of an element, 0 for an unknown type.
unsigned elementBits(const std::string &dtype) {
  static const std::pair<const char *, unsigned> table[] = {
      {"BOOL", 8},  {"U8", 8},   {"I8", 8},   {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"I16", 16}, {"U16", 16}, {"F16", 16},
      {"BF16", 16}, {"I32", 32}, {"U32", 32}, {"F32", 32},    {"F64", 64},    {"I64", 64}, {"U64", 64}};
  for (auto &[name, bits] : table)
    if (dtype == name)
      return bits;
  return 0;
}

/// Receives the JSON of a header as events; every method returns false to stop at the first thing out of place.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
public:
  HeaderReader(std::vector<TensorEntry> &tensors, Metadata &metadata) : tensors(tensors), metadata(metadata) {}
  std::string problem;

  bool start_object(size_t) override {
    if (place == Outside)
      place = Root;
    else if (place == Root && named)
      place = inMetadata ? InMetadata : InTensor;
    else
      return unexpected("an object");
    seenFields = 0;
    named = false;
    return true;
  }
  bool end_object() override {
    if (place == InTensor && seenFields != 7)
      return fail("a tensor without dtype, shape or data_offsets");
    place = place == Root ? Outside : Root;
    named = false;
    return true;
  }
  bool key(std::string &name) override {
    named = true;
    if (place == Root) {
      if (!names.insert(name).second)
        return fail("the name '" + name + "' twice");
      inMetadata = name == "__metadata__";
      if (!inMetadata) {
        tensors.emplace_back();
        tensors.back().name = name;
      }
      return true;
    }
    if (place == InMetadata) {
      if (!metadataNames.insert(name).second)
        return fail("the metadata '" + name + "' twice");
      metadata.emplace_back(name, "");
      return true;
    }
    field = name == "dtype" ? 1 : name == "shape" ? 2 : name == "data_offsets" ? 4 : 0;
    if (!field || seenFields & field)
      return fail("the field '" + name + "' in a tensor");
    seenFields |= field;
    offsets = 0;
    return true;
  }
  bool string(std::string &value) override {
    if (place == InMetadata && named)
      metadata.back().second = value;
    else if (place == InTensor && named && field == 1)
      tensors.back().dtype = value;
    else
      return unexpected("a string");
    named = false;
    return true;
  }
  bool start_array(size_t) override {
    if (place != InTensor || !named || field == 1 || inArray)
      return unexpected("a list");
    inArray = true;
    return true;
  }
  bool end_array() override {
    inArray = named = false;
    return field == 4 && offsets != 2 ? fail("data_offsets that are not two numbers") : true;
  }
  bool number_unsigned(uint64_t value) override {
    if (!inArray || value >> 62)
      return unexpected("a number");
    TensorEntry &tensor = tensors.back();
    if (field == 2)
      tensor.shape.push_back(int64_t(value));
    else if (++offsets <= 2)
      (offsets == 1 ? tensor.begin : tensor.end) = value;
    return true;
  }
  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_integer(int64_t) override { return unexpected("a negative number"); }
  bool number_float(double, const std::string &) override { return unexpected("a fraction"); }
  bool binary(nlohmann::json::binary_t &) override { return unexpected("binary data"); }
  bool parse_error(size_t position, const std::string &, const nlohmann::detail::exception &) override {
    return fail(format("no JSON at byte %zu", position));
  }

private:
  bool fail(const std::string &what) {
    if (problem.empty())
      problem = what;
    return false;
  }
  bool unexpected(const char *what) { return fail(std::string(what) + " in a place where the format has none"); }

  enum Place { Outside, Root, InMetadata, InTensor } place = Outside;
  std::vector<TensorEntry> &tensors;
  Metadata &metadata;
  std::unordered_set<std::string> names, metadataNames;
  bool named = false, inMetadata = false, inArray = false;
  int field = 0, seenFields = 0, offsets = 0;
};

std::string quoted(const std::string &text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace

const char *safetensorsName(syl_dtype dtype) {
  switch (dtype) {
  case SYL_UINT8:
    return "U8";
  case SYL_INT32:
    return "I32";
  case SYL_INT64:
    return "I64";
  case SYL_FLOAT32:
    return "F32";
  case SYL_FLOAT64:
    return "F64";
  }
  return "";
}

std::optional<syl_dtype> safetensorsType(const std::string &name) {
  for (syl_dtype dtype : {SYL_UINT8, SYL_INT32, SYL_INT64, SYL_FLOAT32, SYL_FLOAT64})
    if (name == safetensorsName(dtype))
      return dtype;
  return std::nullopt;
}

SafetensorsFile::SafetensorsFile(const std::string &path) : file(path) {
  auto damaged = [&](const std::string &text) { return Error(SYL_ERROR_FORMAT, path, text, damagedHint); };
  if (file.size() < 8)
    throw damaged(
        format("found %llu bytes, expected at least the 8 of a safetensors header", (unsigned long long)file.size()));
  uint8_t prefix[8];
  file.readExactly(prefix, 8, 0);
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i)
    length = length << 8 | prefix[i];
  if (length > headerLimit || length > file.size() - 8)
    throw damaged(format("found a header of %llu bytes, expected at most %llu", (unsigned long long)length,
                         (unsigned long long)std::min(headerLimit, file.size() - 8)));
  header.resize(8 + length);
  file.readExactly(header.data(), header.size(), 0);
  dataStart = header.size();
  size_t end = header.size();
  while (end > 8 && header[end - 1] == ' ')
    --end;
  HeaderReader reader(entries, keys);
  bool whole = length && header[8] == '{' &&
               nlohmann::json::sax_parse(header.begin() + 8, header.begin() + std::ptrdiff_t(end), &reader);
  if (!whole)
    throw damaged("found " + (reader.problem.empty() ? "no JSON object" : reader.problem) +
                  " in the header, expected a safetensors header");
  checkOffsets();
  for (size_t i = 0; i < entries.size(); ++i)
    byName.emplace(entries[i].name, i);
}

void SafetensorsFile::checkOffsets() const {
  auto damaged = [&](const std::string &text) { return Error(SYL_ERROR_FORMAT, path(), text, damagedHint); };
  std::vector<const TensorEntry *> order;
  for (const TensorEntry &entry : entries) {
    uint64_t bytes;
    unsigned bits = elementBits(entry.dtype);
    if (!bits)
      throw damaged("found tensor '" + entry.name + "' of the unknown type '" + entry.dtype + "'");
    if (!checkedBytes(entry.shape, bits / 8, bytes) || entry.end < entry.begin || entry.end - entry.begin != bytes)
      throw damaged(
          format("found tensor '%s' of %s %s at bytes %llu to %llu, expected as many bytes as its shape needs",
                 entry.name.c_str(), entry.dtype.c_str(), shapeText(entry.shape).c_str(),
                 (unsigned long long)entry.begin, (unsigned long long)entry.end));
    order.push_back(&entry);
  }
  std::sort(order.begin(), order.end(), [](const TensorEntry *a, const TensorEntry *b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  uint64_t at = 0;
  for (const TensorEntry *entry : order) {
    if (entry->begin != at)
      throw damaged(format("found tensor '%s' at byte %llu, expected byte %llu, where the one before it ends",
                           entry->name.c_str(), (unsigned long long)entry->begin, (unsigned long long)at));
    at = entry->end;
  }
  if (at != dataBytes())
    throw damaged(format("found %llu bytes of data, expected %llu for the tensors of the header",
                         (unsigned long long)dataBytes(), (unsigned long long)at));
}

const TensorEntry *SafetensorsFile::find(const std::string &name) const {
  auto found = byName.find(name);
  return found == byName.end() ? nullptr : &entries[found->second];
}

std::optional<std::string> SafetensorsFile::metadata(const std::string &key) const {
  for (auto &[name, value] : keys)
    if (name == key)
      return value;
  return std::nullopt;
}

bool SafetensorsFile::isSealed() const {
  return std::any_of(keys.begin(), keys.end(),
                     [](auto &key) { return key.first == "sha256" || key.first.rfind("sylvite", 0) == 0; });
}

void SafetensorsFile::load() {
  content = Buffer(dataBytes(), path());
  file.readExactly(content.data(), dataBytes(), dataStart);
  if (!isSealed())
    return;
  std::string zeroed = header;
  size_t at = zeroed.find(sealKey);
  std::string claimed;
  if (at != std::string::npos && at + sizeof(sealKey) - 1 + sealDigits <= zeroed.size()) {
    claimed = zeroed.substr(at + sizeof(sealKey) - 1, sealDigits);
    zeroed.replace(at + sizeof(sealKey) - 1, sealDigits, sealDigits, '0');
  }
  Sha256 hash;
  hash.update(zeroed.data(), zeroed.size());
  hash.update(content.data(), content.size());
  std::string found = hash.finish();
  if (claimed.empty() || claimed != metadata("sha256") || found != claimed)
    throw Error(SYL_ERROR_FORMAT, path(),
                "found the SHA-256 " + found + ", expected " +
                    (claimed.empty() ? "one in the metadata" : claimed + " as the metadata says"),
                damagedHint);
}

void SafetensorsWriter::add(const std::string &name, syl_dtype dtype, const std::vector<int64_t> &shape,
                            const void *data) {
  uint64_t bytes;
  checkedBytes(shape, syl_dtype_bytes(dtype), bytes);
  items.push_back({name, dtype, shape, std::string(static_cast<const char *>(data), bytes)});
}

std::vector<std::string> SafetensorsWriter::names() const {
  std::vector<std::string> all;
  for (const Item &item : items)
    all.push_back(item.name);
  return all;
}

void SafetensorsWriter::save(const std::string &path, const Metadata &metadata, const std::string &keepAs) const {
  std::vector<size_t> order(items.size()); // wide elements first, so that all are aligned
  for (size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return syl_dtype_bytes(items[a].dtype) > syl_dtype_bytes(items[b].dtype);
  });
  std::vector<uint64_t> begin(items.size());
  uint64_t at = 0;
  for (size_t i : order) {
    begin[i] = at;
    at += items[i].data.size();
  }
  std::string header = "{\"__metadata__\":{";
  for (auto &[key, value] : metadata)
    header += quoted(key) + ":" + quoted(value) + ",";
  header += sealKey + std::string(sealDigits, '0') + "\"}";
  for (size_t i = 0; i < items.size(); ++i) {
    std::string shape;
    for (int64_t extent : items[i].shape) {
      if (!shape.empty())
        shape += ',';
      shape += std::to_string(extent);
    }
    header += format(",%s:{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%llu,%llu]}",
                     quoted(items[i].name).c_str(), safetensorsName(items[i].dtype), shape.c_str(),
                     (unsigned long long)begin[i], (unsigned long long)(begin[i] + items[i].data.size()));
  }
  header += '}';
  header.append((8 - header.size() % 8) % 8, ' ');

  std::string file;
  file.reserve(8 + header.size() + at);
  for (int i = 0; i < 8; ++i)
    file += char(header.size() >> (8 * i));
  file += header;
  for (size_t i : order)
    file += items[i].data;
  Sha256 hash;
  hash.update(file.data(), file.size());
  file.replace(file.find(sealKey) + sizeof(sealKey) - 1, sealDigits, hash.finish());
  saveAtomically(path, file.data(), file.size(), keepAs);
}

} // namespace syl
