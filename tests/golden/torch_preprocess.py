"""Preprocessing steps on channels-last values, in the value's type (bytes become floats with the first step)."""
import torch
from torch.nn import functional

import graph
from torch_values import channels_first, channels_last


def apply(steps, x):
    """x, [N, ..., C], after these steps."""
    for step in steps:
        kind, attributes = graph.parts(step)
        x = STEPS[kind](x, attributes)
    return x


def normalize(x, attributes):
    x = x if x.is_floating_point() else x.float()
    mean = torch.tensor(attributes.get("mean", [0.0]), dtype=x.dtype)
    std = torch.tensor(attributes.get("std", [1.0]), dtype=x.dtype)
    return (x / attributes.get("divide", 1) - mean) / std


STEPS = {"normalize": normalize}
