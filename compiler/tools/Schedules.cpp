//===- Schedules.cpp - shows and compares the rules of schedule files ---------------------------------------------===//
#include "compiler/tools/Schedules.h"

#include "compiler/frontend/Frontend.h"
#include "compiler/schedule/RuleWriter.h"
#include "compiler/support/Names.h"

#include "mlir/IR/MLIRContext.h"

#include <algorithm>

namespace sylvite {
namespace {

std::string textOf(const Rule &rule) { return rule.where() + "\n" + ruleText(rule.source) + "\n"; }

std::string dimsText(const KernelDims &dims) {
  std::string text;
  for (const auto &[name, value] : dims.values)
    text += (text.empty() ? "" : ", ") + name + ": " + std::to_string(value);
  for (const auto &[name, word] : dims.words)
    text += ", " + name + ": " + word;
  return text;
}

/// Whether one of the patterns of a rule could name what the user's pattern does.
bool names(const Rule &rule, const std::string &kernel) {
  return std::any_of(rule.kernels.begin(), rule.kernels.end(), [&](const std::string &pattern) {
    return schedule::globFits(pattern, kernel) || schedule::globFits(kernel, pattern);
  });
}

std::optional<std::string> showInNetwork(const std::string &kernel, const BuildRequest &request,
                                         const ScheduleSet &schedules, Diagnostics &diagnostics) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<nn::NnDialect>();
  NetworkOptions options;
  options.batch = request.batch;
  mlir::OwningOpRef<mlir::ModuleOp> module = readNetwork(request.network, options, context, diagnostics);
  codegen::CompileOptions compile;
  compile.target = request.target;
  compile.exact = request.exact;
  std::vector<codegen::ListedKernel> kernels;
  if (!module || !codegen::listKernels(*module, schedules, compile, kernels, diagnostics))
    return std::nullopt;
  std::string text;
  std::vector<std::string> known;
  for (const codegen::ListedKernel &each : kernels) {
    bool wanted = schedule::globFits(kernel, each.name) || each.key == kernel;
    std::string labels;
    for (const std::string &label : each.labels) {
      wanted |= schedule::globFits(kernel, label);
      labels += (labels.empty() ? "" : ", ") + label;
    }
    known.insert(known.end(), {each.name, each.key});
    known.insert(known.end(), each.labels.begin(), each.labels.end());
    if (!wanted)
      continue;
    text += labels + "\n" + dimsText(each.dims) + "\n" + schedules.explain(each.name, each.dims, "direct");
    const Rule *rule = schedules.find(each.name, each.dims, "direct");
    text += (rule ? ruleText(rule->source) : "") + "\n";
  }
  if (text.empty()) {
    diagnostics.error({request.network}, "no kernel of the network fits '" + kernel + "'", didYouMean(kernel, known));
    return std::nullopt;
  }
  return text;
}

} // namespace

std::optional<std::string> showSchedules(const std::string &kernel, const BuildRequest &request,
                                         const Installation &here, Diagnostics &diagnostics) {
  std::optional<ScheduleSet> schedules =
      ScheduleSet::parse(here.schedules(request.schedules, diagnostics), diagnostics, codegen::kernelDimNames());
  if (!schedules || diagnostics.hasErrors())
    return std::nullopt;
  if (!request.network.empty())
    return showInNetwork(kernel, request, *schedules, diagnostics);
  std::string text;
  std::vector<std::string> known;
  bool named = false; // by more than the rule for all kernels
  for (const Rule &rule : schedules->rules()) {
    known.insert(known.end(), rule.kernels.begin(), rule.kernels.end());
    if (!names(rule, kernel))
      continue;
    text += textOf(rule);
    named |= std::find(rule.kernels.begin(), rule.kernels.end(), "*") == rule.kernels.end() || kernel == "*";
  }
  if (named)
    return text;
  diagnostics.error({}, "no rule names kernel '" + kernel + "'", didYouMean(kernel, known));
  return std::nullopt;
}

std::optional<std::string> diffSchedules(const std::string &before, const std::string &after,
                                         Diagnostics &diagnostics) {
  std::optional<ScheduleSet> one = ScheduleSet::load({before}, diagnostics, codegen::kernelDimNames());
  std::optional<ScheduleSet> two = ScheduleSet::load({after}, diagnostics, codegen::kernelDimNames());
  if (!one || !two)
    return std::nullopt;
  return ruleDifferences(*one, *two);
}

} // namespace sylvite
