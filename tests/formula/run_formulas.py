#!/usr/bin/env python3
"""Compares convolutions with the seeds' formulas (seeds.py): every kernel, stride and padding up to 5 on sizes 1 to 12.

    run_formulas.py --sylvite build/bin/sylvite --work DIR [--all]

A combination is (size, kernel, stride, padding) of one axis; kernel and stride go from 1 to 5, padding from 0 to 5, size
from 1 to 12. Each convolution tests one of them along its rows and another along its columns; many convolutions on one
input, each with a cross entropy of its own, make a network. Compared are every output, its size, and the gradients of
weights, biases and the input. Without --all each (kernel, stride, padding) is taken with some of the sizes, with it every combination
along each axis. Combinations whose kernel exceeds the padded input must be refused, each with its message.

The last line is `N passed, N failed`, a network or refused size each; the exit status is 1 where something failed.
"""
import argparse
import concurrent.futures
import itertools
import pathlib
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "ops")]
import command  # noqa: E402
import formula  # noqa: E402
import seeds  # noqa: E402
import tensors  # noqa: E402

SIZES = range(1, 13)
SETTINGS = list(itertools.product(range(1, 6), range(1, 6), range(0, 6)))  # kernel, stride, padding
ROWS, CHANNELS, FILTERS = 2, 2, 2
BRANCHES = 25  # convolutions of a network


def possible(size):
    """The settings whose kernel fits into this size and its padding."""
    return [(k, s, p) for k, s, p in SETTINGS if k <= size + 2 * p]


def networks(everything):
    """(name, (H, W), [(settings along rows, along columns)]) of each network."""
    pairs = [(size, 13 - size) for size in SIZES]
    for number, (height, width) in enumerate(pairs if everything else pairs[::2]):
        rows, columns = possible(height), possible(width)
        count = max(len(rows), len(columns))
        taken = range(count) if everything else range(number, count, len(pairs[::2]))
        both = [(rows[i % len(rows)], columns[(i + 6 * number) % len(columns)]) for i in taken]
        for part, begin in enumerate(range(0, len(both), BRANCHES)):
            yield f"formula_{height}x{width}_{part}", (height, width), both[begin:begin + BRANCHES]


def text(name, size, settings):
    """The network file: a convolution for each of `settings`, flattened, and its loss."""
    lines = [f"name: {name}", f"input: {{shape: [{size[0]}, {size[1]}, {CHANNELS}]}}", "network:"]
    for i, (rows, columns) in enumerate(settings):
        kernel, stride, padding = ([*pair] for pair in zip(rows, columns))
        lines += [f"  - conv2d: {{name: c{i}, from: input, filters: {FILTERS}, kernel: {kernel}, stride: {stride}, "
                  f"padding: {padding}}}", f"  - flatten: {{name: f{i}}}"]
    lines += ["loss:"] + [f"  - cross_entropy: {{from: f{i}, target: t{i}}}" for i in range(len(settings))]
    lines += ["optimizer: {sgd: {learning_rate: 0}}", f"training: {{batch: {ROWS}}}"]
    return "\n".join(lines) + "\n"


def run(sylvite, name, size, settings):
    """Failures of one network."""
    folder = sylvite.work / name
    folder.mkdir(parents=True, exist_ok=True)
    net = folder / f"{name}.yaml"
    net.write_text(text(name, size, settings), encoding="utf-8")
    x = formula.integers(name, (ROWS, *size, CHANNELS), -4, 4) / np.float32(4)
    np.save(folder / "X.npy", x)
    state, labels, targets = {}, [], []
    for i, (rows, columns) in enumerate(settings):
        shape = FILTERS, CHANNELS, rows[0], columns[0]
        state[f"c{i}.weight"] = formula.integers(f"{name}.c{i}.weight", shape, -4, 4) / np.float32(16)
        state[f"c{i}.bias"] = formula.integers(f"{name}.c{i}.bias", (FILTERS,), -4, 4) / np.float32(4)
        classes = FILTERS * seeds.output_size(size[0], *rows) * seeds.output_size(size[1], *columns)
        labels.append(formula.labels(f"{name}.t{i}", ROWS, classes))
        path = folder / f"Y_{i}.npy"
        np.save(path, labels[-1])
        targets += ["--target", f"t{i}={path}" if len(settings) > 1 else path]
    tensors.write(folder / "state.safetensors", state)
    sylvite.run("step", net, "--state", folder / "state.safetensors", "--input", folder / "X.npy", *targets, "--dump",
                folder / "dump.safetensors")
    return compare(tensors.read(folder / "dump.safetensors")[0], x, labels, state, settings)


def compare(actual, x, labels, state, settings):
    """Failures of {name: array} against the formulas; the loss is the sum of the branches' losses."""
    X, failures = x.astype(np.float64).transpose(0, 3, 1, 2), []
    in_x = np.zeros_like(X)
    for i, (rows, columns) in enumerate(settings):
        kernel, stride, padding = zip(rows, columns)
        W, b = (state[f"c{i}.{role}"].astype(np.float64) for role in ("weight", "bias"))
        Y = seeds.forward(X, W, b, stride, padding)
        logits = Y.reshape(ROWS, -1)
        dY = ((seeds.softmax(logits) - np.eye(logits.shape[1])[labels[i]]) / ROWS).reshape(Y.shape)
        in_x += seeds.input_gradient(dY, W, X.shape, stride, padding)
        expected = {f"output.f{i}" if len(settings) > 1 else "output": logits,
                    f"grad.c{i}.weight": seeds.weight_gradient(dY, X, kernel, stride, padding),
                    f"grad.c{i}.bias": seeds.bias_gradient(dY)}
        largest = np.abs(dY).sum((0, 2, 3)).max()  # what cancels in a sum of gradients
        for name, value in expected.items():  # outputs are exact: X, W and b are small multiples of 1/4 and 1/16
            failures += _difference(f"{name} (kernel, stride, padding {rows}, {columns})", actual[name], value,
                                    0 if name.startswith("output") else 1e-5 * largest)
    in_x = in_x.transpose(0, 2, 3, 1)
    return failures + _difference("grad.input", actual["grad.input"], in_x, 1e-5 * tensors.largest(in_x))


def _difference(name, actual, expected, allowed):
    if actual.shape != expected.shape:
        return [f"{name}: {list(actual.shape)}, by the formula {list(expected.shape)}"]
    error = tensors.largest(actual - expected)
    return [] if error <= allowed else [f"{name}: off by {error:.3e}, allowed {allowed:.3e}"]


def refuse(sylvite, size):
    """Failures where the impossible settings of this size are not refused one by one."""
    settings = [each for each in SETTINGS if each not in possible(size)]
    if not settings:
        return []
    path = sylvite.work / f"refused_{size}.yaml"
    path.write_text(text(f"refused_{size}", (size, size), [(each, each) for each in settings]), encoding="utf-8")
    done = sylvite.run("compile", path, "-o", sylvite.work / "refused", status=1)
    lines, failures = done.stderr.splitlines(), []
    for i, (kernel, _, padding) in enumerate(settings):
        padded = size + 2 * padding
        wanted = f"error: conv2d 'c{i}': kernel {kernel}x{kernel} exceeds padded input {padded}x{padded}"
        if not any(f":{4 + 2 * i}:" in line and wanted in line for line in lines):
            failures.append(f"no `{wanted}` at line {4 + 2 * i}")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sylvite", required=True, metavar="COMMAND")
    parser.add_argument("--work", required=True, metavar="DIR")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    sylvite = command.Sylvite(options.sylvite, options.work)
    tasks = [(name, run, (name, *rest)) for name, *rest in networks(options.all)]
    tasks += [(f"refused_{size}", refuse, (size,)) for size in SIZES]

    def attempt(task):
        try:
            return task[1](sylvite, *task[2])
        except command.CommandFailed as error:
            return [str(error)]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for task, failures in zip(tasks, pool.map(attempt, tasks)):
            failed += bool(failures)
            if failures:
                print(f"FAILED {task[0]}", *failures, sep="\n  ", flush=True)
    count = sum(len(settings) for _, _, settings in networks(options.all))
    print(f"{count} convolutions: {len(tasks) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
