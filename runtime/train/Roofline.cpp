// The roofline of a step's kernels: figures and SVG. Layer: runtime/train.
#include "runtime/train/Roofline.h"

#include "runtime/data/Error.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>

namespace syl {

std::vector<KernelRow> rooflineRows(const std::vector<KernelTime> &times, const Machine &machine, double full) {
  std::vector<KernelRow> rows;
  for (const KernelTime &time : times) {
    const syl_kernel &kernel = *time.kernel;
    KernelRow row;
    row.name = kernel.name;
    row.rule = kernel.rule ? kernel.rule : "";
    row.tasks = kernel.slices;
    row.ms = time.seconds * 1e3;
    row.threads = time.threads;
    double flops = kernel.flops * full, local = kernel.local_bytes * full, shared = kernel.bytes * full - local;
    if (time.seconds > 0) {
      row.gflops = flops / time.seconds / 1e9;
      row.gbytes = (local + shared) / time.seconds / 1e9;
    }
    row.intensity = local + shared > 0 ? flops / (local + shared) : 0;
    const MemoryLevel &own = machine.levelOf(local / std::max(1, kernel.slices) * machine.threads);
    const MemoryLevel &far = machine.levelOf(shared);
    double compute = flops / machine.flops.at(time.threads, machine.threads);
    double memory =
        local / own.rate.at(time.threads, machine.threads) + shared / far.rate.at(time.threads, machine.threads);
    row.bound = compute >= memory ? "compute" : shared > 0 ? far.name : own.name;
    row.share = time.seconds > 0 ? std::max(compute, memory) / time.seconds : 0;
    rows.push_back(row);
  }
  return rows;
}

namespace {

constexpr double width = 900, height = 560, left = 70, right = 270, top = 50, bottom = 60;
constexpr size_t numbered = 12;

std::string escaped(const std::string &text) {
  std::string result;
  for (char c : text)
    result += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : std::string(1, c);
  return result;
}

/// The plane of the picture: decades of operations a byte, and of GFLOP/s.
struct Plane {
  double lowX = -2, highX = 3, lowY = -1, highY = 4;
  double x(double intensity) const {
    double at = std::clamp((std::log10(intensity) - lowX) / (highX - lowX), 0., 1.);
    return left + at * (width - left - right);
  }
  double y(double gflops) const {
    double at = std::clamp((std::log10(gflops) - lowY) / (highY - lowY), 0., 1.);
    return height - bottom - at * (height - top - bottom);
  }
};

std::string decade(int exponent) {
  std::ostringstream text;
  text << std::pow(10., exponent);
  return text.str();
}

void drawAxes(std::ostream &out, const Plane &plane) {
  auto line = [&](double x1, double y1, double x2, double y2) {
    out << "<line x1=\"" << x1 << "\" y1=\"" << y1 << "\" x2=\"" << x2 << "\" y2=\"" << y2 << "\" stroke=\"#ddd\"/>\n";
  };
  for (int e = int(plane.lowX); e <= int(plane.highX); ++e) {
    double x = plane.x(std::pow(10., e));
    line(x, top, x, height - bottom);
    out << "<text x=\"" << x << "\" y=\"" << height - bottom + 18 << "\" text-anchor=\"middle\">" << decade(e)
        << "</text>\n";
  }
  for (int e = int(plane.lowY); e <= int(plane.highY); ++e) {
    double y = plane.y(std::pow(10., e));
    line(left, y, width - right, y);
    out << "<text x=\"" << left - 8 << "\" y=\"" << y + 4 << "\" text-anchor=\"end\">" << decade(e) << "</text>\n";
  }
  out << "<text x=\"" << (left + width - right) / 2 << "\" y=\"" << height - 14
      << "\" text-anchor=\"middle\">operations a byte</text>\n<text transform=\"translate(18," << height / 2
      << ") rotate(-90)\" text-anchor=\"middle\">GFLOP/s</text>\n";
}

void drawRoofs(std::ostream &out, const Plane &plane, const Machine &machine) {
  const double peak = machine.flops.at(machine.threads, machine.threads) / 1e9;
  double ridge = 0;
  auto path = [&](double x1, double y1, double x2, double y2, const std::string &text, double tx, double ty) {
    out << "<line class=\"roof\" x1=\"" << plane.x(x1) << "\" y1=\"" << plane.y(y1) << "\" x2=\"" << plane.x(x2)
        << "\" y2=\"" << plane.y(y2) << "\" stroke=\"#333\" stroke-width=\"1.5\"/>\n<text x=\"" << tx << "\" y=\"" << ty
        << "\" fill=\"#333\">" << text << "</text>\n";
  };
  for (const MemoryLevel &level : machine.levels) {
    double rate = level.rate.at(machine.threads, machine.threads) / 1e9;
    double from = std::max(std::pow(10., plane.lowX), std::pow(10., plane.lowY) / rate), to = peak / rate;
    ridge = ridge ? std::min(ridge, to) : to;
    std::ostringstream text;
    text.precision(3);
    text << level.name << " " << rate << " GB/s";
    path(from, from * rate, to, peak, text.str(), left + 6, plane.y(from * rate) - 6);
  }
  std::ostringstream text;
  text.precision(4);
  text << peak << " GFLOP/s";
  double end = std::pow(10., plane.highX);
  path(ridge, peak, end, peak, text.str(), plane.x(end) - 110, plane.y(peak) - 6);
}

} // namespace

void writeRoofline(const std::string &path, const std::string &title, const Machine &machine,
                   const std::vector<KernelRow> &rows) {
  std::vector<const KernelRow *> heaviest;
  double total = 0;
  for (const KernelRow &row : rows) {
    total += row.ms;
    if (row.gflops > 0 && row.intensity > 0)
      heaviest.push_back(&row);
  }
  std::stable_sort(heaviest.begin(), heaviest.end(),
                   [](const KernelRow *a, const KernelRow *b) { return a->ms > b->ms; });
  Plane plane;
  plane.highY = std::ceil(std::log10(std::max(10., machine.flops.all / 1e9)));
  plane.lowY = plane.highY - 5;
  std::ostringstream out;
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << width << " " << height
      << "\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
      << "<text x=\"" << left << "\" y=\"26\" font-size=\"16\">" << escaped(title) << "</text>\n";
  drawAxes(out, plane);
  drawRoofs(out, plane, machine);
  out.precision(4);
  for (size_t i = heaviest.size(); i-- > 0;) { // the heaviest last, on top
    const KernelRow &row = *heaviest[i];
    double radius = 3 + 26 * std::sqrt(row.ms / total), x = plane.x(row.intensity), y = plane.y(row.gflops);
    out << "<circle cx=\"" << x << "\" cy=\"" << y << "\" r=\"" << radius << "\" fill=\""
        << (row.bound == "compute" ? "#c2503a" : "#3a78c2") << "\" fill-opacity=\"0.5\" stroke=\"white\"><title>"
        << escaped(row.name) << ": " << row.ms << " ms, " << row.gflops << " GFLOP/s, " << row.gbytes << " GB/s, "
        << 100 * row.share << "% of its roof (" << row.bound << ")</title></circle>\n";
    if (i >= numbered)
      continue;
    out << "<text x=\"" << x << "\" y=\"" << y + 4 << "\" text-anchor=\"middle\">" << i + 1 << "</text>\n"
        << "<text x=\"" << width - right + 14 << "\" y=\"" << top + 12 + 38 * double(i) << "\">" << i + 1 << "  "
        << escaped(row.name.substr(0, 36)) << "</text>\n<text x=\"" << width - right + 30 << "\" y=\""
        << top + 26 + 38 * double(i) << "\" fill=\"#666\">" << row.ms << " ms, " << 100 * row.ms / total << "%; "
        << 100 * row.share << "% of its roof</text>\n";
  }
  out << "</svg>\n";
  std::ofstream file(path);
  file << out.str();
  file.close();
  if (!file)
    throw Error(SYL_ERROR_IO, path, std::string("cannot be written: ") + std::strerror(errno));
}

} // namespace syl
