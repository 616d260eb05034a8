"""Random valid networks: a seed gives a network file (as dicts and lists) with losses, optimizer and batch.

A network is a chain of 2 to 12 steps; a step is one layer, two branches that are joined again (add, subtract, multiply,
concat), or a join with an earlier value. In every other network some layers become a block (fold.py). What layers there
are, and with which attributes, comes from the compiler's table of layers; shapes come from PyTorch: a step that PyTorch
refuses, or that makes a value too large, is drawn again.
"""
import pathlib
import random
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "golden"), str(HERE.parent / "ops"), str(HERE)]
import fold  # noqa: E402
import graph  # noqa: E402
import rules  # noqa: E402
import torch_losses  # noqa: E402
from torch_network import Network  # noqa: E402
from torch_values import LAYERS  # noqa: E402

LARGEST_VALUE, LARGEST_WEIGHT = 1500, 6000  # elements of a value of one sample, of a parameter
ROWS_OF_EMBEDDING = 10  # the whole numbers of inputs by formula (tests/ops/formula.py)
SIZES = (1, 2, 3, 4, 5, 6, 7, 9, 11)
OPTIMIZERS = (
    {"sgd": {"learning_rate": 0.05}},
    {"sgd": {"learning_rate": 0.02, "momentum": 0.9}},
    {"sgd": {"learning_rate": 0.02, "momentum": 0.5, "weight_decay": 0.01}},
    {"adam": {"learning_rate": 1e-2, "eps": 1e-2}},
    {"adamw": {"learning_rate": 1e-2, "eps": 1e-2, "decay_exempt": True}},
    {"rmsprop": {"learning_rate": 1e-2, "eps": 1e-2, "centered": True}},
    {"adagrad": {"learning_rate": 1e-2, "eps": 1e-2}},
    {"adam": {"learning_rate": 1e-3, "betas": [0.5, 0.9], "eps": 1e-2, "weight_decay": 0.1}},
)


class Rejected(Exception):
    """This draw is no valid network of a reasonable size."""


def kinds(rank):
    """[(kind, rule, weight)] of the layers that the table and PyTorch know, for a value of this many axes and C."""
    result = []
    for kind, record in sorted(graph.table().items()):
        if record["role"] == "layer" and kind in LAYERS and not (kind[-2:] in ("1d", "2d", "3d")
                                                                 and kind[-2] != str(rank)):
            draw, weight = rules.RULES.get(kind, (rules.by_type(record), 0.4))
            if draw and weight:
                result.append((kind, draw, weight))
    return result


class Builder:
    """The network while it grows: `layers` as the file has them, `shapes` of values, channels first."""

    def __init__(self, numbers, input_):
        self.random, self.input = numbers, input_
        self.layers, self.values, self.count = [], [], 0
        self.file = {"input": input_, "network": self.layers}
        *image, channels = input_["shape"]
        self.shapes = {"input": [channels, *image]}  # where they are whole numbers, a layer stands before all others
        self.last = "input"

    def add(self, kind, attributes, sources):
        """A layer on these values, as the last; returns its name. Raises Rejected."""
        known = graph.table()[kind]["attributes"]
        attributes = {key: value for key, value in attributes.items() if key in known}
        name = f"v{self.count}"
        self.count += 1
        try:
            module = LAYERS[kind](attributes, [self.shapes[source] for source in sources])
            values = module(*(self.sample(source) for source in sources))
        except (RuntimeError, ValueError, IndexError, KeyError, ZeroDivisionError, AssertionError) as error:
            raise Rejected(f"{kind}: {error}") from error
        if min(values.shape) < 1 or values[0].numel() > LARGEST_VALUE or values.dim() > 5:
            raise Rejected(f"{kind}: a value of {list(values.shape[1:])}")
        if any(parameter.numel() > LARGEST_WEIGHT for parameter in module.parameters()):
            raise Rejected(f"{kind}: large parameters")
        self.shapes[name] = list(values.shape[1:])
        written = {"name": name} | ({} if sources == [self.last] else {
            "from": sources if len(sources) > 1 else sources[0]}) | attributes
        self.layers.append({kind: written})
        self.values.append(name)
        self.last = name
        return name

    def sample(self, source):
        if source == "input" and self.input["dtype"] == "int32":
            return torch.zeros(2, *self.shapes[source], dtype=torch.int32)
        return torch.randn(2, *self.shapes[source])

    def mark(self):
        return len(self.layers), len(self.values), self.last

    def back(self, mark):
        layers, values, self.last = mark
        del self.layers[layers:], self.values[values:]

    def attempt(self, what, *arguments, tries=20):
        """The result of what(*arguments), drawn again while it is rejected."""
        for _ in range(tries):
            mark = self.mark()
            try:
                return what(*arguments)
            except Rejected:
                self.back(mark)
        raise Rejected("too many tries")

    def layer(self, source):
        """One random layer on `source`."""
        shape = self.shapes[source]
        choices = kinds(len(shape) - 1)
        kind, draw, _ = self.random.choices(choices, [weight for *_, weight in choices])[0]
        attributes = draw(self.random, shape)
        if attributes is None:
            raise Rejected(kind)
        return self.add(kind, attributes, [source])

    def chain(self, source, length):
        for _ in range(length):
            source = self.attempt(self.layer, source)
        return source

    def joined(self, left, right):
        """Both values in one: element by element where they have one shape, else side by side."""
        known = graph.table()
        shapes = self.shapes[left], self.shapes[right]
        same = [kind for kind in ("add", "subtract", "multiply") if kind in known and shapes[0] == shapes[1]]
        if "concat" in known and shapes[0][1:] == shapes[1][1:]:
            same += ["concat"]
        if not same:
            raise Rejected("nothing joins them")
        return self.add(self.random.choice(same), {}, [left, right])

    def branches(self, source):
        left = self.chain(source, self.random.randint(0, 2))
        right = self.chain(source, self.random.randint(1, 2))
        return self.joined(left, right)

    def skip(self, source):
        earlier = [name for name in ("input", *self.values) if name != "input" or self.input["dtype"] != "int32"]
        return self.joined(source, self.random.choice(earlier))

    def step(self, source):
        roll = self.random.random()
        if {"add", "concat"} & set(graph.table()):
            if roll < 0.2:
                return self.branches(source)
            if roll < 0.3:
                return self.skip(source)
        return self.layer(source)


def head(builder, value):
    """The loss, and what must stand before it."""
    numbers, known = builder.random, graph.table()
    choices = [kind for kind, record in sorted(known.items())
               if record["role"] == "loss" and kind in torch_losses.LOSSES]
    kind = numbers.choice([*choices, "cross_entropy"])
    classes = torch_losses.LOSSES[kind][1] in ("int32", "probabilities")
    if len(builder.shapes[value]) > 1 and (classes or numbers.random() < 0.5):
        value = builder.add("flatten", {}, [value])
    if len(builder.shapes[value]) == 1 or "linear" not in known:
        value = builder.add("linear", {"units": numbers.choice((2, 3, 5, 10))}, [value])
    if kind in ("nll", "kl_divergence"):
        if "log_softmax" not in known:
            raise Rejected(kind)
        builder.add("log_softmax", {}, [value])
    attributes = {}
    if kind == "cross_entropy" and "label_smoothing" in known[kind]["attributes"] and numbers.random() < 0.3:
        attributes["label_smoothing"] = 0.1
    return {kind: attributes} if attributes else kind


def shape_of_input(numbers):
    """A vector, a sequence, an image or a video, of what the compiler has windows for."""
    ranks = [0] + [rank for rank in (1, 1, 2, 2, 2, 2, 3) if f"conv{rank}d" in graph.table()]
    rank = numbers.choice(ranks)
    sizes = [numbers.choice(SIZES[:6] if rank == 3 else SIZES) for _ in range(rank)]
    return [*sizes, numbers.choice((1, 2, 3, 5, 6, 8, 12) if rank else (1, 3, 8, 17, 33))]


def draw(name, numbers):
    """One draw of a network file and the number of rows to use. Raises Rejected."""
    roll = numbers.random()
    dtype = "uint8" if roll < 0.15 else "int32" if roll < 0.22 and "embedding" in graph.table() else "float32"
    shape = [numbers.choice(SIZES)] if dtype == "int32" else shape_of_input(numbers)
    builder, value = Builder(numbers, {"shape": shape, "dtype": dtype}), "input"
    if dtype == "int32":
        value = builder.add("embedding", {"count": ROWS_OF_EMBEDDING, "size": numbers.choice((1, 3, 5, 8, 12))}, [value])
    for _ in range(numbers.randint(1, 10)):
        value = builder.attempt(builder.step, value)
    loss = head(builder, value)
    blocks = fold.fold(builder.layers, builder.shapes, numbers) if numbers.random() < 0.5 else {}
    batch = numbers.choice((1, 2, 3, 4, 5, 8, 9))
    network = {"name": name, "input": builder.input}
    if dtype == "uint8":
        network["preprocess"] = [{"normalize": {"divide": 255, "mean": [0.4], "std": [0.3]}}]
    if blocks:
        network["blocks"] = blocks
    network |= {"network": builder.layers, "loss": loss, "optimizer": numbers.choice(OPTIMIZERS),
                "training": {"batch": batch, "epochs": 1, "seed": 1}}
    n = numbers.randint(1, batch)
    try:
        net = Network(network)
        x = torch.rand(n, *builder.input["shape"])
        net.run({"input": x.int() if dtype == "int32" else x})
    except (RuntimeError, ValueError) as error:  # batch statistics of one value
        raise Rejected(str(error)) from error
    if not any(parameter.requires_grad for parameter in net.parameters()):
        raise Rejected("no parameters")
    return network, n


def network(seed, accept):
    """The network file of this seed and its rows: the first draw that is valid and that accept(network, n) takes."""
    for attempt in range(1000):
        try:
            file, n = draw(f"random_{seed}", random.Random(f"{seed}.{attempt}"))
        except Rejected:
            continue
        if accept(file, n):
            return file, n
    raise SystemExit(f"seed {seed}: no valid network in 1000 draws")
