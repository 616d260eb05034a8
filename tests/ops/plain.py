"""Compares the shipped schedules, on each target, with schedules/plain.yaml on whole-numbered inputs and state.

Equal bits are asked where a network has only operations that are exact on small whole numbers. Its gradients are exact
too: weights are sparse, so that no value leaves the range of exact floats; the last layer's are multiples of 128, so
that softmax saturates to whole numbers; the number of rows is a power of two. Everything else must agree to 1e-6 of the
largest magnitude; for a gradient, of its layer's largest (the bias before a batch-norm has a gradient of pure
rounding), and for a parameter after the step likewise. Several normalizations in a row enlarge rounding: what differs by
more must be at most twice as far from the same step in double as the plain schedule's result is.

The shipped networks run without their preprocessing. fashion_cnn, whose batch-norms are not exact, runs on the data of
its golden files and must agree to 1e-5: whole numbers would make values at max-pool that are equal but for rounding.
"""
import functools
import json

import numpy as np

import cases
import command
import formula
import golden
import graph
import tensors

EXACT = {"conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "linear", "relu",
         "max_pool1d", "max_pool2d", "max_pool3d", "global_max_pool", "flatten", "reshape", "permute", "concat", "slice",
         "add", "subtract", "pad", "crop", "pixel_shuffle"}
NORMALIZATION = {"batch_norm", "layer_norm", "group_norm", "instance_norm"}
SGD = {"sgd": {"learning_rate": 0.125}}


def integer_files(case, folder):
    """Writes whole-numbered X, Y and state of the case's shapes; returns their paths, as golden.input_files()."""
    rows = 1 << (case.n.bit_length() - 1)
    if case.by_formula:
        shapes = json.loads(tensors.read(case.golden / "expected.safetensors")[1]["state"])
    else:
        shapes = {k: list(v.shape) for k, v in tensors.read(case.golden / "state.safetensors")[0].items()}
    layers = graph.layers(case.network)
    norms = {layer.weights for layer in layers if layer.kind in NORMALIZATION}
    state = {name: _integer_parameter(name, shape, layers[-1].weights, norms) for name, shape in shapes.items()}
    x, y, path = case.files(folder, "X"), case.files(folder, "Y"), folder / "state.safetensors"
    for name, file in x.items():
        np.save(file, _integer_input(case, name, rows))
    for name, file in y.items():
        np.save(file, _integer_target(case, name, rows))
    tensors.write(path, state)
    return x, y, path


def _integer_input(case, name, rows):
    facts, seed = case.inputs[name], case.name + ("" if len(case.inputs) == 1 else "." + name)
    shape = (rows, *facts["shape"])
    if facts["dtype"] == "uint8":
        return formula.images(seed, shape)
    if facts["dtype"] == "int32":
        return formula.integers(seed, shape, 0, case.data_of(name)[1] - 1).astype(np.int32)
    if case.op == "embedding" and case.data_of(name)[0] == "zeros":  # the only row there is
        return np.zeros(shape, np.float32)
    return formula.integers(seed, shape, -3, 3)


def _integer_target(case, name, rows):
    """The golden target in whole numbers."""
    return np.rint(_golden_target(case, name)[:rows]).astype(_golden_target(case, name).dtype)


def _golden_target(case, name):
    if case.by_formula:
        return golden.formula_data(case, tensors.read(case.golden / "expected.safetensors")[1])[1][name]
    return np.load(case.files(case.golden, "Y")[name])


def _integer_parameter(name, shape, last, norms):
    layer, _, role = name.rpartition(".")
    if role == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if layer in norms:
        return formula.integers(name, shape, *((1, 2) if role in ("weight", "running_var") else (-1, 1)))
    values = formula.integers(name, shape, -2, 2) * np.float32(128 if layer == last else 1)
    inputs = int(np.prod(shape[1:]))
    return values * (formula.integers(f"sparse:{name}", shape, 0, inputs - 1) < 8)  # some 8 terms an output


def prepare(case, folder):
    """Makes the case what this comparison runs; returns the paths of its files."""
    if case.op not in case.network["optimizer"]:  # only the cases of an optimizer keep theirs
        case.network["optimizer"] = SGD
    if case.op == "models":
        if "batch_norm" in case.network["network"]:
            return golden.input_files(case, folder)
        del case.network["preprocess"]
        case.network["input"] = {"shape": case.inputs["input"]["shape"], "dtype": "float32"}
    return integer_files(case, folder)


def run(sylvite, case, net, folder):
    """(failures, notes) of one case: the default schedules on each target against plain.yaml on this machine's."""
    x, y, state = prepare(case, folder)
    net.write_text(case.text(), encoding="utf-8")
    arguments = (*golden.step_arguments(net, x, y, state), "--steps", 1)
    dump = folder / "plain.safetensors"
    plain = ("--schedules", cases.ROOT / "schedules" / "plain.yaml", "--dump", dump)
    sylvite.run(*arguments, *plain)
    if has_classes(case):
        np.save(y["target"], wrong_labels(tensors.read(dump)[0]["output"], np.load(y["target"]).dtype))
        sylvite.run(*arguments, *plain)
    reference, failures, notes = tensors.read(dump)[0], [], []

    @functools.cache
    def in_double():
        sylvite.run(*arguments, "--float64", "--dump", folder / "double.safetensors")
        return tensors.read(folder / "double.safetensors")[0]

    for target, runnable in command.runnable_targets().items():
        if not runnable:
            sylvite.run("compile", net, "--cpu", target, "-o", folder / target)
            notes.append(f"{target}: compiled, not run (this CPU cannot)")
            continue
        dump = folder / f"{target}.safetensors"
        # Winograd's rounding is not that of the direct form: its cases have golden files and gradient checks.
        sylvite.run(*arguments, "--exact", "--cpu", target, "--dump", dump)
        failures += [f"{target}: {line}" for line in compare(case, tensors.read(dump)[0], reference, in_double)]
    return failures, notes


def has_classes(case):
    """Whether the one loss is a plain cross entropy of vectors."""
    return case.network["loss"] == "cross_entropy" and _golden_target(case, "target").ndim == 1


def wrong_labels(output, dtype):
    """Labels [n] that are nowhere the largest output, so that no row's saturated gradient is zero."""
    n, classes = output.shape
    return ((output.argmax(axis=1) + 1 + np.arange(n) % (classes - 1)) % classes).astype(dtype)


def exact_names(case, reference):
    """Names of the tensors that must have equal bits."""
    kinds = {layer.kind for layer in graph.layers(case.network)}
    if not kinds <= EXACT or "preprocess" in case.network:
        return set()
    if not has_classes(case):
        return {"output"} if tensors.largest(reference["output"]) < 2**22 else set()
    logits = reference["output"].astype(np.float64)
    gap = logits.max(axis=1, keepdims=True) - logits
    ties = (gap == 0).sum(axis=1)
    saturated = np.all((gap == 0) | (gap > 110)) and np.all((ties & (ties - 1)) == 0)
    if not saturated or tensors.largest(logits) >= 2**22:
        return {"output"}
    return {name for name in reference if name == "output" or name.startswith("grad.")}


def compare(case, actual, reference, in_double):
    """Failures of {name: array} against the plain schedule's; `in_double()` is the same in double."""
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
            scale = _largest_of_group(name, reference)
            error = _distance(value, wanted)
            if (not error <= relative * scale and not _is_normalised_rounding(case, name, reference)
                    and not _is_as_exact(name, actual, reference, in_double())):
                failures.append(f"{name} {list(wanted.shape)}: off by {error:.3e}, allowed {relative * scale:.3e}")
    return failures


def _group(name):
    """Tensors that share a scale: those of one layer and kind; the loss is a difference of outputs."""
    if name == "grad.input" or "." not in name:
        return "output" if name == "loss" else name
    return name.rpartition(".")[0]


def _largest_of_group(name, tensors_by_name):
    return max(tensors.largest(v) for k, v in tensors_by_name.items() if _group(k) == _group(name))


def _distance(a, b):
    return tensors.largest(a.astype(np.float64) - b.astype(np.float64))


def _is_as_exact(name, actual, reference, exact):
    """Whether this tensor's group is at most twice as far from the step in double as the plain schedule's."""
    distances = [max(_distance(values[k], v) for k, v in exact.items() if _group(k) == _group(name))
                 for values in (actual, reference)]
    return distances[0] <= 2 * distances[1]


def _is_normalised_rounding(case, name, reference):
    """Whether Adam has moved this parameter along a gradient of pure rounding."""
    gradient = reference.get(f"grad.{name}")
    if gradient is None or "adam" not in case.network["optimizer"]:
        return False
    return tensors.largest(gradient) <= 1e-6 * _largest_of_group(f"grad.{name}", reference)
