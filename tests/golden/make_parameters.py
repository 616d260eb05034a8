#!/usr/bin/env python3
"""Writes data/models/parameters.json: PyTorch's parameters and buffers of every network in models/.

    VENV/bin/python tests/golden/make_parameters.py

{network: {"parameters": {name: shape}, "buffers": {name: shape}, "peer": [shape, ...]}}, names in PyTorch's order. The
network is the file's module (torch_network.py); `peer` has the shapes of the parameters of the network of this name in
tests/perf/peers.py, in its order, where there is one. tests/train/run_models.py compares `sylvite summary` and the
manifest with it, and the shapes with the peer's.
"""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "ops"), str(HERE.parent / "perf")]
import cases  # noqa: E402
import peers  # noqa: E402
import yaml_subset  # noqa: E402
from torch_network import Network  # noqa: E402


def shapes(named):
    return {name: list(tensor.shape) for name, tensor in named}


def main():
    result = {}
    for path in sorted((cases.ROOT / "models").glob("*.yaml")):
        net = Network(yaml_subset.load(path))
        result[path.stem] = {"parameters": shapes(net.named_parameters()), "buffers": shapes(net.named_buffers())}
        if path.stem in peers.NETS:
            result[path.stem]["peer"] = list(shapes(peers.NETS[path.stem]()[0].named_parameters()).values())
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(facts)}" for name, facts in result.items())
    (cases.GOLDEN / "models" / "parameters.json").write_text("{\n" + lines + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
