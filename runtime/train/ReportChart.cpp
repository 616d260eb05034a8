// Pictures of the report: curves, and the memory over the step. Layer: runtime/train.
#include "runtime/train/Report.h"

#include <algorithm>
#include <cmath>

namespace syl {

namespace {

constexpr double width = 400, height = 230, left = 52, right = 12, top = 30, bottom = 38;

/// A step of 1, 2 or 5 times a power of ten that cuts `span` into at most `most` parts.
double niceStep(double span, int most) {
  const double raw = span / most, power = std::pow(10, std::floor(std::log10(raw)));
  for (double factor : {1., 2., 5.})
    if (factor * power >= raw * (1 - 1e-9))
      return factor * power;
  return 10 * power;
}

std::string number(double value) {
  if (std::fabs(value) >= 1e4 && std::fabs(value) < 1e7 && value == std::round(value) && std::fmod(value, 1000) == 0)
    return format("%gk", value / 1000);
  return format("%.4g", value);
}

/// Every k-th point, so that at most `most` are left; the last stays.
void thin(std::vector<std::pair<double, double>> &points, size_t most) {
  const size_t every = (points.size() + most - 1) / most;
  if (every < 2)
    return;
  std::vector<std::pair<double, double>> kept;
  for (size_t i = 0; i < points.size(); i += every)
    kept.push_back(points[i]);
  if (kept.back() != points.back())
    kept.push_back(points.back());
  points = kept;
}

std::string frame(const std::string &title) {
  return format("<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"%s\">"
                "<text class=\"title\" x=\"%g\" y=\"18\">%s</text>",
                width, height, escapeHtml(title).c_str(), 4., escapeHtml(title).c_str());
}

} // namespace

std::string lineChart(const std::string &title, const std::string &xTitle, std::vector<ChartLine> lines) {
  double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
  for (ChartLine &line : lines) {
    auto &points = line.points;
    points.erase(std::remove_if(points.begin(), points.end(), [](auto &point) { return !std::isfinite(point.second); }),
                 points.end());
    thin(points, 400);
    for (auto &[x, y] : points) {
      x0 = std::min(x0, x), x1 = std::max(x1, x);
      y0 = std::min(y0, y), y1 = std::max(y1, y);
    }
  }
  if (!(x0 <= x1))
    return "";
  if (x1 == x0)
    x0 -= 0.5, x1 += 0.5;
  if (y1 - y0 < 1e-12 * std::max(1., std::fabs(y1)))
    y0 -= std::max(0.5 * std::fabs(y0), 1e-6), y1 += std::max(0.5 * std::fabs(y1), 1e-6);
  const double yStep = niceStep(y1 - y0, 5), xStep = niceStep(x1 - x0, 5);
  y0 = std::floor(y0 / yStep) * yStep, y1 = std::ceil(y1 / yStep) * yStep;
  auto px = [&](double x) { return left + (x - x0) / (x1 - x0) * (width - left - right); };
  auto py = [&](double y) { return height - bottom - (y - y0) / (y1 - y0) * (height - top - bottom); };
  std::string svg = frame(title);
  for (double y = y0; y <= y1 + yStep / 2; y += yStep)
    svg += format("<line class=\"grid\" x1=\"%g\" x2=\"%g\" y1=\"%.1f\" y2=\"%.1f\"/>"
                  "<text class=\"tick\" x=\"%g\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
                  left, width - right, py(y), py(y), left - 6, py(y) + 4,
                  number(std::fabs(y) < yStep * 1e-6 ? 0 : y).c_str());
  for (double x = std::ceil(x0 / xStep) * xStep; x <= x1 + xStep * 1e-6; x += xStep)
    svg += format("<text class=\"tick\" x=\"%.1f\" y=\"%g\" text-anchor=\"%s\">%s</text>",
                  std::min(px(x), width - right), height - 22, px(x) > width - right - 10 ? "end" : "middle",
                  number(std::fabs(x) < xStep * 1e-6 ? 0 : x).c_str());
  svg += format("<text class=\"tick\" x=\"%g\" y=\"%g\" text-anchor=\"end\">%s</text>", width - right, height - 6,
                escapeHtml(xTitle).c_str());
  double legend = left;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].points.empty())
      continue;
    std::string path;
    for (auto &[x, y] : lines[i].points)
      path += format("%s%.1f %.1f", path.empty() ? "M" : "L", px(x), py(y));
    svg += format("<path class=\"line c%zu\" d=\"%s\"/>", i % 4, path.c_str());
    if (lines[i].points.size() < 30)
      for (auto &[x, y] : lines[i].points)
        svg += format("<circle class=\"dot c%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/>", i % 4, px(x), py(y));
    if (lines.size() > 1) {
      svg += format("<line class=\"line c%zu\" x1=\"%g\" x2=\"%g\" y1=\"%g\" y2=\"%g\"/>"
                    "<text class=\"tick\" x=\"%g\" y=\"%g\">%s</text>",
                    i % 4, legend, legend + 14, height - 10, height - 10, legend + 18, height - 6,
                    escapeHtml(lines[i].name).c_str());
      legend += 32 + 6.5 * double(lines[i].name.size());
    }
  }
  return svg + "</svg>";
}

std::string memoryChart(const std::vector<ReportBuffer> &buffers, const std::string &block) {
  int64_t phases = 0;
  uint64_t bytes = 0;
  for (const ReportBuffer &buffer : buffers)
    if (buffer.block == block) {
      phases = std::max(phases, buffer.last + 1);
      bytes = std::max(bytes, buffer.offset + buffer.bytes);
    }
  if (!phases || !bytes)
    return "";
  auto px = [&](double phase) { return left + phase / double(phases) * (width - left - right); };
  auto py = [&](double place) { return height - bottom - place / double(bytes) * (height - top - bottom); };
  std::string svg = frame(block + " block over the step");
  const bool large = bytes >= 1 << 20;
  const char *unitName = large ? "MiB" : "KiB";
  const double unit = large ? 1 << 20 : 1 << 10, yStep = niceStep(double(bytes) / unit, 5);
  for (double y = 0; y <= double(bytes) / unit; y += yStep)
    svg += format("<text class=\"tick\" x=\"%g\" y=\"%.1f\" text-anchor=\"end\">%s</text>", left - 6, py(y * unit) + 4,
                  number(y).c_str());
  svg += format("<text class=\"tick\" x=\"%g\" y=\"%g\" text-anchor=\"end\">%s, by phase</text>", width - right,
                height - 6, unitName);
  const double xStep = std::max(1., niceStep(double(phases), 6));
  for (double x = 0; x < double(phases); x += xStep)
    svg += format("<text class=\"tick\" x=\"%.1f\" y=\"%g\" text-anchor=\"middle\">%g</text>", px(x + 0.5), height - 22,
                  x);
  size_t shown = 0;
  for (const ReportBuffer &buffer : buffers)
    if (buffer.block == block)
      svg +=
          format("<rect class=\"fill c%zu\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.2f\"><title>%s: %.2f %s, "
                 "phases %lld to %lld</title></rect>",
                 shown++ % 4, px(double(buffer.first)), py(double(buffer.offset + buffer.bytes)),
                 px(double(buffer.last + 1)) - px(double(buffer.first)),
                 py(double(buffer.offset)) - py(double(buffer.offset + buffer.bytes)), escapeHtml(buffer.name).c_str(),
                 double(buffer.bytes) / unit, unitName, (long long)buffer.first, (long long)buffer.last);
  return svg + "</svg>";
}

} // namespace syl
