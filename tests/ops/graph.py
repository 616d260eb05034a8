"""A network file as a graph: blocks expanded, layers named, and the values that each of them takes.

It reads files that are right (the compiler finds what is wrong with others) and needs nothing but the compiler's table
of layers, layers.json, which the build writes beside Layers.inc; the environment variable SYLVITE_LAYERS names another.
"""
import dataclasses
import functools
import json
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Layer:
    """One layer of the graph; values are named by the layer (or the input) that they come from."""
    name: str        # its full name: members of a block are <block>.<layer>
    kind: str        # never an alias
    attributes: dict  # without `name`, `from` and the keys that any layer takes
    inputs: list     # names of the values that it takes
    weights: str     # name under which its parameters stand: its own unless they are shared
    trainable: bool = True
    rate: float = 1.0   # multiplier of the learning rate
    decay: float = 1.0  # multiplier of the weight decay


_COMMON = ("name", "from", "weights", "trainable", "init", "learning_rate", "weight_decay")


@functools.cache
def table():
    """{kind: {role, main, aliases, operands, attributes: {name: {type, required, default}}}} of every layer there is."""
    path = os.environ.get("SYLVITE_LAYERS") or ROOT / "build" / "compiler" / "dialect" / "layers.json"
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


@functools.cache
def _aliases():
    return {alias: kind for kind, record in table().items() for alias in record["aliases"]}


def canonical(kind):
    """The kind that `kind` is an alias of, or itself."""
    return kind if kind in table() else _aliases().get(kind, kind)


def parts(layer):
    """Kind and attributes of a layer in any of its three forms: name, name with its main attribute, name with a map."""
    if isinstance(layer, str):
        return layer, {}
    (kind, value), = layer.items()
    if isinstance(value, dict):
        return kind, value
    return kind, {} if value is None else {table()[canonical(kind)]["main"]: value}


def inputs(network):
    """{name: {shape, dtype, ...}} of the file's inputs, in order."""
    return network["inputs"] if "inputs" in network else {"input": network["input"]}


def losses(network):
    """(kind, attributes without the common keys, value it takes or None, weight, target's name) of each loss."""
    entries = network["loss"] if isinstance(network["loss"], list) else [network["loss"]]
    result = []
    for entry in entries:
        kind, attributes = parts(entry)
        attributes = dict(attributes)
        taken = attributes.pop("from", None)
        weight = attributes.pop("weight", 1.0)
        result.append((kind, attributes, taken, weight, attributes.pop("target", "target")))
    return result


def layers(network):
    """Every layer, in order."""
    expansion = _Expansion(network.get("blocks", {}))
    names = {name: name for name in inputs(network)}
    expansion.sequence(network["network"], "", names, next(iter(names)), {})
    return expansion.layers


class _Expansion:
    def __init__(self, blocks):
        self.blocks, self.layers = blocks, []

    def sequence(self, items, prefix, names, last, common):
        """Adds these layers; `names` maps what `from` may say to values, `last` is the value before the first layer.
        Returns the last value."""
        count = {}
        for item in items:
            kind, attributes = parts_of(item, self.blocks)
            kind = kind if kind in self.blocks else canonical(kind)
            count[kind] = count.get(kind, 0) + 1
            short = attributes.get("name", f"{kind}_{count[kind]}")
            sources = attributes.get("from", [])
            taken = [names[s] for s in (sources if isinstance(sources, list) else [sources])] or [last]
            if kind in self.blocks:
                last = self.block(kind, attributes, prefix + short, taken, common)
            else:
                last = self.layer(kind, attributes, prefix, short, taken, names, common)
            names[short] = last
        return last

    def layer(self, kind, attributes, prefix, short, taken, names, common):
        shared = attributes.get("weights")
        if shared is not None:
            shared = names.get(shared, shared)
        inherited = _inherit(common, attributes)
        own = {k: v for k, v in attributes.items() if k not in _COMMON}
        self.layers.append(Layer(prefix + short, kind, own, taken, shared or prefix + short, **inherited))
        return prefix + short

    def block(self, kind, attributes, name, taken, common):
        declared = self.blocks[kind]
        given = dict(declared.get("parameters") or {})
        given |= {k: v for k, v in attributes.items() if k in given}
        repeat = attributes.get("repeat", 1)
        inherited = _inherit(common, attributes)
        for number in range(1, repeat + 1):
            full = f"{name}_{number}" if "repeat" in attributes else name
            names = {"input": taken[0]} if len(taken) == 1 else {f"input_{i}": v for i, v in enumerate(taken, 1)}
            taken = [self.sequence(substitute(declared["layers"], given), full + ".", names, taken[0], inherited)]
        return taken[0]


def parts_of(item, blocks):
    """Like parts(), also for a block's use, whose bare value stands for the block's first parameter."""
    if isinstance(item, dict):
        (kind, value), = item.items()
        if kind in blocks and value is not None and not isinstance(value, dict):
            return kind, {next(iter(blocks[kind]["parameters"])): value}
    return parts(item)


def substitute(node, given):
    """The node with each scalar `$parameter` replaced by the parameter's value."""
    if isinstance(node, dict):
        return {key: substitute(value, given) for key, value in node.items()}
    if isinstance(node, list):
        return [substitute(value, given) for value in node]
    if isinstance(node, str) and node.startswith("$"):
        return given[node[1:]]
    return node


def _inherit(common, attributes):
    return {"trainable": common.get("trainable", True) and attributes.get("trainable", True),
            "rate": common.get("rate", 1.0) * attributes.get("learning_rate", 1.0),
            "decay": common.get("decay", 1.0) * attributes.get("weight_decay", 1.0)}
