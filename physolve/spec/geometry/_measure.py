"""Measure of a shape: in closed form, or from its boundary by the divergence theorem."""

from functools import lru_cache

import numpy as np

from physolve.errors import SpecificationError

from ._draw import Stream
from ._pieces import Piece, pieces
from ._shape import Shape

_NODES = {0: 1, 1: 512, 2: 32, 3: 16}  # Gauss points per axis of a piece's chart, by its dimension


@lru_cache(maxsize=256)
def measure(shape: Shape) -> float:
    """Length, area or volume. Raises SpecificationError when nothing is inside."""
    known = shape._known_measure()
    if known is not None:
        return known
    fraction, extent = _kept(shape)
    lower, upper = shape.bounds
    center = (lower + upper) / 2
    value = sum(_flux(piece, center, shape.dim) for piece in pieces(shape)) / shape.dim
    # A boundary piece too small to be seen would spoil the balance: then the count of points decides.
    return value if abs(value / extent - fraction) < 0.02 * np.sqrt(fraction) else fraction * extent


def _kept(shape: Shape) -> tuple[float, float]:
    """Share of the region chart's points that lie in the shape, and the chart's extent."""
    region = shape._region()
    stream = Stream("sobol", shape.dim, 1)
    if region.extent > 0:
        for m in (1 << 12, 1 << 15, 1 << 20):
            keep = region.propose(stream.take(m))[1]
            if keep.any():
                return float(keep.mean()), region.extent
    raise SpecificationError(
        f"this shape is empty, nothing is left of it: {shape!r}; check positions and sizes"
    )


def _flux(piece: Piece, center: np.ndarray, dim: int) -> float:
    """Integral of (x - center) . n over a piece."""
    if piece.fraction < 1:
        points, normals, keep = piece.propose(Stream("sobol", dim - 1, 1).take(1 << 16))
        values = np.where(keep, np.sum((points - center) * normals, axis=1), 0.0)
        return float(values.mean()) * piece.measure / piece.fraction
    u, weights = _gauss(dim - 1)
    points, normals, _ = piece.propose(u)
    return float(weights @ np.sum((points - center) * normals, axis=1)) * piece.measure


def _gauss(dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes (m, dim) on the unit cube and weights (m,)."""
    x, w = np.polynomial.legendre.leggauss(_NODES[dim])
    x, w = (x + 1) / 2, w / 2
    nodes = (
        np.stack(np.meshgrid(*[x] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
        if dim
        else np.empty((1, 0))
    )
    weights = np.ones(1)
    for _ in range(dim):
        weights = np.outer(weights, w).ravel()
    return nodes, weights
