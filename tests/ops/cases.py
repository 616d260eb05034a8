"""Case files: what a case is, and the network file that it stands for.

A case file tests/ops/<op>.yaml is a list of cases. A case has the keys of a network file (`input` as the shape alone)
and these of its own; every key but `case`, `input` and `network` has a default:

    case       name of the case; the network is called <op>_<case>
    input      shape of one sample, H W C, W C or C
    dtype      float32 (default) or uint8
    batch      largest batch that is compiled for (default 4)
    n          rows that are used (default: batch)
    data       normal, negative, integers, ties, zeros, offset (mean 100, standard deviation 0.1), large, uint8
    target     dtype of the class numbers: int32 (default) or int64
    predict    true: the output of `sylvite predict` is compared too (evaluation mode, output function)
    long       true: not in the suite, only in runs with --long

`network`, `preprocess`, `optimizer`, `output` are as in a network file and go there as they are.
"""
import dataclasses
import pathlib

import yaml_subset

OPS = ("conv2d", "linear", "batch_norm", "relu", "max_pool2d", "flatten", "normalize", "cross_entropy", "softmax",
       "sgd", "adam")
MODELS = ("mlp", "lenet5", "fashion_cnn")
DATA_KINDS = ("normal", "negative", "integers", "ties", "zeros", "offset", "large", "uint8")
ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "data"

_OWN_KEYS = {"case", "input", "dtype", "batch", "n", "data", "target", "predict", "long"}
_NETWORK_KEYS = {"preprocess", "network", "optimizer", "output"}


@dataclasses.dataclass
class Case:
    """One case: a whole network (a network file as dicts and lists) and how to run it."""
    op: str         # the case file it comes from, or "models"
    name: str       # name of the network, unique among all cases
    network: dict
    batch: int      # compiled maximum
    n: int          # rows that are used
    data: str = "normal"
    target: str = "int32"
    predict: bool = False
    long: bool = False
    path: pathlib.Path | None = None  # the network file, where there is one

    @property
    def input_shape(self):
        return self.network["input"]["shape"]

    @property
    def input_dtype(self):
        return self.network["input"]["dtype"]

    @property
    def classes(self):
        return layer_parts(self.network["network"][-1])[1]["units"]

    @property
    def golden(self):
        """Folder of the case's golden files."""
        return GOLDEN / self.op / self.name

    def text(self):
        """The network file."""
        lines = []
        for key, value in self.network.items():
            if key in ("network", "preprocess"):
                lines += [f"{key}:"] + [f"  - {_layer_text(layer)}" for layer in value]
            else:
                lines.append(f"{key}: {yaml_subset.dump_flow(value)}")
        return "\n".join(lines) + "\n"


def _layer_text(layer):
    if isinstance(layer, str):
        return layer
    (kind, value), = layer.items()
    return f"{kind}: {yaml_subset.dump_flow(value)}"


MAIN_ATTRIBUTE = {"linear": "units", "max_pool2d": "window", "conv2d": "filters"}


def layer_parts(layer):
    """Kind and attributes of a layer in any of its three forms: name, name with its main attribute, name with a map."""
    if isinstance(layer, str):
        return layer, {}
    (kind, value), = layer.items()
    return kind, value if isinstance(value, dict) else {MAIN_ATTRIBUTE[kind]: value}


def named_layers(network):
    """(name, kind, attributes) of each layer; unnamed ones are called by kind and number, from 1."""
    result, count = [], {}
    for layer in network["network"]:
        kind, attributes = layer_parts(layer)
        count[kind] = count.get(kind, 0) + 1
        result.append((attributes.get("name", f"{kind}_{count[kind]}"), kind, attributes))
    return result


def load_op(op):
    """The cases of tests/ops/<op>.yaml."""
    path = ROOT / "tests" / "ops" / f"{op}.yaml"
    cases = [_case(op, raw, path) for raw in yaml_subset.load(path)]
    names = [case.name for case in cases]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{path}: two cases are called '{name}'")
    return cases


def _case(op, raw, path):
    where = f"{path}: case '{raw.get('case')}'"
    unknown = set(raw) - _OWN_KEYS - _NETWORK_KEYS
    if unknown:
        raise ValueError(f"{where}: unknown keys {sorted(unknown)}")
    batch = raw.get("batch", 4)
    dtype = raw.get("dtype", "float32")
    data = raw.get("data", "uint8" if dtype == "uint8" else "normal")
    if data not in DATA_KINDS or raw.get("n", batch) > batch:
        raise ValueError(f"{where}: wrong data kind or more rows than the batch")
    network = {"name": f"{op}_{raw['case']}", "input": {"shape": raw["input"], "dtype": dtype}}
    if "preprocess" in raw:
        network["preprocess"] = raw["preprocess"]
    network |= {"network": raw["network"], "loss": "cross_entropy", "output": raw.get("output", "softmax"),
                "metrics": ["accuracy"], "optimizer": raw.get("optimizer", {"sgd": {"learning_rate": 0.05}}),
                "training": {"batch": batch, "epochs": 1, "seed": 1}}
    return Case(op, network["name"], network, batch, raw.get("n", batch), data, raw.get("target", "int32"),
                raw.get("predict", False), raw.get("long", False))


def load_model(name, n=6):
    """The case of a shipped network: n rows of generated images, state by formula (see formula.py)."""
    path = ROOT / "models" / f"{name}.yaml"
    network = yaml_subset.load(path)
    return Case("models", name, network, network["training"]["batch"], n, "uint8", predict=True, path=path)


def load_all(ops=OPS, models=MODELS):
    """All cases of these ops and models, in order."""
    return [case for op in ops for case in load_op(op)] + [load_model(model) for model in models]
