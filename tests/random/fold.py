"""Blocks for the generator of networks (generate.py): a run of layers becomes a block, and its place a use of it.

A run can be a block where all that it takes from outside is the value before it, and all that others take from it is its
last value. Where both have one shape the use may repeat, or a second use may share the first one's weights.
"""
import graph

LONGEST = 4  # layers of a block
SIZES = ("units", "filters", "kernel", "eps", "negative_slope", "p")  # attributes that may become a parameter


def fold(layers, shapes, numbers):
    """{name: block} for the file's `blocks`; `layers` (as the file has them, all named) becomes shorter in place.

    `shapes` are those of the values by name, `numbers` a random.Random.
    """
    runs = list(_runs(layers))
    if not runs:
        return {}
    begin, end, entry = numbers.choice(runs)
    inside = [_copy(layer) for layer in layers[begin:end]]
    last = _name(inside[-1])
    for layer in inside:
        _rename(layer, entry, "input")
    given, parameters = _parameter(inside, numbers)
    repeats = shapes[entry] == shapes[last]
    statistics = any(graph.parts(layer)[0] == "batch_norm" for layer in inside)  # cannot be shared
    how = numbers.choice(("once", "repeat", "repeat" if statistics else "weights")) if repeats else "once"
    use, bare = dict(given), how == "once" and numbers.random() < 0.3
    if not bare:
        use = {"name": "part"} | use | _policy(numbers)
    name = "block_1" if bare else "part"
    uses = [{"block": use}]
    if bare and len(given) == 1:
        uses = [{"block": next(iter(given.values()))}]
    elif how == "repeat":
        use["repeat"] = 2
    elif how == "weights":
        uses.append({"block": {"name": "again", "weights": "part"} | given})
        name = "again"
    elif bare:
        uses = ["block"]
    layers[begin:end] = uses
    for layer in layers[begin + len(uses):]:
        _rename(layer, last, name)
    return {"block": ({"parameters": parameters} if parameters else {}) | {"layers": inside}}


def _runs(layers):
    """(begin, end, the value before) of every run that can be a block."""
    names = ["input", *map(_name, layers)]
    taken = [_sources(layer) or [names[i]] for i, layer in enumerate(layers)]
    for begin in range(len(layers)):
        for end in range(begin + 1, min(begin + LONGEST, len(layers)) + 1):
            inside = set(names[begin + 1:end + 1])
            from_outside = {source for each in taken[begin:end] for source in each} - inside
            hidden = inside - {names[end]}
            seen = {source for each in taken[end:] for source in each}
            if from_outside == {names[begin]} and not hidden & seen and taken[begin] == [names[begin]]:
                yield begin, end, names[begin]


def _parameter(inside, numbers):
    """One attribute of these layers becomes `$size`; ({parameter: argument}, {parameter: default})."""
    places = [(attributes, key) for layer in inside for _, attributes in [graph.parts(layer)] for key in SIZES
              if isinstance(attributes.get(key), (int, float))]
    if not places or numbers.random() < 0.3:
        return {}, {}
    attributes, key = numbers.choice(places)
    value, attributes[key] = attributes[key], "$size"
    return ({"size": value}, {"size": None}) if numbers.random() < 0.5 else ({}, {"size": value})


def _policy(numbers):
    roll = numbers.random()
    return {"trainable": False} if roll < 0.15 else {"learning_rate": 0.5} if roll < 0.3 else {}


def _copy(layer):
    (kind, attributes), = layer.items()
    return {kind: dict(attributes)}


def _name(layer):
    return graph.parts(layer)[1]["name"]


def _sources(layer):
    """What `from` names, [] without it."""
    source = graph.parts(layer)[1].get("from", [])
    return source if isinstance(source, list) else [source]


def _rename(layer, old, new):
    (_, attributes), = layer.items() if isinstance(layer, dict) else ((None, {}),)
    if isinstance(attributes, dict) and "from" in attributes:
        source = attributes["from"]
        attributes["from"] = [new if s == old else s for s in source] if isinstance(source, list) else (
            new if source == old else source)
