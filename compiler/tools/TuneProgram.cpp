//===- TuneProgram.cpp - networks compiled with chosen schedules, checked and timed in a process of their own
//------===//
#include "compiler/tools/TuneProgram.h"

#include "compiler/support/Files.h"
#include "compiler/support/Process.h"

#include "llvm/Support/Program.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

using nlohmann::json;
namespace fs = std::filesystem;

namespace sylvite {
namespace {

constexpr uint64_t processMemory = uint64_t(8) << 30;

/// Leaves `to`, which exports `<name>_model` instead of all that `from` does.
std::string renameModel(const fs::path &from, const fs::path &to, const std::string &net, const std::string &name) {
  for (const char *tool : {"llvm-objcopy-22", "llvm-objcopy", "objcopy"}) {
    llvm::ErrorOr<std::string> path = llvm::sys::findProgramByName(tool);
    if (!path)
      continue;
    // The tools differ in whether a name that is kept is the old one or the new one.
    std::vector<std::string> arguments{*path,
                                       "--redefine-sym",
                                       net + "_model=" + name + "_model",
                                       "--keep-global-symbol=" + net + "_model",
                                       "--keep-global-symbol=" + name + "_model",
                                       from.string(),
                                       to.string()};
    std::vector<llvm::StringRef> views(arguments.begin(), arguments.end());
    std::string error;
    int status = llvm::sys::ExecuteAndWait(*path, views, std::nullopt, {}, 0, 0, &error);
    return status ? std::string(tool) + " failed with status " + std::to_string(status) + " " + error : "";
  }
  return "llvm-objcopy is not installed";
}

/// A process whose standard output is read as it comes.
struct Process {
  pid_t pid = -1;
  int output = -1;
};

Process start(const fs::path &program, const fs::path &errors) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return {};
  Process process{fork(), ends[0]};
  if (process.pid == 0) {
    limitWorker(processMemory);
    int log = ::open(errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(ends[1], STDOUT_FILENO);
    dup2(log < 0 ? ends[1] : log, STDERR_FILENO);
    std::string name = program.string();
    char *arguments[] = {name.data(), nullptr};
    execv(name.c_str(), arguments);
    _exit(127);
  }
  close(ends[1]);
  return process;
}

/// What the process said on one line.
void readLine(const json &line, TuneMeasurement &measured, int64_t &checking) {
  if (line.contains("start")) {
    checking = line["start"].get<int64_t>();
  } else if (line.contains("rows")) {
    measured.candidateMs = line.at("candidate_ms").get<double>();
    measured.bestMs = line.at("best_ms").get<double>();
    for (const json &row : line["rows"])
      measured.rows.push_back({row.at(0).get<size_t>(), row.at(1).get<double>(), row.at(2).get<double>()});
  } else {
    checking = -1;
    if (auto problem = line.at("problem").get<std::string>(); !problem.empty())
      measured.wrong[line.at("row").get<size_t>()] = problem;
  }
}

} // namespace

TuneProgram::TuneProgram(const BuildRequest &request, const Installation &here, fs::path work,
                         std::function<bool()> stopped)
    : request(request), here(here), work(std::move(work)), stopped(std::move(stopped)) {}

TuneProgram::~TuneProgram() {
  std::error_code code;
  fs::remove_all(work, code);
}

std::optional<TunedObject> TuneProgram::build(const std::string &name,
                                              const std::map<std::string, codegen::KernelChoice> &choices,
                                              std::map<std::string, std::string> &failures, Diagnostics &diagnostics) {
  TunedObject made;
  request.choices = choices;
  request.failures = &failures;
  if (!buildNetwork(request, here, work / name, made.result, diagnostics))
    return std::nullopt;
  made.object = work / (name + ".o");
  std::string error = renameModel(made.result.object, made.object, made.result.versions.front().net, name);
  if (error.empty())
    return made;
  diagnostics.error({request.network}, error);
  return std::nullopt;
}

TuneMeasurement TuneProgram::run(const TunedObject &plain, const TunedObject &best, const TunedObject &candidate,
                                 const Settings &settings, Diagnostics &diagnostics) {
  TuneMeasurement measured;
  json text = {{"program", settings.program},
               {"threads", settings.threads},
               {"seconds", settings.seconds},
               {"rows", settings.rows}};
  fs::path program = work / "program", errors = work / "errors";
  std::string problem = linkProgram("extern const syl_model plain_model, best_model, candidate_model;\n"
                                    "int main(void) { return syl_tune_main(&plain_model, &best_model, "
                                    "&candidate_model, " +
                                        json(text.dump()).dump() + "); }\n",
                                    {plain.object, best.object, candidate.object}, here, program);
  if (!problem.empty()) {
    diagnostics.error({request.network}, problem);
    return measured;
  }
  Process process = start(program, errors);
  if (process.pid < 0) {
    diagnostics.error({}, std::string("cannot start a process: ") + strerror(errno));
    return measured;
  }
  auto begin = std::chrono::steady_clock::now();
  int64_t checking = -1;
  std::string output;
  bool late = false;
  for (;;) {
    pollfd wait{process.output, POLLIN, 0};
    poll(&wait, 1, 100);
    char bytes[4096];
    ssize_t got = wait.revents ? read(process.output, bytes, sizeof bytes) : -1;
    if (got == 0)
      break;
    if (got > 0)
      output.append(bytes, size_t(got));
    for (size_t end; (end = output.find('\n')) != std::string::npos; output.erase(0, end + 1)) {
      json line = json::parse(output.substr(0, end), nullptr, false);
      if (line.is_object())
        readLine(line, measured, checking);
    }
    late = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() > settings.timeLimit;
    if (late || stopped()) {
      kill(process.pid, SIGKILL);
      break;
    }
  }
  close(process.output);
  int status = 0;
  while (waitpid(process.pid, &status, 0) < 0 && errno == EINTR)
    continue;
  if (status || measured.rows.empty()) {
    std::string error, said = readFile(errors, 4096, error).value_or("");
    measured.rows.clear();
    measured.failure = late ? "timeout" : "crash";
    measured.failedRow = checking;
    measured.message =
        late ? "took longer than " + std::to_string(int(settings.timeLimit)) + " s" : describeEnd(status);
    if (!said.empty())
      measured.message += ": " + said.substr(0, said.find('\n'));
  }
  return measured;
}

} // namespace sylvite
