"""Compares the shipped schedules, on each target, with schedules/plain.yaml on whole-numbered inputs and state.

Equal bits are asked where a network has only operations that are exact on small whole numbers. Its gradients are exact
too: weights are sparse, so that no value leaves the range of exact floats; the last layer's are multiples of 128, so
that softmax saturates to whole numbers; the number of rows is a power of two. Everything else must agree to 1e-6 of the
largest magnitude; for a gradient, of its layer's largest (the bias before a batch-norm has a gradient of pure
rounding), and for a parameter after the step likewise.

The shipped networks run without their preprocessing. fashion_cnn, whose batch-norms are not exact, runs on the data of
its golden files and must agree to 1e-5: whole numbers would make values at max-pool that are equal but for rounding.
"""
import json

import numpy as np

import cases
import command
import formula
import golden
import tensors

EXACT = {"conv2d", "linear", "relu", "max_pool2d", "flatten"}
SGD = {"sgd": {"learning_rate": 0.125}}


def integer_files(case, folder):
    """Writes whole-numbered X, Y and state of the case's shapes; returns their paths."""
    rows = 1 << (case.n.bit_length() - 1)
    if case.op == "models":
        shapes = json.loads(tensors.read(case.golden / "expected.safetensors")[1]["state"])
    else:
        shapes = {k: list(v.shape) for k, v in tensors.read(case.golden / "state.safetensors")[0].items()}
    last = cases.named_layers(case.network)[-1][0]
    state = {name: _integer_parameter(name, shape, last) for name, shape in shapes.items()}
    shape = (rows, *case.input_shape)
    x = formula.images(case.name, shape) if case.input_dtype == "uint8" else formula.integers(case.name, shape, -3, 3)
    paths = folder / "X.npy", folder / "Y.npy", folder / "state.safetensors"
    np.save(paths[0], x)
    np.save(paths[1], formula.labels(case.name + ".Y", rows, case.classes, case.target))
    tensors.write(paths[2], state)
    return paths


def _integer_parameter(name, shape, last):
    layer, _, role = name.rpartition(".")
    if role == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if layer.startswith("batch_norm"):
        return formula.integers(name, shape, *((1, 2) if role in ("weight", "running_var") else (-1, 1)))
    values = formula.integers(name, shape, -2, 2) * np.float32(128 if layer == last else 1)
    inputs = int(np.prod(shape[1:]))
    return values * (formula.integers(f"sparse:{name}", shape, 0, inputs - 1) < 8)  # some 8 terms an output


def prepare(case, folder):
    """Makes the case what this comparison runs; returns the paths of its files."""
    if case.op not in ("sgd", "adam"):
        case.network["optimizer"] = SGD
    if case.op == "models":
        if "batch_norm" in case.network["network"]:
            return golden.input_files(case, folder)
        del case.network["preprocess"]
        case.network["input"] = {"shape": case.input_shape, "dtype": "float32"}
    return integer_files(case, folder)


def run(sylvite, case, net, folder):
    """(failures, notes) of one case: the default schedules on each target against plain.yaml on this machine's."""
    x, y, state = prepare(case, folder)
    net.write_text(case.text(), encoding="utf-8")
    arguments = ("step", net, "--state", state, "--input", x, "--target", y, "--steps", 1)
    dump = folder / "plain.safetensors"
    plain = ("--schedules", cases.ROOT / "schedules" / "plain.yaml", "--dump", dump)
    sylvite.run(*arguments, *plain)
    np.save(y, wrong_labels(tensors.read(dump)[0]["output"], case.target))
    sylvite.run(*arguments, *plain)
    reference, failures, notes = tensors.read(dump)[0], [], []
    for target, runnable in command.runnable_targets().items():
        if not runnable:
            sylvite.run("compile", net, "--cpu", target, "-o", folder / target)
            notes.append(f"{target}: compiled, not run (this CPU cannot)")
            continue
        dump = folder / f"{target}.safetensors"
        sylvite.run(*arguments, "--cpu", target, "--dump", dump)
        failures += [f"{target}: {line}" for line in compare(case, tensors.read(dump)[0], reference)]
    return failures, notes


def wrong_labels(output, dtype):
    """Labels [n] that are nowhere the largest output, so that no row's saturated gradient is zero."""
    n, classes = output.shape
    return ((output.argmax(axis=1) + 1 + np.arange(n) % (classes - 1)) % classes).astype(dtype)


def exact_names(case, reference):
    """Names of the tensors that must have equal bits."""
    kinds = {kind for _, kind, _ in cases.named_layers(case.network)}
    if not kinds <= EXACT or "preprocess" in case.network:
        return set()
    logits = reference["output"].astype(np.float64)
    gap = logits.max(axis=1, keepdims=True) - logits
    ties = (gap == 0).sum(axis=1)
    saturated = np.all((gap == 0) | (gap > 110)) and np.all((ties & (ties - 1)) == 0)
    if not saturated or tensors.largest(logits) >= 2**22:
        return {"output"}
    return {name for name in reference if name == "output" or name.startswith("grad.")}


def compare(case, actual, reference):
    """Failures of {name: array} against the plain schedule's."""
    if set(actual) != set(reference):
        return [f"other tensors than with plain.yaml: {sorted(set(actual) ^ set(reference))}"]
    exact, failures = exact_names(case, reference), []
    relative = 1e-5 if case.op == "models" else 1e-6
    for name, wanted in sorted(reference.items()):
        value = actual[name]
        if value.shape != wanted.shape:
            failures.append(f"{name}: {list(value.shape)}, expected {list(wanted.shape)}")
        elif name in exact:
            different = int(np.sum(value != wanted))
            if different:
                failures.append(f"{name} {list(wanted.shape)}: {different} elements differ, equal bits expected; "
                                f"largest difference {np.max(np.abs(value - wanted)):.3e}")
        else:
            scale = max(tensors.largest(v) for k, v in reference.items() if _group(k) == _group(name))
            error = tensors.largest(value.astype(np.float64) - wanted.astype(np.float64))
            if not error <= relative * scale and not _is_normalised_rounding(case, name, reference):
                failures.append(f"{name} {list(wanted.shape)}: off by {error:.3e}, allowed {relative * scale:.3e}")
    return failures


def _group(name):
    """Tensors that share a scale: those of one layer and kind; the loss is a difference of outputs."""
    if name == "grad.input" or "." not in name:
        return "output" if name == "loss" else name
    return name.rpartition(".")[0]


def _is_normalised_rounding(case, name, reference):
    """Whether Adam has moved this parameter along a gradient of pure rounding."""
    gradient = reference.get(f"grad.{name}")
    if gradient is None or "adam" not in case.network["optimizer"]:
        return False
    scale = max(tensors.largest(v) for k, v in reference.items() if _group(k) == _group(f"grad.{name}"))
    return tensors.largest(gradient) <= 1e-6 * scale
