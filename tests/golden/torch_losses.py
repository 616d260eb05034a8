"""Losses: what each is in torch, what its target is drawn from, and what predict returns.

A loss takes values as Sylvite stores them, channels last: logits [N,C] or [N,...,C], class numbers [N] or [N,...].
"""
import torch
from torch.nn import functional

from torch_values import channels_last

LOSSES = {}  # kind: (function(value channels-first, target, attributes) -> scalar, default target, default output)


def loss(kind, target, output="linear"):
    """Enters a loss: `target` is one of TARGETS, `output` the function that predict applies."""
    def enter(function):
        LOSSES[kind] = function, target, output
        return function
    return enter


def constant(value, attributes, key):
    """A list of numbers as a tensor of the value's type, None where it is not given."""
    return torch.tensor(attributes[key], dtype=value.dtype) if key in attributes else None


@loss("cross_entropy", "int32", "softmax")
def cross_entropy(value, target, attributes):
    return functional.cross_entropy(value, target.long(), constant(value, attributes, "class_weights"),
                                    ignore_index=attributes.get("ignore_index", -100),
                                    label_smoothing=attributes.get("label_smoothing", 0.0))


@loss("nll", "int32")
def nll(value, target, attributes):
    return functional.nll_loss(value, target.long(), constant(value, attributes, "class_weights"),
                               ignore_index=attributes.get("ignore_index", -100))


@loss("binary_cross_entropy", "flags", "sigmoid")
def binary_cross_entropy(value, target, attributes):
    return functional.binary_cross_entropy_with_logits(channels_last(value), target.to(value.dtype),
                                                       pos_weight=constant(value, attributes, "pos_weight"))


@loss("mse", "normal")
def mse(value, target, _attributes):
    return functional.mse_loss(channels_last(value), target.to(value.dtype))


@loss("l1", "normal")
def l1(value, target, _attributes):
    return functional.l1_loss(channels_last(value), target.to(value.dtype))


@loss("huber", "normal")
def huber(value, target, attributes):
    return functional.huber_loss(channels_last(value), target.to(value.dtype), delta=attributes.get("delta", 1.0))


@loss("smooth_l1", "normal")
def smooth_l1(value, target, attributes):
    return functional.smooth_l1_loss(channels_last(value), target.to(value.dtype), beta=attributes.get("beta", 1.0))


@loss("hinge", "int32")
def hinge(value, target, attributes):
    return functional.multi_margin_loss(value, target.long(), p=attributes.get("p", 1),
                                        margin=attributes.get("margin", 1.0),
                                        weight=constant(value, attributes, "class_weights"))


@loss("kl_divergence", "probabilities")
def kl_divergence(value, target, attributes):
    return functional.kl_div(channels_last(value), target.to(value.dtype),
                             reduction=attributes.get("reduction", "mean"))


def total(losses, last, values, targets):
    """(the weighted sum of the losses of graph.losses(), [value that each takes]) on {name: value}, {name: target}."""
    result, taken = None, []
    for kind, attributes, source, weight, target in losses:
        value = values[source or last]
        term = LOSSES[kind][0](value, targets[target], attributes)
        term = term if weight == 1 else term * weight
        result = term if result is None else result + term
        taken.append(value)
    return result, taken


# ---- targets


def classes(n, shape, attributes, dtype):
    """Class numbers for an output of this channels-first shape; a third of them ignored where the loss can."""
    labels = torch.randint(0, shape[0], (n, *shape[1:]), dtype=dtype)
    if "ignore_index" in attributes:
        ignored = torch.rand(labels.shape) < 1 / 3
        ignored.view(-1)[0] = False
        labels[ignored] = attributes["ignore_index"]
    return labels


def last(n, shape):
    """Shape of a target that is like the output, channels last."""
    return (n, *shape[1:], shape[0])


TARGETS = {
    "int32": lambda n, shape, attributes: classes(n, shape, attributes, torch.int32),
    "int64": lambda n, shape, attributes: classes(n, shape, attributes, torch.int64),
    "normal": lambda n, shape, _: torch.randn(last(n, shape)),
    "uniform": lambda n, shape, _: torch.rand(last(n, shape)),
    "flags": lambda n, shape, _: torch.randint(0, 2, last(n, shape)).float(),
    "probabilities": lambda n, shape, _: torch.randn(last(n, shape)).softmax(-1),
}


def make_targets(losses, last_value, shapes, n, kind=None):
    """{name: tensor} for graph.losses() on values of these channels-first shapes; `kind` is the case's `target`."""
    result = {}
    for loss_kind, attributes, source, _, name in losses:
        if name not in result:
            draw = TARGETS[kind or LOSSES[loss_kind][1]]
            result[name] = draw(n, shapes[source or last_value], attributes)
    return result


# ---- what predict returns

OUTPUTS = {
    "softmax": lambda value: value.softmax(1),
    "sigmoid": torch.sigmoid,
    "linear": lambda value: value,
}


def predictions(network, losses, last_value, values):
    """[tensor, channels last] for each loss, by the file's `output`: a word, {value: word}, or the loss's default."""
    result = []
    for kind, _, source, _, _ in losses:
        name = source or last_value
        word = network.get("output") or LOSSES[kind][2]
        if isinstance(word, dict):
            word = word.get(name, LOSSES[kind][2])
        result.append(channels_last(OUTPUTS[word](values[name])))
    return result
