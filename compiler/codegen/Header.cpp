//===- Header.cpp - the generated C header ------------------------------------------------------------------------===//
#include "compiler/codegen/Files.h"

#include "llvm/Support/FormatVariadic.h"

namespace sylvite::codegen {
namespace {

std::string cType(int dtype) {
  static constexpr const char *names[] = {"uint8_t", "int32_t", "int64_t", "float", "double"};
  return names[dtype];
}

std::string shapeText(const std::vector<int64_t> &shape) {
  std::string text = "[n";
  for (int64_t extent : shape)
    text += ", " + std::to_string(extent);
  return text + "]";
}

/// "input" where there is one, else "input_NAME".
std::string argumentName(const std::string &kind, const ArrayRow &row, const std::vector<ArrayRow> &rows) {
  return rows.size() == 1 ? kind : kind + "_" + row.name;
}

/// ", const float *input" for each of the arrays.
std::string parameters(const std::string &kind, const std::vector<ArrayRow> &rows, bool isConst) {
  std::string text;
  for (const ArrayRow &row : rows)
    text += std::string(", ") + (isConst ? "const " : "") + cType(row.dtype) + " *" + argumentName(kind, row, rows);
  return text;
}

/// A line of the head comment for each of the arrays.
std::string describe(const std::string &kind, const std::vector<ArrayRow> &rows) {
  std::string text;
  for (const ArrayRow &row : rows) {
    text += " *   " + argumentName(kind, row, rows) + " " + shapeText(row.shape) + " of " + cType(row.dtype);
    if (row.classes)
      text += ", numbers from 0 to " + std::to_string(row.classes - 1);
    if (row.classes && row.ignoreIndex != INT64_MIN)
      text += ", or " + std::to_string(row.ignoreIndex) + " where there is none";
    if (!row.kind.empty())
      text += " (" + row.kind + ")";
    text += "\n";
  }
  return text;
}

/// A declaration, broken after a comma where a line would pass 120 columns.
std::string declaration(const std::string &start, std::string rest) {
  std::string text = start, line = start;
  size_t indent = start.find('(') + 1;
  while (!rest.empty()) {
    size_t comma = rest.find(", ", 1);
    std::string part = rest.substr(0, comma == std::string::npos ? comma : comma);
    rest = comma == std::string::npos ? "" : rest.substr(comma);
    if (line.size() + part.size() > 118) {
      part = part.substr(2);
      text += ",\n" + std::string(indent, ' ') + part;
      line = std::string(indent, ' ') + part;
    } else {
      text += part;
      line += part;
    }
  }
  return text;
}

} // namespace

std::string headerText(const Plan &plan, const std::string &target) {
  const std::string &net = plan.net;
  std::string upper = llvm::StringRef(net).upper();
  std::string inputs = parameters("input", plan.inputs, true), targets = parameters("target", plan.targets, true);
  auto function = [&](size_t program, const std::string &comment, const std::string &text) {
    return plan.programs[program].phases.empty() ? "" : "/* " + comment + " */\n" + text + "\n\n";
  };
  std::string step =
      declaration("syl_status " + net + "_train_step(void *state",
                  ", void *scratch" + inputs + targets + ", int32_t n, const syl_step *step, syl_result *result);");
  std::string evaluate = declaration("syl_status " + net + "_evaluate(const void *state",
                                     ", void *scratch" + inputs + targets + ", int32_t n, syl_result *result);");
  std::string predict =
      declaration("syl_status " + net + "_predict(const void *state",
                  ", void *scratch" + inputs + ", int32_t n" + parameters("output", plan.outputs, false) + ");");
  const std::string errors = "Errors: SYL_ERROR_ARGUMENT (n, alignment, a state of another network), SYL_ERROR_KERNEL.";
  std::string functions =
      function(
          0,
          "One training step on n samples: forward, loss, backward, optimizer. Allocates nothing. `step` and `result` "
          "may be null.\n * " +
              errors,
          step) +
      function(1, "Loss and accuracy of n samples in evaluation mode; the state is only read.\n * " + errors,
               evaluate) +
      function(2, "Outputs of n samples in evaluation mode; the state is only read.\n * " + errors, predict);
  std::string arrays =
      describe("input", plan.inputs) + describe("target", plan.targets) + describe("output", plan.outputs);
  return llvm::formatv(R"(/* {0}: a compiled network. Made by {1} for {2}; do not edit.
 *
 * Link with lib{0}.a (or {0}.o), libsylvite_rt.a, libm and the threads library. Every function is safe to call from any
 * thread; one state block may be used by one thread at a time. All return SYL_OK (0) or a status whose reason
 * syl_last_error() tells; see <sylvite/sylvite.h>.
 *
 * Samples, packed in C order; n is their number, from 1 to {3}_BATCH. Pointers to samples need no alignment.
{4} */
#ifndef SYLVITE_NET_{3}_H
#define SYLVITE_NET_{3}_H

#include <sylvite/sylvite.h>

#ifdef __cplusplus
extern "C" {{
#endif

/* Largest number of samples in one call. */
#define {3}_BATCH {5}
/* Bytes of a state block. */
#define {3}_STATE_BYTES {6}u

/* The descriptor, for the runtime's generic functions: tensors by name, checkpoints, the training loop. */
extern const syl_model {0}_model;

/* Bytes of a state block: parameters, running statistics, optimizer slots, step counter. */
size_t {0}_state_bytes(void);
/* Alignment in bytes that state and scratch blocks need. */
size_t {0}_state_align(void);
/* Bytes of a scratch block for calls of up to `batch` samples (0: {5}) on up to `threads` threads (0: syl_threads()). */
size_t {0}_scratch_bytes(int32_t batch, int32_t threads);

/* Fills a state block as a new training run has it: parameters drawn from their distributions by `seed`.
 * Errors: SYL_ERROR_ARGUMENT if `state` is null or not aligned. */
syl_status {0}_init(void *state, uint64_t seed);

{7}#ifdef __cplusplus
}
#endif

#endif
)",
                       net, plan.compiler, target, upper, arrays, plan.batch, plan.stateBytes, functions)
      .str();
}

} // namespace sylvite::codegen
