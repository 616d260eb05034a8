#!/usr/bin/env python3
"""The seed's worked example of a bias, models/seed_bias.yaml: -0.5 from the convolution, +1.0 of bias, ReLU, 0.5.

    run_bias.py --sylvite build/bin/sylvite --work DIR

Every figure is exact. With the target 0 the loss is the output's square, so its gradient at the output is 2 * 0.5 = 1:
the bias gets 1, and so does each weight, whose input is 1; where ReLU gives 0 nothing learns. The last line is
`N passed, N failed`.
"""
import argparse
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "ops"))
import command  # noqa: E402
import tensors  # noqa: E402

NET = HERE.parents[1] / "models" / "seed_bias.yaml"
WEIGHT = np.full((1, 1, 2, 2), -0.125, np.float32)


def step(sylvite, name, text, bias=None):
    """The tensors of one step on an image of ones with target 0; with `bias`, from that state, else as initialised."""
    folder = sylvite.work
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    np.save(folder / "X.npy", np.ones((1, 2, 2, 1), np.float32))
    np.save(folder / "Y.npy", np.zeros((1, 1), np.float32))
    state = []
    if bias is not None:
        tensors.write(folder / "state.safetensors", {"filter.weight": WEIGHT, "filter.bias": np.float32([bias])})
        state = ["--state", folder / "state.safetensors"]
    dump = folder / f"{name}.safetensors"
    sylvite.run("step", folder / f"{name}.yaml", *state, "--input", folder / "X.npy", "--target", folder / "Y.npy",
                "--dump", dump)
    return tensors.read(dump)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sylvite", required=True, metavar="COMMAND")
    parser.add_argument("--work", required=True, metavar="DIR")
    options = parser.parse_args()
    sylvite, text = command.Sylvite(options.sylvite, options.work), NET.read_text(encoding="utf-8")
    without_relu = "\n".join(line for line in text.splitlines() if line.strip() != "- relu") + "\n"
    both, neither = step(sylvite, "as_it_is", text), step(sylvite, "no_bias", text, 0.0)
    checks = [
        ("convolution alone", step(sylvite, "no_bias_no_relu", without_relu, 0.0)["output"], -0.5),
        ("with bias", step(sylvite, "no_relu", without_relu, 1.0)["output"], 0.5),
        ("with bias and ReLU", both["output"], 0.5),
        ("without bias, ReLU", neither["output"], 0.0),
        ("gradient of the bias", both["grad.filter.bias"], 1.0),
        ("gradient of the weights", both["grad.filter.weight"], 1.0),
        ("gradient of the input", both["grad.input"], -0.125),
        ("gradient of the bias where ReLU gives 0", neither["grad.filter.bias"], 0.0),
        ("bias after a step of 0.1", both["filter.bias"], np.float32(1.0) - np.float32(0.1)),
    ]
    failed = [f"FAILED {what}: {value.reshape(-1)}, expected {expected}" for what, value, expected in checks
              if not np.all(value == np.float32(expected))]
    print(*failed, f"{len(checks) - len(failed)} passed, {len(failed)} failed", sep="\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
