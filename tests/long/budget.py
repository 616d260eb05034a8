"""Networks within less and less scratch memory: the same bits, and what each budget costs. Compiles fashion_cnn and a
network of residual blocks at 100, 80, 60 and 40 per cent of their scratch block and at the least possible, trains each
for some steps from the same seed, and compares the states that are left. Prints a table."""
import argparse
import json
import os
import pathlib
import re
import subprocess

from depth import NETWORK

PROGRAM = """#include <sylvite/sylvite.h>
#include <stdio.h>
#include <stdlib.h>
extern const syl_model NAME_model;
int main(int argc, char **argv) {
  const syl_model *model = &NAME_model;
  size_t bytes = syl_state_bytes(model);
  void *state = aligned_alloc(128, (bytes + 127) / 128 * 128);
  void *scratch = aligned_alloc(128, (syl_scratch_bytes(model, 0, 2) + 127) / 128 * 128);
  unsigned char *input = malloc(model->batch * 32 * 32 * 3);
  int *target = malloc(model->batch * sizeof *target);
  syl_set_threads(2);
  if (argc != 2 || syl_init_state(model, state, 1))
    return 1;
  for (int step = 0; step < 3; ++step) {
    for (int i = 0; i < model->batch * 32 * 32 * 3; ++i)
      input[i] = (i * 7919 + i / 97 * 31 + step * 13) % 251;
    for (int i = 0; i < model->batch; ++i)
      target[i] = (i * 3 + step) % 10;
    const void *inputs[] = {input}, *targets[] = {target};
    if (syl_train_step(model, state, scratch, inputs, targets, model->batch, NULL, NULL))
      return puts(syl_last_error()), 1;
  }
  FILE *file = fopen(argv[1], "wb");
  return !file || fwrite(state, 1, bytes, file) != bytes || fclose(file);
}
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sylvite", required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--work", required=True)
    options = parser.parse_args()
    work = pathlib.Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    (work / "blocks.yaml").write_text(NETWORK.format(repeat=4), encoding="utf-8")
    environment = os.environ | {"XDG_CACHE_HOME": str(work / "cache")}

    def run(*arguments, fails=False):
        done = subprocess.run([options.sylvite, *map(str, arguments)], env=environment, text=True, capture_output=True,
                              check=False)
        assert bool(done.returncode) == fails, done.stdout + done.stderr
        return done.stderr if fails else done.stdout

    for network in (pathlib.Path(options.source) / "models/fashion_cnn.yaml", work / "blocks.yaml"):
        name = network.stem

        def scratch(*arguments):
            run("compile", network, "-o", work / "out", *arguments)
            manifest = json.loads((work / f"out/{'depth' if name == 'blocks' else name}.json").read_text())
            again = sum(call["again"] for phase in manifest["programs"]["train"]["phases"] for call in phase)
            return manifest["memory"]["scratch_bytes"] + manifest["memory"]["bytes_per_thread"], again, manifest["net"]

        whole = scratch()[0]
        least = int(re.search(r"expected at least (\d+) bytes", run("compile", network, "-o", work / "out", "--max-scratch",
                                                                    1, fails=True))[1])
        expected = None
        for most in (whole, whole * 8 // 10, whole * 6 // 10, whole * 4 // 10, least):
            if most < least:
                continue
            found, again, net = scratch("--max-scratch", most)
            assert found <= most, (found, most)
            (work / "steps.c").write_text(PROGRAM.replace("NAME", net), encoding="utf-8")
            subprocess.run(["cc", "-O1", work / "steps.c", work / f"out/{net}.o", f"-I{options.build}/include",
                            f"-L{options.build}/lib", "-lsylvite_rt", "-lm", "-ldl", "-lpthread", "-o", work / "steps"],
                           check=True)
            subprocess.run([work / "steps", work / "state"], check=True)
            state = (work / "state").read_bytes()
            assert expected is None or state == expected, f"{name}: other bits with {most} bytes"
            expected = state
            best = json.loads(run("bench", network, "--max-scratch", most, "--seconds", 2, "--json"))
            print(f"{name:12} {100 * most // whole:4}% {found / 1e6:8.2f} MB  {again:3} computed again  "
                  f"{best['best_ms']:8.2f} ms  peak {best['peak_rss_mb']:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
