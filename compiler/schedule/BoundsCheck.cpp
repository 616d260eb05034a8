// Evaluates the assertions that Halide would make at run time. Layer: schedule; Halide.
#include "compiler/schedule/BoundsCheck.h"

#include <algorithm>
#include <set>

namespace sylvite {

using namespace Halide;
using namespace Halide::Internal;

namespace {

constexpr int64_t kMostValues = 64;

/// One assertion with all enclosing lets substituted.
struct Assertion {
  Expr condition;
  const Call *error;
};

class Collector : public IRVisitor {
public:
  std::vector<Assertion> assertions;
  std::map<std::string, Expr> constraints; ///< what a buffer's field is fixed to

private:
  using IRVisitor::visit;

  Expr closed(const Expr &value) const { return lets.empty() ? value : substitute(lets, value); }

  void visit(const LetStmt *op) override {
    Expr value = closed(op->value);
    auto previous = lets.extract(op->name);
    // A buffer's fields, which are read by calls, keep their names: constraints are about them.
    if (!op->value.as<Call>() && (op->value.type().is_int() || op->value.type().is_bool()))
      lets[op->name] = value;
    op->body.accept(this);
    lets.erase(op->name);
    if (!previous.empty())
      lets.insert(std::move(previous));
  }

  void visit(const AssertStmt *op) override {
    const Call *error = op->message.as<Call>();
    if (!error)
      return;
    Expr condition = closed(op->condition);
    if (error->name == "halide_error_constraint_violated" && error->args.size() == 4) // name, field, text, value
      if (const Variable *field = error->args[1].as<Variable>())
        constraints[field->name] = closed(error->args[3]);
    assertions.push_back({condition, error});
  }

  std::map<std::string, Expr> lets;
};

/// Assertions that hold for the buffers of this compiler's kernels only if the schedule is right. Halide removes what
/// it can prove; of the last four what is left must hold as it stands, for it may depend on loops.
enum class Kind { Access, Bound, Ignored };
Kind kindOf(const std::string &error) {
  if (error == "halide_error_access_out_of_bounds" || error == "halide_error_explicit_bounds_too_small")
    return Kind::Access;
  static const std::set<std::string> strict = {"halide_error_storage_bound_too_small",
                                               "halide_error_fold_factor_too_small", "halide_error_bad_fold",
                                               "halide_error_bad_extern_fold"};
  return strict.count(error) ? Kind::Bound : Kind::Ignored;
}

std::string number(const Expr &value, const std::map<std::string, Expr> &known) {
  Expr result = simplify(substitute(known, substitute(known, value)));
  if (auto constant = as_const_int(result))
    return std::to_string(*constant);
  return "?";
}

std::string text(const Call *error, const std::map<std::string, Expr> &known) {
  auto string = [&](size_t i) {
    const StringImm *imm = i < error->args.size() ? error->args[i].as<StringImm>() : nullptr;
    return imm ? imm->value : std::string("?");
  };
  auto value = [&](size_t i) { return i < error->args.size() ? number(error->args[i], known) : std::string("?"); };
  if (error->name == "halide_error_access_out_of_bounds")
    return string(0) + " is accessed from " + value(2) + " to " + value(3) + " in dimension " + value(1) +
           ", and has " + value(4) + " to " + value(5);
  if (error->name == "halide_error_explicit_bounds_too_small")
    return "Func " + string(1) + " is needed from " + value(4) + " to " + value(5) + " in " + string(0) +
           ", and is bound to " + value(2) + " to " + value(3);
  if (error->name == "halide_error_storage_bound_too_small")
    return "Func " + string(0) + " needs " + value(3) + " elements of " + string(1) + ", and bound_storage says " +
           value(2);
  return "Func " + string(0) + ": fold_storage of " + string(1) + " cannot be shown to be large enough";
}

/// All combinations of the parameters' values.
std::vector<std::map<std::string, Expr>> valuesOf(const ParameterRanges &ranges) {
  std::vector<std::map<std::string, Expr>> result = {{}};
  for (const auto &[name, range] : ranges) {
    std::vector<std::map<std::string, Expr>> larger;
    bool all = range.second - range.first < kMostValues;
    for (const auto &values : result)
      for (int64_t value = range.first; value <= range.second; ++value) {
        if (!all && value == range.first + kMostValues / 2)
          value = range.second - kMostValues / 2 + 1;
        larger.push_back(values);
        larger.back()[name] = static_cast<int>(value);
      }
    result = std::move(larger);
  }
  return result;
}

/// The Func whose loops an access is by: for an input, a Func that reads it and has directives.
Location blameFor(const std::string &message, const std::string &buffer, const KernelFuncs &funcs,
                  const AppliedSchedule &applied) {
  std::string role = funcs.roleOf(buffer);
  if (buffer.empty() || (!role.empty() && !funcs.isInput(role)))
    return applied.blame(message, funcs);
  for (auto step = applied.steps.rbegin(); step != applied.steps.rend(); ++step) {
    Function function = funcs.func(step->role).function();
    class Reads : public IRVisitor {
    public:
      explicit Reads(const std::string &name) : name(name) {}
      const std::string &name;
      bool found = false;

    private:
      using IRVisitor::visit;
      void visit(const Call *op) override {
        found = found || op->name == name || op->name.rfind(name + "_im", 0) == 0;
        IRVisitor::visit(op);
      }
    } reads(buffer);
    function.accept(&reads);
    bool makesLoops =
        step->text.find(": split") != std::string::npos || step->text.find(": tile") != std::string::npos ||
        step->text.find(": vectorize [") != std::string::npos || step->text.find(": unroll [") != std::string::npos ||
        step->text.find(": align") != std::string::npos;
    if (reads.found && makesLoops)
      return step->location;
  }
  return applied.ruleLocation;
}

} // namespace

bool checkBounds(Pipeline pipeline, const std::vector<Argument> &arguments, const Target &target,
                 const ParameterRanges &ranges, const KernelFuncs &funcs, const AppliedSchedule &applied,
                 Diagnostics &diagnostics) {
  size_t errorsBefore = diagnostics.errorCount();
  Collector collector;
  for (const auto &function :
       pipeline.compile_to_module(arguments, "bounds_check", target.without_feature(Target::NoAsserts)).functions())
    function.body.accept(&collector);
  std::vector<std::map<std::string, Expr>> choices = valuesOf(ranges);
  for (const Assertion &assertion : collector.assertions) {
    Kind kind = kindOf(assertion.error->name);
    if (kind == Kind::Ignored)
      continue;
    Expr condition = simplify(substitute(collector.constraints, assertion.condition));
    for (const std::map<std::string, Expr> &values : choices) {
      Expr now = values.empty() ? condition : simplify(substitute(values, condition));
      if (is_const_one(now) || (kind == Kind::Access && !is_const_zero(now)))
        continue;
      std::map<std::string, Expr> known = collector.constraints;
      known.insert(values.begin(), values.end());
      std::string message = text(assertion.error, known);
      std::string buffer = message.substr(0, message.find(" is accessed"));
      buffer = buffer == message ? "" : buffer.substr(buffer.rfind(' ') + 1);
      diagnostics.error(blameFor(message, buffer, funcs, applied), "the schedule leaves a buffer: " + message,
                        "a loop runs past the end: use the tail exact or guard, or a larger bound");
      break;
    }
  }
  return diagnostics.errorCount() == errorsBefore;
}

} // namespace sylvite
