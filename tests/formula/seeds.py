"""The convolution formulas of the seeds, to the letter, in float64: what a convolution is and what its gradients are.

X is [B, C_in, H_in, W_in], W [C_out, C_in, K_h, K_w], b [C_out], Y [B, C_out, H_out, W_out]; stride s and padding p are
pairs, one number an axis. Loops stand where the formulas have sums or positions of the image; batch and channels are
summed by numpy. Nothing here is shared with the compiler, nor with PyTorch.
"""
import itertools
import math

import numpy as np


def output_size(size, kernel, stride, padding):
    """H_out = floor((H_in + 2p - K_h) / s) + 1."""
    return math.floor((size + 2 * padding - kernel) / stride) + 1


def _positions(shape):
    return itertools.product(*(range(size) for size in shape))


def forward(X, W, b, s, p):
    """Y[b,o,i,j] = sum over c,m,n of W[o,c,m,n] * X[b,c, s*i + m - p, s*j + n - p] + b[o]; X is 0 outside."""
    H_in, W_in = X.shape[2:]
    H_out, W_out = (output_size(*facts) for facts in zip(X.shape[2:], W.shape[2:], s, p))
    Y = np.zeros((X.shape[0], W.shape[0], H_out, W_out))
    for i, j in _positions((H_out, W_out)):
        for m, n in _positions(W.shape[2:]):
            row, column = s[0] * i + m - p[0], s[1] * j + n - p[1]
            if 0 <= row < H_in and 0 <= column < W_in:
                Y[:, :, i, j] += X[:, :, row, column] @ W[:, :, m, n].T
        Y[:, :, i, j] += b
    return Y


def bias_gradient(dY):
    """dL/db[o] = sum over b,i,j of dL/dY[b,o,i,j]."""
    result = np.zeros(dY.shape[1])
    for i, j in _positions(dY.shape[2:]):
        result += dY[:, :, i, j].sum(0)
    return result


def weight_gradient(dY, X, kernel, s, p):
    """dL/dW[o,c,m,n] = sum over b,i,j of dL/dY[b,o,i,j] * X[b,c, s*i + m - p, s*j + n - p]."""
    H_in, W_in = X.shape[2:]
    result = np.zeros((dY.shape[1], X.shape[1], *kernel))
    for m, n in _positions(kernel):
        for i, j in _positions(dY.shape[2:]):
            row, column = s[0] * i + m - p[0], s[1] * j + n - p[1]
            if 0 <= row < H_in and 0 <= column < W_in:
                result[:, :, m, n] += dY[:, :, i, j].T @ X[:, :, row, column]
    return result


def input_gradient(dY, W, shape, s, p):
    """dL/dX[b,c,k,l] = sum over o,m,n of dL/dY[b,o,i,j] * W[o,c,m,n] with i = (k + p - m) / s, j = (l + p - n) / s, and
    only where the division gives a whole number, of a position of Y. `shape` is X's."""
    H_out, W_out = dY.shape[2:]
    result = np.zeros(shape)
    for k, l in _positions(shape[2:]):
        for m, n in _positions(W.shape[2:]):
            (i, rest_i), (j, rest_j) = divmod(k + p[0] - m, s[0]), divmod(l + p[1] - n, s[1])
            if rest_i == rest_j == 0 and 0 <= i < H_out and 0 <= j < W_out:
                result[:, :, k, l] += dY[:, :, i, j] @ W[:, :, m, n]
    return result


def softmax(logits):
    """softmax(y)_i = e^(y_i) / sum over j of e^(y_j), of each row."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)
