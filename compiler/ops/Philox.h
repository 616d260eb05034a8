//===- Philox.h - random numbers in kernels -----------------------------------------------------------------------===//
//
// Philox4x32-10 as the runtime has it (runtime/core/random.c), as Halide expressions that vectorize. A number depends
// on the seed, the training step, the sample's place in the batch, the op's stream and the element alone: never on
// threads, schedule or layout. The backward pass draws the same numbers again. Layer: ops.
//
// The counter is (element, sample, step, stream). Steps count from 1, so that no counter is one of the initial state's,
// whose third word is 0 (elements below 2^34).
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef SYLVITE_OPS_PHILOX_H
#define SYLVITE_OPS_PHILOX_H

#include "compiler/ops/Op.h"

#include <array>

namespace sylvite::ops {

/// The four words of output for a counter of four words and a key of two, all uint32: bit-equal to syl_philox.
std::array<Halide::Expr, 4> philox(std::array<Halide::Expr, 4> counter, std::array<Halide::Expr, 2> key);

/// Four uint32 for an element (int32) of sample n, of the op that is being defined.
std::array<Halide::Expr, 4> randomWords(const OpContext &context, Halide::Expr element);

/// Whether an event of probability `p` happens, by a uint32.
Halide::Expr happens(Halide::Expr word, double p);
/// A number from [0, 1), a multiple of 2^-24, of the context's element type.
Halide::Expr uniform(const OpContext &context, Halide::Expr word);
/// A whole number (int32) from 0 to below `count`.
Halide::Expr uniformBelow(Halide::Expr word, int64_t count);

} // namespace sylvite::ops

#endif
