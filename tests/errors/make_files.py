"""Makes the files of a case of commands.yaml from what the case says of them."""
import gzip
import struct

import numpy as np

import formula
import tensors

_IDX_TYPES = {"uint8": 0x08, "int32": 0x0C, "float32": 0x0D}


def make(path, content):
    """Writes the file at `path`; `content` is one of the forms in the head of commands.yaml."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        path.write_text(content.replace("\\n", "\n"), encoding="utf-8")
    elif "folder" in content:
        path.mkdir()
    elif "lines" in content:
        path.write_text("\n".join(content["lines"]) + "\n", encoding="utf-8")
    elif "npy" in content:
        with open(path, "wb") as file:
            np.save(file, _array(content["npy"], content))
        _damage(path, content)
    elif "idx" in content:
        array = _array(content["idx"], content)
        header = struct.pack(f">HBB{array.ndim}I", 0, _IDX_TYPES[content["idx"]], array.ndim, *array.shape)
        data = header + array.astype(array.dtype.newbyteorder(">")).tobytes()
        path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
        _damage(path, content)
    elif "safetensors" in content:
        shapes = content["safetensors"]
        tensors.write(path, {name: formula.uniform(name, shape).astype(np.float32) for name, shape in shapes.items()})
        _damage(path, content)
    else:
        raise ValueError(f"{path.name}: no such form {content}")


def _array(dtype, content):
    if "values" in content:
        return np.array([float(v) for v in content["values"]]).astype(dtype).reshape(content.get("shape", -1))
    return formula.integers("data", content["shape"], 0, 2).astype(dtype)


def _damage(path, content):
    data = bytearray(path.read_bytes())
    if "keep" in content:  # cut to this many bytes; less than 0: this many bytes from the end
        data = data[:content["keep"]]
    for at, value in content.get("bytes", {}).items():
        data[int(at)] = value
    data += b"\0" * content.get("extra", 0)
    path.write_bytes(data)
