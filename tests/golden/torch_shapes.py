"""Layers that only move, join or cut values, as torch modules; axes and shapes are the file's, channels last."""
import torch
from torch import nn
from torch.nn import functional

from torch_values import Apply, axis, channels_first, channels_last, flat_sides, layer, sides, sizes


@layer("flatten")
def flatten(_attributes, _shapes):
    return nn.Flatten()


@layer("reshape")
def reshape(attributes, _shapes):
    """`shape` is the file's (H, W, C); elements are taken and put in PyTorch's order C, H, W."""
    *image, channels = attributes["shape"]
    return Apply(lambda x: x.reshape(x.shape[0], channels, *image))


@layer("permute")
def permute(attributes, _shapes):
    dims = [0] + [number + 1 for number in attributes["axes"]]
    return Apply(lambda x: channels_first(channels_last(x).permute(dims)))


@layer("concat")
def concat(attributes, shapes):
    return Apply(lambda *values: torch.cat(values, axis(attributes.get("axis", -1), len(shapes[0]))))


@layer("slice")
def slice_(attributes, shapes):
    dim = axis(attributes.get("axis", -1), len(shapes[0]))
    size = shapes[0][dim - 1]
    begin, end = attributes.get("begin", 0), attributes.get("end", size)
    begin, end = (number + size if number < 0 else number for number in (begin, end))
    return Apply(lambda x: x.narrow(dim, begin, min(end, size) - begin))


def broadcast(function):
    """A function of channels-last values, as numpy aligns them, on channels-first ones."""
    def forward(*values):
        first, *others = map(channels_last, values)
        rank = max(value.dim() for value in (first, *others))

        def widen(value):
            return value.reshape(value.shape[0], *[1] * (rank - value.dim()), *value.shape[1:])
        result = widen(first)
        for other in others:
            result = function(result, widen(other))
        return channels_first(result)
    return Apply(forward)


@layer("add")
def add(_attributes, _shapes):
    return broadcast(torch.add)


@layer("subtract")
def subtract(_attributes, _shapes):
    return broadcast(torch.subtract)


@layer("multiply")
def multiply(_attributes, _shapes):
    return broadcast(torch.multiply)


@layer("pad")
def pad(attributes, shapes):
    rank = len(shapes[0]) - 1
    amounts = flat_sides(sides(attributes["padding"], rank, None))
    mode = attributes.get("mode", "zeros")
    if mode in ("zeros", "constant"):
        return Apply(lambda x: functional.pad(x, amounts, value=attributes.get("value", 0.0)))
    return Apply(lambda x: functional.pad(x, amounts, mode))


@layer("crop")
def crop(attributes, shapes):
    amounts = flat_sides(sides(attributes["margin"], len(shapes[0]) - 1, None))
    return Apply(lambda x: functional.pad(x, [-amount for amount in amounts]))


@layer("upsample")
def upsample(attributes, shapes):
    rank = len(shapes[0]) - 1
    scale, mode = sizes(attributes["scale"], rank), attributes.get("mode", "nearest")
    if mode == "nearest":
        return nn.Upsample(scale_factor=tuple(map(float, scale)))
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[rank]
    return nn.Upsample(scale_factor=tuple(map(float, scale)), mode=mode,
                       align_corners=attributes.get("align_corners", False))


@layer("pixel_shuffle")
def pixel_shuffle(attributes, _shapes):
    return nn.PixelShuffle(attributes["factor"])
