// Lines and fields of a CSV file, read through a bounded window. Layer: runtime/data.
#pragma once

#include "runtime/data/File.h"

#include <string>
#include <vector>

namespace syl {

/// Cuts bytes into rows of fields. Quotes are taken off and doubled ones made single; blank lines are skipped.
class CsvRows {
public:
  /// From byte `offset` of the file, where a row starts on line `line`, up to byte `end`.
  CsvRows(const InputFile &file, char separator, uint64_t offset, uint64_t end, uint64_t line = 1);
  /// The next row, or false at the end. Throws Error where a quote is not closed or a row has more than 16 MiB.
  bool next();

  const std::vector<std::string> &fields() const { return row; }
  /// Byte where the row starts, and its line, counted from 1.
  uint64_t offset() const { return rowOffset; }
  uint64_t line() const { return rowLine; }

private:
  int take();

  const InputFile &file;
  const char separator;
  const uint64_t end;
  uint64_t position, windowStart = 0, rowOffset = 0, rowLine = 0, lines;
  std::string window;
  std::vector<std::string> row;
};

} // namespace syl
