#!/usr/bin/env python3
"""Compares convolutions with the seeds' formulas (seeds.py): every kernel, stride and padding up to 5 on sizes 1 to 12.

    run_formulas.py --sylvite build/bin/sylvite --work DIR [--all]

A combination is (size, kernel, stride, padding) of one axis; kernel and stride go from 1 to 5, padding from 0 to 5, size
from 1 to 12. Each convolution tests one of them along its rows and another along its columns; many convolutions on one
input, joined by a concat into the loss, make a network. Compared are the output, its size, and the gradients of weight,
bias and input. Without --all each (kernel, stride, padding) is taken with some of the sizes, with it every combination
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
    """The network file: a convolution for each of `settings`, flattened, and all of them joined."""
    lines = [f"name: {name}", f"input: {{shape: [{size[0]}, {size[1]}, {CHANNELS}]}}", "network:"]
    for i, (rows, columns) in enumerate(settings):
        kernel, stride, padding = ([*pair] for pair in zip(rows, columns))
        lines += [f"  - conv2d: {{name: c{i}, from: input, filters: {FILTERS}, kernel: {kernel}, stride: {stride}, "
                  f"padding: {padding}}}", f"  - flatten: {{name: f{i}}}"]
    lines += [f"  - concat: {{from: [{', '.join(f'f{i}' for i in range(len(settings)))}]}}",
              "loss: cross_entropy", "optimizer: {sgd: {learning_rate: 0}}", f"training: {{batch: {ROWS}}}"]
    return "\n".join(lines) + "\n"


def run(sylvite, name, size, settings):
    """Failures of one network."""
    folder = sylvite.work / name
    folder.mkdir(parents=True, exist_ok=True)
    net = folder / f"{name}.yaml"
    net.write_text(text(name, size, settings), encoding="utf-8")
    x = formula.integers(name, (ROWS, *size, CHANNELS), -4, 4) / np.float32(4)
    state, total = {}, 0
    for i, (rows, columns) in enumerate(settings):
        shape = FILTERS, CHANNELS, rows[0], columns[0]
        state[f"c{i}.weight"] = formula.integers(f"{name}.c{i}.weight", shape, -4, 4) / np.float32(16)
        state[f"c{i}.bias"] = formula.integers(f"{name}.c{i}.bias", (FILTERS,), -4, 4) / np.float32(4)
        total += FILTERS * int(np.prod([seeds.output_size(n, *rc) for n, rc in zip(size, (rows, columns))]))
    np.save(folder / "X.npy", x)
    labels = formula.labels(name, ROWS, total)
    np.save(folder / "Y.npy", labels)
    tensors.write(folder / "state.safetensors", state)
    sylvite.run("step", net, "--state", folder / "state.safetensors", "--input", folder / "X.npy", "--target",
                folder / "Y.npy", "--dump", folder / "dump.safetensors")
    return compare(tensors.read(folder / "dump.safetensors")[0], x, labels, state, settings, total)


def compare(actual, x, labels, state, settings, total):
    """Failures of {name: array} against the formulas."""
    if actual["output"].shape != (ROWS, total):
        return [f"output: {list(actual['output'].shape)}, by the formula {[ROWS, total]}"]
    expected, X = {}, x.astype(np.float64).transpose(0, 3, 1, 2)
    state = {name: value.astype(np.float64) for name, value in state.items()}
    outputs = []
    for i, (rows, columns) in enumerate(settings):
        _, stride, padding = zip(rows, columns)
        outputs.append(seeds.forward(X, state[f"c{i}.weight"], state[f"c{i}.bias"], stride, padding))
    expected["output"] = np.concatenate([Y.reshape(ROWS, -1) for Y in outputs], 1)
    gradient = (seeds.softmax(expected["output"]) - np.eye(total)[labels]) / ROWS
    in_x, at = np.zeros_like(X), 0
    for i, ((rows, columns), Y) in enumerate(zip(settings, outputs)):
        kernel, stride, padding = zip(rows, columns)
        size = Y[0].size
        dY = gradient[:, at:at + size].reshape(Y.shape)
        at += size
        expected[f"grad.c{i}.weight"] = seeds.weight_gradient(dY, X, kernel, stride, padding)
        expected[f"grad.c{i}.bias"] = seeds.bias_gradient(dY)
        in_x += seeds.input_gradient(dY, state[f"c{i}.weight"], X.shape, stride, padding)
    expected["grad.input"] = in_x.transpose(0, 2, 3, 1)
    return [line for name in expected for line in _difference(name, actual[name], expected[name], settings)]


def _difference(name, actual, expected, settings):
    """The output is exact: its inputs are small multiples of 1/64."""
    if actual.shape != expected.shape:
        return [f"{name}: {list(actual.shape)}, by the formula {list(expected.shape)}"]
    allowed = 0 if name == "output" else 1e-5 * max(tensors.largest(expected), 1e-3)
    error = tensors.largest(actual - expected)
    if error <= allowed:
        return []
    branch = name.split(".")[1][1:] if name.startswith("grad.c") else ""
    of = f" (kernel, stride, padding {settings[int(branch)]})" if branch else ""
    return [f"{name}{of}: off by {error:.3e}, allowed {allowed:.3e}"]


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
