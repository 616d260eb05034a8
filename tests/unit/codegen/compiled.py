"""A network compiled for the tests of this folder, with an empty kernel cache of its own."""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time
import unittest


def parse_options():
    """The options of a test program; unittest gets none of them."""
    parser = argparse.ArgumentParser()
    for name in ("sylvite", "source", "build", "work", "cc", "cxx", "readelf"):
        parser.add_argument(f"--{name}", required=True)
    options, rest = parser.parse_known_args()
    sys.argv[1:] = rest
    return options


def run(*command, **environment):
    """Standard output of a command that must succeed; else the test fails with what it printed."""
    done = subprocess.run([str(word) for word in command], env=os.environ | environment, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}\nexit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Compiled:
    """`sylvite compile models/<net>.yaml`, or `network`, into <work>/<folder>, from a cold cache unless `cache` is another's."""

    def __init__(self, options, net, folder, *arguments, cache=None, network=None):
        self.net = net
        self.folder = pathlib.Path(options.work) / folder
        self.cache = cache or pathlib.Path(options.work) / f"{folder} cache"
        shutil.rmtree(self.folder, ignore_errors=True)
        if not cache:
            shutil.rmtree(self.cache, ignore_errors=True)
        begin = time.monotonic()
        network = network or pathlib.Path(options.source) / "models" / f"{net}.yaml"
        self.output = run(options.sylvite, "compile", network, "-o", self.folder, *arguments, XDG_CACHE_HOME=str(self.cache))
        self.seconds = time.monotonic() - begin

    def file(self, suffix):
        return self.folder / f"{self.net}{suffix}"


def main():
    unittest.main(verbosity=2)
