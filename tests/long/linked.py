"""Programs that link the objects of shipped networks and the runtime, as an app does: what long tests time."""
import argparse
import pathlib
import shutil
import subprocess


def build(description, name, networks, source):
    """Takes the command line of the test, compiles the networks and `source`, a C program, and returns the program's path."""
    parser = argparse.ArgumentParser(description=description)
    for option in ("sylvite", "source", "build", "work", "cc"):
        parser.add_argument(f"--{option}", type=pathlib.Path, required=True)
    options = parser.parse_args()
    shutil.rmtree(options.work, ignore_errors=True)
    options.work.mkdir(parents=True)
    for network in networks:
        subprocess.run([options.sylvite, "compile", options.source / "models" / f"{network}.yaml", "-o", options.work], check=True)
    program = options.work / name
    program.with_suffix(".c").write_text(source, encoding="utf-8")
    subprocess.run([options.cc, "-O2", "-D_POSIX_C_SOURCE=200112L", f"-I{options.work}", f"-I{options.source}/runtime/include",
                    program.with_suffix(".c"), f"-L{options.work}", f"-L{options.build}/lib", *(f"-l{net}" for net in networks),
                    "-lsylvite_rt", "-lm", "-lpthread", "-ldl", "-o", program], check=True)
    return program
