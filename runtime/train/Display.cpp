// Progress lines and the bar. Layer: runtime/train.
#include "runtime/train/Display.h"

#include "runtime/data/Json.h"
#include "runtime/train/Messages.h"

#include <algorithm>
#include <cstdio>
#include <sys/ioctl.h>
#include <unistd.h>

namespace syl {

namespace {

constexpr double secondsBetweenDraws = 0.1, secondsBetweenLines = 5;

std::string duration(double seconds) {
  if (!(seconds < 1e9))
    return "?";
  long whole = long(seconds + 0.5);
  return whole >= 3600 ? format("%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60)
                       : format("%ld:%02ld", whole / 60, whole % 60);
}

size_t terminalWidth() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

} // namespace

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string progressLine(uint64_t epoch, uint64_t epochs, double share, double rate, double loss, double accuracy,
                         double secondsLeft, size_t width, bool bar) {
  constexpr size_t leastBar = 10, mostBar = 40;
  const std::string head = format("epoch %llu/%llu", (unsigned long long)epoch, (unsigned long long)epochs);
  // In the order in which they stand; left out from the least important on.
  struct Part {
    std::string text;
    int importance;
  };
  std::vector<Part> parts = {{format(" %3.0f%%", 100 * share), 4},
                             {format("  %.0f images/s", rate), 1},
                             {format("  loss %.4f", loss), 2},
                             {accuracy < 0 ? "" : format("  accuracy %.2f%%", 100 * accuracy), 0},
                             {"  " + duration(secondsLeft) + " left", 3}};
  auto used = [&] {
    size_t sum = head.size();
    for (const Part &part : parts)
      sum += part.text.size();
    return sum;
  };
  for (int least = 0; used() > width && least < 5; ++least)
    for (Part &part : parts)
      if (part.importance == least)
        part.text.clear();
  std::string line = head.substr(0, width);
  const size_t free = width > used() + 3 ? width - used() - 3 : 0;
  if (bar && free >= leastBar) {
    const size_t cells = std::min(free, mostBar), filled = size_t(double(cells) * share);
    line += " [" + std::string(filled, '=') + std::string(cells - filled, ' ') + "]";
  }
  for (const Part &part : parts)
    line += part.text;
  return line;
}

Display::Display(Mode mode, uint64_t epochs)
    : mode(mode), live(mode == Mode::Text && isatty(STDOUT_FILENO)), epochs(epochs) {}

void Display::line(const std::string &text) {
  if (mode != Mode::Text)
    return;
  clear();
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

void Display::warn(const std::string &text) {
  clear();
  tell(SYL_SEVERITY_WARNING, text.c_str());
}

void Display::event(const std::string &name, const EventFields &fields) const {
  if (mode != Mode::Json)
    return;
  std::string text = "{\"event\": " + jsonText(name);
  for (auto &[key, value] : fields)
    text += ", " + jsonText(key) + ": " + value;
  std::printf("%s}\n", text.c_str());
  std::fflush(stdout);
}

void Display::startEpoch(uint64_t number, uint64_t already, uint64_t count) {
  epoch = number;
  first = done = already;
  total = count;
  start = drawn = Clock::now();
}

void Display::update(uint64_t count, double loss, double accuracy) {
  done = count;
  if (mode == Mode::Quiet || secondsSince(drawn) < (live ? secondsBetweenDraws : secondsBetweenLines))
    return;
  drawn = Clock::now();
  const double rate = double(done - first) / secondsSince(start), left = double(total - done) / rate;
  const double share = double(done) / double(total);
  if (mode == Mode::Json) {
    event("progress", {{"epoch", std::to_string(epoch)},
                       {"share", jsonText(share)},
                       {"train_loss", jsonText(loss)},
                       {"images_per_second", jsonText(rate)},
                       {"seconds_left", jsonText(left)}});
    return;
  }
  if (!live) {
    std::printf("%s\n", progressLine(epoch, epochs, share, rate, loss, accuracy, left, 200, false).c_str());
  } else {
    // The last column stays free: a terminal may wrap after it.
    std::string text = progressLine(epoch, epochs, share, rate, loss, accuracy, left, terminalWidth() - 1, true);
    std::printf("\r%s\033[K", text.c_str());
    onScreen = true;
  }
  std::fflush(stdout);
}

double Display::endTraining() {
  clear();
  double seconds = secondsSince(start);
  return done > first && seconds > 0 ? double(done - first) / seconds : 0;
}

void Display::clear() {
  if (!onScreen)
    return;
  std::printf("\r\033[K");
  std::fflush(stdout);
  onScreen = false;
}

} // namespace syl
