"""Dynamic mode decomposition, the linear baseline of the series in mesh.py, and the error that both are judged by."""

import numpy as np
from numpy.typing import NDArray


def relative(found: NDArray, true: NDArray) -> float:
    return float(np.linalg.norm(found - true) / np.linalg.norm(true))


def dmd(frames: NDArray, first: int, rank: int, steps: int) -> NDArray:
    """Dynamic mode decomposition: the linear map that fits frame to next frame from `first` on, on `rank` modes about
    the mean."""
    from scipy.linalg import svd

    flat = frames[first:].reshape(len(frames) - first, -1).astype(float)
    mean = flat.mean(0)
    x = (flat - mean).T
    u, s, vt = svd(x[:, :-1], full_matrices=False)
    u, s, vt = u[:, :rank], s[:rank], vt[:rank]
    step = u.T @ x[:, 1:] @ vt.T / s
    state, found = u.T @ x[:, -1], []
    for _ in range(steps):
        state = step @ state
        found.append(mean + u @ state)
    return np.stack(found).reshape(steps, *frames.shape[1:])


def dmd_chosen(known: NDArray, true: NDArray) -> tuple[tuple[int, int], tuple[int, int]]:
    """First frame and rank: by predicting frames 31-44 from those before, and by looking at what is to be predicted."""
    choices = [(first, rank) for first in (0, 5, 10, 15, 20, 25, 30) for rank in range(1, 24)]
    split = len(known) - len(true)
    early = [(a, r) for a, r in choices if r < split - a - 1]
    late = [(a, r) for a, r in choices if r < len(known) - a - 1]
    held = min(early, key=lambda c: relative(dmd(known[:split], *c, len(true)), known[split:]))
    return held, min(late, key=lambda c: relative(dmd(known, *c, len(true)), true))
