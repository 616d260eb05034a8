// What lies in a data set: ranges, means, class counts, and its first images. Layer: runtime/data.
#pragma once

#include "runtime/data/DataSet.h"
#include "runtime/data/Image.h"

#include <map>

namespace syl {

/// Of all values of a column.
struct ColumnStatistics {
  double minimum = 0, maximum = 0, mean = 0, std = 0;
  int64_t notFinite = 0;                       // NaN and infinities, which the other figures leave out
  std::vector<double> channelMean, channelStd; // of 1 to 4 channels: the last axis, or the first of [C,H,W]
  bool isClasses = false;                      // whole numbers, one a sample, at most 1000 different ones
  std::map<int64_t, int64_t> counts;           // of classes: samples of each
};

/// Reads rows of a column (all where `rows` is null). Throws Error where one cannot be read.
ColumnStatistics statisticsOf(const Column &column, const std::vector<uint32_t> *rows);

/// The first `limit` images of a part's first input, in rows of eight, each at least 64 pixels high. Bytes are shown as
/// they are, other types from their smallest to their largest value. Throws Error (SYL_ERROR_MISMATCH) where the
/// samples are no images ([H,W], [H,W,1 or 3] or [1 or 3,H,W]).
Image contactSheet(const Part &part, int64_t limit = 64);

} // namespace syl
