//===- Build.cpp - network file to object, and to a program that runs it ------------------------------------------===//
#include "compiler/tools/Build.h"

#include "compiler/frontend/Frontend.h"
#include "compiler/support/Files.h"
#include "compiler/support/Hash.h"

#include "mlir/IR/MLIRContext.h"

#include "llvm/Support/Program.h"

#include <chrono>
#include <fstream>
#include <iostream>
#include <sched.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace sylvite {
namespace {

int availableCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0)
    return 1;
  return std::max(1, CPU_COUNT(&set));
}

/// "compile: kernel k of n", on one line of a terminal, else a line every two seconds.
class CompileProgress {
public:
  explicit CompileProgress(bool quiet) : terminal(isatty(STDERR_FILENO)), quiet(quiet) {}
  void operator()(size_t done, size_t total, const std::string &kernel) {
    auto now = std::chrono::steady_clock::now();
    if (quiet || (!terminal && done != total && now - last < std::chrono::seconds(2)))
      return;
    last = now;
    std::cerr << (terminal ? "\r\033[K" : "") << "compile: kernel " << done << " of " << total << " (" << kernel << ")"
              << (!terminal || done == total ? "\n" : "") << std::flush;
  }

private:
  bool terminal, quiet;
  std::chrono::steady_clock::time_point last{};
};

/// Size and time of the runtime's libraries: a program linked with others is made anew.
std::string librariesStamp(const Installation &here) {
  std::string text;
  for (const char *name : {"libsylvite_rt.a", "libsylvite_data.a", "libsylvite_train.a"}) {
    std::error_code code;
    fs::path path = here.libraries / name;
    text += std::to_string(fs::file_size(path, code)) + "." +
            std::to_string(fs::last_write_time(path, code).time_since_epoch().count()) + ";";
  }
  return text;
}

} // namespace

std::string linkProgram(const std::string &source, const std::vector<fs::path> &objects, const Installation &here,
                        const fs::path &program) {
  llvm::ErrorOr<std::string> cc = llvm::sys::findProgramByName("cc");
  if (!cc)
    return "no C compiler: `cc` is needed to link the program (apt-get install gcc)";
  fs::path stub = program.string() + ".c", made = program.string() + ".tmp";
  std::ofstream(stub) << "#include <sylvite/train.h>\n" << source;
  std::vector<std::string> arguments{*cc, "-O1", "-o", made.string(), stub.string()};
  for (const fs::path &object : objects)
    arguments.push_back(object.string());
  arguments.insert(arguments.end(), {"-I" + here.include.string(), "-L" + here.libraries.string()});
  for (const char *library : {"-lsylvite_train", "-lsylvite_data", "-lsylvite_rt", "-lpng", "-ljpeg", "-lz", "-lstdc++",
                              "-lm", "-ldl", "-lpthread"})
    arguments.push_back(library);
  std::vector<llvm::StringRef> views(arguments.begin(), arguments.end());
  std::string error;
  int status = llvm::sys::ExecuteAndWait(*cc, views, std::nullopt, {}, 0, 0, &error);
  std::error_code code;
  fs::remove(stub, code);
  if (status)
    return "linking failed: cc ended with status " + std::to_string(status) + " " + error;
  fs::rename(made, program, code);
  return code ? code.message() : "";
}

bool buildNetwork(const BuildRequest &request, const Installation &here, const fs::path &output,
                  codegen::CompileResult &result, Diagnostics &diagnostics) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED); // kernels are compiled in forked processes
  context.loadDialect<nn::NnDialect>();
  NetworkOptions options;
  options.batch = request.batch;
  options.doublePrecision = request.doublePrecision;
  mlir::OwningOpRef<mlir::ModuleOp> module = readNetwork(request.network, options, context, diagnostics);
  codegen::CompileOptions compile;
  compile.target = request.target;
  compile.schedules = here.schedules(request.schedules, diagnostics);
  compile.choices = request.choices;
  compile.failures = request.failures;
  compile.secondsPerKernel = request.secondsPerKernel;
  if (!module || diagnostics.hasErrors())
    return false;
  compile.output = output;
  compile.emit = request.emit;
  compile.keepGradients = request.keepGradients;
  compile.exact = request.exact;
  compile.phases = request.phases;
  compile.maxScratch = request.maxScratch;
  compile.jobs = availableCores();
  compile.version = here.version;
  compile.cacheSalt = here.salt;
  std::string error;
  compile.networkText = readFile(request.network, kYamlSizeLimit, error).value_or("");
  CompileProgress progress(request.quiet);
  compile.progress = [&](size_t done, size_t total, const std::string &kernel) { progress(done, total, kernel); };
  return codegen::compileNetwork(*module, compile, result, diagnostics);
}

std::optional<fs::path> buildProgram(const BuildRequest &request, const Installation &here, Diagnostics &diagnostics) {
  std::string error;
  std::vector<std::string> key{here.salt,
                               librariesStamp(here),
                               request.target,
                               std::to_string(request.batch),
                               std::to_string(request.keepGradients),
                               std::to_string(request.exact),
                               std::to_string(request.maxScratch),
                               std::to_string(request.doublePrecision)};
  key.insert(key.end(), request.phases.begin(), request.phases.end());
  key.push_back(readFile(request.network, kYamlSizeLimit, error).value_or(""));
  Diagnostics unread; // reported when the network is compiled
  for (const auto &[name, text] : here.schedules(request.schedules, unread))
    key.insert(key.end(), {name, text});
  if (unread.hasErrors())
    key.push_back("unread");
  for (const codegen::Target *target : codegen::findTargets(request.target))
    key.push_back(target->name);
  if (request.target == "host") // what rules may ask for
    key.push_back(codegen::hostCpu());
  fs::path folder = cacheDirectory() / "programs" / sha256Hex(key).substr(0, 32);
  fs::path program = folder / "program";
  std::error_code code;
  if (fs::exists(program, code))
    return program;
  codegen::CompileResult result;
  fs::path work = folder.string() + "." + std::to_string(getpid()) + ".tmp";
  bool ok = buildNetwork(request, here, work, result, diagnostics);
  if (ok) {
    const std::string &net = result.versions.front().net;
    std::string problem =
        linkProgram("extern const syl_model " + net + "_model;\nint main(int argc, char **argv) { return syl_main(&" +
                        net + "_model, argc, argv); }\n",
                    {result.object}, here, work / "program");
    if (!problem.empty())
      diagnostics.error({request.network, 0, 0}, problem);
    else
      fs::rename(work, folder, code);
  }
  if (fs::exists(work, code))
    fs::remove_all(work, code);
  if (diagnostics.hasErrors())
    return std::nullopt;
  return program;
}

} // namespace sylvite
