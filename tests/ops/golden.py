"""Compares `sylvite step` and `sylvite predict` with PyTorch's golden files (tests/golden/make_golden.py).

The tolerance of a tensor is 1e-4 of its largest magnitude plus 10 times the largest difference between PyTorch in
float32 and in float64: what is rounding in PyTorch is not asked of Sylvite either.
"""
import json

import numpy as np

import formula
import tensors

ROUNDING = 1e-12  # what is smaller is rounding, such as the gradient of a bias before a batch-norm


def input_files(case, folder):
    """Paths of the case: ({input: X}, {target: Y}, state); where its data are by formula they are made in `folder`."""
    if not case.by_formula:
        return case.files(case.golden, "X"), case.files(case.golden, "Y"), case.golden / "state.safetensors"
    x, y, path = case.files(folder, "X"), case.files(folder, "Y"), folder / "state.safetensors"
    inputs, targets, state = formula_data(case, tensors.read(case.golden / "expected.safetensors")[1])
    for files, values in ((x, inputs), (y, targets)):
        for name, file in files.items():
            np.save(file, values[name])
    tensors.write(path, state)
    return x, y, path


def formula_data(case, metadata):
    """({input: array}, {target: array}, {parameter: array}) by formula; `metadata` is that of the golden file: `state`
    has the parameters' shapes, `targets` {name: [kind, shape, classes]}, by default class numbers for `output`."""
    inputs = {name: formula.sample(f"{case.name}.{'X' if name == 'input' else name}", (case.n, *facts["shape"]),
                                   facts["dtype"], case.data_of(name)[1]) for name, facts in case.inputs.items()}
    if "targets" in metadata:
        targets = {name: formula.target(f"{case.name}.{'Y' if name == 'target' else name}", *facts)
                   for name, facts in json.loads(metadata["targets"]).items()}
    else:
        classes = json.loads(metadata["tensors"])["output"]["shape"][1]
        targets = {"target": formula.target(case.name + ".Y", "int32", [case.n], classes)}
    return inputs, targets, formula.state(json.loads(metadata["state"]))


def file_arguments(option, files):
    """[option, file] for one file, [option, name=file, ...] for several."""
    if len(files) == 1:
        return [option, *files.values()]
    return [word for name, path in files.items() for word in (option, f"{name}={path}")]


def step_arguments(net, x, y, state):
    """Arguments of `sylvite step` on these files."""
    return ["step", net, "--state", state, *file_arguments("--input", x), *file_arguments("--target", y)]


def run(sylvite, case, net, folder):
    """Failures (list of lines) of one case against its golden files."""
    x, y, state = input_files(case, folder)
    arguments = [*step_arguments(net, x, y, state), *case.rules(folder)]
    sylvite.run(*arguments, "--steps", case.steps, "--dump", folder / "first.safetensors")
    actual = tensors.read(folder / "first.safetensors")[0]
    after = actual
    if case.losses != case.steps:
        sylvite.run(*arguments, "--steps", case.losses, "--dump", folder / "all.safetensors")
        after = tensors.read(folder / "all.safetensors")[0]
        actual = actual | {"loss": after["loss"]}
    if case.predict:
        actual = actual | predictions(sylvite, case, net, folder, x, state)
    return compare(case, actual) + (compare_all(case, after, 1e-4, 10) if case.long_run else [])


def run_double(sylvite, case, net, folder):
    """Failures of one case's steps in double against all.safetensors."""
    x, y, state = input_files(case, folder)
    sylvite.run(*step_arguments(net, x, y, state), "--float64", "--steps", case.losses, "--dump",
                folder / "double.safetensors")
    return compare_all(case, tensors.read(folder / "double.safetensors")[0], 1e-5, 0)


def compare_all(case, actual, share, times):
    """Failures of the state after all steps and all losses: off by more than this share of a tensor's largest
    magnitude, plus this often the difference between PyTorch in float32 and in float64."""
    expected, metadata = tensors.read(case.golden / "all.safetensors")
    difference, failures = json.loads(metadata["difference"]), []
    for name, wanted in expected.items():
        if name not in actual or actual[name].shape != wanted.shape:
            failures.append(f"{name}: missing or of another shape after {case.losses} steps")
            continue
        error = np.max(np.abs(actual[name].astype(np.float64) - wanted), initial=0)
        tolerance = share * tensors.largest(wanted) + times * difference[name] + ROUNDING
        if not error <= tolerance:
            failures.append(f"{name} after {case.losses} steps: off by {error:.3e} (tolerance {tolerance:.3e}, largest "
                            f"{tensors.largest(wanted):.3e})")
    return failures


def predictions(sylvite, case, net, folder, x, state):
    """{predict: array}, or {predict.<output>: array} for several outputs, of `sylvite predict`."""
    for path in folder.glob("predict*.npy"):
        path.unlink()
    sylvite.run("predict", net, *file_arguments("--data", x), "--checkpoint", state, "--out", folder / "predict.npy")
    return {path.stem.replace("predict_", "predict.", 1): np.load(path) for path in folder.glob("predict*.npy")}


def compare(case, actual):
    """Failures of {name: array} against the case's expected.safetensors; names must be the same."""
    expected, metadata = tensors.read(case.golden / "expected.safetensors")
    facts, failures = json.loads(metadata["tensors"]), []
    for name in sorted(set(expected) | set(actual)):
        if name not in actual or name not in expected:
            failures.append(f"{name}: {'missing' if name in expected else 'not expected'}")
        else:
            failures += _compare_tensor(name, actual[name], expected[name], facts[name], case.tolerance)
    return failures


def _compare_tensor(name, actual, expected, facts, share):
    if list(actual.shape) != facts["shape"] or actual.dtype != expected.dtype:
        return [f"{name}: {actual.dtype} {list(actual.shape)}, expected {expected.dtype} {facts['shape']}"]
    flat = actual.reshape(-1).astype(np.float64)
    sampled = flat[formula.sample_positions(name, flat.size)] if "largest" in facts else flat
    wanted = expected.reshape(-1).astype(np.float64)
    largest, slack = facts.get("largest", tensors.largest(expected)), 10 * facts["difference"]
    tolerance = share * largest + slack
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
