#!/usr/bin/env python3
"""Compares the speed of compiled networks with PyTorch's on this machine.

    ./dev bench [NET...] [--what train|predict|both] [--batch N] [--threads T] [--rounds R] [--seconds S]
                [--settings eager,channels_last,compile] [--torch-python PYTHON] [--no-write]

It runs `sylvite bench` and peers.py by turns, R rounds for each network, so that both sides see the same machine in
the same minutes; takes the best of each; and divides PyTorch's fastest setting by Sylvite's time. NET is a network that
both models/ and peers.py have; by default all seven. By default training steps are measured at the network's batch, and
then predictions of one image. Both sides use T threads, by default all cores. Peak memory is each process's high-water
mark. Once a network, `sylvite bench --kernels` tells the three heaviest kernels and their share of the roofline.

The tables go to standard output and, where they hold at least all seven networks, into docs/performance.md between the
marker comments of this machine, number of threads and kind of table; what else is there is kept.

PyTorch's side is ../shared/bench/peers.py where that is there, else the copy in this folder. PyTorch is that of
--torch-python, else of .venv-torch, which is made with `pip install torch==2.13.0 numpy`. A setting that PyTorch cannot
run (torch.compile needs a C++ compiler) is reported and left out.
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
DEFAULT_NETS = ["lenet5", "mlp", "fashion_cnn", "mobilenet", "video3d", "vgg_small", "resnet18"]
HEAVIEST = 3  # kernels of each network that the table of kernels shows
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
        self.profile = None  # of the round with the best step

    def add_sylvite(self, row):
        self.batch = row["batch"]
        if "kernels" in row and (not self.profile or row["best_ms"] < self.profile["best_ms"]):
            self.profile = row
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


def peers_script():
    """PyTorch's side: the one that the ratios are stated against where it is there, else this folder's copy."""
    shared = ROOT.parent / "shared" / "bench" / "peers.py"
    return shared if shared.exists() else ROOT / "tests" / "perf" / "peers.py"


def measure(arguments, what, batch):
    """A Measurement for each network; batch None is the network's own."""
    python = torch_python(arguments.torch_python)
    common = ["--what", what, "--threads", str(arguments.threads), "--seconds", str(arguments.seconds)]
    if batch:
        common += ["--batch", str(batch)]
    peers = [python, peers_script()]
    results = {net: Measurement(net) for net in arguments.nets}
    reported = set()
    for round_number in range(1, arguments.rounds + 1):
        for net, result in results.items():
            say(f"bench: {what}, round {round_number} of {arguments.rounds}: {net}")
            ours = [arguments.sylvite, "bench", ROOT / "models" / f"{net}.yaml", "--json", *common]
            row, _ = run_json(ours + (["--kernels"] if what == "train" else []))
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


def machine(arguments):
    """Where the figures hold: CPU, vectors, threads."""
    return f"{cpu_name()}, {arguments.threads} thread{'s' if arguments.threads != 1 else ''}"


def conditions(arguments, busy):
    """Where, when and how, as a sentence or two."""
    text = f"{machine(arguments)}, {datetime.date.today().isoformat()}."
    if busy > 0.1:
        text += f"\nOther programs used {busy:.0%} of the machine when it began."
    return text


def markdown(header, rows, texts):
    """A table; the first `texts` columns are aligned left, the others right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(header, widths)) + " |",
             "| " + " | ".join("-" * w if i < texts else "-" * (w - 1) + ":" for i, w in enumerate(widths)) + " |"]
    for row in rows:
        cells = [c.ljust(w) if i < texts else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def table(measurements, arguments, what, busy):
    """The Markdown table of times, with lines above it that say where, when and how."""
    settings = [s for s in arguments.settings.split(",") if any(s in m.peer_ms for m in measurements)]
    step = "training step" if what == "train" else "prediction"
    rounds = f"{arguments.rounds} round{'s' if arguments.rounds != 1 else ''}"
    header = ["network", "batch", "Sylvite", *(f"PyTorch {s}" for s in settings), "times faster than the fastest",
              "peak MB, Sylvite / PyTorch"]
    rows = []
    for m in measurements:
        times = [f"{m.peer_ms[s]:.3f}" if s in m.peer_ms else "not run" for s in settings]
        rows.append([m.net, str(m.batch), f"{m.sylvite_ms:.3f}", *times, f"{m.ratio():.2f}",
                     f"{m.sylvite_mb:.0f} / {m.peer_mb:.0f}"])
    return (f"{conditions(arguments, busy)}\nMilliseconds per {step}, best of {rounds} of {arguments.seconds:g} s, by "
            f"turns.\n\n{markdown(header, rows, 1)}")


def kernel_table(measurements, arguments, busy):
    """The Markdown table of each network's heaviest kernels."""
    rows = []
    for m in measurements:
        for kernel in sorted(m.profile["kernels"], key=lambda k: -k["ms"])[:HEAVIEST]:
            rows.append([m.net, kernel["name"], kernel["rule"], kernel["bound"], f"{kernel['ms']:.3f}",
                         f"{kernel['ms'] / m.profile['best_ms']:.0%}", f"{kernel['GFLOP/s']:.0f}",
                         f"{kernel['GB/s']:.1f}", f"{kernel['roof']:.0%}"])
        rows.append([m.net, "what no kernel explains", "", "", f"{m.profile['gap_ms']:.3f}",
                     f"{m.profile['gap_ms'] / m.profile['best_ms']:.0%}", "", "", ""])
    header = ["network", "kernel", "rule", "bound", "ms", "of the step", "GFLOP/s", "GB/s", "of its roof"]
    return (f"{conditions(arguments, busy)}\nThe {HEAVIEST} heaviest kernels of each training step, in its best "
            f"round.\n\n{markdown(header, rows, 4)}")


def write_page(path, kind, text):
    """Puts text between the marker comments of this kind of table; appends them to the page where it has none."""
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
    parser.add_argument("--what", choices=("train", "predict", "both"), default="both")
    parser.add_argument("--batch", type=int, help="samples per step; default: the network's batch, 1 for predictions")
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

    complete = set(DEFAULT_NETS) <= set(arguments.nets)
    for what in ("train", "predict") if arguments.what == "both" else (arguments.what,):
        batch = arguments.batch or (1 if what == "predict" else None)
        measurements = measure(arguments, what, batch)
        tables = {what + (f", batch {batch}" if batch else ""): table(measurements, arguments, what, busy)}
        if what == "train":
            tables["kernels" + (f", batch {batch}" if batch else "")] = kernel_table(measurements, arguments, busy)
        for kind, text in tables.items():
            print(f"{text}\n", flush=True)
            if complete and not arguments.no_write:
                write_page(ROOT / "docs" / "performance.md", f"{machine(arguments)}: {kind}", text)
                say(f"bench: wrote the table '{kind}' into docs/performance.md")
    if not complete and not arguments.no_write:
        say("bench: docs/performance.md is left as it is: not all of its networks were measured")


if __name__ == "__main__":
    main()
