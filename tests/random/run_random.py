#!/usr/bin/env python3
"""Random valid networks against PyTorch, three training steps each. Needs PyTorch (tests/golden/requirements.txt).

    run_random.py --seeds A-B --sylvite build/bin/sylvite --work DIR
    run_random.py --seeds A-B --write

The first form draws the networks of seeds A to B and compares `sylvite step` and `sylvite predict` with PyTorch by the
tolerances of tests/ops/golden.py; it prints each network that differs, and `N passed, N failed`. The network file of a
seed stays in DIR. The second form writes the golden files in tests/golden/data/random, which the suite compares with
without PyTorch (tests/ops/run_cases.py --golden random). What a seed draws depends on the layers that there are.
"""
import argparse
import concurrent.futures
import json
import pathlib
import shutil
import sys
import threading

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "golden"), str(HERE.parent / "ops")]
import cases  # noqa: E402
import command  # noqa: E402
import generate  # noqa: E402
import golden  # noqa: E402
import graph  # noqa: E402
import make_golden  # noqa: E402
import tensors  # noqa: E402
import torch_losses  # noqa: E402
from torch_network import Network  # noqa: E402

PYTORCH = threading.Lock()  # its side keeps one state of random numbers
STABLE = 1e-4  # largest difference between PyTorch in float32 and in float64, of a group's largest magnitude
ROUNDING = 1e-6  # of the largest gradient: a smaller one is taken for rounding


def compute(case):
    """(results in float32, in float64, metadata) of PyTorch on the case's data by formula."""
    net = Network(case.network)
    shapes = {k: list(v.shape) for k, v in net.state_dict().items()}
    targets = {}
    for kind, _, source, _, name in graph.losses(case.network):
        channels, *image = net.shapes[source or net.plan[-1].name]
        what = torch_losses.LOSSES[kind][1].replace("normal", "uniform")
        classes = what in ("int32", "int64")
        targets.setdefault(name, [what, [case.n, *image] if classes else [case.n, *image, channels], channels])
    metadata = {"state": json.dumps(shapes), "targets": json.dumps(targets), "n": str(case.n)}
    state, inputs, values = make_golden.by_formula(case, metadata)
    single, double = (make_golden.run(case, state, inputs, values, dtype) for dtype in (torch.float32, torch.float64))
    return single, double, metadata


def stable(single, double):
    """Whether float32 and float64 agree: where they do not, a value sits at a kink, or rounding grows. Gradients of pure
    rounding (of a bias before a batch-norm) are no figures to compare with either."""
    groups, gradient = {}, largest_gradient(double)
    for name, value in double.items():
        if not bool(torch.isfinite(value).all()):
            return False
        is_gradient = name.startswith("grad.")
        largest = float(value.abs().max()) if value.numel() else 0.0
        if is_gradient and largest < ROUNDING * gradient and bool(single[name].any()):
            return False
        scale, worst = groups.get("grad" if is_gradient else name, (0.0, 0.0))
        difference = float((single[name].double() - value.double()).abs().max()) if value.numel() else 0.0
        groups["grad" if is_gradient else name] = max(scale, largest), max(worst, difference)
    return gradient > 1e-6 and all(worst <= STABLE * scale for scale, worst in groups.values())


def largest_gradient(results):
    """The largest gradient: where all are zero the network shows nothing."""
    return max((float(v.abs().max()) for k, v in results.items() if k.startswith("grad.") and v.numel()), default=0.0)


def make(seed, folder):
    """Draws the network of this seed and writes network.yaml and expected.safetensors; returns its case."""
    results = []

    def accept(network, n):
        case = cases.random_case(network, n, folder)
        try:
            single, double, metadata = compute(case)
        except ValueError:  # batch statistics of one value
            return False
        if not stable(single, double):
            return False
        results[:] = [case, single, double, metadata]
        return True
    generate.network(seed, accept)
    case, single, double, metadata = results
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "network.yaml").write_text(case.text(), encoding="utf-8")
    make_golden.write_expected(folder, single, double, metadata)
    return case


def compare(sylvite, seed):
    """(seed, failures)."""
    folder = sylvite.work / f"random_{seed}"
    with PYTORCH:
        case = make(seed, folder)
    net = folder / f"{case.name}.yaml"
    net.write_text(case.text(), encoding="utf-8")
    try:
        return seed, golden.run(sylvite, case, net, folder)
    except command.CommandFailed as error:
        return seed, [str(error)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", required=True, metavar="A-B")
    parser.add_argument("--sylvite", metavar="COMMAND")
    parser.add_argument("--work", metavar="DIR")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    if options.write:
        for seed in seeds:
            make(seed, cases.GOLDEN / "random" / f"random_{seed}")
        print(f"{len(seeds)} networks")
        return
    if not options.sylvite or not options.work:
        parser.error("--sylvite and --work, or --write")
    sylvite, failed = command.Sylvite(options.sylvite, options.work), 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for seed, failures in pool.map(lambda seed: compare(sylvite, seed), seeds):
            failed += bool(failures)
            if failures:
                print(f"FAILED random_{seed}: {sylvite.work}/random_{seed}/network.yaml", *failures, sep="\n  ",
                      flush=True)
    print(f"{len(seeds) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
