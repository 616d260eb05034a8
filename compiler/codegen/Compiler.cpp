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
  nn::buildPipeline(manager, options.keepGradients);
  return succeeded(manager.run(module));
}

} // namespace

bool compileNetwork(ModuleOp module, const CompileOptions &options, CompileResult &result, Diagnostics &diagnostics) {
  const Target *target = findTarget(options.target);
  if (!target) {
    std::string names;
    for (const Target &known : targets())
      names += ", " + known.name;
    diagnostics.error({}, "target '" + options.target + "' is unknown or cannot run here", "known: host" + names);
    return false;
  }
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
  kernelOptions.cpu = options.target == "host" ? hostCpu() : "generic";
  kernelOptions.compilerVersion = options.cacheSalt;
  kernelOptions.emitHalide = emits("halide");
  kernelOptions.emitAssembly = emits("asm");
  kernelOptions.emitFolder = options.output;
  kernelOptions.jobs = options.jobs;
  kernelOptions.progress = options.progress;
  std::vector<nn::RegionOp> regions;
  for (Program &program : plan.programs)
    for (auto &phase : program.phases)
      for (Call &call : phase)
        regions.push_back(call.region);
  std::map<Operation *, size_t> kernelOf;
  plan.kernels = compileKernels(regions, kernelOptions, kernelOf, diagnostics);
  if (diagnostics.hasErrors())
    return false;
  for (Program &program : plan.programs)
    for (auto &phase : program.phases)
      for (Call &call : phase)
        call.kernel = kernelOf.at(call.region.getOperation());
  for (const CompiledKernel &kernel : plan.kernels)
    plan.heapBytes = std::max(plan.heapBytes, kernel.heapBytes);
  plan.heapBytes = (plan.heapBytes + 127) / 128 * 128;

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

} // namespace sylvite::codegen
