"""How long compiling models/fashion_cnn.yaml takes, cold and from the cache, and how large the object is: printed, and
held to wide bounds."""
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


if __name__ == "__main__":
    compiled.main()
