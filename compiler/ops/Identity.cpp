//===- Identity.cpp - nn.identity: conversion of the element type -------------------------------------------------===//
#include "compiler/ops/Op.h"

using namespace Halide;

namespace sylvite::ops {

static std::vector<Value> identity(OpContext &context) {
  return {mapElements(context, context.operand(0), "identity",
                      [&](Expr value, Expr) { return cast(context.type(), value); })};
}
static Register registered("nn.identity", identity);

} // namespace sylvite::ops
