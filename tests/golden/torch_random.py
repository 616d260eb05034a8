"""What Sylvite draws at random in a training step, by a Philox4x32-10 in numpy.

A number depends on the seed, the step, the row of the batch, the stream (how many random layers stand before this one,
preprocessing first) and the element (counted C, H, W).
"""
import numpy as np
import torch

SEED = 1  # of the cases' network files: tests/ops/cases.py
_step, _training, _stream = 0, False, 0


def begin(step, training):
    """Before a network runs: the number of its training step, from 1."""
    global _step, _training, _stream
    _step, _training, _stream = step, training, 0


def philox(counter, key):
    """Four arrays of uint32 (held as uint64) for four arrays of counters and a key of two numbers."""
    mask = np.uint64(0xFFFFFFFF)
    c0, c1, c2, c3 = (np.asarray(word, np.uint64) for word in counter)
    k0, k1 = key
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c1 = (p1 >> np.uint64(32)) ^ c1 ^ np.uint64(k0), p1 & mask
        c2, c3 = (p0 >> np.uint64(32)) ^ c3 ^ np.uint64(k1), p0 & mask
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def draw(rows, elements):
    """Four arrays [rows, elements] of uint32 for the next random layer; None out of training."""
    global _stream
    stream, _stream = _stream, _stream + 1
    if not _training:
        return None
    element, row = np.arange(elements)[None, :], np.arange(rows)[:, None]
    counter = np.broadcast_arrays(element, row, _step, stream)
    return philox(counter, (SEED & 0xFFFFFFFF, SEED >> 32))


def happens(word, p):
    return word < np.uint64(round(p * 2**32))


def uniform(word, low, high, dtype):
    """From [low, high), of float type `dtype`."""
    share = torch.from_numpy((word >> np.uint64(8)).astype(np.float64) * 2.0**-24).to(dtype)
    return low + share * (high - low)


def below(word, count):
    """Whole numbers from 0 to below `count`."""
    return ((word * np.uint64(count)) >> np.uint64(32)).astype(np.int64)


def dropout(x, p, shape):
    """x, [N, C, ...], where one draw decides for each element of `shape`, which is broadcast."""
    words = draw(x.shape[0], int(np.prod(shape)))
    if words is None or p == 0:
        return x
    if p == 1:
        return x * 0
    drop = torch.from_numpy(happens(words[0], p)).reshape(x.shape[0], *shape)
    return torch.where(drop, torch.zeros((), dtype=x.dtype), x * (1 / (1 - p)))
