"""Points of the unit cube, and how many of them each piece gets."""

import math

import numpy as np
from scipy.stats import qmc

from physolve.errors import SpecificationError

METHODS = ("sobol", "uniform", "grid")


def check_method(method: str) -> None:
    """One of the three sampling methods."""
    if method not in METHODS:
        raise SpecificationError(f"sampling method {method!r} is not known; it is 'sobol', 'uniform' or 'grid'")


class Stream:
    """A sequence of points in the unit cube, handed out in turn: scrambled Sobol or independent uniform."""

    def __init__(self, method: str, dim: int, seed: int) -> None:
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
            raise SpecificationError(f"seed must be an integer of at least 0, got {seed!r}")
        self._dim = dim
        self._random = np.random.default_rng(int(seed))
        self._sobol = qmc.Sobol(dim, seed=self._random) if method == "sobol" and dim else None
        self._buffer = np.empty((0, dim))

    def take(self, m: int) -> np.ndarray:
        """The next m points (m, dim)."""
        missing = m - len(self._buffer)
        if missing > 0:  # Sobol points are balanced in blocks of a power of two
            self._buffer = np.concatenate([self._buffer, self._draw(1 << (missing - 1).bit_length())])
        taken, self._buffer = self._buffer[:m], self._buffer[m:]
        return taken

    def _draw(self, m: int) -> np.ndarray:
        return self._sobol.random(m) if self._sobol is not None else self._random.random((m, self._dim))


def unit_grid(counts: list[int]) -> np.ndarray:
    """Midpoints of the cells of a regular grid on the unit cube: (prod(counts), len(counts))."""
    axes = [(np.arange(c) + 0.5) / c for c in counts]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(counts))


def cell_counts(m: float, lengths: np.ndarray) -> list[int]:
    """Cells per axis so that near-cubic cells number at least about m."""
    lengths = np.maximum(lengths, 1e-12 * lengths.max())
    h = (np.prod(lengths) / m) ** (1 / len(lengths))
    return [max(1, math.ceil(length / h - 1e-9)) for length in lengths]


def thinned(total: int, n: int) -> np.ndarray:
    """n of the indices 0 .. total - 1, evenly spread."""
    return (np.arange(n) * total) // n


def allocate(measures: np.ndarray, n: int) -> np.ndarray:
    """n points to pieces in proportion to their measures, at least one each where n allows: (pieces,)."""
    counts = np.zeros(len(measures), dtype=int)
    if n < len(measures):
        counts[np.argsort(-measures, kind="stable")[:n]] = 1
        return counts
    ideal = n * measures / measures.sum()
    counts = np.maximum(np.floor(ideal).astype(int), 1)
    while counts.sum() > n:
        counts[np.argmax(np.where(counts > 1, counts - ideal, -np.inf))] -= 1
    short = n - counts.sum()
    counts[np.argsort(counts - ideal, kind="stable")[:short]] += 1
    return counts
