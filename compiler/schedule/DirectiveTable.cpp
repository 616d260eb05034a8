// The tables of directives and of their options. Layer: schedule.
#include "compiler/schedule/DirectiveTable.h"

namespace sylvite::schedule {

const std::map<std::string, DirectiveForm> &directiveForms() {
  static const std::map<std::string, DirectiveForm> table = {
      {"align_bounds", {Op::AlignBounds, "align_bounds: [var, modulus] or [var, modulus, remainder]"}},
      {"align_extent", {Op::AlignExtent, "align_extent: [var, modulus]"}},
      {"align_storage", {Op::AlignStorage, "align_storage: [var, elements]"}},
      {"always_partition", {Op::AlwaysPartition, "always_partition: var or [var, ...]"}},
      {"always_partition_all", {Op::AlwaysPartitionAll, "always_partition_all, without arguments"}},
      {"bound", {Op::Bound, "bound: [var, min, extent]"}},
      {"bound_extent", {Op::BoundExtent, "bound_extent: [var, extent]"}},
      {"bound_storage", {Op::BoundStorage, "bound_storage: [var, extent]"}},
      {"clone_in", {Op::CloneIn, "clone_in: [producer, consumer] or {of: producer, for: consumer, as: name}"}},
      {"compute_at", {Op::ComputeAt, "compute_at: [func, var]"}},
      {"compute_inline", {Op::ComputeInline, "compute_inline, without arguments"}},
      {"compute_root", {Op::ComputeRoot, "compute_root, without arguments"}},
      {"compute_with", {Op::ComputeWith, "compute_with: [func, var] or [func, var, auto|start|end|none]"}},
      {"dimension", {Op::Dimension, "dimension: {axis: 0, min: 0, extent: 32, stride: 1}"}},
      {"fold_storage", {Op::FoldStorage, "fold_storage: [var, extent] or [var, extent, forward|backward]"}},
      {"fuse", {Op::Fuse, "fuse: [inner, outer, fused]"}},
      {"hoist_storage", {Op::HoistStorage, "hoist_storage: [func, var]"}},
      {"hoist_storage_root", {Op::HoistStorageRoot, "hoist_storage_root, without arguments"}},
      {"host_alignment", {Op::HostAlignment, "host_alignment: bytes"}},
      {"in", {Op::In, "in: [producer, consumer] or {of: producer, for: consumer, as: name}"}},
      {"never_partition", {Op::NeverPartition, "never_partition: var or [var, ...]"}},
      {"never_partition_all", {Op::NeverPartitionAll, "never_partition_all, without arguments"}},
      {"parallel", {Op::Parallel, "parallel: var, [var, task_size] or [var, task_size, tail]"}},
      {"partition", {Op::Partition, "partition: [var, auto|never|always]"}},
      {"prefetch", {Op::Prefetch, "prefetch: {of: func, at: var, from: var, offset: 2, bounds: guard}"}},
      {"rename", {Op::Rename, "rename: [old, new]"}},
      {"reorder", {Op::Reorder, "reorder: [innermost, ..., outermost]"}},
      {"reorder_storage", {Op::ReorderStorage, "reorder_storage: [innermost, ..., outermost]"}},
      {"rfactor", {Op::Rfactor, "rfactor: {into: name, keep: {rvar: var}}"}},
      {"serial", {Op::Serial, "serial: var"}},
      {"skip_zeros", {Op::SkipZeros, "skip_zeros: rvar or [rvar, ...]"}},
      {"split", {Op::Split, "split: [var, outer, inner, factor] or [var, outer, inner, factor, tail]"}},
      {"store_at", {Op::StoreAt, "store_at: [func, var]"}},
      {"store_in", {Op::StoreIn, "store_in: stack, heap, register or auto"}},
      {"store_root", {Op::StoreRoot, "store_root, without arguments"}},
      {"tile",
       {Op::Tile, "tile: [x, y, x_outer, y_outer, x_inner, y_inner, x_factor, y_factor] or [x, y, x_inner, y_inner, "
                  "x_factor, y_factor], and a tail if wanted"}},
      {"unroll", {Op::Unroll, "unroll: var, [var, factor] or [var, factor, tail]"}},
      {"vectorize", {Op::Vectorize, "vectorize: var, [var, factor] or [var, factor, tail]"}},
  };
  return table;
}

const std::map<std::string, std::string> &refusedDirectives() {
  static const std::map<std::string, std::string> table = {
      {"allow_race_conditions", "it would make results depend on the number of threads"},
      {"async", "kernels run within one thread's slice of the batch"},
      {"atomic", "it would add floats in any order, and results must not depend on the number of threads"},
      {"memoize", "a training step keeps nothing outside its two memory blocks"},
      {"ring_buffer", "it is of use only with async, and kernels run within one thread's slice of the batch"},
      {"set_estimate", "the extents of a kernel are known"},
      {"specialize", "the extents of a kernel are known; write a rule with 'when' instead"},
  };
  return table;
}

const std::vector<std::string> kTails = {"auto",
                                         "exact",
                                         "guard",
                                         "shift_inwards",
                                         "round_up",
                                         "predicate",
                                         "predicate_loads",
                                         "predicate_stores",
                                         "shift_inwards_and_blend",
                                         "round_up_and_blend"};
const std::vector<std::string> kMemories = {"stack", "heap", "register", "auto"};
const std::vector<std::string> kPolicies = {"auto", "never", "always"};
const std::vector<std::string> kAlignments = {"auto", "start", "end", "none"};
const std::vector<std::string> kDirections = {"forward", "backward"};
const std::vector<std::string> kPrefetchBounds = {"guard", "clamp", "non_faulting"};

} // namespace sylvite::schedule
