#!/usr/bin/env python3
"""Loads a checkpoint of a shipped network in PyTorch and compares predictions with those of `sylvite predict`.

    VENV/bin/python tests/golden/load_checkpoint_in_torch.py NET CHECKPOINT [--sylvite build/bin/sylvite] [--rows N]

NET is mlp, lenet5 or fashion_cnn; VENV has tests/golden/requirements.txt. The model's part of the checkpoint (all but
the optimizer's slots) is loaded strictly into the module of that name in tests/perf/peers.py, names mapped by their
order alone. Exit status 1 where the largest difference between the probabilities exceeds 1e-5. Not part of the suite.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import safetensors
import safetensors.torch
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "ops"), str(ROOT / "tests" / "perf")]
import formula  # noqa: E402
import peers  # noqa: E402

MEAN, STD = 0.2860, 0.3530


def load(net, path):
    """The module of peers.py with the checkpoint's values, and the pairs of names."""
    with safetensors.safe_open(path, "pt") as file:
        names = json.loads(file.metadata()["names"])
    values = safetensors.torch.load_file(path)
    names = [n for n in names if not n.startswith(("optimizer.", "grad.")) and n not in ("output", "loss")]
    module, *_ = peers.NETS[net]()
    keys = list(module.state_dict())
    if len(keys) != len(names):
        raise SystemExit(f"{path} has {len(names)} tensors of the model, the module {len(keys)}:\n  {names}\n  {keys}")
    module.load_state_dict({key: values[name] for key, name in zip(keys, names)}, strict=True)
    return module.eval(), list(zip(names, keys))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("net", choices=("mlp", "lenet5", "fashion_cnn"))
    parser.add_argument("checkpoint")
    parser.add_argument("--sylvite", default=str(ROOT / "build" / "bin" / "sylvite"))
    parser.add_argument("--rows", type=int, default=200)
    options = parser.parse_args()
    module, pairs = load(options.net, options.checkpoint)
    for name, key in pairs:
        print(f"{name:32} -> {key}")
    images = formula.images("load_checkpoint", (options.rows, 28, 28, 1))
    with torch.no_grad():
        x = torch.from_numpy(images).float().movedim(-1, 1)
        expected = module((x / 255 - MEAN) / STD).softmax(1).numpy()
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/X.npy", images)
        network = ROOT / "models" / f"{options.net}.yaml"
        subprocess.run([options.sylvite, "predict", network, "--data", f"{folder}/X.npy", "--checkpoint",
                        options.checkpoint, "--out", f"{folder}/P.npy"], check=True)
        actual = np.load(f"{folder}/P.npy")
    difference = float(np.abs(actual - expected).max())
    print(f"{options.net}: {len(pairs)} tensors loaded, largest difference of {options.rows} predictions "
          f"{difference:.2e}")
    sys.exit(0 if difference <= 1e-5 else 1)


if __name__ == "__main__":
    main()
