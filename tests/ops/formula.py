"""Tensors by formula: what a test and the golden script can both compute, so that nobody stores it.

Element i (in C order) of the tensor called `name` is made of the hash
    h(name, i) = splitmix64(fnv1a64(name) + i)
and all arithmetic is in float64 with one rounding to the tensor's type at the end, so every machine gets the same bits.
"""
import numpy as np

_MASK = 0xFFFFFFFFFFFFFFFF


def _fnv1a64(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & _MASK
    return value


def hashes(name, count):
    """uint64 [count]: h(name, 0), h(name, 1), …"""
    with np.errstate(over="ignore"):
        z = np.uint64(_fnv1a64(name)) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(name, shape):
    """float64 of this shape, in [-1, 1), multiples of 2^-23."""
    count = int(np.prod(shape, dtype=np.int64))
    return ((hashes(name, count) >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1.0).reshape(shape)


def integers(name, shape, low, high):
    """float32 of this shape, whole numbers from low to high, both included."""
    count = int(np.prod(shape, dtype=np.int64))
    return (hashes(name, count) % np.uint64(high - low + 1)).astype(np.float32).reshape(shape) + np.float32(low)


def images(name, shape):
    """uint8 of this shape."""
    return (hashes(name, int(np.prod(shape))) >> np.uint64(56)).astype(np.uint8).reshape(shape)


def labels(name, n, classes, dtype="int32"):
    """Class numbers [n]."""
    return (hashes(name, n) % np.uint64(classes)).astype(dtype)


def sample(name, shape, dtype, limit=10):
    """A batch of inputs: float32 in [-2, 2), bytes, or int32 from 0 to below `limit`."""
    if dtype == "uint8":
        return images(name, shape)
    if dtype == "int32":
        return integers(name, shape, 0, limit - 1).astype(np.int32)
    return (2.0 * uniform(name, shape)).astype(np.float32)


def target(name, kind, shape, classes=2):
    """A target of one of the kinds of torch_losses.TARGETS: class numbers, else float32."""
    if kind in ("int32", "int64"):
        return integers(name, shape, 0, classes - 1).astype(kind)
    if kind == "flags":
        return integers(name, shape, 0, 1)
    values = uniform(name, shape)
    if kind == "probabilities":
        values = np.abs(values) + 0.125
        values = values / values.sum(-1, keepdims=True)
    return values.astype(np.float32)


def state(shapes):
    """Parameters and buffers for {name: shape}: weights and biases within PyTorch's bound 1/sqrt(fan-in); for
    batch-norm, weight and running variance about 1, bias and running mean about 0."""
    result = {}
    for name, shape in shapes.items():
        layer, _, role = name.rpartition(".")
        weight = shapes.get(f"{layer}.weight", shape)
        if role == "num_batches_tracked":
            result[name] = np.zeros(shape, np.int64)
        elif f"{layer}.running_mean" in shapes or len(weight) < 2:
            centre = 1.0 if role in ("weight", "running_var") else 0.0
            result[name] = (centre + 0.25 * uniform(name, shape)).astype(np.float32)
        else:
            bound = 1.0 / np.sqrt(np.prod(weight[1:], dtype=np.float64))
            result[name] = (bound * uniform(name, shape)).astype(np.float32)
    return result


def sample_positions(name, size, count=256):
    """int64 [count]: the positions (C order) of a large tensor that are compared."""
    return (hashes("sample:" + name, count) % np.uint64(size)).astype(np.int64)
