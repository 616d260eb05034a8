#!/usr/bin/env python3
"""Kernels with Halide's address and thread sanitizers: training, evaluation and prediction of several networks, clean.

    sanitized_kernels.py --sylvite build/bin/sylvite --libraries build/lib
                         --halide-runtime build/runtime/core/halide_runtime.o --halide-include DIR --work DIR
                         [--cc clang-22] [--sanitizers address thread] [NET.yaml...]

Compiles each network for the target that the host has, with -asan or -tsan at its name's end, links it under that
sanitizer with the runtime's core, which is compiled with it too (its atomics are what orders the kernels), and with the
training program, and runs `bench` of train, evaluate and predict on 3 threads. The last line is `N passed, N failed`.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHORT = {"address": "asan", "thread": "tsan"}
LIBRARIES = "-lsylvite_train -lsylvite_data -lpng -ljpeg -lz -lstdc++ -lm -ldl -lpthread".split()


def run(command, **more):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **more)
    return done.returncode, done.stdout + done.stderr


def check(net, sanitizer, options):
    """What went wrong, or an empty text."""
    folder = pathlib.Path(options.work) / f"{net.stem}_{SHORT[sanitizer]}"
    folder.mkdir(parents=True, exist_ok=True)
    status, text = run([options.sylvite, "compile", net, "--batch", 5, "-o", folder])
    if status:
        return text
    target = json.loads((folder / f"{net.stem}.json").read_text())["target"]
    status, text = run([options.sylvite, "compile", net, "--batch", 5, "-o", folder, "--target",
                        f"{target}-{SHORT[sanitizer]}"])
    if status:
        return text
    names = run(["nm", folder / f"{net.stem}.o"])[1]
    wanted = "__asan_report" if sanitizer == "address" else "__tsan_write"
    if wanted not in names:
        return f"{net.stem}.o does not call {wanted}…: its kernels are not watched"
    (folder / "main.c").write_text(f"#include <sylvite/train.h>\nextern const syl_model {net.stem}_model;\n"
                                   f"int main(int argc, char **argv) {{ return syl_main(&{net.stem}_model, argc, argv); }}\n")
    core = sorted((ROOT / "runtime" / "core").glob("*.c"))
    status, text = run([options.cc, f"-fsanitize={sanitizer}", "-g", "-O1", "-D_GNU_SOURCE", "-o", folder / "program",
                        folder / "main.c", *core, f"-I{ROOT / 'runtime' / 'include'}", f"-I{options.halide_include}",
                        folder / f"{net.stem}.o", options.halide_runtime, f"-L{options.libraries}", *LIBRARIES])
    if status:
        return text
    for what in ("train", "evaluate", "predict"):
        for batch in (5, 3):
            status, text = run([folder / "program", "bench", "--what", what, "--seconds", 0, "--threads", 3, "--batch",
                                batch], env=dict(os.environ, ASAN_OPTIONS="detect_stack_use_after_return=0"))
            if status or "Sanitizer" in text:
                return f"{what}, {batch} samples: status {status}\n{text[-4000:]}"
    return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", metavar="NET.yaml", type=pathlib.Path)
    for option in ("sylvite", "libraries", "halide-runtime", "halide-include", "work"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--cc", default="clang-22")
    parser.add_argument("--sanitizers", nargs="+", choices=SHORT, default=list(SHORT))
    options = parser.parse_args()
    nets = options.nets or [ROOT / "models" / f"{name}.yaml" for name in ("mlp", "lenet5", "fashion_cnn")]
    failed = 0
    for net in nets:
        for sanitizer in options.sanitizers:
            problem = check(net.resolve(), sanitizer, options)
            failed += bool(problem)
            print(f"{net.stem}, {sanitizer}: {'FAILED' if problem else 'ok'}", flush=True)
            if problem:
                print(problem, flush=True)
    total = len(nets) * len(options.sanitizers)
    print(f"{total - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
