//===- Tune.cpp - finds fast schedules for a network's kernels on this machine ------------------------------------===//
//
// Candidates go in rounds. In a round each kernel that is worth it has one candidate; the network is compiled with all
// of them at once, and its step runs by turns with that of the best schedules so far, in one process, on the same
// memory. So a candidate is timed where it will run, among the other kernels, and against the best in the same seconds.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/tools/Tune.h"

#include "compiler/schedule/RuleWriter.h"
#include "compiler/schedule/Search.h"
#include "compiler/support/Files.h"
#include "compiler/support/Hash.h"
#include "compiler/tools/TuneJournal.h"
#include "compiler/tools/TuneProgram.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <iostream>
#include <sstream>
#include <unistd.h>

namespace fs = std::filesystem;

namespace sylvite {
namespace {

constexpr double leastShare = 0.1;      // of the heaviest kernel that has something left to try
constexpr double secondsToCompile = 90; // a candidate
constexpr double leastTimeLimit = 20, timeLimitFactor = 10;

volatile std::sig_atomic_t stopSignal = 0;
extern "C" void noteSignal(int number) { stopSignal = number; }

/// While it lives, SIGINT and SIGTERM are noted; a second one ends the process.
class NotedSignals {
public:
  NotedSignals() {
    struct sigaction action{};
    action.sa_handler = noteSignal;
    action.sa_flags = int(SA_RESETHAND);
    sigaction(SIGINT, &action, &interrupt);
    sigaction(SIGTERM, &action, &terminate);
  }
  ~NotedSignals() {
    sigaction(SIGINT, &interrupt, nullptr);
    sigaction(SIGTERM, &terminate, nullptr);
  }

private:
  struct sigaction interrupt{}, terminate{};
};

std::string ruleHash(const Rule &rule) { return sha256Hex(rule.text()).substr(0, 12); }

std::string number(double value, int digits) {
  std::ostringstream text;
  text.setf(std::ios::fixed);
  text.precision(digits);
  text << value;
  return text.str();
}

/// How much shorter a time is, as a share of it: `2.1% less`.
std::string change(double gain) { return number(std::abs(100 * gain), 1) + (gain < 0 ? "% more" : "% less"); }

std::string textOf(const TuneChoices &choices) {
  std::string text;
  for (const auto &[name, value] : choices)
    text += (text.empty() ? "" : ", ") + name + " = " + std::to_string(value);
  return text.empty() ? "no parameters" : text;
}

/// One of the network's distinct kernels.
struct TunedKernel {
  std::string key, name, label; ///< label: the layers that have it
  KernelDims dims;
  std::vector<const Rule *> rules; ///< that fit it
  std::vector<size_t> rows;        ///< of the descriptor's table
  Search search;
  double ms = 0; ///< of a step, with the first schedule
};

class Tuner {
public:
  Tuner(const TuneRequest &request, const Installation &here, Diagnostics &diagnostics)
      : request(request), here(here), diagnostics(diagnostics),
        program(request.build, here, cacheDirectory() / ("tune." + std::to_string(getpid()) + ".tmp"),
                [] { return stopSignal != 0; }) {}

  int run() {
    NotedSignals signals;
    start = std::chrono::steady_clock::now();
    if (!readRules() || !measureFirst() || !findKernels() || !openJournal())
      return stopSignal ? 128 + stopSignal : 1;
    while (!stopSignal && minutesSpent() < request.minutes) {
      std::vector<Candidate> candidates = nextCandidates();
      if (candidates.empty())
        break;
      if (!tryAll(candidates) && !stopSignal)
        return 1;
    }
    if (!stopSignal && !confirm())
      return 1;
    if (!writeFile(true))
      return 1;
    if (stopSignal)
      std::cerr << "tune: stopped; the same command goes on from " << journalPath().string() << "\n";
    return stopSignal ? 128 + stopSignal : 0;
  }

private:
  /// A kernel and what to try for it.
  struct Candidate {
    size_t kernel;
    Search::Point point;
  };

  const TuneRequest &request;
  const Installation &here;
  Diagnostics &diagnostics;
  TuneProgram program;
  std::optional<ScheduleSet> schedules;
  const Rule *plainRule = nullptr;
  std::optional<TunedObject> first, plain, best;
  std::map<std::string, codegen::KernelChoice> bestChoices; ///< that `best` was compiled with
  std::vector<TunedKernel> kernels;                         ///< the heaviest first
  TuneJournal journal;
  std::chrono::steady_clock::time_point start;
  double firstMs = 0, timeLimit = leastTimeLimit;
  size_t rounds = 0, tries = 0;
  std::string finding; ///< of the last confirmation

  double minutesSpent() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / 60;
  }
  size_t programIndex() const { return request.what == "predict" ? 2 : 0; }
  fs::path outputPath() const {
    return request.output.empty() ? fs::path(first->result.versions.front().net + "." + codegen::hostCpu() + ".yaml")
                                  : fs::path(request.output);
  }
  fs::path journalPath() const { return outputPath().string() + ".journal"; }
  void say(const std::string &text) const {
    if (!request.quiet)
      std::cerr << "tune: " << text << "\n" << std::flush;
  }

  bool readRules() {
    schedules = ScheduleSet::parse(here.schedules(request.build.schedules, diagnostics), diagnostics,
                                   codegen::kernelDimNames());
    if (!schedules)
      return false;
    for (const Rule &rule : schedules->rules())
      if (rule.location.file == "schedules/plain.yaml")
        plainRule = &rule;
    if (!plainRule)
      diagnostics.error({"schedules/plain.yaml"}, "has no rule", "install the shipped schedules again");
    return plainRule;
  }

  /// Compiles the network with the schedules as they are, and with the plainest, and times it.
  bool measureFirst() {
    say("compiling " + request.build.network + " with its first and with the plainest schedules");
    std::map<std::string, std::string> failures;
    first = program.build("best", {}, failures, diagnostics);
    if (!first)
      return false;
    std::map<std::string, codegen::KernelChoice> plainest;
    for (const codegen::CompiledKernel &kernel : first->result.versions.front().kernels)
      plainest[kernel.key] = {plainRule, {}};
    plain = program.build("plain", plainest, failures, diagnostics);
    for (const auto &[key, message] : failures)
      diagnostics.error({"schedules/plain.yaml"}, message + " (kernel " + key + ")");
    if (!plain)
      return false;
    best = first;
    std::optional<TunedObject> candidate = program.build("candidate", {}, failures, diagnostics);
    if (!candidate)
      return false;
    auto begin = std::chrono::steady_clock::now();
    TuneMeasurement measured = measure(*candidate, {}, 600);
    if (!measured.failure.empty())
      diagnostics.error({request.build.network}, "the step cannot be timed: " + measured.message);
    if (diagnostics.hasErrors() || measured.rows.empty())
      return false;
    timeLimit = std::max(
        timeLimit, timeLimitFactor * std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    firstMs = std::min(measured.bestMs, measured.candidateMs);
    std::map<size_t, size_t> places; // from the plan's kernels
    for (const TuneMeasurement::Row &row : measured.rows) {
      const codegen::CompileResult::Row &facts = first->result.rows[row.row];
      auto [place, added] = places.try_emplace(facts.kernel, kernels.size());
      if (added)
        kernels.emplace_back();
      TunedKernel &kernel = kernels[place->second];
      const codegen::CompiledKernel &compiled = first->result.versions.front().kernels[facts.kernel];
      kernel.key = compiled.key;
      kernel.name = compiled.name;
      kernel.dims = compiled.dims;
      if (kernel.rows.size() < 3)
        kernel.label += (kernel.rows.empty() ? "" : ", ") + facts.label;
      else if (kernel.rows.size() == 3)
        kernel.label += ", …";
      kernel.rows.push_back(row.row);
      kernel.ms += std::min(row.bestMs, row.candidateMs);
    }
    return true;
  }

  /// Keeps the kernels that are asked for and have more than one schedule.
  bool findKernels() {
    std::vector<bool> used(request.kernels.size());
    auto wanted = [&](const TunedKernel &kernel) {
      bool any = request.kernels.empty();
      for (size_t i = 0; i < request.kernels.size(); ++i) {
        bool fits = schedule::globFits(request.kernels[i], kernel.name) || request.kernels[i] == kernel.key;
        for (size_t row : kernel.rows)
          fits |= schedule::globFits(request.kernels[i], first->result.rows[row].label);
        used[i] = used[i] || fits;
        any |= fits;
      }
      return any;
    };
    std::vector<TunedKernel> kept;
    for (TunedKernel &kernel : kernels) {
      for (const Rule *rule : schedules->fitting(kernel.name, kernel.dims, "direct"))
        if (kernel.rules.empty() || rule != plainRule)
          kernel.rules.push_back(rule);
      kernel.search = Search(kernel.rules, kernel.dims);
      if (wanted(kernel) && !kernel.search.space(0).empty() && kernel.search.size() > 1)
        kept.push_back(std::move(kernel));
    }
    for (size_t i = 0; i < used.size(); ++i)
      if (!used[i])
        diagnostics.error({request.build.network},
                          "--kernel: no kernel of the network fits '" + request.kernels[i] + "'",
                          "`sylvite compile --explain` prints their names and keys");
    std::stable_sort(kept.begin(), kept.end(), [](const auto &a, const auto &b) { return a.ms > b.ms; });
    kernels = std::move(kept);
    if (kernels.empty() && !diagnostics.hasErrors())
      diagnostics.error({request.build.network}, "there is nothing to tune: each kernel has one schedule only",
                        "give its rule a `tune:` list (docs/schedule-file.md)");
    return !diagnostics.hasErrors();
  }

  bool openJournal() {
    const codegen::Plan &plan = first->result.versions.front();
    if (!journal.open(journalPath(), {plan.net, request.what, plan.target->name, kernels[0].dims.words.at("cpu")},
                      diagnostics))
      return false;
    for (const TuneEntry &entry : journal.entries())
      for (TunedKernel &kernel : kernels)
        for (size_t rule = 0; rule < kernel.rules.size(); ++rule)
          if (entry.key == kernel.key && entry.ruleHash == ruleHash(*kernel.rules[rule])) {
            size_t before = kernel.search.tries();
            kernel.search.result({rule, entry.parameters}, entry.time);
            tries += kernel.search.tries() - before;
          }
    size_t space = 0;
    for (const TunedKernel &kernel : kernels)
      space += kernel.search.size() - 1;
    say(std::to_string(kernels.size()) + " kernels with " + std::to_string(space) + " schedules besides the first; " +
        std::to_string(tries) + " in the journal; step " + number(firstMs, 3) + " ms");
    return true;
  }

  /// One candidate for each kernel that is worth it now.
  std::vector<Candidate> nextCandidates() {
    std::vector<Candidate> candidates;
    double heaviest = 0;
    for (size_t i = 0; i < kernels.size(); ++i)
      if (auto point = kernels[i].search.next()) {
        heaviest = std::max(heaviest, kernels[i].ms * kernels[i].search.bestTime());
        if (kernels[i].ms * kernels[i].search.bestTime() >= leastShare * heaviest)
          candidates.push_back({i, *point});
      }
    return candidates;
  }

  codegen::KernelChoice choiceOf(const TunedKernel &kernel, const Search::Point &point) const {
    return {kernel.rules[point.rule], point.parameters};
  }

  /// The best choice of each kernel, where that is not its first.
  std::map<std::string, codegen::KernelChoice> choicesNow() const {
    std::map<std::string, codegen::KernelChoice> choices;
    for (const TunedKernel &kernel : kernels)
      if (isFaster(kernel))
        choices[kernel.key] = choiceOf(kernel, kernel.search.best());
    return choices;
  }

  std::set<std::string> unconfirmed; ///< keys of kernels that keep their first schedule
  bool isFaster(const TunedKernel &kernel) const {
    return kernel.search.bestTime() < 1 && !unconfirmed.count(kernel.key);
  }

  static bool equal(const std::map<std::string, codegen::KernelChoice> &a,
                    const std::map<std::string, codegen::KernelChoice> &b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto &x, const auto &y) {
      return x.first == y.first && x.second.rule == y.second.rule && x.second.parameters == y.second.parameters;
    });
  }

  bool buildBest() {
    std::map<std::string, codegen::KernelChoice> choices = choicesNow();
    if (equal(choices, bestChoices))
      return true;
    std::map<std::string, std::string> failures;
    best = program.build("best", choices, failures, diagnostics);
    bestChoices = choices;
    for (const auto &[key, message] : failures)
      diagnostics.error({request.build.network}, "a schedule of the journal does not compile: " + message,
                        "remove the journal " + journalPath().string());
    return best.has_value();
  }

  TuneMeasurement measure(const TunedObject &candidate, const std::vector<size_t> &rows, double limit) {
    TuneProgram::Settings settings;
    settings.program = programIndex();
    settings.threads = request.threads;
    settings.seconds = request.seconds;
    settings.timeLimit = limit;
    settings.rows = rows;
    return program.run(*plain, *best, candidate, settings, diagnostics);
  }

  bool note(const Candidate &candidate, const std::string &result, const std::string &message,
            std::optional<double> time = std::nullopt) {
    TunedKernel &kernel = kernels[candidate.kernel];
    const Rule &rule = *kernel.rules[candidate.point.rule];
    double before = kernel.search.bestTime();
    kernel.search.result(candidate.point, time);
    ++tries;
    TuneEntry entry{kernel.key,
                    kernel.name,
                    rule.where(),
                    ruleHash(rule),
                    candidate.point.parameters,
                    result,
                    time,
                    time ? kernel.ms * *time : 0,
                    message};
    if (kernel.search.bestTime() < before)
      say(kernel.label + ": try " + std::to_string(kernel.search.tries()) + " of " +
          std::to_string(kernel.search.size() - 1) + ", " + number(kernel.ms * before, 3) + " -> " +
          number(kernel.ms * kernel.search.bestTime(), 3) + " ms, step " +
          number(-100 * kernel.ms * (before - kernel.search.bestTime()) / firstMs, 2) + "%: " + rule.where() + ", " +
          textOf(candidate.point.parameters));
    std::string error = journal.append(entry);
    if (!error.empty())
      diagnostics.error({journalPath().string()}, "cannot be written: " + error);
    return error.empty();
  }

  /// Compiles, checks and times the candidates. Those that fail are noted and left out, and the others tried again.
  bool tryAll(std::vector<Candidate> candidates) {
    ++rounds;
    if (!buildBest())
      return false;
    while (!candidates.empty() && !stopSignal) {
      std::map<std::string, codegen::KernelChoice> choices = bestChoices;
      std::vector<size_t> rows;
      for (const Candidate &candidate : candidates) {
        const TunedKernel &kernel = kernels[candidate.kernel];
        choices[kernel.key] = choiceOf(kernel, candidate.point);
        rows.insert(rows.end(), kernel.rows.begin(), kernel.rows.end());
      }
      std::sort(rows.begin(), rows.end());
      std::map<std::string, std::string> failures;
      std::optional<TunedObject> object = program.build("candidate", choices, failures, diagnostics);
      if (stopSignal)
        return true; // what a signal ended says nothing
      if (!object && failures.empty())
        return false;
      if (!failures.empty()) {
        if (!drop(candidates, "compile", [&](const TunedKernel &kernel) {
              auto found = failures.find(kernel.key);
              return found == failures.end() ? std::string() : found->second;
            }))
          return false;
        continue;
      }
      TuneMeasurement measured = measure(*object, rows, timeLimit);
      if (stopSignal)
        return true;
      if (diagnostics.hasErrors())
        return false;
      if (!measured.failure.empty()) {
        if (!afterFailure(candidates, measured))
          return false;
        continue;
      }
      return takeTimes(candidates, measured);
    }
    return true;
  }

  /// Notes as failed, and removes, the candidates of kernels for which `why` has a text.
  template <typename Why> bool drop(std::vector<Candidate> &candidates, const std::string &result, Why why) {
    std::vector<Candidate> kept;
    for (const Candidate &candidate : candidates) {
      std::string message = why(kernels[candidate.kernel]);
      if (message.empty())
        kept.push_back(candidate);
      else if (!note(candidate, result, message))
        return false;
    }
    if (kept.size() == candidates.size()) {
      diagnostics.error({request.build.network}, "internal error: a kernel failed that has no candidate");
      return false;
    }
    candidates = std::move(kept);
    return true;
  }

  /// The process failed: at a kernel's check it is that one; else half of the candidates is left for later rounds,
  /// until one is left.
  bool afterFailure(std::vector<Candidate> &candidates, const TuneMeasurement &measured) {
    auto isRow = [&](const TunedKernel &kernel) {
      return std::count(kernel.rows.begin(), kernel.rows.end(), size_t(measured.failedRow)) != 0;
    };
    if (measured.failedRow >= 0)
      return drop(candidates, measured.failure,
                  [&](const TunedKernel &kernel) { return isRow(kernel) ? measured.message : std::string(); });
    if (candidates.size() == 1)
      return drop(candidates, measured.failure, [&](const TunedKernel &) { return measured.message; });
    candidates.resize((candidates.size() + 1) / 2);
    return true;
  }

  bool takeTimes(const std::vector<Candidate> &candidates, const TuneMeasurement &measured) {
    std::map<size_t, TuneMeasurement::Row> times;
    for (const TuneMeasurement::Row &row : measured.rows)
      times[row.row] = row;
    bool better = false;
    for (const Candidate &candidate : candidates) {
      TunedKernel &kernel = kernels[candidate.kernel];
      double mine = 0, theirs = 0, before = kernel.search.bestTime();
      std::string problem;
      for (size_t row : kernel.rows) {
        mine += times[row].candidateMs;
        theirs += times[row].bestMs;
        if (auto found = measured.wrong.find(row); found != measured.wrong.end())
          problem = found->second;
      }
      bool good = problem.empty() && mine > 0 && theirs > 0;
      if (!(good ? note(candidate, "ok", "", before * mine / theirs) : note(candidate, "wrong", problem)))
        return false;
      better |= kernel.search.bestTime() < before;
    }
    double gain = 0;
    for (const TunedKernel &kernel : kernels)
      gain += kernel.ms * (1 - kernel.search.bestTime());
    say(number(minutesSpent(), 1) + " of " + number(request.minutes, 1) + " minutes, round " + std::to_string(rounds) +
        ", " + std::to_string(tries) + " tries; step " + number(firstMs, 3) + " -> " + number(firstMs - gain, 3) +
        " ms (" + change(gain / firstMs) + ")");
    return !better || writeFile(false);
  }

  /// Runs the best schedules against the first ones. Of many tries the best is often a lucky one: kernels that are not
  /// faster after all go back to the first, and the rest runs again; all do where the step is not faster in the end.
  bool confirm() {
    static constexpr int mostPasses = 4;
    for (int pass = 0; pass < mostPasses; ++pass) {
      std::map<std::string, codegen::KernelChoice> choices = choicesNow();
      if (choices.empty()) {
        finding = "step " + number(firstMs, 3) + " ms; no other schedules make it faster";
        say(finding);
        break;
      }
      std::map<std::string, std::string> failures;
      std::optional<TunedObject> tuned = program.build("candidate", choices, failures, diagnostics);
      best = program.build("best", {}, failures, diagnostics);
      if (!tuned || !best)
        return stopSignal != 0;
      TuneMeasurement measured = measure(*tuned, {}, 600);
      if (stopSignal)
        return true;
      if (diagnostics.hasErrors())
        return false;
      finding = "step " + number(measured.bestMs, 3) + " -> " + number(measured.candidateMs, 3) + " ms";
      say(finding + ", by turns in one process (" + change(1 - measured.candidateMs / measured.bestMs) + ")");
      if (!goBack(measured))
        break;
    }
    return true;
  }

  /// Gives their first schedule back to kernels that are not faster than with it; to all where each is, but not the
  /// step. Returns whether there was one.
  bool goBack(const TuneMeasurement &measured) {
    std::map<size_t, TuneMeasurement::Row> times;
    for (const TuneMeasurement::Row &row : measured.rows)
      times[row.row] = row;
    size_t before = unconfirmed.size();
    for (const TunedKernel &kernel : kernels) {
      double mine = 0, theirs = 0;
      for (size_t row : kernel.rows) {
        mine += times[row].candidateMs;
        theirs += times[row].bestMs;
      }
      if (isFaster(kernel) && mine >= theirs) {
        say(kernel.label + ": not faster after all: " + number(theirs, 3) + " -> " + number(mine, 3) + " ms");
        unconfirmed.insert(kernel.key);
      }
    }
    if (unconfirmed.size() == before && measured.candidateMs >= measured.bestMs)
      for (const TunedKernel &kernel : kernels)
        if (isFaster(kernel))
          unconfirmed.insert(kernel.key);
    return unconfirmed.size() > before;
  }

  bool writeFile(bool last) {
    const codegen::Plan &plan = first->result.versions.front();
    const std::string cpu = kernels[0].dims.words.at("cpu");
    std::ostringstream out;
    out << "# Schedules of " << plan.net << "'s kernels (" << request.what << ", batch " << plan.batch << ") for "
        << plan.target->name << " on " << cpu << ", found by `sylvite tune`.\n";
    if (!finding.empty())
      out << "# " << finding << ".\n";
    for (const TunedKernel &kernel : kernels) {
      bool kept = isFaster(kernel);
      Search::Point point = kept ? kernel.search.best() : Search::Point{0, kernel.search.space(0)[0]};
      const Rule &rule = *kernel.rules[point.rule];
      out << "\n# " << kernel.label << ": " << number(kernel.ms, 3);
      if (kept)
        out << " -> " << number(kernel.ms * kernel.search.bestTime(), 3);
      out << " ms, " << number(100 * kernel.ms / firstMs, 1) << "% of the step; " << kernel.search.tries() << " of "
          << kernel.search.size() - 1 << " other schedules tried; from " << rule.where() << "\n"
          << ruleTextFor(rule, kernel.name, {{"key", kernel.key}, {"target", plan.target->name}, {"cpu", cpu}},
                         point.parameters, kernel.search.space(point.rule));
    }
    std::string error;
    if (!writeFileAtomically(outputPath(), out.str(), error)) {
      diagnostics.error({outputPath().string()}, "cannot be written: " + error);
      return false;
    }
    if (last)
      say("wrote " + outputPath().string() + ": use it with --schedules");
    return true;
  }
};

} // namespace

int tune(const TuneRequest &request, const Installation &here, Diagnostics &diagnostics) {
  TuneRequest quiet = request;
  quiet.build.quiet = true; // of compilation
  quiet.build.secondsPerKernel = secondsToCompile;
  stopSignal = 0;
  return Tuner(quiet, here, diagnostics).run();
}

} // namespace sylvite
