// One directive of a schedule file, read and checked as far as that is possible without a kernel. Layer: schedule.
#pragma once

#include "compiler/schedule/Arithmetic.h"
#include "compiler/schedule/YamlTree.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sylvite::schedule {

/// Every directive; its key in the file is the same in snake_case.
enum class Op {
  AlignBounds,
  AlignExtent,
  AlignStorage,
  AlwaysPartition,
  AlwaysPartitionAll,
  Bound,
  BoundExtent,
  BoundStorage,
  CloneIn,
  ComputeAt,
  ComputeInline,
  ComputeRoot,
  ComputeWith,
  Dimension,
  FoldStorage,
  Fuse,
  HoistStorage,
  HoistStorageRoot,
  HostAlignment,
  In,
  NeverPartition,
  NeverPartitionAll,
  Parallel,
  Partition,
  Prefetch,
  Rename,
  Reorder,
  ReorderStorage,
  Rfactor,
  Serial,
  SkipZeros,
  Split,
  StoreAt,
  StoreIn,
  StoreRoot,
  Tile,
  Unroll,
  Vectorize,
};

/// A word of the file with its place: the name of a Var or a Func, or an option.
struct Word {
  std::string text;
  Location location;
  bool optional = false; ///< a Var written `ry?`: the directive does without it where the stage lacks it
};

/// A Func, or one stage of it: `conv`, `conv.update`, `conv.update1`.
struct StageName {
  Word role;
  int stage = 0;      ///< 0: the pure definition; k + 1: update k
  bool named = false; ///< true if a stage was written
  std::string str() const;
};

/// The parts that a directive has, each in the order in which Halide takes them; what a directive lacks is empty.
struct Directive {
  Op op = Op::ComputeRoot;
  std::string name; ///< its key
  Location location;
  std::vector<Word> vars; ///< Vars and RVars, existing and new
  std::vector<Arithmetic> numbers;
  Word option;                     ///< tail, memory type, partition policy, direction, alignment, bounds strategy
  std::optional<StageName> target; ///< the other Func: the consumer of compute_at, what is prefetched, ...
  std::vector<Word> consumers;     ///< of in and clone_in; empty: all
  Word newRole;                    ///< the Func that in, clone_in or rfactor makes
  std::vector<std::pair<Word, Word>> keep;           ///< of rfactor: RVar and the Var it becomes
  std::vector<std::pair<Word, Arithmetic>> settings; ///< of dimension: min, extent, stride
};

/// `conv.update1` as a StageName; reports a malformed one and returns nothing.
std::optional<StageName> parseStageName(const std::string &text, const Location &location, Diagnostics &diagnostics);

/// Reads one entry of a Func's list: a map with one key, or a word for those without arguments. Reports what is wrong
/// (unknown directive with the nearest one, wrong number or kind of arguments) and returns nothing.
std::optional<Directive> parseDirective(const YamlNode &node, const std::string &file, Diagnostics &diagnostics);

/// Every directive's key, sorted.
std::vector<std::string> directiveNames();

/// True for directives about a whole Func, which a stage (`conv.update`) cannot have: where it is computed and stored,
/// its bounds and layout, wrappers.
bool isForWholeFunc(Op op);

} // namespace sylvite::schedule
