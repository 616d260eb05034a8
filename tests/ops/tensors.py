"""safetensors files with numpy alone, and the tolerance by which a tensor is compared with PyTorch's."""
import json
import struct

import numpy as np

_DTYPES = {"F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U8": "u1"}
_CODES = {np.dtype(v): k for k, v in _DTYPES.items()}

STORED_WHOLE = 1024  # a golden tensor with more elements than this is stored as 256 samples and two sums


def read(path):
    """({name: array}, metadata) of a safetensors file."""
    with open(path, "rb") as file:
        data = file.read()
    size, = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + size])
    metadata = header.pop("__metadata__", {})
    body, result = memoryview(data)[8 + size:], {}
    for name, info in header.items():
        begin, end = info["data_offsets"]
        result[name] = np.frombuffer(body[begin:end], _DTYPES[info["dtype"]]).reshape(info["shape"])
    return result, metadata


def write(path, arrays, metadata=None):
    """Writes {name: array}; tensors in order of their names, header padded to 8 bytes. Same input, same bytes."""
    header, chunks, at = {}, [], 0
    if metadata:
        header["__metadata__"] = {k: metadata[k] for k in sorted(metadata)}
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        data = array.tobytes()  # C order, whatever the strides
        header[name] = {"dtype": _CODES[array.dtype], "shape": list(array.shape), "data_offsets": [at, at + len(data)]}
        at += len(data)
        chunks.append(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(chunks))


def largest(array):
    """Largest magnitude; 0 for an empty array."""
    return float(np.max(np.abs(array.astype(np.float64)), initial=0.0))
