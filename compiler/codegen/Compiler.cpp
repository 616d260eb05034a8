//===- Compiler.cpp - from a network to an object, stage by stage -------------------------------------------------===//
#include "compiler/codegen/Compiler.h"

#include "compiler/codegen/Algorithms.h"
#include "compiler/codegen/Driver.h"
#include "compiler/codegen/Files.h"
#include "compiler/schedule/Rules.h"
#include "compiler/support/Files.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Pass/PassManager.h"

using namespace mlir;
namespace fs = std::filesystem;

namespace sylvite::codegen {
namespace {

std::string printed(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  return text;
}

bool writeText(const fs::path &path, const std::string &text, Diagnostics &diagnostics) {
  std::string error;
  if (writeFileAtomically(path, text, error))
    return true;
  diagnostics.error({path.string(), 0, 0}, "cannot be written: " + error);
  return false;
}

/// Graph passes; MLIR's own messages become diagnostics.
bool runPasses(ModuleOp module, const CompileOptions &options, Diagnostics &diagnostics) {
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &message) {
    diagnostics.error({}, "internal error: " + message.str(), "report the network file");
    return success();
  });
  PassManager manager(module.getContext());
  nn::buildPipeline(manager, options.keepGradients, options.phases);
  return succeeded(manager.run(module));
}

const Target *requireTarget(const std::string &name, Diagnostics &diagnostics) {
  const Target *target = findTarget(name);
  if (!target) {
    std::string names;
    for (const Target &known : targets())
      names += ", " + known.name;
    diagnostics.error({}, "target '" + name + "' is unknown or cannot run here", "known: host" + names);
  }
  return target;
}

/// What rules' `cpu` tests: an object for a named target does not depend on where it is compiled.
std::string cpuOf(const std::string &target) { return target == "host" ? hostCpu() : "generic"; }

std::string labelOf(const Call &call) { return call.layer + (call.layer.empty() ? "" : ":") + call.signature.kernel; }

/// Whether the scratch block of one thread fits into so many bytes; else says how many it takes, as
/// <net>_scratch_bytes(0, 1) does.
bool fitsScratch(const Plan &plan, int64_t most, Diagnostics &diagnostics) {
  auto rounded = [](int64_t bytes) { return (bytes + 127) / 128 * 128; };
  int64_t shared = rounded(plan.scratchBytes), thread = rounded(plan.localBytes) + rounded(plan.heapBytes);
  if (most == 0 || shared + thread <= most)
    return true;
  diagnostics.error({},
                    "--max-scratch: found " + std::to_string(most) + ", expected at least " +
                        std::to_string(shared + thread) + " bytes, the least possible for batch " +
                        std::to_string(plan.batch) + ": " + std::to_string(shared) + " that all threads share and " +
                        std::to_string(thread) + " for each thread",
                    "a smaller --batch takes less; --explain prints each buffer's place and life");
  return false;
}

} // namespace

bool compileNetwork(ModuleOp module, const CompileOptions &options, CompileResult &result, Diagnostics &diagnostics) {
  const Target *target = requireTarget(options.target, diagnostics);
  if (!target)
    return false;
  std::error_code code;
  fs::create_directories(options.output, code);
  if (code) {
    diagnostics.error({options.output.string(), 0, 0}, "cannot be made: " + code.message());
    return false;
  }
  auto emits = [&](const char *what) { return options.emit.count(what) != 0; };

  // 1. graph
  std::string net = (*module.getOps<nn::NetworkOp>().begin()).getSymName().str();
  if (emits("nn") && !writeText(options.output / (net + ".nn.mlir"), printed(module), diagnostics))
    return false;
  std::optional<ScheduleSet> schedules = ScheduleSet::parse(options.schedules, diagnostics, kernelDimNames());
  if (!schedules)
    return false;
  if (!options.exact)
    chooseAlgorithms(module, *schedules, *target);
  if (!runPasses(module, options, diagnostics))
    return false;
  if (emits("regions") && !writeText(options.output / (net + ".regions.mlir"), printed(module), diagnostics))
    return false;

  // 2. kernels
  Plan &plan = result.plan = makePlan(module, options.keepGradients);
  plan.target = target;
  plan.compiler = options.version;
  plan.yaml = options.networkText;
  KernelOptions kernelOptions;
  kernelOptions.target = target;
  kernelOptions.schedules = &*schedules;
  kernelOptions.cpu = cpuOf(options.target);
  kernelOptions.compilerVersion = options.cacheSalt;
  kernelOptions.emitHalide = emits("halide");
  kernelOptions.emitAssembly = emits("asm");
  kernelOptions.emitFolder = options.output;
  kernelOptions.jobs = options.jobs;
  kernelOptions.choices = options.choices;
  kernelOptions.failures = options.failures;
  kernelOptions.secondsPerKernel = options.secondsPerKernel;
  kernelOptions.progress = options.progress;
  std::vector<nn::RegionOp> regions;
  for (Program &program : plan.programs)
    for (auto &phase : program.phases)
      for (Call &call : phase)
        regions.push_back(call.region);
  std::map<Operation *, size_t> kernelOf;
  plan.kernels = compileKernels(regions, kernelOptions, kernelOf, diagnostics);
  if (diagnostics.hasErrors() || (options.failures && !options.failures->empty()))
    return false;
  for (auto [index, program] : llvm::enumerate(plan.programs))
    for (auto &phase : program.phases)
      for (Call &call : phase) {
        call.kernel = kernelOf.at(call.region.getOperation());
        result.rows.push_back({labelOf(call), call.kernel, index});
      }
  for (const CompiledKernel &kernel : plan.kernels)
    plan.heapBytes = std::max(plan.heapBytes, kernel.heapBytes);
  plan.heapBytes = (plan.heapBytes + 127) / 128 * 128;

  if (!fitsScratch(plan, options.maxScratch, diagnostics))
    return false;

  // 3. driver and object
  OwningOpRef<ModuleOp> driver = buildDriver(plan, *module.getContext());
  std::string llvmIr, error;
  fs::path driverObject = options.output / ("." + net + ".driver.o");
  error = emitDriverObject(*driver, driverObject.string(), emits("llvm") ? &llvmIr : nullptr);
  if (error.empty() && emits("llvm") && !writeText(options.output / (net + ".ll"), llvmIr, diagnostics))
    return false;
  result.object = options.output / (net + ".o");
  result.archive = options.output / ("lib" + net + ".a");
  result.header = options.output / (net + ".h");
  result.manifest = options.output / (net + ".json");
  if (error.empty())
    error = joinObject(plan, driverObject, result.object);
  fs::remove(driverObject, code);
  if (error.empty())
    error = writeArchive(result.object, result.archive);
  if (!error.empty()) {
    diagnostics.error({result.object.string(), 0, 0}, error);
    return false;
  }

  // 4. header and manifest
  result.explanation = explain(plan);
  return writeText(result.header, headerText(plan), diagnostics) &&
         writeText(result.manifest, manifestText(plan), diagnostics);
}

bool listKernels(ModuleOp module, const std::string &targetName, std::vector<ListedKernel> &kernels,
                 Diagnostics &diagnostics) {
  const Target *target = requireTarget(targetName, diagnostics);
  if (!target || !runPasses(module, {}, diagnostics))
    return false;
  std::map<std::string, size_t> places;
  Plan plan = makePlan(module, false);
  for (Program &program : plan.programs)
    for (auto &phase : program.phases)
      for (Call &call : phase) {
        std::string text = kernelText(call.region, call.signature);
        auto [place, added] = places.try_emplace(text, kernels.size());
        if (added) {
          ListedKernel kernel{
              call.signature.kernel, kernelKey(text), {}, scheduleDims(call.region, call.signature, *target)};
          kernel.dims.words["key"] = kernel.key;
          kernel.dims.words["cpu"] = cpuOf(targetName);
          kernels.push_back(kernel);
        }
        kernels[place->second].labels.push_back(labelOf(call));
      }
  return true;
}

} // namespace sylvite::codegen
