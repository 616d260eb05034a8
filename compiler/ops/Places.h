//===- Places.h - which pixel, channel and element the coordinates of a view stand for ----------------------------===//
//
// For elementwise ops whose result depends on the place: they take the coordinates of their input, whatever its view
// is. Layer: ops.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef SYLVITE_OPS_PLACES_H
#define SYLVITE_OPS_PLACES_H

#include "compiler/ops/Op.h"

namespace sylvite::ops {

/// Pixel of the image along an axis, from 0, where the coordinates are those of `view`.
Halide::Expr pixelAlong(const nn::View &view, unsigned axis);
/// Number of the channel of an element, where the coordinates are those of `view`.
Halide::Expr channelOf(const nn::View &view);
/// Number of the element in PyTorch's order C, H, W.
Halide::Expr elementOf(const nn::View &view);

} // namespace sylvite::ops

#endif
