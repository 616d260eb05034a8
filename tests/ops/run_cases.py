#!/usr/bin/env python3
"""Runs the op cases and the shipped networks through the `sylvite` command.

    run_cases.py --sylvite build/bin/sylvite --work DIR --golden [OP-OR-CASE...]

Modes: --golden compares steps and predictions with PyTorch's golden files, and --double the state after ten steps in
double, of optimizers, policies and losses; --check runs the gradient check in double, and --shapes K on K random shapes
for each op, drawn from its case file (shapes.py); --plain compares the shipped schedules on every target with
schedules/plain.yaml on whole numbers. Names choose ops, cases, `models`, `ops` (all but the models) or `random` (the
generated networks, which no other name stands for); --long adds the cases that the suite leaves out. The last line is
`N passed, N failed`; the exit status is 1 where something failed. DIR keeps network files, dumps and the kernel cache.
"""
import argparse
import concurrent.futures
import sys
import time

import cases
import command
import golden
import graph
import plain
import shapes


def check(sylvite, case, net, folder):
    """Failures of `sylvite check`, which exits with status 1 where a gradient is off."""
    sylvite.run("check", net, *case.rules(folder), *([] if case.op == "models" else ["--batch", case.n]))
    return []


MODES = {"golden": golden.run, "double": golden.run_double, "check": check, "plain": plain.run, "shapes": check}


def run_case(sylvite, mode, case):
    """(case, failures, notes, seconds) of one case; its files go to <work>/<mode>/<case>."""
    begin = time.monotonic()
    folder = sylvite.work / mode / case.name
    folder.mkdir(parents=True, exist_ok=True)
    net = folder / f"{case.name}.yaml"
    net.write_text(case.text(), encoding="utf-8")
    try:
        result = MODES[mode](sylvite, case, net, folder)
        failures, notes = result if isinstance(result, tuple) else (result, [])
    except command.CommandFailed as error:
        failures, notes = [str(error)], []
    return case, failures, notes, time.monotonic() - begin


def choose(names, long):
    """The cases that these names stand for (all where there are none)."""
    known = cases.load_all()
    if any(name.startswith("random") for name in names):
        known += cases.load_random()
    chosen = [c for c in known if not names or _words(c) & set(names)]
    unknown = set(names).difference(*map(_words, known))
    if unknown:
        raise SystemExit(f"no op or case is called {', '.join(sorted(unknown))}")
    return [c for c in chosen if long or not c.long or c.name in names]


def first(chosen, most):
    """At most `most` cases of each op (0: all), in their order."""
    counts = {}
    for case in chosen:
        counts.setdefault(case.op, []).append(case)
    return [case for case in chosen if not most or case in counts[case.op][:most]]


def _words(case):
    """What may name this case on the command line."""
    return {case.op, case.name} | (set() if case.by_formula else {"ops"})


def draw_shapes(sylvite, names, count, pool):
    """The cases for `count` shapes of each op that these names stand for; an op is a layer, step or loss."""
    ops = [op for op in cases.ops() if op in graph.table() and (not names or {op, "ops"} & set(names))]
    return [case for drawn in pool.map(lambda op: shapes.generate(sylvite, op, count), ops) for case in drawn]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="OP-OR-CASE")
    parser.add_argument("--sylvite", required=True, metavar="COMMAND")
    parser.add_argument("--work", required=True, metavar="DIR")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--most", type=int, default=0, metavar="N", help="at most N cases of each op (0: all)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--verbose", action="store_true", help="a line for each case, with its seconds")
    group = parser.add_mutually_exclusive_group(required=True)
    for mode in MODES:
        if mode != "shapes":
            group.add_argument(f"--{mode}", dest="mode", action="store_const", const=mode)
    group.add_argument("--shapes", type=int, metavar="K")
    options = parser.parse_args()
    options.mode = options.mode or "shapes"
    sylvite = command.Sylvite(options.sylvite, options.work)
    failed, notes = 0, {}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        chosen = (draw_shapes(sylvite, options.names, options.shapes, pool) if options.shapes else
                  first([case for case in choose(options.names, options.long)
                         if options.mode != "double" or case.long_run], options.most))
        for case, failures, said, seconds in pool.map(lambda c: run_case(sylvite, options.mode, c), chosen):
            failed += bool(failures)
            for note in said:
                notes[note] = notes.get(note, 0) + 1
            if failures:
                print(f"FAILED {case.name}", *failures, sep="\n  ", flush=True)
            elif options.verbose:
                print(f"ok     {case.name} ({seconds:.1f} s)", flush=True)
    for note, count in notes.items():
        print(f"note: {note}: {count} cases")
    print(f"{options.mode}: {len(chosen) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not chosen else 0)


if __name__ == "__main__":
    main()
