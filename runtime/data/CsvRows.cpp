// The state machine of quoted fields. Layer: runtime/data.
#include "runtime/data/CsvRows.h"

#include <algorithm>

namespace syl {

namespace {
constexpr size_t windowBytes = 1 << 18, rowLimit = 16 << 20;
}

CsvRows::CsvRows(const InputFile &file, char separator, uint64_t offset, uint64_t end, uint64_t line)
    : file(file), separator(separator), end(end), position(offset), lines(line) {}

int CsvRows::take() {
  if (position >= end)
    return -1;
  if (position < windowStart || position >= windowStart + window.size()) {
    window.resize(size_t(std::min<uint64_t>(windowBytes, end - position)));
    window.resize(file.readSome(window.data(), window.size(), position));
    windowStart = position;
    if (window.empty())
      return -1;
  }
  return uint8_t(window[size_t(position++ - windowStart)]);
}

bool CsvRows::next() {
  for (;;) {
    row.clear();
    rowOffset = position;
    rowLine = lines;
    size_t used = 0;
    bool quoted = false, any = false, wasQuoted = false;
    std::string field;
    int letter;
    for (;;) {
      letter = take();
      if (++used > rowLimit)
        throw Error(SYL_ERROR_FORMAT, format("%s:%llu", file.path().c_str(), (unsigned long long)rowLine),
                    "found a row of more than 16 MiB", "is a quote not closed?");
      if (letter < 0)
        break;
      lines += letter == '\n';
      if (quoted) {
        if (letter != '"') {
          field += char(letter);
        } else {
          int after = take();
          if (after == '"') {
            field += '"';
          } else {
            quoted = false;
            position -= after >= 0;
          }
        }
      } else if (letter == '"' && field.empty() && !wasQuoted) {
        quoted = wasQuoted = any = true;
      } else if (letter == separator) {
        row.push_back(std::move(field));
        field.clear();
        wasQuoted = false;
        any = true;
      } else if (letter == '\n') {
        break;
      } else if (letter != '\r') {
        field += char(letter);
        any |= letter != ' ';
      }
    }
    if (quoted)
      throw Error(SYL_ERROR_FORMAT, format("%s:%llu", file.path().c_str(), (unsigned long long)rowLine),
                  "found a quote that is not closed before the end of the file");
    if (any) {
      row.push_back(std::move(field));
      return true;
    }
    if (letter < 0)
      return false;
  }
}

} // namespace syl
