"""Numbering of points along a Hilbert curve: what is near on the curve is near in space."""

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

BITS = 16  # cells of the curve along an axis: 2^16


def hilbert_order(points: Float[np.ndarray, "n dim"]) -> Int[np.ndarray, " n"]:
    """Indices of the points as the curve meets them, in any dimension up to 3; equal cells keep their order.

    From coordinates to the curve by Skilling's transposed Gray code (AIP Conf. Proc. 707, 381, 2004).
    """
    code = _transposed_code(_cells(points))
    key = np.zeros(len(points), dtype=np.uint64)
    for bit in reversed(range(BITS)):
        for axis in code:
            key = (key << np.uint64(1)) | ((axis >> np.uint64(bit)) & np.uint64(1))
    return np.argsort(key, kind="stable")


def _cells(points: NDArray[np.floating]) -> list[NDArray[np.uint64]]:
    """Integer coordinates of the cells, axis by axis, all axes on one scale."""
    low = points.min(0, initial=np.inf)
    size = max(float(np.max(points - low, initial=0.0)), np.finfo(float).tiny)
    return list(((points - low) / size * (2**BITS - 1)).astype(np.uint64).T)


def _transposed_code(axes: list[NDArray[np.uint64]]) -> list[NDArray[np.uint64]]:
    """Bit b of axis i is bit (b dim + dim - 1 - i) of the place on the curve."""
    x = [axis.copy() for axis in axes]
    for bit in reversed(range(1, BITS)):
        top, below = np.uint64(1 << bit), np.uint64((1 << bit) - 1)
        for i in range(len(x)):
            flip = (x[i] & top) != 0
            swap = np.where(flip, 0, (x[0] ^ x[i]) & below).astype(np.uint64)
            x[0] ^= np.where(flip, below, swap).astype(np.uint64)
            x[i] ^= swap
    for i in range(1, len(x)):
        x[i] ^= x[i - 1]
    turn = np.zeros_like(x[0])
    for bit in reversed(range(1, BITS)):
        odd = (x[-1] & np.uint64(1 << bit)) != 0
        turn ^= np.where(odd, np.uint64((1 << bit) - 1), np.uint64(0))
    return [axis ^ turn for axis in x]
