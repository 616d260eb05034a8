//===- Places.cpp - which pixel, channel and element the coordinates of a view stand for --------------------------===//
#include "compiler/ops/Places.h"

using namespace Halide;

namespace sylvite::ops {

Expr pixelAlong(const nn::View &view, unsigned axis) {
  const Vars &v = vars();
  Expr place = view.phased() ? v.axis[axis] * int(view.axes[axis].stride) + v.phase[axis] : Expr(v.axis[axis]);
  return place - int(view.axes[axis].before);
}

Expr channelOf(const nn::View &view) {
  return view.groups > 1 ? vars().c + vars().g * int(view.groupChannels()) : Expr(vars().c);
}

Expr elementOf(const nn::View &view) {
  Expr element = channelOf(view);
  for (unsigned axis = view.rank; axis-- > 0;)
    element = element * int(view.axes[axis].size) + pixelAlong(view, axis);
  return element;
}

} // namespace sylvite::ops
