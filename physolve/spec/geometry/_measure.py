"""Measure of a shape: in closed form, or from its boundary by the divergence theorem."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from physolve._typing import PointArray
from physolve.errors import SpecificationError

from ._draw import Stream
from ._pieces import Piece, pieces
from ._shape import Shape

_NODES = {0: 1, 1: 128, 2: 32, 3: 16}  # Gauss points per axis of a piece's chart, by its dimension


@lru_cache(maxsize=256)
def measure(shape: Shape) -> float:
    """Length, area or volume. Raises SpecificationError when nothing is inside."""
    known = shape._known_measure()
    if known is not None:
        return known
    fraction, extent = _kept(shape)
    lower, upper = shape.bounds
    center = (lower + upper) / 2
    value = sum(_flux(piece, center) for piece in pieces(shape)) / shape.dim
    # A boundary piece too small to be seen would spoil the balance: then the count of points decides.
    return value if abs(value / extent - fraction) < 0.06 * np.sqrt(fraction) else fraction * extent


def _kept(shape: Shape) -> tuple[float, float]:
    """Share of the region chart's points that lie in the shape, and the chart's extent."""
    region = shape._region()
    stream = Stream("sobol", shape.dim, 1)
    if region.extent > 0:
        for m in (1 << 12, 1 << 15, 1 << 20):
            keep = region.propose(stream.take(m))[1]
            if keep.any():
                return float(keep.mean()), region.extent
    raise SpecificationError(f"this shape is empty, nothing is left of it: {shape!r}; check positions and sizes")


def centroid(shape: Shape) -> np.ndarray:
    """Centre of gravity (dim,), by the divergence theorem: the integral of x - c is that of (x - c)^2 n / 2
    over the boundary."""
    lower, upper = shape.bounds
    center = (lower + upper) / 2
    moments = sum(boundary_integral(p, lambda x, n: (x - center) ** 2 * n / 2) for p in pieces(shape))
    return center + moments / shape.measure


def _flux(piece: Piece, center: np.ndarray) -> float:
    """Integral of (x - center) . n over a piece."""
    return float(boundary_integral(piece, lambda x, n: (x - center) * n).sum())


def boundary_integral(piece: Piece, function: Callable[[PointArray, PointArray], np.ndarray]) -> np.ndarray:
    """Integral of function(points, normals) -> (n, k) over a piece: by Gauss, or by quasi-Monte Carlo if
    parts of the chart do not count."""
    dim = piece.owner.dim - 1
    if piece.fraction < 1 or piece.kink > 1e-3:  # a mesh's outline is no smooth curve
        points, normals, keep = piece.propose(Stream("sobol", dim, 1).take(1 << 15))
        return function(points[keep], normals[keep]).mean(axis=0) * piece.measure
    u, weights = _gauss(dim)
    points, normals, _ = piece.propose(u)
    return weights @ function(points, normals) * piece.measure


@lru_cache(maxsize=8)
def _gauss(dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes (m, dim) on the unit cube and weights (m,)."""
    x, w = np.polynomial.legendre.leggauss(_NODES[dim])
    x, w = (x + 1) / 2, w / 2
    nodes = np.stack(np.meshgrid(*[x] * dim, indexing="ij"), axis=-1).reshape(-1, dim) if dim else np.empty((1, 0))
    weights = np.ones(1)
    for _ in range(dim):
        weights = np.outer(weights, w).ravel()
    return nodes, weights
