"""lit's configuration: every *.mlir here is a test, whose RUN lines say what is run. The build folder's
lit.site.cfg.py loads this; `lit build/tests/lit` runs all, `lit build/tests/lit --filter nn-fuse` one file."""
import os

import lit.formats

config.name = "sylvite"
config.suffixes = [".mlir"]
config.test_format = lit.formats.ShTest(execute_external=False)
config.test_source_root = os.path.dirname(os.path.abspath(__file__))


def quoted(path):
    """The path as one word of a RUN line: the build folder may have a space in its name."""
    return f"'{path}'"


# Only whole words that stand for a command, not parts of file names or of options.
config.substitutions += [
    (r"(?<![\w/.-])sylvite-opt\b", quoted(config.sylvite_opt)),
    (r"(?<![\w/.-])FileCheck\b", quoted(config.filecheck)),
]
