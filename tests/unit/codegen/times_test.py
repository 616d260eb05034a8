"""How long compiling models/fashion_cnn.yaml takes, cold and from the cache, and how large the object is: printed, and
held to wide bounds. And what of a network is compiled again where a layer or a schedule rule has changed."""
import json
import pathlib
import unittest

import compiled

OPTIONS = compiled.parse_options()


class TimesTest(unittest.TestCase):
    def test_compile_times(self):
        cold = compiled.Compiled(OPTIONS, "fashion_cnn", "cold")
        warm = compiled.Compiled(OPTIONS, "fashion_cnn", "warm", cache=cold.cache)
        size = cold.file(".o").stat().st_size
        print(f"fashion_cnn: {cold.seconds:.1f} s cold, {warm.seconds:.1f} s from the cache; object {size / 1024:.0f} KiB",
              flush=True)
        self.assertEqual(cold.file(".o").read_bytes(), warm.file(".o").read_bytes())
        self.assertLess(cold.seconds, 300)
        self.assertLess(warm.seconds, max(5, cold.seconds / 2))
        self.assertLessEqual(size, 3 << 20)

    def test_compiles_what_has_changed(self):
        first = compiled.Compiled(OPTIONS, "mlp", "first")
        cache = first.cache / "sylvite" / "kernels"
        objects = lambda: {path.name for path in cache.glob("*.o")}
        kernels = lambda net: {row["key"]: row for row in json.loads(net.file(".json").read_text())["kernels"]}
        before, all_kernels = objects(), kernels(first)
        self.assertEqual(len(before), len(all_kernels))

        schedules = pathlib.Path(OPTIONS.work) / "mine.yaml"
        one = next(row for row in all_kernels.values() if row["name"] == "linear.grad_bias")
        schedules.write_text("# comment\n- kernel: linear.grad_bias\n  when: {key: %s}\n  schedule: {}\n" % one["key"])
        second = compiled.Compiled(OPTIONS, "mlp", "second", "--schedules", schedules, cache=first.cache)
        self.assertEqual(len(objects() - before), 1)
        self.assertEqual([key for key, row in kernels(second).items() if row["rule"] == f"{schedules}:2"], [one["key"]])

        schedules.write_text("# another comment\n\n\n" + schedules.read_text().replace("schedule: {}", "schedule:\n    {}"))
        before = objects()
        compiled.Compiled(OPTIONS, "mlp", "third", "--schedules", schedules, cache=first.cache)
        self.assertEqual(objects(), before)

        text = (pathlib.Path(OPTIONS.source) / "models" / "mlp.yaml").read_text(encoding="utf-8")
        self.assertEqual(text.count("linear: 256"), 1)
        network = pathlib.Path(OPTIONS.work) / "mlp.yaml"
        network.write_text(text.replace("linear: 256", "linear: 208"), encoding="utf-8")
        changed = compiled.Compiled(OPTIONS, "mlp", "changed", network=network, cache=first.cache)
        new = set(kernels(changed)) - set(all_kernels)
        self.assertEqual(len(objects() - before), len(new))
        self.assertLess(len(new), len(all_kernels))


if __name__ == "__main__":
    compiled.main()
