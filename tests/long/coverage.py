#!/usr/bin/env python3
"""Share of the runtime's lines and branches that its tests have run, from the counts of a build with --coverage.

    coverage.py BUILD [--lines 95] [--branches 85]

BUILD is the folder of the preset `coverage` after its tests have run. Counts of a file that several programs have are
added. Branches that only an exception takes are left out: nearly every call in C++ has one. Prints a row a file and
the sums; the exit status is 1 where a sum is below what is asked for.
"""
import argparse
import collections
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def counts_of(build):
    """{source file: ({line: count}, {(line, index): count})} of the files below runtime/."""
    lines = collections.defaultdict(collections.Counter)
    branches = collections.defaultdict(collections.Counter)
    data = sorted(str(path) for path in (build / "runtime").rglob("*.gcda"))
    if not data:
        sys.exit(f"coverage: found no counts below {build}/runtime: run the tests of that build first")
    for start in range(0, len(data), 20):
        done = subprocess.run(["gcov", "--branch-probabilities", "--json-format", "--stdout", *data[start:start + 20]],
                              cwd=build, capture_output=True, text=True, check=True)
        for report in done.stdout.splitlines():
            for file in json.loads(report)["files"]:
                name = file["file"].removeprefix(f"{ROOT}/")  # names are relative to the source tree
                if not name.startswith("runtime/"):
                    continue
                name = name.removeprefix("runtime/")
                for line in file["lines"]:
                    number = line["line_number"]
                    lines[name][number] += line["count"]
                    taken = [branch for branch in line["branches"] if not branch["throw"]]
                    for index, branch in enumerate(taken if len(taken) > 1 else []):
                        branches[name][number, index] += branch["count"]
    return lines, branches


def share(counts):
    """(covered, all)."""
    return sum(count > 0 for count in counts.values()), len(counts)


def percent(covered, total):
    return 100 * covered / total if total else 100.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--lines", type=float, default=95, metavar="PERCENT")
    parser.add_argument("--branches", type=float, default=85, metavar="PERCENT")
    parser.add_argument("--missing", action="store_true", help="also list the lines that were not run")
    options = parser.parse_args()
    lines, branches = counts_of(options.build.resolve())
    sums = [0, 0, 0, 0]
    print(f"{'file':<40} {'lines':>8} {'':>7} {'branches':>9}")
    for name in sorted(lines):
        row = [*share(lines[name]), *share(branches[name])]
        sums = [a + b for a, b in zip(sums, row)]
        print(f"{name:<40} {row[1]:>8} {percent(*row[:2]):>6.1f}% {row[3]:>9} {percent(*row[2:]):>6.1f}%")
        if options.missing:
            missing = [str(line) for line, count in sorted(lines[name].items()) if not count]
            print(f"    not run: {', '.join(missing)}" if missing else "", end="\n" if missing else "")
    line_share, branch_share = percent(*sums[:2]), percent(*sums[2:])
    print(f"runtime: lines {line_share:.1f}% of {sums[1]}, branches {branch_share:.1f}% of {sums[3]} "
          f"(expected {options.lines:g}% and {options.branches:g}%)")
    sys.exit(0 if line_share >= options.lines and branch_share >= options.branches else 1)


if __name__ == "__main__":
    main()
