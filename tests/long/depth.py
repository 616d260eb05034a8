"""What depth costs: resnet18's residual block repeated 8, 16 and 32 times. Compile time (from an empty cache, and again)
and step time must grow linearly: what blocks 17 to 32 add is at most 1.5 times what would be in proportion to blocks 9
to 16. Prints a table."""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import time

NETWORK = """name: depth
input: {{shape: [32, 32, 3], dtype: uint8}}
preprocess:
  - normalize: {{divide: 255}}
blocks:
  conv_bn:
    parameters: {{filters: null}}
    layers:
      - conv2d: {{name: conv, filters: $filters, kernel: 3, padding: same, bias: false}}
      - batch_norm: {{name: bn}}
  residual:
    parameters: {{filters: null}}
    layers:
      - conv_bn: {{name: first, filters: $filters}}
      - relu
      - conv_bn: {{name: second, filters: $filters}}
      - add: {{from: [second, input]}}
      - relu
network:
  - conv_bn: {{name: stem, filters: 64}}
  - relu
  - residual: {{name: block, filters: 64, repeat: {repeat}}}
  - global_avg_pool
  - linear: 10
loss: cross_entropy
optimizer: {{sgd: {{learning_rate: 0.05, momentum: 0.9}}}}
training: {{batch: 16}}
"""


def measure(options, repeat):
    """Seconds of a cold and of a warm compilation, bytes of the object, milliseconds and peak MB of a step."""
    folder = pathlib.Path(options.work) / str(repeat)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    network = folder / "depth.yaml"
    network.write_text(NETWORK.format(repeat=repeat), encoding="utf-8")
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}

    def run(*arguments):
        return subprocess.run([options.sylvite, *map(str, arguments)], env=environment, check=True, text=True,
                              capture_output=True).stdout

    seconds = []
    for _ in range(2):
        begin = time.monotonic()
        run("compile", network, "-o", folder / "out")
        seconds.append(time.monotonic() - begin)
    best = json.loads(run("bench", network, "--seconds", 3, "--json"))
    return {"cold s": seconds[0], "warm s": seconds[1], "object KiB": (folder / "out/depth.o").stat().st_size / 1024,
            "step ms": best["best_ms"], "peak MB": best["peak_rss_mb"]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sylvite", required=True)
    parser.add_argument("--work", required=True)
    options = parser.parse_args()
    depths = (8, 16, 32)
    rows = {depth: measure(options, depth) for depth in depths}
    print("blocks  " + "  ".join(f"{name:>10}" for name in rows[8]))
    for depth, row in rows.items():
        print(f"{depth:6}  " + "  ".join(f"{value:10.2f}" for value in row.values()))
    for name in rows[8]:
        first, second = rows[16][name] - rows[8][name], rows[32][name] - rows[16][name]
        assert second <= 1.5 * 2 * max(first, 0.02 * rows[16][name]), f"{name}: 8 more blocks add {first:.2f}, 16 more {second:.2f}"


if __name__ == "__main__":
    main()
