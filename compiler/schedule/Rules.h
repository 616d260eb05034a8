// Schedule files as rules, and which rule a kernel gets. Knows nothing of Halide. Layer: schedule.
#pragma once

#include "compiler/schedule/Condition.h"
#include "compiler/schedule/Directive.h"
#include "compiler/support/Diagnostics.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sylvite {

/// A choice of values for the `tune:` parameters of a rule, by name.
using TuneChoices = std::map<std::string, int64_t>;

/// One rule of a schedule file, read and checked as far as possible without a kernel.
struct Rule {
  /// The directives under one key of `schedule:`.
  struct Block {
    schedule::Word selector;              ///< as written, `?` included
    bool optional = false;                ///< `bias?`: skipped when the kernel has no such Func
    std::vector<schedule::Word> patterns; ///< role names or globs (`*`, `grad_*`)
    int stage = 0;                        ///< 0: the pure definition; k + 1: update k
    std::vector<schedule::Directive> directives;
  };
  struct Parameter {
    std::string name;
    Location location;
    std::vector<schedule::Arithmetic> values; ///< of `tune:` all choices, the default first; of `let:` the one value
  };

  Location location;
  std::vector<std::string> kernels; ///< names or globs
  std::vector<schedule::Condition> when;
  std::vector<Parameter> tune;
  std::vector<Parameter> let;
  std::string algorithm = "direct";
  std::vector<Block> blocks;
  schedule::YamlNode source; ///< as written

  /// `schedules/avx512.yaml:12`.
  std::string where() const { return location.file + ":" + std::to_string(location.line); }
  /// Everything that the rule says, on one line, without comments and layout: two rules of equal text make equal
  /// kernels.
  std::string text() const { return schedule::flowText(source); }
};

/// All rules of some schedule files, in the order in which they are tried.
class ScheduleSet {
public:
  /// Reads files; the rules of earlier files are tried first. Reports every error of every file and returns nothing if
  /// there was one. `dimNames`, if not empty, are all names that a kernel's KernelDims can have: another name in
  /// `when:` or after `$` is then an error.
  static std::optional<ScheduleSet> load(const std::vector<std::filesystem::path> &files, Diagnostics &diagnostics,
                                         const std::vector<std::string> &dimNames = {});
  /// The same for texts: pairs of a file name for messages and the file's content.
  static std::optional<ScheduleSet> parse(const std::vector<std::pair<std::string, std::string>> &files,
                                          Diagnostics &diagnostics, const std::vector<std::string> &dimNames = {});

  // Of all rules, or, with `algorithm`, of that algorithm's alone: a kernel's own rule is one of `direct`.

  /// The first rule whose `kernel` and `when` fit, or null.
  const Rule *find(const std::string &kernel, const KernelDims &dims, const std::string &algorithm = "") const;

  /// All rules whose `kernel` and `when` fit, in the order in which they are tried.
  std::vector<const Rule *> fitting(const std::string &kernel, const KernelDims &dims,
                                    const std::string &algorithm = "") const;

  /// For `--explain`: a line for each rule that names this kernel, up to the one that fits, with the first condition
  /// that does not fit.
  std::string explain(const std::string &kernel, const KernelDims &dims, const std::string &algorithm = "") const;

  const std::vector<Rule> &rules() const { return list; }

private:
  std::vector<Rule> list;
};

/// All choices that the `tune:` lists of a rule allow for this kernel, the default first, the last parameter changing
/// fastest; choices with equal values once. At most `limit` of them.
std::vector<TuneChoices> tuneSpace(const Rule &rule, const KernelDims &dims, size_t limit = 10000);

namespace schedule {
/// True if `text` fits `pattern`, in which `*` stands for any characters and `?` for one.
bool globFits(const std::string &pattern, const std::string &text);
} // namespace schedule

} // namespace sylvite
