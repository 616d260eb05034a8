"""Compares `sylvite step` and `sylvite predict` with PyTorch's golden files (tests/golden/make_golden.py).

The tolerance of a tensor is 1e-4 of its largest magnitude plus 10 times the largest difference between PyTorch in
float32 and in float64: what is rounding in PyTorch is not asked of Sylvite either.
"""
import json

import numpy as np

import formula
import tensors


def input_files(case, folder):
    """Paths (X, Y, state) of the case; for the shipped networks the files are made by formula in `folder`."""
    if case.op != "models":
        return case.golden / "X.npy", case.golden / "Y.npy", case.golden / "state.safetensors"
    shapes = json.loads(tensors.read(case.golden / "expected.safetensors")[1]["state"])
    paths = folder / "X.npy", folder / "Y.npy", folder / "state.safetensors"
    np.save(paths[0], formula.images(case.name + ".X", (case.n, *case.input_shape)))
    np.save(paths[1], formula.labels(case.name + ".Y", case.n, case.classes))
    tensors.write(paths[2], formula.state(shapes))
    return paths


def run(sylvite, case, net, folder):
    """Failures (list of lines) of one case against its golden files."""
    x, y, state = input_files(case, folder)
    arguments = ("step", net, "--state", state, "--input", x, "--target", y)
    sylvite.run(*arguments, "--steps", 1, "--dump", folder / "one.safetensors")
    sylvite.run(*arguments, "--steps", 10, "--dump", folder / "ten.safetensors")
    actual = tensors.read(folder / "one.safetensors")[0]
    actual["loss"] = tensors.read(folder / "ten.safetensors")[0]["loss"]
    if case.predict:
        sylvite.run("predict", net, "--data", x, "--checkpoint", state, "--out", folder / "predict.npy")
        actual["predict"] = np.load(folder / "predict.npy")
    return compare(case, actual)


def compare(case, actual):
    """Failures of {name: array} against the case's expected.safetensors; names must be the same."""
    expected, metadata = tensors.read(case.golden / "expected.safetensors")
    facts, failures = json.loads(metadata["tensors"]), []
    for name in sorted(set(expected) | set(actual)):
        if name not in actual or name not in expected:
            failures.append(f"{name}: {'missing' if name in expected else 'not expected'}")
        else:
            failures += _compare_tensor(name, actual[name], expected[name], facts[name])
    return failures


def _compare_tensor(name, actual, expected, facts):
    if list(actual.shape) != facts["shape"] or actual.dtype != expected.dtype:
        return [f"{name}: {actual.dtype} {list(actual.shape)}, expected {expected.dtype} {facts['shape']}"]
    flat = actual.reshape(-1).astype(np.float64)
    sampled = flat[formula.sample_positions(name, flat.size)] if "largest" in facts else flat
    wanted = expected.reshape(-1).astype(np.float64)
    largest, slack = facts.get("largest", tensors.largest(expected)), 10 * facts["difference"]
    tolerance = 1e-4 * largest + slack
    failures = []
    error = np.abs(sampled - wanted)
    if not np.all(error <= tolerance):
        at = int(np.argmax(np.where(np.isfinite(error), error, np.inf)))
        wrong = int(np.sum(~(error <= tolerance)))
        failures.append(f"{name} {facts['shape']}: off by {error[at]:.3e} (tolerance {tolerance:.3e}, largest "
                        f"{largest:.3e}, {wrong} of {error.size} elements), got {sampled[at]:.7g}, "
                        f"expected {wanted[at]:.7g}")
    if "largest" in facts:
        norm = np.sqrt(facts["squares"] * flat.size)
        in_squares = 2e-4 * facts["squares"] + 2 * slack * norm + slack**2 * flat.size
        for what, value, allowed in (("sum", flat.sum(), 1e-4 * norm + slack * flat.size),
                                     ("squares", (flat * flat).sum(), in_squares)):
            if not abs(value - facts[what]) <= allowed:
                failures.append(f"{name}: {what} is {value:.9g}, expected {facts[what]:.9g} within {allowed:.3e}")
    return failures
