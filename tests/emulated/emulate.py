#!/usr/bin/env python3
"""Runs op cases and networks with AVX-512 on any machine: in an emulator, where the CPU lacks it.

    ./dev emulate --golden|--plain [--long] [--machines N] [OP-OR-CASE...]

The modes, names and the last line are those of tests/ops/run_cases.py. The networks are compiled here, then their
programs run in Bochs (machine.py) one after the other, then what they left is compared. Training steps of some milliseconds
take seconds there: nothing is timed.
"""
import argparse
import hashlib
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import threading

import machine

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "ops"))
import command  # noqa: E402
import run_cases  # noqa: E402

TARGET = "x86-64-avx512"
RESULTS = ("--dump", "--out")


def say(text):
    print(f"emulate: {text}", file=sys.stderr, flush=True)


class Emulated(command.Sylvite):
    """The command, but that its programs for TARGET run in an emulator: those that it is asked for the first time are
    collected, and this CPU's results stand in for theirs; later the emulator's results are taken."""

    def __init__(self, binary, work, timeout=600):
        super().__init__(binary, work, timeout)
        self.jobs, self.programs = self.work / "jobs", self.work / "programs"
        self.known = {}  # the job of a command line
        self.ready = False
        self.lock = threading.Lock()

    def run(self, *arguments, **options):
        words = list(map(str, arguments))
        own = words[0] not in ("step", "predict") or "--float64" in words or any(w.endswith("/plain.yaml") for w in words)
        if own:
            return super().run(*words, **options)
        if "--cpu" not in words:
            words += ["--cpu", TARGET]
        return self.take(words) if self.ready else self.collect(words, options)

    def collect(self, words, options):
        at = words.index("--cpu")
        done = super().run(*words[:at], *words[at + 2:], **options)
        line = super().run(*words, SYLVITE_RUNNER=r"printf %s\n").stdout.splitlines()
        program = self.programs / hashlib.sha256(line[0].encode()).hexdigest()[:16]
        with self.lock:
            job = self.jobs / str(len(self.known))
            self.known[tuple(words)] = job
            job.mkdir(parents=True)
            if not program.exists():
                self.programs.mkdir(exist_ok=True)
                subprocess.run(["strip", "-o", program, line[0]], check=True)
        inside = [f"../programs/{program.name}"] + [_take_along(word, before, i, job) for i, (before, word) in
                                                    enumerate(zip(line, line[1:]))]
        (job / "command").write_text(f"SYLVITE_CPU={TARGET} {shlex.join(inside)}\n")
        return done

    def take(self, words):
        job = self.known[tuple(words)]
        if (job / "status").read_text().strip() != "0":
            raise command.CommandFailed(f"in the emulator: {shlex.join(words)}\n{(job / 'log').read_text()}")
        for before, word in zip(words, words[1:]):
            if before in RESULTS:
                wanted = pathlib.Path(word)
                left = list(job.glob(f"{wanted.stem}*{wanted.suffix}"))
                if not left:
                    raise command.CommandFailed(f"in the emulator nothing was left of {shlex.join(words)}")
                for path in left:
                    shutil.copy(path, wanted.parent)


def _take_along(word, before, index, job):
    """The word of a command line as it stands in the emulator; a file that it names is copied to the job's folder."""
    if before in RESULTS:
        return pathlib.Path(word).name
    name, equals, path = word.rpartition("=")
    if not os.path.isfile(path):
        return word
    local = f"in.{index}{pathlib.Path(path).suffix}"
    shutil.copy(path, job / local)
    return name + equals + local


def run_all(sylvite, options, told):
    """(case, failures) of all cases."""
    chosen, outcomes = run_cases.choose(options.names, options.long), []
    for number, case in enumerate(chosen, 1):
        outcomes.append(run_cases.run_case(sylvite, options.mode, case)[:2])
        if told and (number % 10 == 0 or number == len(chosen)):
            say(f"compiled {number} of {len(chosen)}")
    return outcomes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="OP-OR-CASE")
    parser.add_argument("--sylvite", required=True, metavar="COMMAND")
    parser.add_argument("--work", required=True, metavar="DIR", type=pathlib.Path)
    parser.add_argument("--long", action="store_true", help="the cases too that the suite leaves out")
    parser.add_argument("--machines", type=int, default=2, metavar="N", help="emulated at a time (2); 2 GiB each")
    parser.add_argument("--limit", type=int, default=120, metavar="MINUTES", help="of the emulator (120)")
    group = parser.add_mutually_exclusive_group(required=True)
    for mode in ("golden", "plain"):
        group.add_argument(f"--{mode}", dest="mode", action="store_const", const=mode)
    options = parser.parse_args()
    shutil.rmtree(options.work / "jobs", ignore_errors=True)
    sylvite = Emulated(options.sylvite, options.work)
    command.runnable_targets = lambda: {TARGET: True}
    here = run_all(sylvite, options, True)
    jobs = sorted(sylvite.jobs.iterdir(), key=lambda job: int(job.name))
    say(f"{len(jobs)} programs run on {options.machines} machines, which boot for two minutes")
    machine.run_jobs(options.work, jobs, sylvite.programs, options.machines, 60 * options.limit,
                     lambda done: say(f"{done} of {len(jobs)} programs have run"))
    sylvite.ready = True
    failed = 0
    for (case, failures), (_, before) in zip(run_all(sylvite, options, False), here):
        failed += bool(failures)
        if failures:
            print(f"FAILED {case.name}{' (on this CPU, too)' if before else ''}", *failures, sep="\n  ", flush=True)
    print(f"{options.mode} on an emulated {TARGET}: {len(here) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
