// Which column of a table is what, and its values as numbers. Layer: runtime/data.
#include "runtime/data/Csv.h"

#include "runtime/data/CsvRows.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <strings.h>
#include <unordered_map>

namespace syl {

namespace {

constexpr size_t columnLimit = 1 << 22, nameLimit = 1 << 20;

std::string_view trimmed(const std::string &field) {
  size_t begin = field.find_first_not_of(" \t"), end = field.find_last_not_of(" \t");
  return begin == std::string::npos ? std::string_view() : std::string_view(field).substr(begin, end + 1 - begin);
}

template <class T> bool parse(std::string_view text, T &value) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-')
    text.remove_prefix(1);
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code == std::errc::result_out_of_range) { // too small becomes 0, too large infinity
    if constexpr (std::is_floating_point_v<T>) {
      value = T(std::strtod(std::string(text).c_str(), nullptr));
      return true;
    }
  }
  return code == std::errc() && end == text.data() + text.size();
}

/// A whole number, perhaps written as 3.0 or 3e2.
bool parseWhole(std::string_view text, int64_t &value) {
  if (parse(text, value))
    return true;
  double real;
  if (!parse(text, real) || !(std::fabs(real) < 0x1p63) || real != std::floor(real))
    return false;
  value = int64_t(real);
  return true;
}

bool isNumber(const std::string &field) {
  double value;
  return parse(trimmed(field), value);
}

/// Which fields of a row are what.
struct Layout {
  std::string path;
  char separator = ',';
  bool header = false;
  std::vector<std::string> names; // of the header
  size_t columns = 0, label = 0, labels = 0;
  uint64_t begin = 0, beginLine = 1; // of the first row of values
  syl_dtype inputType = SYL_FLOAT32;

  size_t inputs() const { return columns - labels; }
  std::string where(uint64_t line) const { return format("%s:%llu", path.c_str(), (unsigned long long)line); }
  std::string column(size_t index) const {
    return "column " + std::to_string(index + 1) + (header ? " ('" + names[index] + "')" : "");
  }
};

[[noreturn]] void failField(const Layout &layout, uint64_t line, size_t index, const std::string &field,
                            const char *expected) {
  throw Error(SYL_ERROR_FORMAT, layout.where(line),
              "found '" + field.substr(0, 40) + "' in " + layout.column(index) + ", expected " + expected);
}

void checkWidth(const Layout &layout, const CsvRows &rows) {
  if (rows.fields().size() != layout.columns)
    throw Error(SYL_ERROR_FORMAT, layout.where(rows.line()),
                format("found %zu fields, expected %zu as in the first line", rows.fields().size(), layout.columns));
}

/// Appends one number of the input's type.
void storeValue(const Layout &layout, const CsvRows &rows, size_t index, char *out) {
  const std::string &field = rows.fields()[index];
  if (layout.inputType == SYL_FLOAT32) {
    float value;
    if (!parse(trimmed(field), value))
      failField(layout, rows.line(), index, field, "a number");
    std::memcpy(out, &value, sizeof value);
  } else if (layout.inputType == SYL_FLOAT64) {
    double value;
    if (!parse(trimmed(field), value))
      failField(layout, rows.line(), index, field, "a number");
    std::memcpy(out, &value, sizeof value);
  } else {
    int64_t value;
    const bool byte = layout.inputType == SYL_UINT8, wide = layout.inputType == SYL_INT64;
    if (!parseWhole(trimmed(field), value) || (byte && (value < 0 || value > 255)) ||
        (!byte && !wide && (value < INT32_MIN || value > INT32_MAX)))
      failField(layout, rows.line(), index, field,
                byte   ? "a whole number from 0 to 255"
                : wide ? "a whole number"
                       : "a whole number of 32 bits");
    convertElements(&value, SYL_INT64, out, layout.inputType, 1);
  }
}

void storeInputs(const Layout &layout, const CsvRows &rows, char *out) {
  checkWidth(layout, rows);
  const size_t bytes = syl_dtype_bytes(layout.inputType);
  for (size_t index = 0; index < layout.columns; ++index)
    if (index < layout.label || index >= layout.label + layout.labels) {
      storeValue(layout, rows, index, out);
      out += bytes;
    }
}

/// The values of a large table, parsed again for each row that is read.
class CsvColumn : public Column {
public:
  CsvColumn(std::shared_ptr<const InputFile> file, Layout layout, std::vector<int64_t> shape,
            std::vector<uint64_t> offsets)
      : Column(file->path(), layout.inputType, std::move(shape)), file(std::move(file)), layout(std::move(layout)),
        offsets(std::move(offsets)) {}

  void read(const uint32_t *rows, size_t count, void *out) const override {
    for (size_t i = 0; i < count; ++i) {
      CsvRows row(*file, layout.separator, offsets[rows[i]], offsets[rows[i] + 1]);
      if (!row.next())
        throw Error(SYL_ERROR_IO, path(), "found the file changed since it was opened");
      storeInputs(layout, row, static_cast<char *>(out) + i * rowBytes());
    }
  }
  bool isDecoded() const override { return true; }

private:
  const std::shared_ptr<const InputFile> file;
  const Layout layout;
  const std::vector<uint64_t> offsets;
};

/// The label's values: numbers, or words that become class numbers.
class Labels {
public:
  Labels(const Layout &layout, const std::optional<syl_array> &target)
      : layout(layout), real(target && !target->classes), type(target ? syl_dtype(target->dtype) : SYL_INT64) {}

  void add(const CsvRows &rows) {
    for (size_t index = layout.label; index < layout.label + layout.labels; ++index) {
      const std::string &field = rows.fields()[index];
      if (real) {
        double value;
        if (!parse(trimmed(field), value))
          failField(layout, rows.line(), index, field, "a number");
        if (type == SYL_FLOAT32) { // the float nearest to the text
          float narrow;
          parse(trimmed(field), narrow);
          value = double(narrow);
        }
        numbers.push_back(value);
        continue;
      }
      if (trimmed(field).empty())
        failField(layout, rows.line(), index, field, "a label");
      auto [found, fresh] = ids.try_emplace(std::string(trimmed(field)), uint32_t(names.size()));
      if (fresh) {
        names.push_back(found->first);
        if (names.size() > nameLimit)
          throw Error(SYL_ERROR_MISMATCH, layout.where(rows.line()),
                      format("found more than %zu different labels in %s", nameLimit, layout.column(index).c_str()),
                      "--label names the label's column");
      }
      words.push_back(found->second);
    }
  }

  ColumnPointer finish(std::vector<int64_t> shape) {
    Array array;
    array.shape = std::move(shape);
    const size_t count = real ? numbers.size() : words.size();
    auto fill = [&](syl_dtype dtype, auto valueAt) {
      array.dtype = dtype;
      const size_t bytes = syl_dtype_bytes(dtype);
      array.data = Buffer(count * bytes, layout.path);
      for (size_t i = 0; i < count; ++i) {
        auto value = valueAt(i);
        std::memcpy(array.data.data() + i * bytes, &value, bytes);
      }
    };
    std::vector<int64_t> whole(names.size());
    std::vector<std::string> classNames;
    if (real) {
      fill(SYL_FLOAT64, [&](size_t i) { return numbers[i]; });
    } else if (wholeNumbers(whole)) {
      fill(SYL_INT64, [&](size_t i) { return whole[words[i]]; });
    } else if (std::all_of(names.begin(), names.end(), isNumber)) {
      fill(SYL_FLOAT64, [&](size_t i) {
        double value = 0;
        parse(std::string_view(names[words[i]]), value);
        return value;
      });
    } else {
      classNames = names;
      std::sort(classNames.begin(), classNames.end());
      for (size_t i = 0; i < names.size(); ++i)
        whole[i] = std::lower_bound(classNames.begin(), classNames.end(), names[i]) - classNames.begin();
      fill(SYL_INT64, [&](size_t i) { return whole[words[i]]; });
    }
    return std::make_shared<MemoryColumn>(layout.path, std::move(array), std::move(classNames));
  }

private:
  bool wholeNumbers(std::vector<int64_t> &values) const {
    for (size_t i = 0; i < names.size(); ++i)
      if (!parseWhole(names[i], values[i]))
        return false;
    return true;
  }

  const Layout &layout;
  const bool real;
  const syl_dtype type;
  std::vector<double> numbers;
  std::vector<uint32_t> words;
  std::vector<std::string> names;
  std::unordered_map<std::string, uint32_t> ids;
};

int64_t elementsOf(const syl_array &array) {
  int64_t count = 1;
  for (int32_t axis = 0; axis < array.rank; ++axis)
    count *= array.shape[axis];
  return count;
}

/// The separator that the first line has most often.
char findSeparator(const InputFile &file, uint64_t begin) {
  std::string line(1 << 16, '\0');
  line.resize(file.readSome(line.data(), line.size(), begin));
  line.resize(std::min(line.size(), line.find('\n')));
  char best = ',';
  for (char separator : {';', '\t'})
    if (std::count(line.begin(), line.end(), separator) > std::count(line.begin(), line.end(), best))
      best = separator;
  return best;
}

/// The column that --label names, or that a header calls a label, else the last one.
size_t findLabel(const Layout &layout, const CsvWanted &wanted) {
  const size_t last = layout.columns - layout.labels;
  if (!wanted.label.empty()) {
    for (size_t index = 0; index < layout.names.size(); ++index)
      if (layout.names[index] == wanted.label && index <= last)
        return index;
    uint32_t number = 0;
    if (parse(std::string_view(wanted.label), number) && number >= 1 && number - 1 <= last)
      return number - 1;
    throw Error(SYL_ERROR_ARGUMENT, "--label",
                "found '" + wanted.label + "', expected the name of a column of " + layout.path +
                    " or a number from 1 to " + std::to_string(last + 1));
  }
  std::vector<std::string> known = {"label", "class", "target", "y"};
  if (wanted.target && wanted.target->name)
    known.insert(known.begin(), wanted.target->name);
  for (const std::string &name : known)
    for (size_t index = 0; index < layout.names.size(); ++index)
      if (strcasecmp(layout.names[index].c_str(), name.c_str()) == 0 && index <= last)
        return index;
  return last;
}

Layout findLayout(const std::shared_ptr<const InputFile> &file, const CsvWanted &wanted) {
  Layout layout;
  layout.path = file->path();
  char mark[3];
  if (file->readSome(mark, 3, 0) == 3 && std::memcmp(mark, "\xef\xbb\xbf", 3) == 0)
    layout.begin = 3;
  layout.separator = findSeparator(*file, layout.begin);
  CsvRows rows(*file, layout.separator, layout.begin, file->size());
  if (!rows.next())
    throw Error(SYL_ERROR_FORMAT, layout.path, "found no line, expected a table of samples");
  layout.names = rows.fields();
  layout.columns = layout.names.size();
  if (layout.columns > columnLimit)
    throw Error(SYL_ERROR_FORMAT, layout.where(rows.line()),
                format("found %zu fields, expected at most %zu", layout.columns, columnLimit));
  bool words = std::none_of(layout.names.begin(), layout.names.end(), isNumber);
  if (rows.next()) {
    words &= rows.fields().size() == layout.columns;
    for (size_t i = 0; i < std::min(layout.columns, rows.fields().size()); ++i)
      layout.header |= !isNumber(layout.names[i]) && isNumber(rows.fields()[i]);
    if (layout.header || words) {
      layout.begin = rows.offset();
      layout.beginLine = rows.line();
    }
  }
  layout.header |= words;
  if (!layout.header)
    layout.names.clear();
  for (std::string &name : layout.names)
    name = std::string(trimmed(name));

  layout.labels = wanted.target ? size_t(elementsOf(*wanted.target)) : 1;
  const size_t inputs = wanted.input ? size_t(elementsOf(*wanted.input)) : 0;
  if (!wanted.targets && layout.columns == inputs)
    layout.labels = 0;
  layout.inputType = wanted.input ? syl_dtype(wanted.input->dtype) : SYL_FLOAT32;
  if (layout.columns <= layout.labels || (wanted.input && layout.columns - layout.labels != inputs))
    throw Error(SYL_ERROR_MISMATCH, layout.path,
                wanted.input ? format("found %zu columns, expected %zu: %zu for the input '%s' and %zu for the target",
                                      layout.columns, inputs + layout.labels, inputs, wanted.input->name, layout.labels)
                             : format("found %zu columns, expected at least 2: values and a label", layout.columns));
  layout.label = layout.labels ? findLabel(layout, wanted) : layout.columns;
  return layout;
}

} // namespace

CsvColumns openCsv(const std::string &path, const CsvWanted &wanted, uint64_t limit) {
  auto file = std::make_shared<const InputFile>(path);
  const Layout layout = findLayout(file, wanted);
  Labels labels(layout, wanted.target);
  std::vector<uint64_t> offsets;
  std::vector<char> values, row(layout.inputs() * syl_dtype_bytes(layout.inputType));
  bool kept = true;
  CsvRows rows(*file, layout.separator, layout.begin, file->size(), layout.beginLine);
  if (layout.header && layout.begin <= 3)
    rows.next(); // a header alone
  while (rows.next()) {
    storeInputs(layout, rows, row.data());
    labels.add(rows);
    offsets.push_back(rows.offset());
    if (kept && values.size() + row.size() > limit) {
      kept = false;
      std::vector<char>().swap(values);
    }
    if (kept)
      values.insert(values.end(), row.begin(), row.end());
    else
      requireFinite(row.data(), layout.inputType, layout.inputs(), layout.where(rows.line()));
  }
  const int64_t count = int64_t(offsets.size());
  offsets.push_back(file->size());

  std::vector<int64_t> inputShape{int64_t(layout.inputs())}, targetShape;
  if (wanted.input)
    inputShape.assign(wanted.input->shape, wanted.input->shape + wanted.input->rank);
  if (wanted.target)
    targetShape.assign(wanted.target->shape, wanted.target->shape + wanted.target->rank);
  inputShape.insert(inputShape.begin(), count);
  targetShape.insert(targetShape.begin(), count);
  CsvColumns columns;
  if (layout.labels)
    columns.target = labels.finish(targetShape);
  if (kept) {
    Array array;
    array.dtype = layout.inputType;
    array.shape = inputShape;
    array.data = Buffer(values.size(), path);
    std::copy(values.begin(), values.end(), array.data.data());
    columns.input = std::make_shared<MemoryColumn>(path, std::move(array));
  } else {
    columns.input = std::make_shared<CsvColumn>(file, layout, inputShape, std::move(offsets));
  }
  return columns;
}

} // namespace syl
