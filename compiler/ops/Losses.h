//===- Losses.h - what the losses share ---------------------------------------------------------------------------===//
#ifndef SYLVITE_OPS_LOSSES_H
#define SYLVITE_OPS_LOSSES_H

#include "compiler/ops/Op.h"

namespace sylvite::ops {

/// What lies between channel and sample: Vars of a Func of pixels, (x, y, n) or (n), and the domain of a sum over them.
struct Pixels {
  explicit Pixels(const Value &input);

  std::vector<Halide::Var> dims;     ///< of a Func of pixels; the last is n
  std::vector<Halide::Range> ranges; ///< of the dims before n
  std::vector<std::string> names;    ///< rx, ry, …
  int64_t count = 1;                 ///< pixels of a sample

  std::vector<Halide::Expr> here() const { return {dims.begin(), dims.end()}; }
  /// here() with a channel in front.
  std::vector<Halide::Expr> at(Halide::Expr channel) const;
};

/// `pixel` summed over a sample's pixels, times `scale`, as the loss of a sample; its Func is called `role`.
Value sumOfPixels(OpContext &context, const Pixels &pixels, Halide::Func pixel, Halide::Expr scale,
                  const std::string &role);

/// sum of exp(logits - row_max) over the classes, of each pixel; `rowMax` at a pixel.
Halide::Func sumOfExponentials(OpContext &context, const Value &logits, const Pixels &pixels, Halide::Expr rowMax);
/// nn.row_max at the pixel here.
Halide::Expr maximumHere(const Value &rowMax, const Pixels &pixels);

} // namespace sylvite::ops

#endif
