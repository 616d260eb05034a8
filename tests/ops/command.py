"""Runs the `sylvite` command in tests: one cache and one work folder a build, and failures that say what was run."""
import os
import pathlib
import shlex
import subprocess

TARGET_FLAGS = {
    "x86-64-avx2": {"avx", "avx2", "fma", "f16c"},
    "x86-64-avx512": {"avx2", "fma", "avx512f", "avx512cd", "avx512dq", "avx512bw", "avx512vl"},
}


class CommandFailed(Exception):
    """A command ended with another status than expected; the text has the command and the end of its output."""


class Sylvite:
    """The command at `binary`, with its kernel cache and files under `work`."""

    def __init__(self, binary, work, timeout=600):
        self.binary = pathlib.Path(binary).resolve()
        self.work = pathlib.Path(work).resolve()
        self.timeout = timeout
        self.work.mkdir(parents=True, exist_ok=True)
        if not self.binary.exists():
            raise SystemExit(f"no command at {self.binary}: build it first")

    def run(self, *arguments, status=0, cache=None, cwd=None, **environment):
        """The finished process of `sylvite ARGUMENTS`. Raises CommandFailed on another exit status (None: any)."""
        command = [str(self.binary), *map(str, arguments)]
        variables = os.environ | {"XDG_CACHE_HOME": str(cache or self.work / "cache")} | environment
        try:
            done = subprocess.run(command, env=variables, cwd=cwd, timeout=self.timeout, capture_output=True,
                                  text=True, errors="replace", stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired as error:
            raise CommandFailed(f"{shlex.join(command)}\n  took longer than {self.timeout} s") from error
        if status is not None and done.returncode != status:
            output = (done.stdout + done.stderr).strip().splitlines()[-25:]
            text = "\n".join("    " + line for line in output)
            raise CommandFailed(f"{shlex.join(command)}\n  exit status {done.returncode}, expected {status}\n{text}")
        return done


def runnable_targets():
    """{target: whether this CPU can run it}."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        flags = next((set(line.split(":")[1].split()) for line in file if line.startswith("flags")), set())
    return {target: needed <= flags for target, needed in TARGET_FLAGS.items()}
