"""`sylvite tune` on a small network, from outside: candidates that do not compile are noted, the file that it writes is
taken, exact ops keep their bits, SIGINT and the journal. And `sylvite schedule show` and `diff`."""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest

import numpy as np

NETWORK = """name: tiny
input: {shape: [6, 6, 8]}
network:
  - conv2d: {name: stem, filters: 16, kernel: 3, padding: same}
  - relu
  - flatten
  - linear: 32
loss: mse
output: linear
optimizer: {sgd: {learning_rate: 0.125}}
training: {batch: 16, seed: 3}
"""
# Of the split's factors 5 does not divide 16 filters: an error of the schedule. The others are right.
SCHEDULES = """- kernel: conv2d.forward
  tune: {filters_at_once: [1, 5, 8, 16], row: [1, 2]}
  schedule:
    output: [{split: [c, co, ci, $filters_at_once, exact]}, {vectorize: ci}]
    conv: [{compute_at: [output, co]}, {vectorize: [c, $filters_at_once]}]
    conv.update: [{unroll: [rc, $row]}]
- kernel: linear.grad_weight
  tune: {lanes_at_once: [1, 16]}
  schedule:
    output: [{vectorize: [o, $lanes_at_once]}]
    grad_weight: [{compute_at: [output, k]}]
"""
# 32 channels on either side: the shipped schedules give `wide` to Winograd's algorithm, and `stem` not.
WINOGRAD = """name: winograd
input: {shape: [12, 12, 3]}
network:
  - conv2d: {name: stem, filters: 32, kernel: 3, padding: same}
  - relu
  - conv2d: {name: wide, filters: 32, kernel: 3, padding: same}
loss: mse
output: linear
optimizer: {sgd: {learning_rate: 0.125}}
training: {batch: 16}
"""


class TuneTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(OPTIONS.work)
        shutil.rmtree(cls.folder, ignore_errors=True)
        cls.folder.mkdir(parents=True)
        (cls.folder / "tiny.yaml").write_text(NETWORK)
        (cls.folder / "winograd.yaml").write_text(WINOGRAD)
        (cls.folder / "mine.yaml").write_text(SCHEDULES)

    def start(self, *arguments):
        environment = os.environ | {"XDG_CACHE_HOME": str(self.folder / "cache")}
        return subprocess.Popen([OPTIONS.sylvite, *map(str, arguments)], cwd=self.folder, env=environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def command(self, *arguments, status=0):
        process = self.start(*arguments)
        out, err = process.communicate()
        self.assertEqual(process.returncode, status, err)
        return out, err

    def journal(self, name):
        lines = (self.folder / name).read_text().splitlines()
        return json.loads(lines[0]), [json.loads(line) for line in lines[1:]]

    def tune(self, *arguments, status=0):
        return self.command("tune", "tiny.yaml", "--schedules", "mine.yaml", "--seconds", "0.1", *arguments,
                            status=status)

    def compiled(self, *arguments):
        self.command("compile", "tiny.yaml", "-o", "out", *arguments)
        return json.loads((self.folder / "out" / "tiny.json").read_text())["kernels"]

    def test_tunes(self):
        # half of it, by a signal
        process = self.start("tune", "tiny.yaml", "--schedules", "mine.yaml", "--seconds", "0.1", "--minutes", "5", "-o",
                             "tuned.yaml", "--kernel", "conv2d.forward", "--kernel", "*:linear.grad_weight")
        journal = self.folder / "tuned.yaml.journal"
        while process.poll() is None and not (journal.exists() and journal.read_text().count("\n") > 2):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("goes on from tuned.yaml.journal", err)
        self.assertTrue((self.folder / "tuned.yaml").exists())
        _, before = self.journal("tuned.yaml.journal")
        self.assertGreater(len(before), 0)

        # the rest; the journal ends with a line that was cut off
        with open(journal, "a", encoding="utf-8") as file:
            file.write('{"key": "k12')
        arguments = ["--minutes", "5", "-o", "tuned.yaml", "--kernel", "conv2d.forward", "--kernel",
                     "*:linear.grad_weight"]
        _, err = self.tune(*arguments)
        self.assertIn(f"{len(before)} in the journal", err)
        subject, entries = self.journal("tuned.yaml.journal")
        self.assertEqual((subject["net"], subject["what"]), ("tiny", "train"))
        self.assertEqual(entries[:len(before)], before)
        tried = [(entry["key"], entry["rule"], json.dumps(entry["parameters"])) for entry in entries]
        self.assertEqual(len(set(tried)), len(tried))
        mine = [entry for entry in entries if entry["rule"] == "mine.yaml:1"]
        self.assertEqual(len(mine), 7)
        for entry in mine:
            self.assertEqual(entry["result"], "compile" if entry["parameters"]["filters_at_once"] == 5 else "ok", entry)
        self.assertIn("the extent 16 of 'c' is no multiple of 5", next(e["message"] for e in mine if e["result"] == "compile"))
        self.assertIn("ok", {entry["result"] for entry in entries if entry["kernel"] == "linear.grad_weight"})

        # nothing is left to try
        self.tune(*arguments)
        self.assertEqual(self.journal("tuned.yaml.journal")[1], entries)

        # the file is exact for these kernels on this CPU
        rows = self.compiled("--schedules", "tuned.yaml")
        tuned = [row for row in rows if row["rule"].startswith("tuned.yaml:")]
        self.assertEqual(sorted(row["name"] for row in tuned), ["conv2d.forward", "linear.grad_weight"])
        text = (self.folder / "tuned.yaml").read_text()
        for row in tuned:
            self.assertIn(f"key: {row['key']}", text)
        others = self.compiled("--schedules", "tuned.yaml", "--batch", "8")
        self.assertFalse([row for row in others if row["rule"].startswith("tuned.yaml:")])

        # exact ops have the bits of the plainest schedule
        generator = np.random.default_rng(1)
        np.save(self.folder / "x.npy", generator.integers(-3, 4, (16, 6, 6, 8)).astype(np.float32))
        np.save(self.folder / "y.npy", generator.integers(-3, 4, (16, 32)).astype(np.float32))
        shutil.copy(pathlib.Path(OPTIONS.source) / "schedules" / "plain.yaml", self.folder / "plainest.yaml")
        state = self.step("fresh", "plainest.yaml")
        tensors.write(self.folder / "state.safetensors", {
            name: np.round(value * 16) for name, value in state.items() if not name.startswith(("grad.", "loss", "output"))
            and not name.startswith("optimizer.")})
        plain, tuned = (self.step(name, name + ".yaml", "--state", "state.safetensors") for name in ("plainest", "tuned"))
        np.testing.assert_array_equal(plain["output"], tuned["output"])
        self.assertGreater(np.abs(plain["output"]).max(), 0)

    def step(self, name, schedules, *arguments):
        self.command("step", "tiny.yaml", "--schedules", schedules, "--input", "x.npy", "--target", "y.npy", "--dump",
                     f"{name}.safetensors", *arguments)
        return tensors.read(self.folder / f"{name}.safetensors")[0]

    def test_errors(self):
        _, err = self.tune("--kernel", "conv2d.forwards", status=1)
        self.assertIn("tiny.yaml: error: --kernel: no kernel of the network fits 'conv2d.forwards'", err)
        _, err = self.tune("--kernel", "row_max*", "--kernel", "linear.grad_bias", status=1)
        self.assertIn("row_max*", err)
        (self.folder / "other.yaml.journal").write_text("one\ntwo\n")
        _, err = self.tune("-o", "other.yaml", status=1)
        self.assertIn("other.yaml.journal:1:1: error: is no journal of `sylvite tune`", err)
        self.assertIn("hint: write to another file with -o", err)
        (self.folder / "other.yaml.journal").write_text(
            '{"journal":"sylvite tune","net":"other","what":"train","target":"t","cpu":"c"}\n')
        _, err = self.tune("-o", "other.yaml", status=1)
        self.assertIn("is of other train on c (t), not of tiny train on", err)
        _, err = self.tune("--what", "guess", status=1)
        self.assertIn("--what", err)
        _, err = self.tune("-o", "/dev/null/none/tuned.yaml", status=1)
        self.assertIn("cannot be written", err)

    def test_schedule_show_and_diff(self):
        out, _ = self.command("schedule", "show", "conv2d.forward", "--schedules", "mine.yaml")
        self.assertTrue(out.startswith("mine.yaml:1\n- kernel: conv2d.forward\n  tune: {filters_at_once: [1, 5, 8, 16]"), out)
        self.assertIn("schedules/plain.yaml:3\n", out)
        self.assertNotIn("mine.yaml:7", out)
        out, _ = self.command("schedule", "show", "linear.grad_weight", "tiny.yaml", "--schedules", "mine.yaml")
        self.assertIn("linear_1:linear.grad_weight", out)
        self.assertIn("mine.yaml:7: taken", out)
        self.assertNotIn("mine.yaml:1", out)
        out, _ = self.command("schedule", "show", "*.forward", "winograd.yaml")
        self.assertIn(":winograd_product.forward", out)
        stem = out.split("stem:conv2d.forward\n")[1].split("\n\n")[0]  # its own rule, none of another algorithm
        self.assertIn(": taken", stem)
        self.assertNotIn("algorithm:", stem)
        out, _ = self.command("schedule", "show", "*.forward", "winograd.yaml", "--exact")
        self.assertIn("wide:conv2d.forward", out)
        self.assertNotIn("winograd", out)
        _, err = self.command("schedule", "show", "conv2d.forwards", status=1)
        self.assertIn("no rule names kernel 'conv2d.forwards'", err)
        self.assertIn("did you mean 'conv2d.forward'?", err)
        (self.folder / "changed.yaml").write_text(SCHEDULES.replace("[1, 16]", "[16, 1]"))
        out, _ = self.command("schedule", "diff", "mine.yaml", "changed.yaml", status=1)
        self.assertEqual(out, "mine.yaml:7, changed.yaml:7: changed: linear.grad_weight\n"
                              "-   tune: {lanes_at_once: [1, 16]}\n+   tune: {lanes_at_once: [16, 1]}\n")
        out, _ = self.command("schedule", "diff", "mine.yaml", "mine.yaml")
        self.assertEqual(out, "")
        _, err = self.command("schedule", "diff", "mine.yaml", "missing.yaml", status=2)
        self.assertIn("missing.yaml: error: no such file", err)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for option in ("sylvite", "source", "work"):
        parser.add_argument(f"--{option}", required=True)
    OPTIONS, rest = parser.parse_known_args()
    sys.path.insert(0, str(pathlib.Path(OPTIONS.source) / "tests" / "ops"))
    import tensors
    sys.argv[1:] = rest
    unittest.main(verbosity=2)
