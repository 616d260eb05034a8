"""The files that `sylvite compile` leaves for models/lenet5.yaml, looked at with other tools: names in the object, the
manifest, the header under strict compilers, the descriptor as C sees it, the emitted stages, --explain."""
import json
import pathlib
import re
import unittest

import compiled

OPTIONS = compiled.parse_options()

# What the object may want of the world: libc's and libm's, the runtime's, and Halide's, which the runtime holds.
ALLOWED = re.compile(r"(mem(cpy|set|move)|pow|powf|exp|expf|log|logf|sqrt|sqrtf|erf|erff|sin|sinf|cos|cosf|tanh|tanhf|floor|floorf)$"
                     r"|syl_\w+$|halide_(malloc|free|error\w*)$")
KINDS = ("parameter", "buffer", "slot", "gradient", "value")
DTYPES = ("uint8", "int32", "int64", "float32", "float64")


def parse_symbols(path):
    """[(name, binding, section)] of an ELF file's symbol table."""
    text = compiled.run(OPTIONS.readelf, "--symbols", "--wide", path)
    rows = [line.split() for line in text.splitlines() if re.match(r"\s*\d+: ", line)]
    return [(row[7], row[4], row[6]) for row in rows if len(row) > 7]


class ObjectTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.net = compiled.Compiled(OPTIONS, "lenet5", "a net", "--emit", "nn,regions,llvm,halide,asm", "--explain")
        cls.manifest = json.loads(cls.net.file(".json").read_text(encoding="utf-8"))

    # ---- the object

    def test_wants_only_libc_and_the_runtime(self):
        wanted = {name for name, _, section in parse_symbols(self.net.file(".o")) if section == "UND"}
        self.assertIn("syl_train_step", wanted)
        self.assertEqual([name for name in sorted(wanted) if not ALLOWED.match(name)], [])

    def test_exports_only_its_own_prefix(self):
        exported = {name for name, binding, section in parse_symbols(self.net.file(".o"))
                    if binding in ("GLOBAL", "WEAK") and section != "UND"}
        suffixes = "model state_bytes state_align scratch_bytes init train_step evaluate predict".split()
        self.assertEqual(exported, {f"lenet5_{suffix}" for suffix in suffixes})

    def test_is_small_and_has_no_names_of_folders(self):
        content = self.net.file(".o").read_bytes()
        self.assertLessEqual(len(content), 3 << 20)
        for folder in (OPTIONS.source, OPTIONS.build, str(self.net.folder), str(self.net.cache)):
            self.assertNotIn(folder.encode(), content)

    def test_archive_holds_the_object(self):
        archive = (self.net.folder / "liblenet5.a").read_bytes()
        self.assertTrue(archive.startswith(b"!<arch>\n"))
        self.assertIn(self.net.file(".o").read_bytes(), archive)

    def test_same_input_gives_same_bytes(self):
        again = compiled.Compiled(OPTIONS, "lenet5", "again")
        for suffix in (".o", ".h", ".json"):
            self.assertEqual(self.net.file(suffix).read_bytes(), again.file(suffix).read_bytes(), suffix)

    # ---- the manifest

    def test_manifest_lists_tensors_in_pytorchs_shapes(self):
        shapes = {row["name"]: row["shape"] for row in self.manifest["tensors"]}
        expected = {"conv2d_1.weight": [6, 1, 5, 5], "conv2d_1.bias": [6], "conv2d_2.weight": [16, 6, 5, 5],
                    "conv2d_2.bias": [16], "linear_1.weight": [120, 400], "linear_1.bias": [120],
                    "linear_2.weight": [84, 120], "linear_2.bias": [84], "linear_3.weight": [10, 84], "linear_3.bias": [10]}
        self.assertEqual(shapes, expected | {f"optimizer.momentum_buffer.{name}": shape for name, shape in expected.items()}
                         | {"output": [64, 10], "evaluate.output": [64, 10], "learning_rate": []})

    def test_tensors_lie_apart_and_within_the_state(self):
        taken = set()
        for row in self.manifest["tensors"]:
            if row["kind"] not in ("parameter", "buffer", "slot"):
                continue
            places = {row["offset"] + 4 * index for index in element_indices(row)}
            size = 1
            for extent in row["shape"]:
                size *= extent
            self.assertEqual(len(places), size, row["name"])
            self.assertFalse(places & taken, row["name"])
            self.assertGreaterEqual(min(places), 128)
            self.assertLessEqual(max(places) + 4, self.manifest["memory"]["state_bytes"])
            taken |= places

    def test_kernels_and_programs_agree(self):
        kernels = self.manifest["kernels"]
        self.assertEqual(sorted(self.manifest["programs"]), ["evaluate", "predict", "train"])
        used = set()
        for program in self.manifest["programs"].values():
            for phase in program["phases"]:
                self.assertTrue(phase)
                for call in phase:
                    self.assertEqual(kernels[call["kernel"]]["name"], call["name"])
                    self.assertGreaterEqual(call["tasks"], 1)
                    used.add(call["kernel"])
        self.assertEqual(used, set(range(len(kernels))))
        self.assertEqual(len({kernel["symbol"] for kernel in kernels}), len(kernels))

    def test_buffers_that_live_at_the_same_time_lie_apart(self):
        for name, program in self.manifest["programs"].items():
            rows = [row for row in program["buffers"] if row["block"] == "scratch"]
            for i, a in enumerate(rows):
                for b in rows[:i]:
                    together = a["first_phase"] <= b["last_phase"] and b["first_phase"] <= a["last_phase"]
                    overlap = a["offset"] < b["offset"] + b["bytes"] and b["offset"] < a["offset"] + a["bytes"]
                    self.assertFalse(together and overlap, f"{name}: {a['name']} and {b['name']}")

    # ---- kernels are shared

    def test_equal_kernels_are_one(self):
        texts = {}
        for path in self.net.folder.glob("*.stmt"):
            text = re.sub(r"sylvite_kernel_\w+", "kernel", path.read_text(encoding="utf-8"))
            self.assertNotIn(text, texts, f"{path.name} and {texts.get(text)} hold the same program")
            texts[text] = path.name
        self.assertEqual(len(texts), len(self.manifest["kernels"]))

    # ---- the header

    def compile_header(self, *compiler):
        source = self.net.folder / "include_twice.c"
        source.write_text('#include "lenet5.h"\n#include "lenet5.h"\nsize_t bytes(void) { return lenet5_state_bytes(); }\n'
                          "int main(void) { return (int)lenet5_model.batch - LENET5_BATCH; }\n", encoding="utf-8")
        compiled.run(*compiler, "-Wall", "-Wextra", "-Wstrict-prototypes" if "c99" in compiler[1] else "-Wshadow", "-Werror",
                     "-pedantic", "-fsyntax-only", f"-I{OPTIONS.build}/include", source)

    def test_header_is_c99(self):
        self.compile_header(OPTIONS.cc, "-std=c99")

    def test_header_is_cxx(self):
        self.compile_header(OPTIONS.cxx, "-std=c++98", "-Wno-long-long", "-x", "c++")
        self.compile_header(OPTIONS.cxx, "-std=c++20", "-x", "c++")

    # ---- the descriptor, as a C compiler lays it out

    def test_descriptor(self):
        program = self.net.folder / "model_fields"
        here = pathlib.Path(__file__).parent
        compiled.run(OPTIONS.cc, "-std=c99", "-Wall", "-Wextra", "-Werror", here / "model_fields.c", self.net.file(".o"),
                     f"-I{self.net.folder}", f"-I{OPTIONS.build}/include", f"-L{OPTIONS.build}/lib", "-lsylvite_rt", "-lm",
                     "-ldl", "-lpthread", "-o", program)
        text, yaml = compiled.run(program).split("yaml\n", 1)
        self.assertEqual(yaml, (pathlib.Path(OPTIONS.source) / "models/lenet5.yaml").read_text(encoding="utf-8"))
        lines = text.splitlines()
        fields = dict(line.split(" ", 1) for line in lines if not line.startswith(("tensor ", "kernel ")))
        memory, programs = self.manifest["memory"], self.manifest["programs"]
        self.assertEqual(fields["struct_bytes"], fields["sizeof"])
        self.assertGreater(int(fields["layout_hash"]), 0)
        self.assertIn("momentum = 9.0", fields["optimizer"])
        self.assertEqual(fields["cpu_features"], {"x86-64-avx512": "3", "x86-64-avx2": "1"}[self.manifest["target"]])
        expected = {
            "abi_version": 4, "name": "lenet5", "target": self.manifest["target"], "compiler": self.manifest["compiler"],
            "batch": 64, "dtype": 3, "inputs": "input 0 0 1 - 28 28 1", "targets": "target 1 10 1 -",
            "outputs": "output 3 0 1 softmax 10", "head": "cross_entropy 1 0 evaluate.output",
            "training": '{"metrics":["accuracy"],"learning_rate":0.05}', "state_bytes": memory["state_bytes"],
            "scratch_bytes": memory["scratch_bytes"], "thread_bytes": memory["bytes_per_thread"], "epochs": 5, "seed": 1,
            "state_bytes()": memory["state_bytes"], "STATE_BYTES": memory["state_bytes"],
            "state_align()": 128, "BATCH": 64}
        self.assertEqual({key: fields[key] for key in expected}, {key: str(value) for key, value in expected.items()})
        self.assertGreaterEqual(int(fields["scratch_bytes()"]), memory["scratch_bytes"] + memory["bytes_per_thread"])
        for name, program in programs.items():
            count, named, slices, losses, correct = map(int, fields[name].split())
            self.assertEqual([count, named], [len(program["phases"])] * 2)
            self.assertGreaterEqual(slices, count)
            self.assertEqual((losses >= 0, correct >= 0), (name != "predict",) * 2)
        self.check_tensors([line.split() for line in lines if line.startswith("tensor ")])
        self.check_kernels([line.split(" ", 6) for line in lines if line.startswith("kernel ")])

    def check_tensors(self, rows):
        expected = [[row["name"], str(KINDS.index(row["kind"])), str(DTYPES.index(row["dtype"])), str(row["offset"])]
                    + list(map(str, row["shape"])) + ["|"]
                    + [f"{f['axis']}:{f['divisor']}:{f['extent']}:{f['stride']}" for f in row["layout"]]
                    for row in self.manifest["tensors"]]
        self.assertEqual([row[1:5] + row[10:] for row in rows], expected)
        first = dict(zip(("copies", "copy_stride", "init", "init_a", "init_b"), rows[0][5:10]))
        self.assertEqual(first, {"copies": "1", "copy_stride": "0", "init": "1", "init_a": "-0.2", "init_b": "0.2"})

    def check_kernels(self, rows):
        expected = [[str(index), str(number), "1", self.manifest["kernels"][call["kernel"]]["rule"],
                     (call["layer"] and call["layer"] + ":") + call["name"]]
                    for index, name in enumerate(("train", "evaluate", "predict"))
                    for number, phase in enumerate(self.manifest["programs"][name]["phases"]) for call in phase]
        self.assertEqual([row[1:3] + row[4:] for row in rows], expected)

    # ---- a part of the network's functions

    def test_predict_only(self):
        part = compiled.Compiled(OPTIONS, "lenet5", "predict only", "--phases", "predict", cache=self.net.cache)
        symbols = parse_symbols(part.file(".o"))
        exported = {name for name, binding, section in symbols if binding in ("GLOBAL", "WEAK") and section != "UND"}
        suffixes = "model state_bytes state_align scratch_bytes init predict".split()
        self.assertEqual(exported, {f"lenet5_{suffix}" for suffix in suffixes})
        self.assertEqual([name for name, _, _ in symbols if re.search("train|evaluate", name)], [])
        header = part.file(".h").read_text(encoding="utf-8")
        self.assertEqual(re.findall(r"train_step|_evaluate\(", header), [])
        self.assertIn("lenet5_predict(", header)
        manifest = json.loads(part.file(".json").read_text(encoding="utf-8"))
        self.assertEqual(list(manifest["programs"]), ["predict"])
        self.assertEqual({row["kind"] for row in manifest["tensors"]}, {"parameter"})
        self.assertEqual([row["name"] for row in manifest["kernels"] if re.search(r"\.grad_|\.update", row["name"])], [])
        self.assertLess(part.file(".o").stat().st_size, self.net.file(".o").stat().st_size / 2)
        self.assertEqual(self.predictions(part), self.predictions(self.net))

    def predictions(self, net):
        """Bits of what a fresh network predicts for some bytes."""
        return compiled.run(self.link(net, "predict"))

    def link(self, net, name):
        """The program of <name>.c with the network in it."""
        program = net.folder / name
        compiled.run(OPTIONS.cc, "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
                     pathlib.Path(__file__).parent / f"{name}.c", net.file(".o"), f"-I{net.folder}",
                     f"-I{OPTIONS.build}/include", f"-L{OPTIONS.build}/lib", "-lsylvite_rt", "-lm", "-ldl", "-lpthread",
                     "-o", program)
        return program

    def test_max_scratch(self):
        """A limit that needs values to be computed again, and one that nothing fits."""
        least = self.least("1")
        most = (least + self.scratch(self.net)) // 2
        limited = compiled.Compiled(OPTIONS, "lenet5", "limited", "--max-scratch", str(most), "--explain",
                                    cache=self.net.cache)
        self.assertLessEqual(self.scratch(limited), most)
        self.assertRegex(limited.output, r"conv2d_\d:conv2d.forward .*, computed again")
        target = self.manifest["target"]
        self.assertEqual(self.steps(self.link(limited, "steps"), limited.folder / "state", target),
                         self.steps(self.link(self.net, "steps"), self.net.folder / "state", target))
        self.assertEqual(self.tensors(limited.folder / "state"), self.tensors(self.net.folder / "state"))
        tight = compiled.Compiled(OPTIONS, "lenet5", "tight", "--max-scratch", str(least), cache=self.net.cache)
        self.assertEqual(self.scratch(tight), least)
        self.assertEqual(self.least(str(least - 1)), least)

    def tensors(self, path):
        """The bits of every tensor in a state block."""
        state = path.read_bytes()
        return {row["name"]: [state[at:at + 4] for at in (row["offset"] + 4 * index for index in element_indices(row))]
                for row in self.manifest["tensors"] if row["kind"] in ("parameter", "buffer", "slot")}

    def least(self, most):
        with self.assertRaises(AssertionError) as failure:
            compiled.Compiled(OPTIONS, "lenet5", "limited", "--max-scratch", most, cache=self.net.cache)
        return int(re.search(r"expected at least (\d+) bytes, the least possible for batch 64", str(failure.exception))[1])

    def scratch(self, net):
        """Bytes of the scratch block for one thread."""
        memory = json.loads(net.file(".json").read_text(encoding="utf-8"))["memory"]
        return memory["scratch_bytes"] + memory["bytes_per_thread"]

    # ---- several versions in one object

    def test_versions(self):
        both = compiled.Compiled(OPTIONS, "lenet5", "both", "--target", "x86-64", cache=self.net.cache)
        symbols = parse_symbols(both.file(".o"))
        wanted = {name for name, _, section in symbols if section == "UND"}
        self.assertEqual([name for name in sorted(wanted) if not ALLOWED.match(name)], [])
        exported = {name for name, binding, section in symbols if binding in ("GLOBAL", "WEAK") and section != "UND"}
        self.assertEqual(exported, {name for name, binding, section in parse_symbols(self.net.file(".o"))
                                    if binding in ("GLOBAL", "WEAK") and section != "UND"})
        manifest = json.loads(both.file(".json").read_text(encoding="utf-8"))
        self.assertEqual(manifest["target"], "x86-64")
        versions = {version["target"]: version for version in manifest["versions"]}
        self.assertEqual(list(versions), ["x86-64-avx512", "x86-64-avx2"])
        state = lambda version: [row for row in version["tensors"] if row["kind"] in ("parameter", "buffer", "slot")]
        self.assertEqual(state(versions["x86-64-avx512"]), state(versions["x86-64-avx2"]))

        program, losses = self.link(both, "steps"), {}
        for target in versions:
            alone = compiled.Compiled(OPTIONS, "lenet5", f"alone {target}", "--target", target, cache=self.net.cache)
            if target == "x86-64-avx512" and self.manifest["target"] != target:
                continue  # this CPU does not run it
            losses[target] = self.steps(program, both.folder / target, target)
            self.assertEqual(losses[target], self.steps(self.link(alone, "steps"), alone.folder / "state", target))
        widest = self.manifest["target"]
        self.assertEqual(self.steps(program, both.folder / "any", widest, SYLVITE_CPU=""), losses[widest])
        if len(losses) == 2:
            pairs = list(zip(*losses.values()))
            for a, b in pairs:
                self.assertLess(abs(a - b), 1e-3 * abs(a))
            self.assertLess(pairs[-1][0], pairs[0][0])
            # the state of each version goes on in the other
            ahead = [self.steps(program, both.folder / a, b) for a, b in (list(versions), list(versions)[::-1])]
            for a, b in zip(*ahead):
                self.assertLess(abs(a - b), 1e-2 * abs(a))
            self.assertLess(ahead[0][-1], pairs[-1][0])

    def steps(self, program, state, target, **environment):
        """Losses of 20 steps of steps.c by the version for `target`."""
        ran, *losses = compiled.run(program, state, **{"SYLVITE_CPU": target} | environment).split()
        self.assertEqual(ran, target)
        return [float.fromhex(loss) for loss in losses]

    # ---- stages and explanation

    def test_emits_every_stage(self):
        text = self.net.file(".nn.mlir").read_text(encoding="utf-8")
        self.assertIn("nn.network @lenet5", text)
        self.assertIn("nn.flatten", text)
        text = self.net.file(".regions.mlir").read_text(encoding="utf-8")
        self.assertIn("nn.program @predict", text)
        self.assertIn("phase = 0", text)
        self.assertIn("@lenet5_train_step", self.net.file(".ll").read_text(encoding="utf-8"))
        kernels = self.manifest["kernels"]
        for suffix, expected in ((".stmt", "produce"), (".s", ".text")):
            files = list(self.net.folder.glob(f"*{suffix}"))
            self.assertEqual(len(files), len(kernels))
            self.assertEqual({path.name.rsplit(".", 2)[0] for path in files}, {kernel["name"] for kernel in kernels})
            for path in files:
                self.assertIn(expected, path.read_text(encoding="utf-8"), path.name)

    def test_explains_every_kernel_and_buffer(self):
        text = self.net.output
        for kernel in self.manifest["kernels"]:
            self.assertRegex(kernel["rule"], r"^schedules/\w+\.yaml:\d+$")
            place = text.index(f"{kernel['name']} ({kernel['symbol']}")
            self.assertIn(f"rule {kernel['rule']}", text[place:].split("\n", 2)[1])
        for name, program in self.manifest["programs"].items():
            part = text[text.index(f"Program {name}\n"):]
            for row in program["buffers"]:
                self.assertRegex(part, rf"(?m)^ +{re.escape(row['name'])} +{row['block']} +{row['offset']} +{row['bytes']} +"
                                       rf"{row['first_phase']}\.\.{row['last_phase']} ")


def element_indices(row):
    """Where each element of a tensor lies, in elements from its offset."""
    indices = [0]
    for factor in row["layout"]:
        # The factors of one axis cut its index into digits; over all elements each digit takes each value once.
        indices = [index + digit * factor["stride"] for index in indices for digit in range(factor["extent"])]
    return indices


if __name__ == "__main__":
    compiled.main()
