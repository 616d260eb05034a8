#!/usr/bin/env python3
"""Whole-network promises of the `sylvite` command on the shipped networks.

    run_train.py --sylvite build/bin/sylvite --work DIR CHECK...

CHECK is one or more of
    threads        100 steps of fashion_cnn, full batches and a part of one, leave equal bytes on 1, 2 and 3 threads
    random         10 steps with augmentation and dropout leave equal bytes on 1, 2, 3 and 8 threads; prediction
                   draws nothing
    reproducible   compiled twice, in different folders, with fresh caches and different core counts: equal bytes
    shipped        training leaves the bits that `step` leaves, whose variant of the object keeps the gradients
    resume         training that stops cleanly and resumes ends with the bits of training that does not stop
    round_trip     a checkpoint goes through `step --state` and `predict` unchanged
    nan            a layer that overflows is named; a bad sample's step is skipped; a run is reproduced to the bit
    branches       a network of two inputs and two losses, from `step` to `summary` (branches.py)
The last line is `N passed, N failed`; the exit status is 1 where one failed.
"""
import argparse
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "ops"))
import branches  # noqa: E402
import cases  # noqa: E402
import command  # noqa: E402
import formula  # noqa: E402
import tensors  # noqa: E402

FASHION_CNN = cases.ROOT / "models" / "fashion_cnn.yaml"
AUGMENTED = pathlib.Path(__file__).resolve().parent / "augmented.yaml"
LENET5 = cases.ROOT / "models" / "lenet5.yaml"


def digest(path):
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_images(folder, rows, name="images"):
    """X.npy and Y.npy of `rows` generated 28x28 images in `folder`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "X.npy", formula.images(f"{name}.X", (rows, 28, 28, 1)))
    np.save(folder / "Y.npy", formula.labels(f"{name}.Y", rows, 10))
    return folder / "X.npy", folder / "Y.npy"


def differing(a, b):
    """Names of tensors in which two safetensors files differ, or that only one of them has."""
    left, right = tensors.read(a)[0], tensors.read(b)[0]
    return sorted(n for n in set(left) | set(right)
                  if n not in left or n not in right or left[n].tobytes() != right[n].tobytes())


def check_threads(sylvite, folder):
    failures = []
    for rows in (64, 37):
        x, y = write_images(folder / str(rows), rows)
        found = {}
        for threads in (1, 2, 3):
            dump = folder / f"{rows}_{threads}.safetensors"
            sylvite.run("step", FASHION_CNN, "--input", x, "--target", y, "--steps", 100, "--threads", threads,
                        "--dump", dump)
            found[threads] = digest(dump)
        if len(set(found.values())) > 1:
            first = folder / f"{rows}_1.safetensors"
            names = {t: differing(first, folder / f"{rows}_{t}.safetensors")[:5] for t in (2, 3)}
            failures.append(f"{rows} rows: the states differ from that of 1 thread: {names}")
        losses = tensors.read(folder / f"{rows}_1.safetensors")[0]["loss"]
        if not losses[-1] < 0.5 * losses[0]:
            failures.append(f"{rows} rows: the loss went from {losses[0]:.3f} to {losses[-1]:.3f} in 100 steps")
    return failures


def check_random(sylvite, folder):
    failures = []
    for rows in (64, 37):
        x, y = write_images(folder / str(rows), rows)
        found = {}
        for threads in (1, 2, 3, 8):
            dump = folder / f"{rows}_{threads}.safetensors"
            sylvite.run("step", AUGMENTED, "--input", x, "--target", y, "--steps", 10, "--threads", threads,
                        "--dump", dump)
            found[threads] = digest(dump)
        if len(set(found.values())) > 1:
            first = folder / f"{rows}_1.safetensors"
            names = {t: differing(first, folder / f"{rows}_{t}.safetensors")[:5] for t in (2, 3, 8)}
            failures.append(f"{rows} rows: the states differ from that of 1 thread: {names}")
    state, outputs = folder / "64_1.safetensors", []
    for out in (folder / "first.npy", folder / "second.npy"):
        sylvite.run("predict", AUGMENTED, "--data", folder / "64" / "X.npy", "--checkpoint", state, "--out", out)
        outputs.append(out.read_bytes())
    if outputs[0] != outputs[1]:
        failures.append("predictions differ")
    return failures


def check_reproducible(sylvite, folder):
    places = [folder / "one", folder / "another" / "deeper folder"]
    for index, place in enumerate(places):
        shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(folder / f"cache_{index}", ignore_errors=True)
        place.mkdir(parents=True)
        shutil.copy(LENET5, place / "lenet5.yaml")
        cores = os.sched_getaffinity(0)
        try:  # one core the second time
            os.sched_setaffinity(0, cores if index == 0 else {min(cores)})
            sylvite.run("compile", "lenet5.yaml", "-o", "out", cwd=place, cache=folder / f"cache_{index}")
        finally:
            os.sched_setaffinity(0, cores)
    files = [sorted(p.name for p in (place / "out").iterdir()) for place in places]
    failures = [] if files[0] == files[1] else [f"other files: {files}"]
    for name in ("lenet5.o", "lenet5.h", "lenet5.json", "liblenet5.a"):
        if not all((place / "out" / name).exists() for place in places):
            failures.append(f"{name} is missing")
        elif digest(places[0] / "out" / name) != digest(places[1] / "out" / name):
            failures.append(f"{name} differs")
    return failures


def check_shipped(sylvite, folder):
    """One sample is one batch in one order, so that training and `step` see the same."""
    x, y = write_images(folder / "data", 1)
    failures = []
    for net in (LENET5, cases.ROOT / "models" / "mlp.yaml", FASHION_CNN):
        run, dump = folder / net.stem, folder / f"{net.stem}.safetensors"
        shutil.rmtree(run, ignore_errors=True)
        sylvite.run("train", net, "--data", folder / "data", "--epochs", 3, "--seed", 5, "--out", run)
        sylvite.run("step", net, "--input", x, "--target", y, "--steps", 3, "--seed", 5, "--dump", dump)
        trained, stepped = tensors.read(run / "last.safetensors")[0], tensors.read(dump)[0]
        wrong = [n for n in trained if n not in stepped or trained[n].tobytes() != stepped[n].tobytes()]
        if wrong or not trained:
            failures.append(f"{net.stem}: after 3 steps these differ between `train` and `step`: {wrong[:6]}")
    return failures


def interrupt(sylvite, arguments, ready):
    """Runs the command and interrupts it (SIGINT, as Ctrl-C does) when ready() holds; returns status and output."""
    variables = os.environ | {"XDG_CACHE_HOME": str(sylvite.work / "cache")}
    process = subprocess.Popen([str(sylvite.binary), *map(str, arguments)], env=variables, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    end = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < end and not ready():
        time.sleep(0.01)
    time.sleep(0.05)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)  # the terminal sends it to the whole group
    try:
        output, _ = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        output += "\n(did not end within 60 s of Ctrl-C)"
    return process.returncode, output


def check_resume(sylvite, folder):
    write_images(folder / "data", 2000)
    whole, parts, broken = folder / "whole", folder / "parts", folder / "broken"
    for run in (whole, parts, broken):
        shutil.rmtree(run, ignore_errors=True)
    train = ("train", LENET5, "--data", folder / "data", "--epochs", 40)
    sylvite.run(*train, "--out", whole)
    sylvite.run(*train[:-1], 17, "--out", parts)
    sylvite.run(*train, "--out", parts, "--resume")
    failures = [f"{name}: differs after a stop at the end of epoch 17: {differing(whole / name, parts / name)[:6]}"
                for name in ("last.safetensors", "best.safetensors") if differing(whole / name, parts / name)]
    status, output = interrupt(sylvite, (*train, "--out", broken), (broken / "last.safetensors").exists)
    if "resume" not in output or not (broken / "last.safetensors").exists():
        return [f"Ctrl-C ended with status {status} and did not say how to resume:\n{output[-600:]}"]
    steps = int(tensors.read(broken / "last.safetensors")[1]["step"])
    total = int(tensors.read(whole / "last.safetensors")[1]["step"])
    if not 0 < steps < total:
        failures.append(f"interrupted at step {steps} of {total}: nothing was left to resume")
    sylvite.run(*train, "--out", broken, "--resume")
    for name in ("last.safetensors", "best.safetensors"):
        wrong = differing(whole / name, broken / name)
        if wrong:
            failures.append(f"{name}: {len(wrong)} tensors differ after stop at step {steps} and resume: {wrong[:6]}")
    return failures


def check_round_trip(sylvite, folder):
    x, y = write_images(folder / "data", 6)
    one, two, both = (folder / f"{name}.safetensors" for name in ("one", "two", "both"))
    pair = ("--input", x, "--target", y)
    failures = []
    for net in (LENET5, FASHION_CNN, AUGMENTED):
        sylvite.run("step", net, *pair, "--steps", 2, "--dump", one)
        sylvite.run("step", net, *pair, "--state", one, "--steps", 3, "--dump", two)
        sylvite.run("step", net, *pair, "--steps", 5, "--dump", both)
        wrong = [n for n in differing(two, both) if n != "loss"]
        if wrong:
            failures.append(f"{net.stem}: 2 steps and 3 from their dump differ from 5: {wrong[:6]}")
        sylvite.run("predict", net, "--data", x, "--checkpoint", two, "--out", folder / "P.npy")
        rows = np.load(folder / "P.npy")
        if rows.shape != (6, 10) or rows.dtype != np.float32 or np.abs(rows.sum(axis=1) - 1).max() > 1e-5:
            failures.append(f"{net.stem}: predict wrote {rows.dtype} {rows.shape}, not 6 rows of probabilities")
    return failures


OVERFLOWING = """name: overflowing
input: {shape: [8, 8, 1], dtype: float32}
network:
  - conv2d: {name: first, filters: 8, kernel: 3}
  - relu
  - conv2d: {name: second, filters: 8, kernel: 3}
  - relu
  - flatten
  - linear: {name: third, units: 3}
loss: cross_entropy
metrics: [accuracy]
optimizer: {sgd: {learning_rate: RATE}}
training: {batch: 16, epochs: 2, warmup: {steps: 4, start_factor: 0.2}, schedule: {exponential: {gamma: 0.8, per: step}}}
"""


def logged_rates(run):
    """The learning rate of each step in a run's log."""
    rows = [line.split(",") for line in (run / "metrics.csv").read_text().splitlines()]
    return {int(row[0]): float(row[3]) for row in rows if row[2] == "learning_rate"}


def check_nan(sylvite, folder):
    random, data = np.random.default_rng(5), folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    x = random.standard_normal((200, 8, 8, 1)).astype(np.float32)
    np.save(data / "Y.npy", random.integers(0, 3, 200).astype(np.int32))
    np.save(data / "X.npy", x)
    for rate in ("1e25", "0.01"):
        (folder / f"{rate}.yaml").write_text(OVERFLOWING.replace("RATE", rate))
    done = sylvite.run("train", folder / "1e25.yaml", "--data", data, "--out", folder / "run", status=None)
    failures = []
    if done.returncode != 1 or "found first after layer second (conv2d.forward)" not in done.stderr:
        failures.append(f"ended with status {done.returncode}, and did not name layer second:\n{done.stderr[-600:]}")
    x[77] = 3e38 * random.choice([-1, 1], (8, 8, 1))
    np.save(data / "X.npy", x)
    train = ("train", folder / "0.01.yaml", "--data", data, "--out", folder / "skipping")
    done = sylvite.run(*train, "--on-nan", "skip", status=None)
    if done.returncode != 0 or done.stderr.count("the step is skipped") != 2:
        failures.append(f"--on-nan skip ended with status {done.returncode}:\n{done.stderr[-600:]}")
    # LinearLR for 4 updates, then ExponentialLR; skipped steps do not count.
    expected = {step: 0.01 * (0.2 + 0.8 * (step - 1) / 4 if step <= 4 else 0.8 ** (step - 5)) for step in range(1, 25)}
    rates = logged_rates(folder / "skipping")
    if rates.keys() != expected.keys() or any(abs(rates[step] / expected[step] - 1) > 1e-6 for step in rates):
        failures.append(f"the log has the learning rates {rates}, expected {expected}")
    done = sylvite.run("reproduce", folder / "skipping", "--threads", 1, status=None)
    if done.returncode != 0 or "equal to the bit at step 24" not in done.stdout:
        failures.append(f"reproduce ended with status {done.returncode}:\n{done.stdout[-300:]}{done.stderr[-300:]}")
    done = sylvite.run("report", folder / "skipping", status=None)
    page = (folder / "skipping" / "report.html").read_text() if done.returncode == 0 else ""
    if "Memory over the step" not in page or "second:conv2d.grad_weight" not in page:
        failures.append(f"report ended with status {done.returncode}:\n{done.stderr[-300:]}")
    return failures


CHECKS = {"nan": check_nan, "threads": check_threads, "random": check_random, "reproducible": check_reproducible, "shipped": check_shipped,
          "resume": check_resume, "round_trip": check_round_trip, "branches": branches.check}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checks", nargs="+", choices=CHECKS, metavar="CHECK")
    parser.add_argument("--sylvite", required=True, metavar="COMMAND")
    parser.add_argument("--work", required=True, metavar="DIR")
    options = parser.parse_args()
    sylvite, failed = command.Sylvite(options.sylvite, options.work), 0
    for name in options.checks:
        folder = sylvite.work / name
        folder.mkdir(parents=True, exist_ok=True)
        try:
            failures = CHECKS[name](sylvite, folder)
        except command.CommandFailed as error:
            failures = [str(error)]
        failed += bool(failures)
        if failures:
            print(f"FAILED {name}", *failures, sep="\n  ", flush=True)
    print(f"train: {len(options.checks) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
