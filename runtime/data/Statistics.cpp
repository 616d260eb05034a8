// One pass over the values. Layer: runtime/data.
#include "runtime/data/Statistics.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

namespace syl {

namespace {

constexpr size_t classLimit = 1000;

/// Mean and variance of a stream. Source: Welford 1962, in the pairwise form of Chan, Golub, LeVeque 1979.
struct Moments {
  double count = 0, mean = 0, squares = 0;
  void add(double otherCount, double otherMean, double otherSquares) {
    if (!otherCount)
      return;
    const double difference = otherMean - mean, total = count + otherCount;
    mean += difference * otherCount / total;
    squares += otherSquares + difference * difference * count * otherCount / total;
    count = total;
  }
  double std() const { return count ? std::sqrt(squares / count) : 0; }
};

/// Moments of one row at a time, so that sums stay short.
struct RowSums {
  double count = 0, sum = 0, squares = 0;
  void add(double value) {
    count += 1;
    sum += value;
    squares += value * value;
  }
  void into(Moments &moments) {
    if (count)
      moments.add(count, sum / count, std::max(0., squares - sum * sum / count));
    *this = {};
  }
};

/// Number of channels, and after how many elements of a row the channel changes.
void channelsOf(const Column &column, size_t &channels, size_t &stride) {
  const std::vector<int64_t> &shape = column.shape();
  channels = 0;
  stride = 1;
  if (shape.size() < 3)
    return;
  if (shape.back() >= 1 && shape.back() <= 4) {
    channels = size_t(shape.back());
  } else if (shape.size() == 4 && (shape[1] == 1 || shape[1] == 3)) {
    channels = size_t(shape[1]);
    stride = size_t(shape[2] * shape[3]);
  }
}

/// Calls `use` with some rows at a time.
void forRows(const Column &column, const std::vector<uint32_t> *rows,
             const std::function<void(size_t count, const char *values)> &use) {
  if (!rows) {
    forEachWindow(column, [&](int64_t, size_t count, const char *values) { use(count, values); });
    return;
  }
  const size_t window = std::max<size_t>((size_t(1) << 20) / std::max<size_t>(column.rowBytes(), 1), 1);
  Buffer values(window * column.rowBytes(), column.path());
  for (size_t first = 0; first < rows->size(); first += window) {
    size_t count = std::min(window, rows->size() - first);
    column.read(rows->data() + first, count, values.data());
    use(count, values.data());
  }
}

} // namespace

ColumnStatistics statisticsOf(const Column &column, const std::vector<uint32_t> *rows) {
  ColumnStatistics result;
  size_t channels, stride;
  channelsOf(column, channels, stride);
  Moments all;
  std::vector<Moments> each(channels);
  RowSums sums;
  std::vector<RowSums> channelSums(channels);
  const size_t elements = size_t(column.rowElements());
  result.isClasses = elements == 1;
  bool any = false;
  std::vector<double> values;
  forRows(column, rows, [&](size_t count, const char *stored) {
    values.resize(elements);
    for (size_t row = 0; row < count; ++row) {
      convertElements(stored + row * column.rowBytes(), column.dtype(), values.data(), SYL_FLOAT64, elements);
      for (size_t i = 0; i < elements; ++i) {
        const double value = values[i];
        if (!std::isfinite(value)) {
          ++result.notFinite;
          result.isClasses = false;
          continue;
        }
        result.minimum = any ? std::min(result.minimum, value) : value;
        result.maximum = any ? std::max(result.maximum, value) : value;
        any = true;
        sums.add(value);
        if (channels)
          channelSums[i / stride % channels].add(value);
        if (result.isClasses) {
          result.isClasses = value == std::floor(value) && std::fabs(value) < 0x1p53;
          if (result.isClasses) {
            ++result.counts[int64_t(value)];
            result.isClasses = result.counts.size() <= classLimit;
          }
        }
      }
      sums.into(all);
      for (size_t channel = 0; channel < channels; ++channel)
        channelSums[channel].into(each[channel]);
    }
  });
  result.mean = all.mean;
  result.std = all.std();
  for (const Moments &moments : each) {
    result.channelMean.push_back(moments.mean);
    result.channelStd.push_back(moments.std());
  }
  if (!result.isClasses)
    result.counts.clear();
  return result;
}

Image contactSheet(const Part &part, int64_t limit) {
  const Column &column = *part.inputs[0];
  std::vector<int64_t> shape(column.shape().begin() + 1, column.shape().end());
  auto isColor = [](int64_t extent) { return extent == 1 || extent == 3; };
  if (shape.size() == 2)
    shape.push_back(1);
  const bool fits = shape.size() == 3 && (isColor(shape[2]) || isColor(shape[0]));
  if (!fits || !column.rowElements())
    throw Error(SYL_ERROR_MISMATCH, column.path(),
                "found samples of shape " + shapeText(column.shape().data() + 1, column.shape().size() - 1) +
                    ", expected images for a contact sheet: [H, W], [H, W, 1], [H, W, 3] or [3, H, W]");
  const bool planar = !isColor(shape[2]);
  const int64_t channels = shape[planar ? 0 : 2], height = shape[planar ? 1 : 0], width = shape[planar ? 2 : 1];
  const int64_t scale = std::max<int64_t>(1, (64 + height - 1) / height), gap = 2;
  const int64_t count = std::min(part.count(), limit), across = std::min<int64_t>(count, 8);
  const int64_t down = (count + across - 1) / across;
  const int64_t cellWidth = width * scale + gap, cellHeight = height * scale + gap;
  if (uint64_t(across * cellWidth + gap) * uint64_t(down * cellHeight + gap) > imagePixelLimit * 4)
    throw Error(SYL_ERROR_MISMATCH, column.path(), "found images too large for a contact sheet");

  std::vector<uint32_t> rows(static_cast<size_t>(count));
  std::iota(rows.begin(), rows.end(), 0u);
  if (part.rows)
    rows.assign(part.rows->begin(), part.rows->begin() + count);
  const size_t elements = size_t(column.rowElements());
  Buffer stored(column.rowBytes() * size_t(count), column.path());
  column.read(rows.data(), size_t(count), stored.data());
  std::vector<double> values(elements * size_t(count));
  convertElements(stored.data(), column.dtype(), values.data(), SYL_FLOAT64, values.size());
  double low = 0, high = 255;
  if (column.dtype() != SYL_UINT8) {
    auto finite = [](double value) { return std::isfinite(value); };
    low = HUGE_VAL, high = -HUGE_VAL;
    for (double value : values)
      if (finite(value))
        low = std::min(low, value), high = std::max(high, value);
  }
  const double range = high > low ? high - low : 1;

  Image sheet{across * cellWidth + gap, down * cellHeight + gap, channels, {}};
  sheet.pixels = Buffer(size_t(sheet.width * sheet.height * channels), column.path());
  std::memset(sheet.pixels.data(), 255, sheet.pixels.size());
  for (int64_t index = 0; index < count; ++index)
    for (int64_t y = 0; y < height * scale; ++y)
      for (int64_t x = 0; x < width * scale; ++x)
        for (int64_t c = 0; c < channels; ++c) {
          const int64_t pixel = y / scale * width + x / scale;
          const int64_t element = planar ? c * width * height + pixel : pixel * channels + c;
          const double value = values[size_t(index) * elements + size_t(element)];
          const double shown = std::isfinite(value) ? (value - low) / range * 255 : 255;
          const int64_t left = index % across * cellWidth + gap + x, top = index / across * cellHeight + gap + y;
          sheet.pixels.data()[(top * sheet.width + left) * channels + c] = char(uint8_t(std::lround(shown)));
        }
  return sheet;
}

} // namespace syl
