"""Random shapes for the gradient check of an op, from its case file: sizes of 1, odd sizes, other channels and rows.

Shape number i takes the i-th case (around and around) and gives its inputs other sizes; of every third case the first
is the smallest that fits. What the compiler refuses (`sylvite summary`) is drawn again. Networks with one input share a
compilation: each becomes a branch with an input and preprocessing of its own. Branches that end with `linear` and the
plain cross entropy are flattened and joined before one `linear`; others have a loss and a target of their own.
"""
import copy
import random

import cases
import graph

SIZES = (1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 9, 11, 13)
CHANNELS = (1, 2, 3, 5, 6, 8, 16, 17)
ROWS = (2, 3, 4, 5)
BRANCHES = 6  # that share a compilation
DRAWS = 40


def generate(sylvite, op, count):
    """Cases for `count` shapes of this op, or one for each of its cases if that is more; some are shared networks."""
    sources = [case for case in cases.load_op(op) if not case.long] or cases.load_op(op)
    numbers = random.Random(op)
    drawn = [shape(sylvite, copy.deepcopy(sources[i % len(sources)]), i, i // len(sources) == 0 and i % 3 == 0, numbers)
             for i in range(max(count, len(sources)))]
    single, shared = [], []
    for case in drawn:
        (shared if is_branch(case) else single).append(case)
    result = list(single)
    for number, begin in enumerate(range(0, len(shared), BRANCHES)):
        result.append(join(op, number, shared[begin:begin + BRANCHES]))
    return result


def shape(sylvite, case, number, smallest, numbers):
    """The case with other sizes of its inputs, which the compiler takes; as it was where no draw fits."""
    case.name = case.network["name"] = f"{case.name}_{number}"
    original = copy.deepcopy(graph.inputs(case.network))
    for draw in range(DRAWS):
        sizes = {}  # (axis from the end, size): other size; equal sizes of several inputs stay equal
        for name, facts in graph.inputs(case.network).items():
            old = original[name]["shape"]
            facts["shape"] = [sizes.setdefault((len(old) - axis, size), _size(axis == len(old) - 1, draw, smallest, size,
                                                                             numbers)) for axis, size in enumerate(old)]
        case.n = case.batch = case.network["training"]["batch"] = numbers.choice(ROWS)
        if _fits(sylvite, case):
            return case
    for name, facts in graph.inputs(case.network).items():
        facts["shape"] = original[name]["shape"]
    return case


def _size(is_channels, draw, smallest, old, numbers):
    if is_channels:
        return old if numbers.random() < 0.5 else numbers.choice(CHANNELS)
    return draw + 1 if smallest else numbers.choice(SIZES)


def _fits(sylvite, case):
    folder = sylvite.work / "shapes"
    folder.mkdir(parents=True, exist_ok=True)
    net = folder / f"{case.name}.yaml"
    net.write_text(case.text(), encoding="utf-8")
    return sylvite.run("summary", net, status=None).returncode == 0 and not _is_degenerate(case)


def _is_degenerate(case):
    """Whether a normalization may have a single value to normalize, whose gradient is nothing but rounding."""
    kinds = {layer.kind for layer in graph.layers(case.network)}
    shapes = [facts["shape"] for facts in graph.inputs(case.network).values()]
    if {"instance_norm"} & kinds:
        return any(len(s) < 2 or min(s[:-1]) < 2 for s in shapes)
    return bool({"layer_norm", "group_norm"} & kinds) and any(s[-1] < 4 for s in shapes)


def is_branch(case):
    """Whether the network can be a branch of another one: one input, nothing that is named for the whole file."""
    network = case.network
    return (not {"inputs", "blocks"} & set(network) and not isinstance(network["loss"], list)
            and not any("weights" in graph.parts(layer)[1] for layer in network["network"]))


def join(op, number, branches):
    """One network of these cases' networks."""
    if len(branches) == 1:
        return branches[0]
    inputs, preprocess, layers, ends, losses = {}, {}, [], [], []
    for i, case in enumerate(branches):
        inputs[f"x{i}"] = case.network["input"]
        if "preprocess" in case.network:
            preprocess[f"x{i}"] = case.network["preprocess"]
        expanded = graph.layers(case.network)
        joined = case.network["loss"] == "cross_entropy" and len(expanded) > 1 and expanded[-1].kind == "linear"
        expanded = expanded[:-1] if joined else expanded
        names = {"input": f"x{i}"} | {layer.name: f"b{i}_{layer.name}" for layer in expanded}
        for layer in expanded:
            taken = [names[name] for name in layer.inputs]
            layers.append({layer.kind: {"name": names[layer.name], "from": taken if len(taken) > 1 else taken[0]}
                           | layer.attributes})
        if joined:
            layers.append({"flatten": {"name": f"b{i}_end", "from": names[expanded[-1].name]}})
            ends.append(f"b{i}_end")
        else:
            kind, attributes = graph.parts(case.network["loss"])
            losses.append({kind: attributes | {"from": names[expanded[-1].name], "target": f"t{i}"}})
    if ends:
        layers += [{"concat": {"from": ends}}] if len(ends) > 1 else []
        layers += [{"linear": {"name": "joined", "units": 3}}]
        losses.append({"cross_entropy": {"from": "joined"}})
    name = f"{op}_shapes_{number}"
    network = {"name": name, "inputs": inputs} | ({"preprocess": preprocess} if preprocess else {})
    network |= {"network": layers, "loss": losses, "optimizer": {"sgd": {"learning_rate": 0.05}},
                "training": {"batch": branches[0].batch}}
    return cases.Case(op, name, network, branches[0].batch, branches[0].n, {})
