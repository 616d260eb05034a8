"""Random shapes for the gradient check of an op, from its case file: sizes of 1, odd sizes, other channels and rows.

The shapes of an op are spread over its cases, each with other sizes of its inputs; of every third case the first is the
smallest that fits. What the compiler refuses (`sylvite summary`) is drawn again. Networks with one input share a
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
DRAWS, DRAWN_AT_ONCE = 40, 4


def generate(sylvite, op, count):
    """Cases for `count` shapes of this op; some are shared networks."""
    sources = [case for case in cases.load_op(op) if not case.long] or cases.load_op(op)
    if count < len(sources):
        sources = [sources[i * len(sources) // count] for i in range(count)]
    numbers = random.Random(op)
    drawn = [shape(sylvite, copy.deepcopy(sources[i % len(sources)]), i, i // len(sources) == 0 and i % 3 == 0, numbers)
             for i in range(count)]
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
    for begin in range(0, DRAWS, DRAWN_AT_ONCE):
        drawn = [_draw(case, draw, smallest, numbers) for draw in range(begin, begin + DRAWN_AT_ONCE)]
        for fits, each in zip(_fit(sylvite, drawn), drawn):
            if fits:
                return each
    return case


def _draw(case, draw, smallest, numbers):
    """A copy of the case with other sizes."""
    case = copy.deepcopy(case)
    sizes = {}  # (axis from the end, size): other size; equal sizes of several inputs stay equal
    for facts in graph.inputs(case.network).values():
        old = facts["shape"]
        facts["shape"] = [sizes.setdefault((len(old) - axis, size), _size(axis == len(old) - 1, draw, smallest, size,
                                                                         numbers)) for axis, size in enumerate(old)]
    case.n = case.batch = case.network["training"]["batch"] = numbers.choice(ROWS)
    return case


def _size(is_channels, draw, smallest, old, numbers):
    if is_channels:
        return old if numbers.random() < 0.5 else numbers.choice(CHANNELS)
    return draw + 1 if smallest else numbers.choice(SIZES)


def _fit(sylvite, drawn):
    """Whether the compiler takes each of these cases of one name and its gradients can be checked."""
    folder = sylvite.work / "shapes" / drawn[0].name
    folder.mkdir(parents=True, exist_ok=True)
    nets = [folder / f"draw_{i}.yaml" for i in range(len(drawn))]
    for net, case in zip(nets, drawn):
        net.write_text(case.text(), encoding="utf-8")
    tables = sylvite.run("summary", *nets, status=None).stdout
    return [f"{net}:\n" in tables and not _is_degenerate(case) for net, case in zip(nets, drawn)]


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
