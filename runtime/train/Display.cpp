// Progress lines and the bar. Layer: runtime/train.
#include "runtime/train/Display.h"

#include "runtime/data/Error.h"

#include <cstdio>
#include <sys/ioctl.h>
#include <unistd.h>

namespace syl {

namespace {

constexpr double secondsBetweenDraws = 0.1, secondsBetweenLines = 5;

std::string duration(double seconds) {
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

Display::Display(bool quiet, uint64_t epochs) : quiet(quiet), live(isatty(STDOUT_FILENO)), epochs(epochs) {}

void Display::line(const std::string &text) {
  if (quiet)
    return;
  clear();
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

void Display::warn(const std::string &text) {
  clear();
  std::fprintf(stderr, "%s\n", text.c_str());
}

void Display::startEpoch(uint64_t number, uint64_t already, uint64_t count) {
  epoch = number;
  first = done = already;
  total = count;
  start = drawn = Clock::now();
}

void Display::update(uint64_t count, double loss, double accuracy) {
  done = count;
  if (quiet || secondsSince(drawn) < (live ? secondsBetweenDraws : secondsBetweenLines))
    return;
  drawn = Clock::now();
  double rate = double(done - first) / secondsSince(start);
  std::string head = format("epoch %llu/%llu ", (unsigned long long)epoch, (unsigned long long)epochs);
  std::string share = accuracy < 0 ? "" : format("  accuracy %.2f%%", 100 * accuracy);
  std::string tail = format(" %3.0f%%  %.0f images/s  loss %.4f%s  %s left", 100. * double(done) / double(total), rate,
                            loss, share.c_str(), duration(double(total - done) / rate).c_str());
  if (!live) {
    std::printf("%s%s\n", head.c_str(), tail.c_str());
  } else {
    size_t used = head.size() + tail.size() + 3, width = terminalWidth();
    size_t cells = width > used + 10 ? std::min<size_t>(width - used, 40) : 0;
    size_t filled = size_t(double(cells) * double(done) / double(total));
    std::string bar;
    if (cells)
      bar.append("[").append(filled, '=').append(cells - filled, ' ').append("]");
    std::printf("\r%s%s%s\033[K", head.c_str(), bar.c_str(), tail.c_str());
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
