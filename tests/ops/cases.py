"""Case files: what a case is, and the network file that it stands for.

A case file tests/ops/<op>.yaml is a list of cases; every such file is taken. A case has the keys of a network file
(`input` as the shape alone) and these of its own; every key but `case`, `input` (or `inputs`) and `network` has a
default:

    case       name of the case; the network is called <op>_<case>
    input      shape of one sample, T H W C, H W C, W C or C
    dtype      float32 (default), uint8 or int32
    batch      largest batch that is compiled for (default 4)
    n          rows that are used (default: batch)
    data       normal, negative, integers, ties, zeros, offset (mean 100, standard deviation 0.1), large, uint8,
               indices (whole numbers from 0 to below `limit`)
    limit      of `indices` (default 10)
    target     what the target is drawn from: class numbers int32 or int64, or one of normal, uniform, flags (0 or 1),
               probabilities; the default is what the loss takes (tests/golden/torch_losses.py)
    steps      number of steps after which parameters and the rest are compared (default 1); of losses: 10, or more
    predict    true: the output of `sylvite predict` is compared too (evaluation mode, output function)
    tolerance  share of a tensor's largest magnitude by which it may differ from PyTorch (default 1e-4)
    long       true: not in the suite, only in runs with --long

`inputs`, `preprocess`, `blocks`, `network`, `loss` (default cross_entropy), `optimizer`, `output`, `metrics` and
`training` are as in a network file and go there as they are (`training` besides batch, epochs and seed). A case with
several inputs has `inputs:` in place of `input` and `dtype`; `data` and `limit` are then for those without their own,
given as maps {input: kind}.
"""
import dataclasses
import pathlib

import graph
import tensors
import yaml_subset

MODELS = ("mlp", "lenet5", "fashion_cnn")
DATA_KINDS = ("normal", "negative", "integers", "ties", "zeros", "offset", "large", "uint8", "indices")
TRAINING = ("adagrad", "adam", "adamw", "lion", "policies", "rmsprop", "schedule", "sgd")  # case files of how is trained
RANDOM_IN_SUITE = 40  # generated networks in the suite: those of seeds 0 to 39
ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "data"

_OWN_KEYS = {"algorithm", "case", "input", "dtype", "batch", "n", "data", "limit", "target", "steps", "predict", "long",
             "tolerance"}
_NETWORK_KEYS = {"inputs", "preprocess", "blocks", "network", "loss", "optimizer", "output", "metrics", "training"}


@dataclasses.dataclass
class Case:
    """One case: a whole network (a network file as dicts and lists) and how to run it."""
    op: str         # the case file it comes from, "models", or "random"
    name: str       # name of the network, unique among all cases
    network: dict
    batch: int      # compiled maximum
    n: int          # rows that are used
    data: str | dict = "normal"
    limit: int | dict = 10
    target: str | None = None
    steps: int = 1
    losses: int = 10  # steps whose losses are compared
    predict: bool = False
    long: bool = False
    tolerance: float = 1e-4
    path: pathlib.Path | None = None    # the network file, where there is one
    folder: pathlib.Path | None = None  # of the golden files, where it is not the usual one
    algorithm: str = ""  # of all convolutions that fit; by default what the shipped rules say

    @property
    def inputs(self):
        """{name: {shape, dtype}} of the inputs, in the file's order."""
        return {name: {"dtype": "float32"} | facts for name, facts in graph.inputs(self.network).items()}

    @property
    def targets(self):
        """Names of the targets, in order."""
        return list(dict.fromkeys(name for *_, name in graph.losses(self.network)))

    def data_of(self, name):
        """(kind, limit) of the data of this input."""
        kind = self.data.get(name) if isinstance(self.data, dict) else self.data
        limit = self.limit.get(name, 10) if isinstance(self.limit, dict) else self.limit
        dtype = self.inputs[name]["dtype"]
        return kind or {"uint8": "uint8", "int32": "indices"}.get(dtype, "normal"), limit

    @property
    def golden(self):
        """Folder of the case's golden files."""
        return self.folder or GOLDEN / self.op / self.name

    @property
    def long_run(self):
        """Whether the state after all steps is compared too, in float and in double: optimizers, policies, losses."""
        return self.op in TRAINING or graph.table().get(self.op, {}).get("role") == "loss"

    @property
    def by_formula(self):
        """Whether inputs, targets and state are made by formula.py, and not stored."""
        return self.op in ("models", "random")

    def files(self, folder, which):
        """{name: path} of the files of inputs ("X") or targets ("Y"): X.npy, or X_<name>.npy where there are several."""
        names = list(self.inputs) if which == "X" else self.targets
        return {name: folder / (f"{which}.npy" if len(names) == 1 else f"{which}_{name}.npy") for name in names}

    def rules(self, folder):
        """Arguments for the case's algorithm; writes the rule to `folder`."""
        if not self.algorithm:
            return []
        path = folder / "rules.yaml"
        path.write_text(f"- kernel: [conv2d.forward, conv3d.forward]\n  when: {{stride: 1, dilation: 1, groups: 1}}\n"
                        f"  algorithm: {self.algorithm}\n", encoding="utf-8")
        return ["--schedules", path]

    def text(self):
        """The network file."""
        lines = []
        for key, value in self.network.items():
            if key in ("network", "preprocess") and isinstance(value, list):
                lines += [f"{key}:"] + [f"  - {_layer_text(layer)}" for layer in value]
            else:
                lines.append(f"{key}: {yaml_subset.dump_flow(value)}")
        return "\n".join(lines) + "\n"


def _layer_text(layer):
    if isinstance(layer, str):
        return layer
    (kind, value), = layer.items()
    return f"{kind}: {yaml_subset.dump_flow(value)}"


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
    network = {"name": f"{op}_{raw['case']}"}
    if "inputs" in raw:
        network["inputs"] = raw["inputs"]
    else:
        network["input"] = {"shape": raw["input"], "dtype": raw.get("dtype", "float32")}
    network |= {key: raw[key] for key in ("preprocess", "blocks", "network") if key in raw}
    network["loss"] = raw.get("loss", "cross_entropy")
    if "output" in raw or network["loss"] == "cross_entropy":
        network["output"] = raw.get("output", "softmax")
    if "metrics" in raw or network["loss"] == "cross_entropy":
        network["metrics"] = raw.get("metrics", ["accuracy"])
    network |= {"optimizer": raw.get("optimizer", {"sgd": {"learning_rate": 0.05}}),
                "training": {"batch": batch, "epochs": 1, "seed": 1} | raw.get("training", {})}
    case = Case(op, network["name"], network, batch, raw.get("n", batch), raw.get("data"), raw.get("limit", 10),
                raw.get("target"), raw.get("steps", 1), max(10, raw.get("steps", 1)), raw.get("predict", False),
                raw.get("long", False), raw.get("tolerance", 1e-4), algorithm=raw.get("algorithm", ""))
    case.data = case.data or {}
    if case.n > batch or any(case.data_of(name)[0] not in DATA_KINDS for name in case.inputs):
        raise ValueError(f"{where}: wrong data kind or more rows than the batch")
    return case


def load_model(name, n=6):
    """The case of a shipped network: n rows of generated images, state by formula (see formula.py)."""
    path = ROOT / "models" / f"{name}.yaml"
    network = yaml_subset.load(path)
    return Case("models", name, network, network["training"]["batch"], n, "uint8", predict=True, path=path)


def random_case(network, n, folder, long=False):
    """The case of a generated network (tests/random): three steps on n rows, all data by formula."""
    return Case("random", network["name"], network, network["training"]["batch"], n, {}, steps=3, losses=3, predict=True,
                long=long, folder=folder)


def load_random():
    """The generated networks that have golden files, in the order of their seeds; those from RANDOM_IN_SUITE on are
    long."""
    result = []
    for folder in (GOLDEN / "random").glob("random_*"):
        network = yaml_subset.load(folder / "network.yaml")
        n = int(tensors.read(folder / "expected.safetensors")[1]["n"])
        seed = int(folder.name.removeprefix("random_"))
        result.append((seed, random_case(network, n, folder, seed >= RANDOM_IN_SUITE)))
    return [case for _, case in sorted(result, key=lambda pair: pair[0])]


def ops():
    """Names of the case files."""
    return sorted(path.stem for path in (ROOT / "tests" / "ops").glob("*.yaml"))


def load_all():
    """All cases of ops and of shipped networks."""
    return [case for op in ops() for case in load_op(op)] + [load_model(model) for model in MODELS]
