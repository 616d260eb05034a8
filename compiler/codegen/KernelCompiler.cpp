//===- KernelCompiler.cpp - kernels to objects, in worker processes, cached on disk -------------------------------===//
//
// One forked process a kernel: Halide makes names unique by counters of the process, so only a process of its own gives
// the same bytes each time; and a worker may crash, hang or run out of memory without taking the compiler along.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/codegen/KernelCompiler.h"

#include "compiler/schedule/BoundsCheck.h"
#include "compiler/support/Files.h"
#include "compiler/support/Hash.h"
#include "compiler/support/Process.h"

#include "llvm/Support/raw_ostream.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iostream>
#include <poll.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace Halide;
namespace fs = std::filesystem;
using nlohmann::json;

namespace sylvite::codegen {
namespace {

constexpr uint64_t workerMemory = uint64_t(6) << 30;

/// What a kernel's temporaries take on the worker's heap. Halide places small ones of constant size on the stack; of
/// what else a schedule wants on the stack, it takes the larger from the heap at first use and keeps it to the kernel's
/// end.
class HeapUse : public Internal::IRVisitor {
public:
  std::string problem;

  HeapUse(int64_t maxImages, int64_t parts) {
    bounds["images"] = Expr(int(maxImages));
    loops.push("part", {0, int(parts) - 1});
  }

  /// Most bytes at a time: runtime/core/heap.c is a stack, where what is kept holds what was freed below it.
  int64_t bytes() const { return kept + largest * (1 + keptCount); }

private:
  using IRVisitor::visit;
  int64_t now = 0, largest = 0, kept = 0, keptCount = 0;
  std::map<std::string, Expr> bounds;
  Internal::Scope<Internal::Interval> loops;

  void visit(const Internal::LetStmt *op) override {
    bounds[op->name] = Internal::substitute(bounds, op->value);
    op->value.accept(this);
    op->body.accept(this);
  }
  void visit(const Internal::For *op) override {
    Internal::Interval first = constantBounds(op->min), end = constantBounds(op->min + op->extent);
    if (end.has_upper_bound())
      end.max = Internal::simplify(end.max - 1);
    Internal::ScopedBinding<Internal::Interval> bind(loops, op->name, {first.min, end.max});
    IRVisitor::visit(op);
  }
  void visit(const Internal::Allocate *op) override {
    Expr size = Expr(int64_t(op->type.bytes()));
    for (const Expr &extent : op->extents)
      size = size * cast<int64_t>(extent);
    auto known = Internal::as_const_int(constantBounds(size).max);
    int64_t fixed = op->constant_allocation_size(); // 0 where it depends on `images`
    bool stack = op->memory_type == MemoryType::Register || (op->memory_type != MemoryType::Heap && fixed &&
                                                             (fixed + op->padding) * op->type.bytes() <= stackLimit);
    if (!known && !stack && problem.empty())
      problem = "the size of '" + op->name + "' is not constant";
    int64_t bytes = stack || !known ? 0 : (*known + 63) / 64 * 64 + 256;
    if (!stack && op->memory_type == MemoryType::Stack) {
      kept += bytes;
      ++keptCount;
      bytes = 0;
    }
    now += bytes;
    largest = std::max(largest, now);
    IRVisitor::visit(op);
    now -= bytes;
  }

  Internal::Interval constantBounds(const Expr &value) {
    Expr known = Internal::simplify(Internal::substitute(bounds, value));
    Internal::Interval interval = Internal::find_constant_bounds(known, loops);
    if (interval.is_bounded())
      return interval;
    // Of variables that a let within the value binds, it finds no bounds.
    return Internal::find_constant_bounds(Internal::simplify(Internal::substitute_in_all_lets(known)), loops);
  }

  static constexpr int64_t stackLimit = 16 << 10; // Halide's
};

/// An error or a warning of Halide's.
struct HalideMessage : std::runtime_error {
  using runtime_error::runtime_error;
};

/// Halide's warnings are errors: a dropped gradient is only a warning. checkBounds reads one kind of warning itself.
class Reporter : public CompileTimeErrorReporter {
public:
  void warning(const char *message) override {
    if (!strstr(message, "guaranteed to fail an assertion"))
      throw HalideMessage(std::string("Halide warns: ") + message);
  }
  void error(const char *message) override { throw HalideMessage(message); }
};

/// A kernel to compile, with the rule that it gets.
struct Job {
  nn::RegionOp region;
  std::string hash;
  KernelDims dims;
  const Rule *rule;
  TuneChoices parameters;
};

fs::path kernelFolder() { return cacheDirectory() / "kernels"; }

/// Runs in the worker: builds, schedules and compiles one kernel. Returns what it found as JSON.
json compileHere(const Job &job, const KernelOptions &options, const fs::path &object) {
  const std::string &hash = job.hash;
  const Rule *rule = job.rule;
  json result;
  auto fail = [&](const std::string &text, const std::string &hint = "") {
    result["errors"].push_back({{"file", ""}, {"line", 0}, {"column", 0}, {"text", text}, {"hint", hint}});
    return result;
  };
  std::string name = nn::RegionOp(job.region).getKernel().str();
  auto failWith = [&](const Diagnostics &problems) {
    for (const Message &message : problems.messages())
      result["errors"].push_back({{"file", message.location.file},
                                  {"line", message.location.line},
                                  {"column", message.location.column},
                                  {"text", message.text + " (kernel " + name + ")"},
                                  {"hint", message.hint}});
    return result;
  };
  Diagnostics diagnostics;
  AppliedSchedule applied;
  Kernel kernel;
  auto blame = [&](const std::string &text) { // at the directive that Halide refused
    Location place = applied.ok ? applied.blame(text, kernel.funcs) : Location{};
    diagnostics.error(place, text);
    return failWith(diagnostics);
  };
  try {
    kernel = buildKernel(job.region);
    if (rule->algorithm != "direct") {
      diagnostics.error(rule->location, "kernel '" + name + "' has no algorithm '" + rule->algorithm + "'",
                        "known: direct");
      return failWith(diagnostics);
    }
    std::string funcs = kernel.funcs.describe();
    applied = apply(*rule, kernel.funcs, job.dims, job.parameters, diagnostics);
    if (!applied.ok || diagnostics.hasErrors())
      return failWith(diagnostics);
    // A kernel carries no checks of its own: what its schedule may touch is proved here.
    int64_t most = kernel.signature.images == Images::Rows ? maxRows : kernel.signature.maxImages;
    int64_t parts = kernel.signature.rowDim ? kernel.signature.columns : 1;
    if (!checkBounds(Pipeline(kernel.output), kernel.arguments, Halide::Target(options.target->halide),
                     {{"images", {1, most}},
                      {"batch", {1, std::max(most, kernel.signature.maxImages)}},
                      {"part", {0, parts - 1}}},
                     kernel.funcs, applied, diagnostics))
      return failWith(diagnostics);
    std::string symbol = "sylvite_kernel_" + hash.substr(0, 24);
    Halide::Target target(options.target->halide);
    Module module = Pipeline(kernel.output).compile_to_module(kernel.arguments, symbol, target);
    std::map<OutputFileType, std::string> outputs{{OutputFileType::object, object.string()}};
    if (options.emitHalide)
      outputs[OutputFileType::stmt] = (options.emitFolder / (name + "." + hash.substr(0, 8) + ".stmt")).string();
    if (options.emitAssembly)
      outputs[OutputFileType::assembly] = (options.emitFolder / (name + "." + hash.substr(0, 8) + ".s")).string();
    HeapUse heap(most, parts);
    for (const auto &function : module.functions())
      function.body.accept(&heap);
    if (!heap.problem.empty())
      return fail("kernel '" + name + "': " + heap.problem,
                  "compute it inside a loop over samples, or bound it; rule " + applied.rule);
    module.compile(outputs);
    result["heap"] = heap.bytes();
    // Without the rule's place, which may change while what it says does not.
    result["explanation"] = applied.str().substr(("rule " + applied.rule).size()) + "  Funcs:\n" + funcs;
  } catch (const Halide::Error &error) {
    return blame(halideMessage(error));
  } catch (const HalideMessage &error) {
    return blame(halideMessage(std::string(error.what())));
  } catch (const std::exception &error) {
    return fail("internal error: kernel '" + name + "': " + error.what());
  }
  return result;
}

struct Worker {
  pid_t pid;
  size_t job;
  fs::path answer, object;
  std::chrono::steady_clock::time_point start;
};

} // namespace

std::vector<CompiledKernel> compileKernels(llvm::ArrayRef<nn::RegionOp> regions, const KernelOptions &options,
                                           std::map<mlir::Operation *, size_t> &kernelOf, Diagnostics &diagnostics) {
  std::vector<CompiledKernel> kernels;
  std::vector<Job> jobs;
  std::map<std::string, size_t> known;
  for (nn::RegionOp region : regions) {
    Signature signature = signatureOf(region);
    std::string text = kernelText(region, signature);
    auto [found, added] = known.try_emplace(text, kernels.size());
    kernelOf[region.getOperation()] = found->second;
    if (!added)
      continue;
    CompiledKernel kernel;
    kernel.key = kernelKey(text);
    kernel.dims = scheduleDims(region, signature, *options.target);
    kernel.dims.words["key"] = kernel.key;
    kernel.dims.words["cpu"] = options.cpu;
    Job job{region, "", kernel.dims, options.schedules->find(region.getKernel().str(), kernel.dims, "direct"), {}};
    if (auto choice = options.choices.find(kernel.key); choice != options.choices.end()) {
      job.rule = choice->second.rule;
      job.parameters = choice->second.parameters;
    }
    if (!job.rule) {
      diagnostics.error({}, "no rule of the schedule files fits kernel '" + region.getKernel().str() + "'",
                        "end the file with a rule `kernel: \"*\"` without `when`");
      continue;
    }
    std::vector<std::string> parts{text, options.target->halide, job.rule->text(), options.compilerVersion};
    for (const auto &[name, value] : job.parameters)
      parts.push_back(name + "=" + std::to_string(value));
    std::string hash = job.hash = sha256Hex(parts);
    kernel.rule = job.rule->where();
    kernel.symbol = "sylvite_kernel_" + hash.substr(0, 24);
    kernel.name = region.getKernel().str();
    kernel.object = kernelFolder() / (hash + ".o");
    kernels.push_back(kernel);
    jobs.push_back(job);
  }
  if (diagnostics.hasErrors())
    return kernels;

  std::error_code ignored;
  fs::create_directories(kernelFolder(), ignored);
  auto readAnswer = [&](size_t index, const json &answer) {
    kernels[index].heapBytes = answer.at("heap").get<int64_t>();
    kernels[index].explanation = "rule " + kernels[index].rule + answer.at("explanation").get<std::string>();
  };
  std::vector<size_t> todo;
  size_t done = 0;
  for (size_t i = 0; i < jobs.size(); ++i) {
    fs::path meta = fs::path(kernels[i].object).replace_extension(".json");
    std::string error;
    bool wanted = options.emitHalide || options.emitAssembly;
    if (!wanted && fs::exists(kernels[i].object, ignored))
      if (auto text = readFile(meta, 1 << 24, error)) {
        json answer = json::parse(*text, nullptr, false);
        if (!answer.is_discarded() && answer.contains("heap")) {
          readAnswer(i, answer);
          kernels[i].cached = true;
          ++done;
          continue;
        }
      }
    todo.push_back(i);
  }

  std::vector<Worker> running;
  size_t next = 0;
  while (next < todo.size() || !running.empty()) {
    while (next < todo.size() && int(running.size()) < std::max(1, options.jobs)) {
      size_t job = todo[next++];
      std::string stem = jobs[job].hash + "." + std::to_string(getpid());
      Worker worker{0, job, kernelFolder() / (stem + ".json.tmp"), kernelFolder() / (stem + ".o.tmp"),
                    std::chrono::steady_clock::now()};
      std::cout.flush();
      std::cerr.flush();
      worker.pid = fork();
      if (worker.pid == 0) {
        limitWorker(workerMemory);
        static Reporter reporter;
        set_custom_compile_time_error_reporter(&reporter);
        json answer = compileHere(jobs[job], options, worker.object);
        std::ofstream(worker.answer) << answer.dump();
        _exit(0);
      }
      if (worker.pid < 0) {
        diagnostics.error({}, "cannot start a worker process: " + std::string(strerror(errno)));
        next = todo.size();
        break;
      }
      running.push_back(worker);
    }
    bool any = false;
    for (size_t w = 0; w < running.size();) {
      int status = 0;
      Worker worker = running[w];
      double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - worker.start).count();
      if (waitpid(worker.pid, &status, WNOHANG) == 0) {
        if (seconds > options.secondsPerKernel)
          kill(worker.pid, SIGKILL);
        ++w;
        continue;
      }
      any = true;
      running.erase(running.begin() + w);
      CompiledKernel &kernel = kernels[worker.job];
      kernel.seconds = seconds;
      std::string error;
      auto text = readFile(worker.answer, 1 << 24, error);
      json answer = text ? json::parse(*text, nullptr, false) : json();
      bool chosen = options.failures && options.choices.count(kernel.key);
      auto fail = [&](const Location &place, const std::string &text, const std::string &hint) {
        if (chosen)
          options.failures->try_emplace(kernel.key, text);
        else
          diagnostics.error(place, text, hint);
      };
      if (WIFSIGNALED(status) || answer.is_discarded() || !answer.is_object()) {
        bool late = seconds > options.secondsPerKernel;
        fail({},
             "internal error: compiling kernel '" + kernel.name + "' " +
                 (late ? "took longer than " + std::to_string(int(options.secondsPerKernel)) + " s"
                       : describeEnd(status)),
             "report the network file and the schedule file");
      } else if (answer.contains("errors")) {
        for (const json &entry : answer["errors"])
          fail({entry["file"], entry["line"], entry["column"]}, entry["text"], entry["hint"]);
      } else {
        readAnswer(worker.job, answer);
        fs::rename(worker.object, kernel.object, ignored);
        fs::rename(worker.answer, fs::path(kernel.object).replace_extension(".json"), ignored);
      }
      fs::remove(worker.answer, ignored);
      fs::remove(worker.object, ignored);
      ++done;
      if (options.progress)
        options.progress(done, kernels.size(), kernel.name);
    }
    if (!any)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return kernels;
}

} // namespace sylvite::codegen
