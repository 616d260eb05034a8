// The Funcs of one kernel under stable names, for schedules to find. Layer: schedule; Halide.
#pragma once

#include <Halide.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sylvite {

/// Registers each Func of a kernel under its role (`output`, `conv`, `weight`, `grad_weight`, ...) and gives its Vars
/// and RVars the names that schedule files use, whatever Halide calls them. Holds handles: the Funcs are shared with
/// whoever registered them. Misuse (a role twice, a wrong number of names) throws std::logic_error: it is a bug of the
/// caller.
class KernelFuncs {
public:
  /// Registers a Func whose definitions are complete. Its pure Vars take their own names. Extents that `bound` or the
  /// output buffer fix are known to `exact` splits.
  void add(std::string role, Halide::Func func, bool isOutput = false);

  /// States that outputs are written over inputs: no element of them may be computed twice.
  void setInPlace() { inPlace = true; }

  /// Registers an input buffer: it can be wrapped (`in`), prefetched, and given dimensions, nothing else. `names` are
  /// its dimensions', innermost first; without them they are `_0`, `_1`, ...
  void addInput(std::string role, Halide::ImageParam input, std::vector<std::string> names = {});

  /// Stable names of a Func's pure Vars, innermost first: for derived Funcs, whose Vars have generated names.
  void nameVars(const std::string &role, std::vector<std::string> names);

  /// Stable names (`rc, rx, ry, rn`) of the RVars of update `update`, in the order of its reduction domain.
  void nameRVars(const std::string &role, int update, std::vector<std::string> names);

  /// States that the terms of an update, a sum, are zero where this condition does not hold; it tells the part of one
  /// RVar, by Halide's name.
  void setNonzero(const std::string &role, int update, const std::string &rvar, Halide::Expr condition);

  /// States the extent of a pure Var that the Func itself does not tell (it is computed over the whole of it).
  void setExtent(const std::string &role, const std::string &var, int64_t extent);

  /// Halide's names and extents (-1: not constant) of the RVars of an update, in the order of its reduction domain.
  std::vector<std::pair<std::string, int64_t>> reductionVars(const std::string &role, int update) const;

  bool has(const std::string &role) const { return findEntry(role) != nullptr; }
  bool isInput(const std::string &role) const { return has(role) && findEntry(role)->input; }
  /// The Func of a role; for an input, the Func that stands for it.
  Halide::Func func(const std::string &role) const;
  /// All roles in the order of registration, then those that the schedule made.
  std::vector<std::string> roles() const;
  /// The role of the Func with this Halide name, or an empty string.
  std::string roleOf(const std::string &halideName) const;

  /// For `--explain`: each role with the loops of each of its stages, innermost first, and their extents where known.
  std::string describe() const;

private:
  friend class Applier;

  /// One stage. Names are in terms of the schedule file.
  struct StageState {
    std::map<std::string, std::string> halideNames; ///< stable name to Halide's, of each Var and RVar ever made
    std::map<std::string, int64_t> extents;         ///< where constant
    std::map<std::string, Halide::Expr> nonzero;    ///< Halide's RVars: where the sum's terms may differ from zero
    std::map<std::string, bool> poisoned;           ///< names that a failed directive should have made
  };
  struct Entry {
    std::string role;
    Halide::Func func;
    std::optional<Halide::ImageParam> input;
    bool isOutput = false;
    bool isMade = false;            ///< by the schedule: in, clone_in, rfactor
    std::vector<std::string> dims;  ///< stable names of the pure Vars, innermost first
    std::vector<StageState> stages; ///< the pure definition, then the updates
  };
  /// A loop of a stage as it is now.
  struct Loop {
    std::string name;       ///< stable
    std::string halideName; ///< what Halide's directives accept
    bool isRVar;
  };

  Entry &entry(const std::string &role);
  const Entry *findEntry(const std::string &role) const;
  /// Makes the entry of a Func whose pure Vars have these stable names.
  Entry makeEntry(std::string role, Halide::Func func, std::vector<std::string> dims) const;
  static Halide::Stage stageOf(const Entry &entry, size_t stage);
  /// The loops of a stage, innermost first.
  static std::vector<Loop> loops(const Entry &entry, size_t stage);

  std::vector<Entry> entries;
  bool inPlace = false;
};

} // namespace sylvite
