#!/usr/bin/env python3
"""The networks in models/ against PyTorch's modules, weight for weight, and against their pages.

    run_models.py --sylvite build/bin/sylvite --work DIR [--compile] [NETWORK...]

For each network: `sylvite summary` has PyTorch's number of parameters in every layer and in all, the parameters have the
shapes of tests/perf/peers.py where that has the network, and its page names that number. With --compile, names and
shapes of parameters and running statistics in the manifest are PyTorch's too. Expected figures are in
tests/golden/data/models/parameters.json (tests/golden/make_parameters.py). The last line is `N passed, N failed`.
"""
import argparse
import json
import math
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "ops"))
import cases  # noqa: E402
import command  # noqa: E402

ROW = re.compile(r"^(\S+) +(\S+) +(\S+) +([\d,]+|-) +([\d,]+|-) +([\d,]+|-)( .*)?$")
TOTAL = re.compile(r"^total +([\d,]+) +([\d,]+) +([\d,]+)$", re.MULTILINE)


def number(text):
    return 0 if text == "-" else int(text.replace(",", ""))


def check_summary(text, expected):
    """Failures of the table's parameters, layer by layer and in all."""
    failures, wanted = [], {}
    for name, shape in expected["parameters"].items():
        layer = name.rpartition(".")[0]
        wanted[layer] = wanted.get(layer, 0) + math.prod(shape)
    rows = [row.groups() for row in map(ROW.match, text.splitlines()) if row]
    found = {row[0]: number(row[3]) for row in rows if number(row[3])}
    for layer in wanted | found:
        if wanted.get(layer, 0) != found.get(layer, 0):
            failures.append(f"summary: {layer} has {found.get(layer, 0)} parameters, PyTorch has {wanted.get(layer, 0)}")
    total = TOTAL.search(text)
    if not total or number(total[1]) != sum(wanted.values()):
        failures.append(f"summary: the total is {total and total[1]}, PyTorch has {sum(wanted.values())} parameters")
    elif [number(part) for part in total.groups()] != [sum(number(row[i]) for row in rows) for i in (3, 4, 5)]:
        failures.append("summary: the totals are not the sums of the columns")
    return failures


def check_manifest(manifest, expected):
    """Failures of names and shapes in <net>.json."""
    counters = {name for name in expected["buffers"] if name.endswith("num_batches_tracked")}
    wanted = expected["parameters"] | {k: v for k, v in expected["buffers"].items() if k not in counters}
    found = {t["name"]: t["shape"] for t in manifest["tensors"]
             if t["kind"] in ("parameter", "buffer") and t["name"] not in counters}
    return [f"manifest: {name} is {found.get(name)}, PyTorch has {wanted.get(name)}"
            for name in wanted | found if wanted.get(name) != found.get(name)]


def check(sylvite, name, expected, compiles):
    net = cases.ROOT / "models" / f"{name}.yaml"
    failures = check_summary(sylvite.run("summary", net).stdout, expected)
    total = f"{sum(map(math.prod, expected['parameters'].values())):,}"
    page = net.with_suffix(".md")
    if not page.exists() or total not in page.read_text(encoding="utf-8"):
        failures.append(f"models/{name}.md does not say that there are {total} parameters")
    if "peer" in expected and list(expected["parameters"].values()) != expected["peer"]:
        failures.append(f"the shapes are not those of {name}() in tests/perf/peers.py")
    if compiles:
        sylvite.run("compile", net, "-o", sylvite.work / name)
        manifest = json.loads((sylvite.work / name / f"{name}.json").read_text(encoding="utf-8"))
        failures += check_manifest(manifest, expected)
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NETWORK")
    parser.add_argument("--sylvite", required=True, metavar="COMMAND")
    parser.add_argument("--work", required=True, metavar="DIR")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    sylvite, failed = command.Sylvite(options.sylvite, options.work), 0
    everything = json.loads((cases.GOLDEN / "models" / "parameters.json").read_text(encoding="utf-8"))
    there = {path.stem for path in (cases.ROOT / "models").glob("*.yaml")}
    names = options.names or sorted(there | set(everything))
    for name in names:
        if name not in everything or name not in there:
            failures = [f"is in {'models/' if name in there else 'parameters.json'} alone: run make_parameters.py"]
        else:
            try:
                failures = check(sylvite, name, everything[name], options.compile)
            except command.CommandFailed as error:
                failures = [str(error)]
        failed += bool(failures)
        if failures:
            print(f"FAILED {name}", *failures, sep="\n  ", flush=True)
    print(f"{len(names) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
