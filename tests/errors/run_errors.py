#!/usr/bin/env python3
"""Runs the command on bad input and compares every message with the expected one.

    run_errors.py --sylvite build/bin/sylvite --work DIR [--dimensions] [NAME...]

networks/*.yaml are bad network files. The comment at the head of each lists what `sylvite compile` must say, in
order and nothing else: `# expect: LINE:COLUMN: error: TEXT`, perhaps followed by `# hint: TEXT`. commands.yaml lists
bad data, checkpoints, schedules and command lines; its head explains the keys. In every case the exit status must be
1, nothing may crash or take longer than a minute, and no `internal error` may appear.

With --dimensions it writes networks with the values 0, 1, -1, 2^31-1, 2^31, 2^32 and 2^62 in every attribute of every
layer, step and loss of the compiler's table, alone and as the last of a list, in the optimizers' and schedules' keys, and
in the input's shape instead: each must be accepted or end with an error at its line and column. Names choose cases. The last line is
`N passed, N failed`.
"""
import argparse
import concurrent.futures
import copy
import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "ops"))
import cases  # noqa: E402
import command  # noqa: E402
import graph  # noqa: E402
import make_files  # noqa: E402
import yaml_subset  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
CRASHES = re.compile(r"internal error|Assertion|LLVM ERROR|Stack dump|Traceback|AddressSanitizer|runtime error:")


def messages(done, path):
    """Lines of errors, warnings and hints that a process printed, the path of the file in front taken off."""
    lines = [line.strip() for line in done.stderr.splitlines()]
    return [line.removeprefix(f"{path}:").strip() for line in lines if re.search(r"\b(error|warning|hint): ", line)]


def crash(done):
    """A line that tells of a crash, or None."""
    if done.returncode < 0 or done.returncode > 1:
        return f"ended with status {done.returncode}: {done.stderr[-400:]}"
    found = CRASHES.search(done.stdout + done.stderr)
    return f"says '{found.group(0)}': {done.stderr[-400:]}" if found else None


def run_network(sylvite, path):
    """Failures of one file of networks/."""
    wanted = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        match = re.match(r"# (expect: (?P<error>.*)|(?P<hint>hint: .*))$", line)
        if not match:
            break
        wanted.append(match["error"] or match["hint"])
    if not wanted:
        return ["the file has no '# expect:' in its first line"]
    folder = sylvite.work / path.stem
    done = sylvite.run("compile", path, "-o", folder, status=None)
    failures = [f"ended with status {done.returncode}, expected 1"] if done.returncode != 1 else []
    failures += [crash(done)] if crash(done) else []
    said = messages(done, path)
    failures += [f"missing:    {line}" for line in wanted if line not in said]
    failures += [f"unexpected: {line}" for line in said if line not in wanted]
    if not failures and said != wanted:
        failures.append("the messages are in another order")
    if folder.exists() and any(folder.iterdir()):
        failures.append("the output folder has files in it")
    return failures


def run_command(sylvite, case):
    """Failures of one case of commands.yaml."""
    folder = sylvite.work / case["case"]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in case.get("files", {}).items():
        make_files.make(folder / name, content)
    names = {"here": folder, "errors": HERE, "root": cases.ROOT}

    def with_names(text):
        return re.sub(r"<(\w+)>", lambda m: str(names[m[1]]), str(text))

    arguments = [with_names(argument) for argument in case["run"]]
    environment = {name: with_names(value) for name, value in case.get("environment", {}).items()}
    done = sylvite.run(*arguments, status=None, cwd=folder, **environment)
    wanted_status = case.get("status", 1)
    failures = []
    if done.returncode != wanted_status:
        failures.append(f"ended with status {done.returncode}, expected {wanted_status}")
    failures += [crash(done)] if crash(done) else []
    for pattern in case["expect"]:
        if not re.search(pattern, done.stderr):
            failures.append(f"missing: {pattern}")
    return failures + ([f"  said: {line}" for line in done.stderr.strip().splitlines()[-12:]] if failures else [])


VALUES = (0, 1, -1, 2**31 - 1, 2**31, 2**32, 2**62)
SETTINGS = ("batch", "epochs", "seed")
TOGETHER = 50  # networks for which one `sylvite summary` runs


def forms(facts, value):
    """How an attribute of this type can be given `value`: as it is, and as the last of a list."""
    count = {"Pair": 2, "Triple": 3, "Padding": 2, "Padding3": 3, "Integers": 3, "Counts": 2}.get(facts["type"])
    return [value] + ([[1] * (count - 1) + [value]] if count else [])


def with_attribute(layer, kind, facts, key, value):
    """`layer`, as a network file has it, with one attribute of its `kind` set."""
    given = {} if isinstance(layer, str) else layer[kind]
    if not isinstance(given, dict):
        given = {facts["main"]: given}
    return {kind: {**given, key: value}}


def kind_of(layer):
    return layer if isinstance(layer, str) else next(iter(layer))


def places(network, op):
    """(key, index) of the first layer or step of the network that is an `op`; the index of a loss is None."""
    for key in ("network", "preprocess"):
        for index, layer in enumerate(network.get(key, [])):
            if kind_of(layer) == op:
                return key, index
    return ("loss", None) if kind_of(network["loss"]) == op else None


def base_case(op):
    """A network with this op: of its case file, else of any."""
    for name in [op] * (op in cases.ops()) + cases.ops():
        for case in cases.load_op(name):
            if places(case.network, op):
                return case
    raise SystemExit(f"no case of tests/ops has the layer {op}")


def layer_networks():
    """(name, text) of networks with every value in every attribute of the compiler's table that takes numbers."""
    for op, facts in sorted(graph.table().items()):
        numbers = {key: a for key, a in facts["attributes"].items() if a["type"] not in ("Flag", "Word")}
        case = base_case(op) if numbers else None
        for key, attribute in numbers.items():
            for value in VALUES:
                for number, form in enumerate(forms(attribute, value)):
                    changed = copy.deepcopy(case)
                    section, index = places(changed.network, op)
                    layers = changed.network if index is None else changed.network[section]
                    index = section if index is None else index
                    layers[index] = with_attribute(layers[index], op, facts, key, form)
                    yield f"{op}_{key}_{value}{'_last' if number else ''}", changed.text()


def optimizer_networks():
    """The same for the optimizers' keys, as far as their cases name them, and those of learning-rate schedules."""
    for op in ("adagrad", "adam", "adamw", "lion", "rmsprop", "schedule", "sgd"):
        seen = set()
        for case in cases.load_op(op):
            for section in (case.network["optimizer"], case.network["training"].get("schedule")):
                given = section.get(kind_of(section)) if isinstance(section, dict) else None
                for key in given if isinstance(given, dict) else ():
                    if (kind_of(section), key) in seen or (kind_of(section) == "sgd" and op != "sgd"):
                        continue
                    seen.add((kind_of(section), key))
                    before = given[key]
                    for value in VALUES:
                        given[key] = value
                        yield f"{op}_{kind_of(section)}_{key}_{value}", case.text()
                    given[key] = before


def dimension_networks():
    """(name, text) of networks with every value in every attribute that is a dimension."""
    end = "loss: cross_entropy\noptimizer: sgd\n"
    for value in VALUES:
        for form, shape in (("height", [value, 4, 3]), ("channels", [4, 4, value]), ("vector", [value])):
            yield f"input_{form}_{value}", f"name: n\ninput: {{shape: {shape}}}\nnetwork: [flatten, linear: 3]\n{end}"
        for key in SETTINGS:
            yield f"{key}_{value}", (f"name: n\ninput: {{shape: [4]}}\nnetwork: [linear: 3]\n{end}"
                                     f"training: {{{key}: {value}}}\n")
    yield from layer_networks()
    yield from optimizer_networks()


def run_dimensions(sylvite, networks):
    """{name: failures} of some networks of dimension_networks(): each has a table or an error at its line and column."""
    paths = {name: sylvite.work / f"{name}.yaml" for name, _ in networks}
    for name, text in networks:
        paths[name].write_text(text, encoding="utf-8")
    done = sylvite.run("summary", *paths.values(), status=None)
    if crash(done) and len(networks) > 1:  # which of them?
        return {name: failures for network in networks for name, failures in run_dimensions(sylvite, [network]).items()}
    if crash(done):
        return {networks[0][0]: [crash(done)]}
    result = {}
    for name, path in paths.items():
        table = f"{path}:\n" in done.stdout if len(networks) > 1 else done.returncode == 0
        refused = re.search(rf"^{re.escape(str(path))}:\d+:\d+: error: ", done.stderr, re.MULTILINE)
        result[name] = [] if table != bool(refused) else ["neither a table nor a message with line and column, or both"]
    return result


def jobs(sylvite, options):
    """([name], function that returns {name: failures}) of the chosen cases."""
    if options.dimensions:
        every = list(dimension_networks())
    else:
        every = [(p.stem, lambda p=p: run_network(sylvite, p)) for p in sorted((HERE / "networks").glob("*.yaml"))]
        every += [(c["case"], lambda c=c: run_command(sylvite, c)) for c in yaml_subset.load(HERE / "commands.yaml")]
    unknown = set(options.names) - {name for name, _ in every}
    if unknown:
        raise SystemExit(f"no case is called {', '.join(sorted(unknown))}")
    every = [case for case in every if not options.names or case[0] in options.names]
    if not options.dimensions:
        return [([name], lambda name=name, run=run: {name: run()}) for name, run in every]
    parts = [every[i:i + TOGETHER] for i in range(0, len(every), TOGETHER)]
    return [([name for name, _ in part], lambda part=part: run_dimensions(sylvite, part)) for part in parts]


def guarded(names, function):
    try:
        return function()
    except command.CommandFailed as error:
        return {name: [str(error)] for name in names}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--sylvite", required=True, metavar="COMMAND")
    parser.add_argument("--work", required=True, metavar="DIR")
    parser.add_argument("--dimensions", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    sylvite = command.Sylvite(options.sylvite, options.work, timeout=60)
    passed, failed = 0, 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for results in pool.map(lambda job: guarded(*job), jobs(sylvite, options)):
            for name, failures in results.items():
                passed, failed = passed + (not failures), failed + bool(failures)
                if failures:
                    print(f"FAILED {name}", *failures, sep="\n  ", flush=True)
    print(f"errors: {passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
