"""Layers that are no windows and no mere shapes, as torch modules: linear, normalization, activations, attention."""
import torch
from torch import nn

import torch_random
from torch_values import Apply, axis, channels_first, channels_last, layer

BATCH_NORM = {1: nn.BatchNorm1d, 2: nn.BatchNorm1d, 3: nn.BatchNorm2d, 4: nn.BatchNorm3d}
INSTANCE_NORM = {2: nn.InstanceNorm1d, 3: nn.InstanceNorm2d, 4: nn.InstanceNorm3d}


def options(attributes, *names, **renamed):
    """Those of the attributes that are given, as keyword arguments; `renamed` maps a torch name to ours."""
    renamed |= {name: name for name in names}
    return {theirs: attributes[ours] for theirs, ours in renamed.items() if ours in attributes}


# ---- linear


class ChannelsLinear(nn.Linear):
    """On the last axis of [..., C]."""

    def forward(self, x):
        return channels_first(super().forward(channels_last(x)))


@layer("linear")
def linear(attributes, shapes):
    return ChannelsLinear(shapes[0][0], attributes["units"], bias=attributes.get("bias", True))


class ChannelsEmbedding(nn.Embedding):
    """Whole numbers [N, ...] to [N, ..., size]; the row `padding_idx` counts as zeros, whatever it holds."""

    def forward(self, x):
        rows, padding = channels_last(x).long(), self.padding_idx
        values = super().forward(rows)
        return (values if padding is None else values * (rows != padding).unsqueeze(-1)).movedim(-1, 1)


@layer("embedding")
def embedding(attributes, _shapes):
    return ChannelsEmbedding(attributes["count"], attributes["size"], padding_idx=attributes.get("padding_idx"))


class LearnedPosition(nn.Module):
    """A weight [T, C] added to a sequence."""

    def __init__(self, steps, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(steps, channels).normal_(std=0.02))

    def forward(self, x):
        return x + self.weight.T


@layer("learned_position")
def learned_position(_attributes, shapes):
    channels, steps = shapes[0]
    return LearnedPosition(steps, channels)


# ---- normalization


@layer("batch_norm")
def batch_norm(attributes, shapes):
    form = BATCH_NORM[len(shapes[0])]
    return form(shapes[0][0], eps=attributes.get("eps", 1e-5), momentum=attributes.get("momentum", 0.1),
                affine=attributes.get("affine", True))


class ChannelsLayerNorm(nn.LayerNorm):
    """Over the channels of [N, T, C]."""

    def forward(self, x):
        return channels_first(super().forward(channels_last(x)))


@layer("layer_norm")
def layer_norm(attributes, shapes):
    """Over the channels of a vector or a sequence, over all of an image."""
    shape, given = shapes[0], options(attributes, "eps", "bias", elementwise_affine="affine")
    return ChannelsLayerNorm(shape[0], **given) if len(shape) <= 2 else nn.LayerNorm(shape, **given)


@layer("group_norm")
def group_norm(attributes, shapes):
    return nn.GroupNorm(attributes["groups"], shapes[0][0], **options(attributes, "eps", "affine"))


@layer("instance_norm")
def instance_norm(attributes, shapes):
    return INSTANCE_NORM[len(shapes[0])](shapes[0][0], **options(attributes, "eps", "affine"))


# ---- activations: (torch class, {torch's name: ours} of its attributes)

ACTIVATIONS = {
    "relu": (nn.ReLU, {}),
    "relu6": (nn.ReLU6, {}),
    "leaky_relu": (nn.LeakyReLU, {"negative_slope": "negative_slope"}),
    "elu": (nn.ELU, {"alpha": "alpha"}),
    "selu": (nn.SELU, {}),
    "sigmoid": (nn.Sigmoid, {}),
    "tanh": (nn.Tanh, {}),
    "gelu": (nn.GELU, {"approximate": "approximate"}),
    "silu": (nn.SiLU, {}),
    "mish": (nn.Mish, {}),
    "hardswish": (nn.Hardswish, {}),
    "hardsigmoid": (nn.Hardsigmoid, {}),
    "softplus": (nn.Softplus, {"beta": "beta", "threshold": "threshold"}),
}


def _enter(kind, form, renamed):
    layer(kind)(lambda attributes, _shapes: form(**options(attributes, **renamed)))


for _kind, (_form, _renamed) in ACTIVATIONS.items():
    _enter(_kind, _form, _renamed)


@layer("prelu")
def prelu(attributes, _shapes):
    return nn.PReLU(**options(attributes, "num_parameters", "init"))


@layer("softmax")
def softmax(attributes, shapes):
    return nn.Softmax(axis(attributes.get("axis", -1), len(shapes[0])))


@layer("log_softmax")
def log_softmax(attributes, shapes):
    return nn.LogSoftmax(axis(attributes.get("axis", -1), len(shapes[0])))


@layer("dropout")
def dropout(attributes, _shapes):
    return Apply(lambda x: torch_random.dropout(x, attributes.get("p", 0.5), list(x.shape[1:])))


@layer("spatial_dropout")
def spatial_dropout(attributes, _shapes):
    ones = [1] * 3
    return Apply(lambda x: torch_random.dropout(x, attributes.get("p", 0.5), [x.shape[1], *ones[:x.dim() - 2]]))


# ---- attention


@layer("attention")
def attention(attributes, shapes):
    """softmax(q kᵀ / sqrt(C / heads)) v on sequences [N, T, C]; one input of 3C channels is q, k, v side by side."""
    heads, causal = attributes.get("heads", 1), attributes.get("causal", False)

    def split(x):  # [N, C, T] to [N, heads, T, C / heads]
        return x.unflatten(1, (heads, -1)).transpose(2, 3)

    def forward(*values):
        q, k, v = map(split, values if len(values) == 3 else values[0].chunk(3, 1))
        scores = q @ k.transpose(2, 3) / q.shape[3] ** 0.5
        if causal:
            scores = scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).triu(1), float("-inf"))
        return (scores.softmax(3) @ v).transpose(2, 3).flatten(1, 2)
    return Apply(forward)
