#!/usr/bin/env python3
"""Runs the command on bad input and compares every message with the expected one.

    run_errors.py --sylvite build/bin/sylvite --work DIR [--dimensions] [NAME...]

networks/*.yaml are bad network files. The comment at the head of each lists what `sylvite compile` must say, in
order and nothing else: `# expect: LINE:COLUMN: error: TEXT`, perhaps followed by `# hint: TEXT`. commands.yaml lists
bad data, checkpoints, schedules and command lines; its head explains the keys. In every case the exit status must be
1, nothing may crash or take longer than a minute, and no `internal error` may appear.

With --dimensions it writes networks with the values 0, 1, -1, 2^31-1, 2^31, 2^32 and 2^62 in every attribute instead:
each must be accepted or end with an error at its line and column. Names choose cases. The last line is
`N passed, N failed`.
"""
import argparse
import concurrent.futures
import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "ops"))
import cases  # noqa: E402
import command  # noqa: E402
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
    arguments = []
    for argument in case["run"]:
        names = {"here": folder, "errors": HERE, "root": cases.ROOT}
        arguments.append(re.sub(r"<(\w+)>", lambda m: str(names[m[1]]), str(argument)))
    done = sylvite.run(*arguments, status=None, cwd=folder, **case.get("environment", {}))
    wanted_status = case.get("status", 1)
    failures = []
    if done.returncode != wanted_status:
        failures.append(f"ended with status {done.returncode}, expected {wanted_status}")
    failures += [crash(done)] if crash(done) else []
    for pattern in case["expect"]:
        if not re.search(pattern, done.stderr):
            failures.append(f"missing: {pattern}")
    return failures + ([f"  said: {line}" for line in done.stderr.strip().splitlines()[-12:]] if failures else [])


ATTRIBUTES = {
    "conv2d": ("filters", "kernel", "stride", "padding"),
    "max_pool2d": ("window", "stride", "padding"),
    "linear": ("units",),
}
REQUIRED = {"conv2d": {"filters": 2, "kernel": 1}, "max_pool2d": {"window": 1}, "linear": {"units": 3}}
VALUES = (0, 1, -1, 2**31 - 1, 2**31, 2**32, 2**62)


def dimension_networks():
    """(name, text) of networks with every value in every attribute that is a dimension."""
    end = "loss: cross_entropy\noptimizer: sgd\n"
    for value in VALUES:
        for form, shape in (("height", [value, 4, 3]), ("channels", [4, 4, value]), ("vector", [value])):
            yield f"input_{form}_{value}", f"name: n\ninput: {{shape: {shape}}}\nnetwork: [flatten, linear: 3]\n{end}"
        for key in ("batch", "epochs", "seed"):
            yield f"{key}_{value}", (f"name: n\ninput: {{shape: [4]}}\nnetwork: [linear: 3]\n{end}"
                                     f"training: {{{key}: {value}}}\n")
        for kind, keys in ATTRIBUTES.items():
            for key in keys:
                layer = yaml_subset.dump_flow({kind: REQUIRED[kind] | {key: value}})[1:-1]
                before = "flatten, " if kind == "linear" else ""
                yield f"{kind}_{key}_{value}", (f"name: n\ninput: {{shape: [4, 4, 3]}}\n"
                                               f"network: [{before}{layer}, flatten, linear: 3]\n{end}")


def run_dimension(sylvite, name, text):
    """Failures of one network of dimension_networks()."""
    path = sylvite.work / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    done = sylvite.run("summary", path, status=None)
    failures = [crash(done)] if crash(done) else []
    if done.returncode and not re.search(rf"^{re.escape(str(path))}:\d+:\d+: error: ", done.stderr, re.MULTILINE):
        failures.append(f"no message with line and column: {done.stderr[-300:]!r}")
    return failures


def jobs(sylvite, options):
    """(name, function) of the chosen cases."""
    if options.dimensions:
        every = [(name, lambda n=name, t=text: run_dimension(sylvite, n, t)) for name, text in dimension_networks()]
    else:
        every = [(p.stem, lambda p=p: run_network(sylvite, p)) for p in sorted((HERE / "networks").glob("*.yaml"))]
        every += [(c["case"], lambda c=c: run_command(sylvite, c)) for c in yaml_subset.load(HERE / "commands.yaml")]
    unknown = set(options.names) - {name for name, _ in every}
    if unknown:
        raise SystemExit(f"no case is called {', '.join(sorted(unknown))}")
    return [job for job in every if not options.names or job[0] in options.names]


def guarded(function):
    try:
        return function()
    except command.CommandFailed as error:
        return [str(error)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--sylvite", required=True, metavar="COMMAND")
    parser.add_argument("--work", required=True, metavar="DIR")
    parser.add_argument("--dimensions", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    sylvite = command.Sylvite(options.sylvite, options.work, timeout=60)
    chosen, failed = jobs(sylvite, options), 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for (name, _), failures in zip(chosen, pool.map(lambda job: guarded(job[1]), chosen)):
            failed += bool(failures)
            if failures:
                print(f"FAILED {name}", *failures, sep="\n  ", flush=True)
    print(f"errors: {len(chosen) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not chosen else 0)


if __name__ == "__main__":
    main()
