// Tables of comma-separated values (RFC 4180): one line a sample, numbers and a label. Layer: runtime/data.
#pragma once

#include "runtime/data/Column.h"

#include <optional>

namespace syl {

/// What a network takes from a table; without a network the table tells.
struct CsvWanted {
  std::optional<syl_array> input, target;
  bool targets = true; // else the label's column may be missing
  std::string label;   // name or number (from 1) of the label's column; empty: found by its name, else the last one
};

struct CsvColumns {
  ColumnPointer input, target; // target is null where the table has no label's column
};

/// Reads a table. The separator is a comma, semicolon or tab; fields may be quoted; the first line is a header where it
/// has words in columns of numbers. Values are read as the input's type. A target of classes takes whole numbers, or
/// words, which are numbered in sorted order. All fields are checked; values of more than `limit` bytes are not kept
/// but read again by row. Throws Error naming the line.
CsvColumns openCsv(const std::string &path, const CsvWanted &wanted, uint64_t limit = wholeFileLimit);

} // namespace syl
