#!/usr/bin/env python3
"""Share of the runtime's lines and branches that its tests run, from the counts of a build with clang's coverage.

    coverage.py BUILD PROFILES [--lines 95] [--branches 85] [--missing]

BUILD is the folder of the preset `coverage`, PROFILES the folder of the .profraw files that its tests have left. A
branch is one outcome of one condition of the source; what a compiler adds for exceptions and destructors is none.
Prints a row a file of runtime/ and the sums; the exit status is 1 where a sum is below what is asked for.
"""
import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def tool(name, *arguments):
    """Standard output of an LLVM tool."""
    done = subprocess.run([f"{name}-22", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"coverage: {name} ended with status {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def covered(build, profiles):
    """{file below runtime/: its summary}, and the lines that were not run as text of llvm-cov."""
    raw = sorted(profiles.glob("*.profraw"))
    if not raw:
        sys.exit(f"coverage: found no .profraw in {profiles}: run the tests of that build first")
    merged = profiles / "merged.profdata"
    (profiles / "list").write_text("".join(f"{path}\n" for path in raw))
    tool("llvm-profdata", "merge", "--sparse", "--failure-mode=all", "-f", profiles / "list", "-o", merged)
    programs = [path for path in sorted((build / "bin").iterdir()) if "generat" not in path.name and
                not path.name.endswith(("kernels", "halide_runtime"))]
    objects = [str(programs[0])] + [f"--object={path}" for path in programs[1:]]
    report = json.loads(tool("llvm-cov", "export", *objects, f"--instr-profile={merged}", "--skip-functions"))
    files = {}
    for file in report["data"][0]["files"]:
        name = file["filename"].removeprefix(f"{ROOT}/").removeprefix(f"{build.name}/")
        if name.startswith("runtime/"):
            files[name.removeprefix("runtime/")] = file
    return files


def missing_lines(file):
    """Numbers of lines where a region that was not run starts."""
    return sorted({segment[0] for segment in file["segments"] if segment[3] and segment[4] and segment[2] == 0})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("profiles", type=pathlib.Path)
    parser.add_argument("--lines", type=float, default=95, metavar="PERCENT")
    parser.add_argument("--branches", type=float, default=85, metavar="PERCENT")
    parser.add_argument("--missing", action="store_true", help="also list where code that was not run starts")
    options = parser.parse_args()
    sums = {"lines": [0, 0], "branches": [0, 0]}
    files = covered(options.build.resolve(), options.profiles.resolve())
    print(f"{'file':<36} {'lines':>8} {'':>7} {'branches':>9}")
    for name, file in sorted(files.items()):
        row = f"{name:<36}"
        for kind, columns in (("lines", 8), ("branches", 9)):
            part = file["summary"][kind]
            sums[kind][0] += part["covered"]
            sums[kind][1] += part["count"]
            row += f" {part['count']:>{columns}} {100 * part['covered'] / part['count'] if part['count'] else 100:>6.1f}%"
        print(row)
        if options.missing and missing_lines(file):
            print("    not run:", ", ".join(map(str, missing_lines(file))))
    shares = {kind: 100 * done / total if total else 0 for kind, (done, total) in sums.items()}
    print(f"runtime: lines {shares['lines']:.1f}% of {sums['lines'][1]}, branches {shares['branches']:.1f}% of "
          f"{sums['branches'][1]} (expected {options.lines:g}% and {options.branches:g}%)")
    sys.exit(0 if shares["lines"] >= options.lines and shares["branches"] >= options.branches else 1)


if __name__ == "__main__":
    main()
