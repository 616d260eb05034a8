// What a run's report shows, and the page that shows it. Layer: runtime/train.
#pragma once

#include "runtime/train/Roofline.h"
#include "runtime/train/RunLog.h"
#include "runtime/train/RunRecord.h"

#include <string>
#include <vector>

namespace syl {

/// A sample with what the network says of it.
struct ReportSample {
  std::string image; // a data URI of a PNG file; empty where the input is no image
  int64_t row = 0, label = 0;
  std::vector<std::pair<int64_t, double>> classes; // the largest probabilities, largest first
};

/// A buffer of the training step, in the block `block`, from phase `first` to `last`.
struct ReportBuffer {
  std::string name, block;
  uint64_t offset = 0, bytes = 0;
  int64_t first = 0, last = 0;
};

struct ReportContent {
  RunRecord record;
  std::string checkpoint; // the file that samples and metrics are of
  uint64_t step = 0, epoch = 0, parameters = 0, stateBytes = 0, scratchBytes = 0;
  std::string part; // "test" or "train"
  double loss = 0;
  std::vector<std::pair<std::string, std::string>> metrics;
  std::vector<LoggedValue> log;
  int64_t classes = 0;            // 0: no classes
  std::vector<int64_t> confusion; // [classes, classes]; a row is a target
  std::vector<ReportSample> first, mistakes;
  std::vector<KernelRow> kernels;
  double stepMs = 0;
  int32_t threads = 0;
  std::vector<ReportBuffer> buffers;
};

/// One self-contained HTML page, for wide and narrow windows, light and dark.
std::string reportPage(const ReportContent &content);

/// An SVG picture: lines through (x, y), a name for each.
struct ChartLine {
  std::string name;
  std::vector<std::pair<double, double>> points;
};
std::string lineChart(const std::string &title, const std::string &xTitle, std::vector<ChartLine> lines);
/// An SVG picture of buffers: phases to the right, places in the block upwards.
std::string memoryChart(const std::vector<ReportBuffer> &buffers, const std::string &block);

/// Text with the characters of markup replaced.
std::string escapeHtml(const std::string &text);

} // namespace syl
