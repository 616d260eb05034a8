#!/usr/bin/env python3
"""Runs the fuzz programs on their corpus and on what libFuzzer makes of it.

    run_fuzz.py --programs build/fuzz/bin --work DIR [--runs N | --minutes M] [NAME...]

The corpus of a target is the files of the source tree that its reader is for (below), tests/fuzz/corpus/NAME (what
found something, and seeds), and DIR/NAME, in which libFuzzer keeps what reaches new code. A crash, an input that takes
more than a second of processor time, more than --timeout seconds or more than 512 MB is an error; the input is left as
DIR/NAME-crash-… and its command is printed. The last line is `fuzz: N targets, N executions, N failed`.
"""
import argparse
import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FILES = "tests/train_runtime/files/"
# Seeds in the source tree, and the largest input that is tried.
TARGETS = {
    "checkpoint": ([], 4096),
    "csv": ([], 2048),
    "idx": ([], 2048),
    "image": ([FILES + "*.png", FILES + "*.jpg"], 4096),
    "network": (["models/*.yaml", "tests/errors/networks/*.yaml", "tests/errors/*.yaml"], 4096),
    "npy": ([FILES + "*.npy", FILES + "*.npz"], 2048),
    "safetensors": ([FILES + "*.safetensors"], 2048),
    "schedule": (["schedules/*.yaml"], 4096),
}


def seeds(name, folder):
    """Copies the source tree's seeds of a target to `folder`; those larger than inputs may be are cut."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    patterns, longest = TARGETS[name]
    paths = [path for pattern in [*patterns, f"tests/fuzz/corpus/{name}/*"] for path in glob.glob(str(ROOT / pattern))]
    for number, path in enumerate(sorted(paths)):
        data = pathlib.Path(path).read_bytes()
        (folder / f"{number:03}-{pathlib.Path(path).name}").write_bytes(data[:longest])
    return len(paths)


def run(name, options):
    """Executions of a target and whether it failed."""
    work = pathlib.Path(options.work)
    found, start = work / name, work / f"{name}-seeds"
    found.mkdir(parents=True, exist_ok=True)
    count = seeds(name, start)
    command = [str(pathlib.Path(options.programs) / f"fuzz_{name}"), f"-max_len={TARGETS[name][1]}",
               "-rss_limit_mb=512", "-malloc_limit_mb=512", f"-timeout={options.timeout}",
               f"-artifact_prefix={work}/{name}-", "-print_final_stats=1", "-verbosity=1"]
    command += [f"-max_total_time={int(options.minutes * 60)}"] if options.minutes else [f"-runs={options.runs}"]
    command += [f"-seed={options.seed}"] if options.seed else []
    environment = dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=8:allocator_may_return_null=1:" +
                       os.environ.get("ASAN_OPTIONS", ""), UBSAN_OPTIONS="print_stacktrace=1")
    command += [str(found), str(start)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment)
    stats = dict(re.findall(r"stat::(\w+):\s+(\d+)", done.stderr))
    slowest = re.findall(r"fuzz: slowest input ([\d.]+) s", done.stderr)
    executions = int(stats.get("number_of_executed_units", 0))
    print(f"{name}: {executions} executions from {count} seeds, {stats.get('average_exec_per_sec', '?')} a second, "
          f"slowest {slowest[-1] if slowest else '?'} s, peak {stats.get('peak_rss_mb', '?')} MB"
          f"{'' if done.returncode == 0 else ': FAILED'}", flush=True)
    if done.returncode:
        print("\n".join(done.stderr.splitlines()[-60:]))
        print("again:", *command[:1], re.search(r"Test unit written to (\S+)", done.stderr).group(1)
              if "Test unit written to" in done.stderr else "", flush=True)
    return executions, done.returncode != 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--programs", required=True, metavar="DIR")
    parser.add_argument("--work", required=True, metavar="DIR")
    parser.add_argument("--runs", type=int, default=100000, metavar="N", help="of each target (default: 100000)")
    parser.add_argument("--minutes", type=float, metavar="M", help="for each target, instead of --runs")
    parser.add_argument("--timeout", type=int, default=60, metavar="S",
                        help="by the clock, for inputs that wait (default: 60)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the mutations (default: another each time)")
    options = parser.parse_args()
    unknown = set(options.names) - set(TARGETS)
    if unknown:
        raise SystemExit(f"found {', '.join(sorted(unknown))}, expected some of {', '.join(TARGETS)}")
    results = [run(name, options) for name in options.names or TARGETS]
    failed = sum(result[1] for result in results)
    print(f"fuzz: {len(results)} targets, {sum(result[0] for result in results)} executions, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
