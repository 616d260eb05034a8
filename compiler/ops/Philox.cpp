//===- Philox.cpp - random numbers in kernels ---------------------------------------------------------------------===//
#include "compiler/ops/Philox.h"

#include <cmath>

using namespace Halide;

namespace sylvite::ops {

std::array<Expr, 4> philox(std::array<Expr, 4> counter, std::array<Expr, 2> key) {
  for (Expr &word : counter)
    word = cast<uint32_t>(word);
  Expr k0 = cast<uint32_t>(key[0]), k1 = cast<uint32_t>(key[1]);
  auto &[c0, c1, c2, c3] = counter;
  for (uint32_t round = 0; round < 10; ++round) {
    Expr p0 = cast<uint64_t>(c0) * Expr(uint64_t(0xD2511F53)), p1 = cast<uint64_t>(c2) * Expr(uint64_t(0xCD9E8D57));
    auto high = [](Expr product) { return cast<uint32_t>(product >> Expr(uint64_t(32))); };
    c0 = high(p1) ^ c1 ^ (k0 + Expr(uint32_t(round * 0x9E3779B9u)));
    c2 = high(p0) ^ c3 ^ (k1 + Expr(uint32_t(round * 0xBB67AE85u)));
    c1 = cast<uint32_t>(p1);
    c3 = cast<uint32_t>(p0);
  }
  return counter;
}

std::array<Expr, 4> randomWords(const OpContext &context, Expr element) {
  auto stream = context.op->getAttrOfType<mlir::IntegerAttr>("nn.stream");
  Expr seed = context.seed();
  return philox({element, context.firstSample() + vars().n, cast<uint32_t>(cast<uint64_t>(context.step())),
                 Expr(uint32_t(stream ? stream.getInt() : 0))},
                {cast<uint32_t>(seed), cast<uint32_t>(seed >> Expr(uint64_t(32)))});
}

Expr happens(Expr word, double p) {
  if (p >= 1)
    return Internal::const_true();
  return word < Expr(uint32_t(std::min(std::nearbyint(std::ldexp(p, 32)), 4294967295.)));
}

Expr uniform(const OpContext &context, Expr word) {
  return cast(context.type(), cast<int32_t>(word >> 8)) * context.constant(std::ldexp(1, -24));
}

Expr uniformBelow(Expr word, int64_t count) {
  return cast<int32_t>((cast<uint64_t>(word) * Expr(uint64_t(count))) >> Expr(uint64_t(32)));
}

} // namespace sylvite::ops
