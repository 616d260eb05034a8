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
    return expand(network)[0]


def expand(network):
    """(every layer in order, {name of a layer or of a use of a block: the layer that it stands for})."""
    expansion = _Expansion(network.get("blocks", {}))
    given = {name: name for name in inputs(network)}
    expansion.sequence(network["network"], _Scope("", "", given, {}), list(given))
    return expansion.layers, expansion.values


@dataclasses.dataclass
class _Scope:
    """The file's `network`, or one use of a block."""
    prefix: str     # of the names of its layers
    variables: str  # of the names of its parameters
    inputs: dict    # what `from` may name besides its layers: {name: value}
    policy: dict    # trainable, rate, decay of all its layers


class _Expansion:
    def __init__(self, blocks):
        self.blocks, self.layers = blocks, []
        self.values = {}   # full name of a layer or a use of a block: the value that it stands for
        self.shared = {}   # full name: the name under which its parameters stand

    def sequence(self, items, scope, last):
        """Adds these layers; `last` are the values before the first. Returns the value of the last."""
        count = {}
        for item in items:
            kind, attributes = parts_of(item, self.blocks)
            kind = kind if kind in self.blocks else canonical(kind)
            taken = [self.source(name, scope) for name in _list(attributes.get("from", []))] or last
            add = self.block if kind in self.blocks else self.layer
            last = [add(kind, attributes, scope, taken, count)]
        return last[0]

    def source(self, name, scope):
        return scope.inputs[name] if name in scope.inputs else self.values[scope.prefix + name]

    def shared_name(self, name, scope):
        """The name that `weights: name` stands for: that of a layer's parameters, or one of its own."""
        return self.shared.get(scope.prefix + name, scope.variables + name)

    def layer(self, kind, attributes, scope, taken, count):
        name = _name(kind, attributes, count)
        shared = attributes.get("weights")
        base = scope.variables + name if shared is None else self.shared_name(shared, scope)
        own = {k: v for k, v in attributes.items() if k not in _COMMON}
        full = scope.prefix + name
        self.layers.append(Layer(full, kind, own, taken, base, **_policy(scope.policy, attributes)))
        self.shared[full], self.values[full] = base, full
        return full

    def block(self, kind, attributes, scope, taken, count):
        """A use: repetitions of a named one are called name_1, name_2, and so on, those of an unnamed one are uses of
        their own."""
        times, declared = attributes.get("repeat", 1), self.blocks[kind]
        if "name" in attributes and "repeat" in attributes:
            base = _name(kind, attributes, count)
            names = [f"{base}_{i}" for i in range(1, times + 1)]
        else:
            names = [_name(kind, attributes, count) for _ in range(times)]
        given = dict(declared.get("parameters") or {})
        given |= {k: v for k, v in attributes.items() if k in given and v is not None}
        policy = _policy(scope.policy, attributes)
        for i, name in enumerate(names, 1):
            shared = attributes.get("weights")
            if shared is not None:
                shared = self.shared_name(f"{shared}_{i}" if "repeat" in attributes else shared, scope)
            base = scope.variables + name if shared is None else shared
            inputs_ = {"input": taken[0]} if len(taken) == 1 else {f"input_{j}": v for j, v in enumerate(taken, 1)}
            inner = _Scope(f"{scope.prefix}{name}.", f"{base}.", inputs_, policy)
            self.shared[scope.prefix + name] = base
            taken = [self.sequence(substitute(declared["layers"], given), inner, taken)]
            self.values[scope.prefix + name] = taken[0]
        self.values[scope.prefix + attributes.get("name", names[-1])] = taken[0]
        return taken[0]


def _list(value):
    return value if isinstance(value, list) else [value]


def _name(kind, attributes, count):
    count[kind] = count.get(kind, 0) + 1
    return attributes.get("name", f"{kind}_{count[kind]}")


def _policy(outer, attributes):
    return {"trainable": attributes.get("trainable", outer.get("trainable", True)),
            "rate": outer.get("rate", 1.0) * attributes.get("learning_rate", 1.0),
            "decay": outer.get("decay", 1.0) * attributes.get("weight_decay", 1.0)}


def preprocessing(network, name):
    """The preprocessing steps of this input."""
    steps = network.get("preprocess", [])
    return steps.get(name, []) if isinstance(steps, dict) else steps


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
        return {substitute(key, given): substitute(value, given) for key, value in node.items()}
    if isinstance(node, list):
        return [substitute(value, given) for value in node]
    if isinstance(node, str) and node.startswith("$"):
        return given[node[1:]]
    return node
