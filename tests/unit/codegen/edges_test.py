"""Arrays of the caller's are read and written to their ends and no further, whatever their alignment, for every number of
samples: networks whose predictions are written by a matrix product, in blocks that reach over the edges, and by
convolutions, with batches that leave slices empty."""
import pathlib
import unittest

import compiled

OPTIONS = compiled.parse_options()
END = "loss: {loss}\noutput: {output}\noptimizer: {{sgd: {{learning_rate: 0.01}}}}\ntraining: {{batch: {batch}}}\n"
NETWORKS = {
    "product": ("[6, 5]", ["conv1d: {filters: 17, kernel: 2, padding: same}", "linear: 8"], ("mse", "linear", 9)),
    "blocks": ("[1, 5, 4, 5]", ["conv_transpose3d: {filters: 1, kernel: [2, 4, 1], stride: [2, 3, 3]}"],
               ("smooth_l1", "linear", 5)),
    "pixels": ("[7, 9, 8]", ["conv2d: {filters: 8, kernel: 3, padding: 1}"], ("l1", "linear", 18)),
    "classes": ("[5]", ["linear: 7", "relu", "linear: 3"], ("cross_entropy", "softmax", 19)),
    "bytes": ("[3, 3, 1], dtype: uint8", ["conv2d: {filters: 4, kernel: 2}", "flatten", "linear: 16"],
              ("mse", "linear", 3)),
}


class EdgesTest(unittest.TestCase):
    def test_callers_arrays(self):
        for name, (shape, layers, (loss, output, batch)) in NETWORKS.items():
            with self.subTest(name):
                network = pathlib.Path(OPTIONS.work) / f"{name}.yaml"
                network.parent.mkdir(parents=True, exist_ok=True)
                lines = [f"name: {name}", f"input: {{shape: {shape}}}", "network:", *(f"  - {layer}" for layer in layers)]
                network.write_text("\n".join(lines) + "\n" + END.format(loss=loss, output=output, batch=batch),
                                   encoding="utf-8")
                net = compiled.Compiled(OPTIONS, name, name, network=network)
                program = net.folder / "edges"
                compiled.run(OPTIONS.cc, "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", f"-DNET={name}",
                             f'-DNET_HEADER="{name}.h"', pathlib.Path(__file__).parent / "edges.c", net.file(".o"),
                             f"-I{net.folder}", f"-I{OPTIONS.build}/include", f"-L{OPTIONS.build}/lib", "-lsylvite_rt",
                             "-lm", "-ldl", "-lpthread", "-o", program)
                self.assertEqual(compiled.run(program), "0 different\n")


compiled.main()
