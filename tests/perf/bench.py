#!/usr/bin/env python3
"""Compares the speed of compiled networks with PyTorch's on this machine.

    ./dev bench [NET...] [--what train|predict] [--batch N] [--threads T] [--rounds R] [--seconds S]
                [--settings eager,channels_last,compile] [--torch-python PYTHON] [--no-write]

It runs `sylvite bench` and peers.py by turns, R rounds for each network, so that both sides see the same machine in
the same minutes; takes the best of each; and divides PyTorch's fastest setting by Sylvite's time. NET is a network that
both models/ and peers.py have; by default mlp, lenet5 and fashion_cnn. Both sides use T threads, by default all cores.

The table goes to standard output and, where it holds at least the default networks, into docs/performance.md between
the marker comments of its kind; text outside them is kept.

PyTorch is that of --torch-python, else of .venv-torch, which is made with `pip install torch==2.13.0 numpy`. A setting
that PyTorch cannot run (torch.compile needs a C++ compiler) is reported and left out.
"""
import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEFAULT_NETS = ["mlp", "lenet5", "fashion_cnn"]
TORCH = ["torch==2.13.0", "numpy"]


def say(text):
    print(text, file=sys.stderr, flush=True)


def torch_python(given):
    """Path of a Python that has PyTorch; makes .venv-torch where none was given."""
    if given:
        return given
    venv = ROOT / ".venv-torch"
    python = venv / "bin" / "python"
    if not python.exists() or subprocess.run([python, "-c", "import torch, numpy"], capture_output=True).returncode:
        say(f"bench: installing {' '.join(TORCH)} into .venv-torch")
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *TORCH], check=True)
    return str(python)


def run_json(command):
    """Standard output of a command, parsed as JSON, and its standard error; exits with the latter if it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: error: {' '.join(map(str, command))} ended with status {done.returncode}:\n{done.stderr}")
    try:
        return json.loads(done.stdout), done.stderr
    except json.JSONDecodeError:
        sys.exit(f"bench: error: {' '.join(map(str, command))} printed no JSON:\n{done.stdout[:500]}")


class Measurement:
    """The best of all rounds, for one network."""

    def __init__(self, net):
        self.net = net
        self.batch = None
        self.sylvite_ms = float("inf")
        self.sylvite_mb = 0.0
        self.peer_ms = {}  # by setting
        self.peer_mb = float("inf")  # of the setting that needs least

    def add_sylvite(self, row):
        self.batch = row["batch"]
        self.sylvite_ms = min(self.sylvite_ms, row["best_ms"])
        self.sylvite_mb = max(self.sylvite_mb, row["peak_rss_mb"])

    def add_peer(self, row):
        if row["batch"] != self.batch:
            sys.exit(f"bench: error: {self.net}: Sylvite ran batch {self.batch}, PyTorch batch {row['batch']}")
        setting = row["setting"]
        self.peer_ms[setting] = min(self.peer_ms.get(setting, float("inf")), row["best_ms"])
        self.peer_mb = min(self.peer_mb, row["peak_rss_mb"])

    def ratio(self):
        return min(self.peer_ms.values()) / self.sylvite_ms


def measure(arguments):
    """A Measurement for each network."""
    python = torch_python(arguments.torch_python)
    common = ["--what", arguments.what, "--threads", str(arguments.threads), "--seconds", str(arguments.seconds)]
    if arguments.batch:
        common += ["--batch", str(arguments.batch)]
    peers = [python, ROOT / "tests" / "perf" / "peers.py"]
    results = {net: Measurement(net) for net in arguments.nets}
    reported = set()
    for round_number in range(1, arguments.rounds + 1):
        for net, result in results.items():
            say(f"bench: round {round_number} of {arguments.rounds}: {net}")
            row, _ = run_json([arguments.sylvite, "bench", ROOT / "models" / f"{net}.yaml", "--json", *common])
            result.add_sylvite(row)
            rows, messages = run_json([*peers, net, "--json", "--settings", arguments.settings, *common])
            for row in rows:
                result.add_peer(row)
            for line in messages.splitlines():  # peers.py reports there which settings PyTorch cannot run
                if "not run:" in line and line not in reported:
                    reported.add(line)
                    say(f"bench: {line}")
    return list(results.values())


def cpu_name():
    """The CPU's name and the widest vectors it has, as Linux reports them."""
    fields = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    flags = fields.get("flags", "").split()
    vectors = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "no AVX2"
    return f"{fields.get('model name', 'unknown CPU')} ({vectors})"


def busy_share():
    """Share of this machine's cores that other programs use, over one second."""
    def read():
        times = [int(field) for field in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
        return sum(times[:8]), times[3] + times[4]  # all, idle

    total, idle = read()
    time.sleep(1)
    total, idle = (after - before for after, before in zip(read(), (total, idle)))
    return 1 - idle / max(total, 1)


def table(measurements, arguments, busy):
    """The Markdown table of the measurements, with a line above it that says where, when and how."""
    settings = [s for s in arguments.settings.split(",") if any(s in m.peer_ms for m in measurements)]
    what = "training step" if arguments.what == "train" else "prediction"
    date = datetime.date.today().isoformat()
    lines = [
        f"{cpu_name()}, {arguments.threads} thread{'s' if arguments.threads != 1 else ''}, {date}.",
        f"Milliseconds per {what}, best of {arguments.rounds} rounds of {arguments.seconds:g} s, by turns.",
    ]
    if busy > 0.1:
        lines.append(f"Other programs used {busy:.0%} of the machine when it began.")
    lines.append("")
    header = ["network", "batch", "Sylvite", *(f"PyTorch {s}" for s in settings), "ratio to the fastest",
              "peak MB, Sylvite / PyTorch"]
    rows = []
    for m in measurements:
        times = [f"{m.peer_ms[s]:.3f}" if s in m.peer_ms else "not run" for s in settings]
        rows.append([m.net, str(m.batch), f"{m.sylvite_ms:.3f}", *times, f"{m.ratio():.2f}x",
                     f"{m.sylvite_mb:.0f} / {m.peer_mb:.0f}"])
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines.append("| " + " | ".join(cell.ljust(w) for cell, w in zip(header, widths)) + " |")
    lines.append("| " + " | ".join("-" * w if i == 0 else "-" * (w - 1) + ":" for i, w in enumerate(widths)) + " |")
    for row in rows:
        cells = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_page(path, kind, text):
    """Puts text between the marker comments of this kind; appends them to the page where it has none."""
    begin, end = f"<!-- bench: {kind} -->", f"<!-- end of bench: {kind} -->"
    page = path.read_text() if path.exists() else "# Performance\n"
    block = f"{begin}\n\n{text}\n\n{end}"
    before, found, rest = page.partition(begin)
    if found:
        _, closed, after = rest.partition(end)
        if not closed:
            sys.exit(f"bench: error: {path}: '{begin}' without '{end}'")
        page = before + block + after
    else:
        page = page.rstrip("\n") + "\n\n" + block + "\n"
    path.write_text(page)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", metavar="NET", default=DEFAULT_NETS)
    parser.add_argument("--what", choices=("train", "predict"), default="train")
    parser.add_argument("--batch", type=int, help="samples per step; default: the network's batch")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of both sides; default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--settings", default="eager,channels_last,compile", help="of PyTorch")
    parser.add_argument("--torch-python", help="a Python that has PyTorch 2.13.0")
    parser.add_argument("--sylvite", default=ROOT / "build" / "bin" / "sylvite", help="the command to measure")
    parser.add_argument("--no-write", action="store_true", help="leave docs/performance.md alone")
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.threads < 1 or arguments.seconds <= 0:
        parser.error("--rounds, --threads and --seconds must be positive")
    busy = busy_share()
    if busy > 0.1:
        say(f"bench: warning: other programs use {busy:.0%} of this machine; the table will say so")

    measurements = measure(arguments)
    text = table(measurements, arguments, busy)
    print(text)
    if arguments.no_write:
        return
    if not set(DEFAULT_NETS) <= set(arguments.nets):
        say("bench: docs/performance.md is left as it is: not all of its networks were measured")
        return
    kind = arguments.what + (f", batch {arguments.batch}" if arguments.batch else "")
    write_page(ROOT / "docs" / "performance.md", kind, text)
    say(f"bench: wrote the table '{kind}' into docs/performance.md")


if __name__ == "__main__":
    main()
