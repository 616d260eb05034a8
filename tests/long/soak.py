#!/usr/bin/env python3
"""A long training run with a save every 10 seconds: memory and open files must not grow, and the bits must be those of
the same run without saves.

    soak.py --sylvite build/bin/sylvite --minutes M [--net models/lenet5.yaml] [--data fashion-mnist] [--work DIR]

Trains for M minutes, looks at the process every second, stops it with SIGINT as Ctrl-C does, and repeats the run up to
the same step by `sylvite reproduce`, which saves once. Memory is the growth of the private memory (RssAnon) from the
end of the first minute (or of the first quarter of a shorter run) to the most it ever is after that. The last line is
`N passed, N failed`.
"""
import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOST_GROWTH_KB = 1024


def look(process):
    """(private memory in kB, open files) of a process; None when it is gone."""
    try:
        status = pathlib.Path(f"/proc/{process}/status").read_text()
        files = len(os.listdir(f"/proc/{process}/fd"))
    except OSError:
        return None
    memory = next((line for line in status.splitlines() if line.startswith("RssAnon:")), None)
    return (int(memory.split()[1]), files) if memory else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sylvite", required=True, metavar="COMMAND")
    parser.add_argument("--minutes", type=float, required=True, metavar="M")
    parser.add_argument("--net", default=ROOT / "models" / "lenet5.yaml")
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--work", default=None, metavar="DIR")
    options = parser.parse_args()
    work = pathlib.Path(options.work or tempfile.mkdtemp(prefix="sylvite-soak-"))
    run = work / "soak"
    train = [options.sylvite, "train", options.net, "--data", options.data, "--out", run]
    shutil.rmtree(run, ignore_errors=True)
    subprocess.run([*map(str, train), "--epochs", "1", "-q"], check=True, stdout=subprocess.DEVNULL)  # compiles
    process = subprocess.Popen([*map(str, train), "--epochs", "100000000", "--save-every", "0.1666minutes", "-q"],
                               start_new_session=True, stdout=subprocess.DEVNULL)
    start, seen = time.monotonic(), []
    while time.monotonic() - start < 60 * options.minutes and process.poll() is None:
        time.sleep(1)
        found = look(process.pid)
        if found:
            seen.append((time.monotonic() - start, *found))
    process.send_signal(signal.SIGINT)
    status = process.wait(timeout=600)
    warm = min(60, 15 * options.minutes)
    before = [row for row in seen if row[0] <= warm]
    after = [row for row in seen if row[0] > warm]
    results = {}
    growth = max(row[1] for row in after) - before[-1][1]
    files = max(row[2] for row in after) - min(row[2] for row in before[-3:])
    saves = int(60 * options.minutes / 10)
    results[f"ended by SIGINT with status {status}, expected 130"] = status == 130
    results[f"memory {before[-1][1]} kB after {warm:.0f} s, grew by {growth} kB at most in {options.minutes:g} minutes "
            f"and some {saves} saves, expected less than {MOST_GROWTH_KB}"] = growth < MOST_GROWTH_KB
    # One file may be open for a moment while a checkpoint is written.
    results[f"open files: {files} more than after the warm-up at most, expected 1 during a save"] = files <= 1
    done = subprocess.run([str(options.sylvite), "reproduce", str(run), "-q"], capture_output=True, text=True)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr.strip()
    results[f"without saves: {last}"] = done.returncode == 0
    for text, ok in results.items():
        print(f"{'ok' if ok else 'FAILED'}: {text}")
    if not options.work:
        shutil.rmtree(work, ignore_errors=True)
    failed = sum(not ok for ok in results.values())
    print(f"{len(results) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
