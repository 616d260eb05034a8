// The report's page: HTML with everything in it. Layer: runtime/train.
#include "runtime/train/Report.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace syl {

namespace {

const char *const style = R"(
:root { color-scheme: light dark; --paper: #fff; --ink: #1d1d1f; --soft: #6a6a70; --rule: #d9d9de; --tint: 30, 90, 200;
  --c0: #1f5fbf; --c1: #c2571a; --c2: #24865a; --c3: #8a4bb0; --right: #24865a; --wrong: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --paper: #16171a; --ink: #e8e8ea; --soft: #9a9aa2; --rule: #34353a;
  --tint: 110, 160, 255; --c0: #7fb0ff; --c1: #f0a06a; --c2: #6fce9f; --c3: #c79be6; --right: #6fce9f; --wrong: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1100px; padding: 20px 16px 60px; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 4px; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 34px 0 10px; }
p { margin: 6px 0; } .soft { color: var(--soft); } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th, td { padding: 3px 10px 3px 0; text-align: left; vertical-align: baseline; }
th { color: var(--soft); font-weight: 500; } td.n, th.n { text-align: right; white-space: nowrap; }
tbody tr { border-top: 1px solid var(--rule); } .facts td { overflow-wrap: anywhere; }
.grid { display: grid; gap: 14px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); }
svg { width: 100%; height: auto; border: 1px solid var(--rule); border-radius: 6px; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg text.title { font-weight: 600; font-size: 13px; }
svg text.tick { fill: var(--soft); font-size: 11px; } svg line.grid { stroke: var(--rule); display: inline; }
.line { fill: none; stroke-width: 1.6; stroke: currentColor; } .dot { fill: currentColor; }
.fill { fill: currentColor; fill-opacity: .45; stroke: var(--paper); stroke-width: .5; }
.c0 { color: var(--c0); } .c1 { color: var(--c1); } .c2 { color: var(--c2); } .c3 { color: var(--c3); }
.confusion td { padding: 0; min-width: 34px; height: 28px; text-align: center; font-size: 12px; }
.confusion tbody tr { border: 0; } .confusion th { padding: 0 8px; }
.samples { display: grid; gap: 12px; grid-template-columns: repeat(auto-fill, minmax(132px, 1fr)); }
.sample { border: 1px solid var(--rule); border-radius: 6px; padding: 8px; font-size: 13px; }
.sample img { width: 100%; max-height: 150px; object-fit: contain; image-rendering: pixelated; display: block; margin-bottom: 6px; }
.bar { display: flex; justify-content: space-between; background: linear-gradient(rgba(var(--tint), .25), rgba(var(--tint), .25)) no-repeat;
  padding: 0 4px; } .right { color: var(--right); } .wrong { color: var(--wrong); }
)";

std::string bytesText(uint64_t bytes) {
  return bytes < 1 << 20 ? format("%.1f KiB", double(bytes) / 1024) : format("%.1f MiB", double(bytes) / (1 << 20));
}

std::string factsTable(const ReportContent &content) {
  const RunRecord &record = content.record;
  std::string command;
  for (const std::string &word : record.command)
    command += (command.empty() ? "" : " ") + word;
  const std::pair<const char *, std::string> rows[] = {
      {"checkpoint", format("%s, epoch %llu, step %llu", content.checkpoint.c_str(), (unsigned long long)content.epoch,
                            (unsigned long long)content.step)},
      {"data", format("%s: %llu training samples, batch %llu", record.data.data.c_str(),
                      (unsigned long long)record.samples, (unsigned long long)record.batch)},
      {"seed", std::to_string(record.seed)},
      {"parameters", format("%llu; state %s, scratch %s", (unsigned long long)content.parameters,
                            bytesText(content.stateBytes).c_str(), bytesText(content.scratchBytes).c_str())},
      {"machine", record.cpu + ", " + record.target + format(", %d threads", record.threads)},
      {"compiler", record.compiler},
      {"started", record.started},
      {"command", command}};
  std::string html = "<table class=\"facts\"><tbody>";
  for (auto &[name, value] : rows)
    html += format("<tr><th>%s</th><td>%s</td></tr>", name, escapeHtml(value).c_str());
  return html + "</tbody></table>";
}

/// The curves of the log: those of a group in one picture.
std::string curves(const ReportContent &content) {
  std::map<std::string, std::vector<std::pair<double, double>>> bySteps;
  for (const LoggedValue &value : content.log)
    bySteps[value.name].emplace_back(double(value.step), value.value);
  std::string html;
  auto chart = [&](const std::string &title, std::vector<ChartLine> lines) {
    lines.erase(std::remove_if(lines.begin(), lines.end(), [](const ChartLine &line) { return line.points.empty(); }),
                lines.end());
    if (!lines.empty())
      html += "<div>" + lineChart(title, "step", lines) + "</div>";
  };
  chart("loss", {{"train", bySteps["train/loss"]}, {"test", bySteps["test/loss"]}});
  for (auto &[name, points] : bySteps)
    if ((name.rfind("test/", 0) == 0 || name.rfind("train/", 0) == 0) && name != "test/loss" && name != "train/loss" &&
        name != "train/epoch_loss")
      chart(name, {{name, points}});
  chart("learning rate", {{"learning rate", bySteps["learning_rate"]}});
  chart("images/s", {{"images/s", bySteps["images_per_second"]}});
  for (auto &[name, points] : bySteps)
    if (name.rfind("norm.grad/", 0) == 0)
      chart("norms of " + name.substr(10),
            {{"gradient", points}, {"weight", bySteps["norm.weight/" + name.substr(10)]}});
  return html.empty() ? "<p class=\"soft\">no metrics.csv</p>" : "<div class=\"grid\">" + html + "</div>";
}

std::string confusionTable(const ReportContent &content) {
  std::string html = "<p class=\"soft\">rows: targets; columns: what was taken</p><div class=\"wide\"><table "
                     "class=\"confusion\"><thead><tr><th></th>";
  for (int64_t c = 0; c < content.classes; ++c)
    html += format("<th>%lld</th>", (long long)c);
  html += "</tr></thead><tbody>";
  for (int64_t row = 0; row < content.classes; ++row) {
    int64_t total = 0;
    for (int64_t c = 0; c < content.classes; ++c)
      total += content.confusion[size_t(row * content.classes + c)];
    html += format("<tr><th>%lld</th>", (long long)row);
    for (int64_t c = 0; c < content.classes; ++c) {
      const int64_t count = content.confusion[size_t(row * content.classes + c)];
      html += format("<td style=\"background: rgba(var(--tint), %.3f)\">%s</td>",
                     total ? 0.75 * std::sqrt(double(count) / double(total)) : 0,
                     count ? std::to_string(count).c_str() : "");
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div>";
}

std::string samplesGrid(const std::vector<ReportSample> &samples) {
  std::string html = "<div class=\"samples\">";
  for (const ReportSample &sample : samples) {
    const bool right = !sample.classes.empty() && sample.classes[0].first == sample.label;
    html += "<div class=\"sample\">";
    if (!sample.image.empty())
      html += "<img alt=\"sample " + std::to_string(sample.row) + "\" src=\"" + sample.image + "\">";
    html += format("<div class=\"soft\">row %lld</div><div class=\"%s\">target %lld</div>", (long long)sample.row,
                   right ? "right" : "wrong", (long long)sample.label);
    for (auto &[label, probability] : sample.classes)
      html += format("<div class=\"bar\" style=\"background-size: %.1f%% 100%%\"><span>%lld</span><span>%.1f%%</span>"
                     "</div>",
                     100 * probability, (long long)label, 100 * probability);
    html += "</div>";
  }
  return html + "</div>";
}

std::string kernelTable(const ReportContent &content) {
  double sum = 0;
  for (const KernelRow &row : content.kernels)
    sum += row.ms;
  std::vector<const KernelRow *> rows;
  for (const KernelRow &row : content.kernels)
    rows.push_back(&row);
  std::stable_sort(rows.begin(), rows.end(), [](auto *a, auto *b) { return a->ms > b->ms; });
  std::string html =
      format("<p class=\"soft\">%zu kernels, %.3f ms of a step of %.3f ms on %d threads; peak: least possible time by "
             "the machine's measured rates, by the kernel's</p>"
             "<div class=\"wide\"><table><thead><tr><th>kernel</th><th class=\"n\">ms</th><th class=\"n\">share</th>"
             "<th class=\"n\">GFLOP/s</th><th class=\"n\">GB/s</th><th class=\"n\">of peak</th><th>bound</th></tr>"
             "</thead><tbody>",
             rows.size(), sum, content.stepMs, content.threads);
  for (const KernelRow *row : rows)
    html += format("<tr><td>%s</td><td class=\"n\">%.4f</td><td class=\"n\">%.1f%%</td><td class=\"n\">%.1f</td>"
                   "<td class=\"n\">%.1f</td><td class=\"n\">%.0f%%</td><td>%s</td></tr>",
                   escapeHtml(row->name).c_str(), row->ms, sum > 0 ? 100 * row->ms / sum : 0, row->gflops, row->gbytes,
                   100 * row->share, escapeHtml(row->bound).c_str());
  return html + "</tbody></table></div>";
}

} // namespace

std::string escapeHtml(const std::string &text) {
  std::string html;
  for (char letter : text)
    html += letter == '&'    ? "&amp;"
            : letter == '<'  ? "&lt;"
            : letter == '>'  ? "&gt;"
            : letter == '"'  ? "&quot;"
            : letter == '\'' ? "&#39;"
                             : std::string(1, letter);
  return html;
}

std::string reportPage(const ReportContent &content) {
  const std::string name = escapeHtml(content.record.network);
  std::string html = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
                     "content=\"width=device-width, initial-scale=1\"><title>" +
                     name + "</title><style>" + style + "</style></head><body><h1>" + name + "</h1>";
  html += format("<p>%s loss %.4f", content.part.c_str(), content.loss);
  for (auto &[metric, value] : content.metrics)
    html += ", " + escapeHtml(metric) + " " + escapeHtml(value);
  html += "</p>" + factsTable(content) + "<h2>Curves</h2>" + curves(content);
  if (content.classes)
    html += "<h2>Confusion</h2>" + confusionTable(content);
  if (!content.mistakes.empty())
    html += "<h2>Mistakes that it is surest of</h2>" + samplesGrid(content.mistakes);
  if (!content.first.empty())
    html += "<h2>First samples</h2>" + samplesGrid(content.first);
  html += "<h2>Kernels</h2>" + kernelTable(content);
  std::string memory;
  for (const char *block : {"scratch", "local"})
    if (std::string chart = memoryChart(content.buffers, block); !chart.empty())
      memory += "<div>" + chart + "</div>";
  if (!memory.empty())
    html += "<h2>Memory over the step</h2><div class=\"grid\">" + memory + "</div>";
  return html + "</body></html>\n";
}

} // namespace syl
