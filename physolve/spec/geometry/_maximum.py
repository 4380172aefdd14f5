"""The largest value of a function over a shape or its boundary: dense sampling, then a search near the largest."""

from collections.abc import Callable, Sequence

import numpy as np

from physolve._typing import ColumnArray, MaskArray, PointArray

from ._boundary import Selection, select
from ._draw import Stream, allocate
from ._face import Proposal
from ._pieces import Piece, pieces
from ._shape import Shape, Where

SAMPLES = 8192

STARTS = 64
"""About this many cells of a chart each send their largest sample on a search: peaks at corners and edges are narrow,
and their samples need not be among the largest ones."""

ROUNDS, TRIES, FINALISTS = 10, 8, 8
"""Rounds of a search, each with so many tries within half the distance of the round before; the lower half of the
searches ends after every round, until so many are left."""

MARGIN = 1e-6
"""How far from the boundary points stay that have to lie inside, in sizes of the shape (and of a chart)."""

Values = Callable[[PointArray], ColumnArray]


def maximum(shape: Shape, values: Values, n: int = SAMPLES, seed: int = 0) -> float:
    """Largest of `values` (points (n, dim) to (n,)) inside the shape, from n samples and searches near the largest.

    Half of the samples lie close to the boundary: functions that are fitted are worst there, most of all in corners. A
    lower bound of the supremum, for functions that the samples resolve good to a few per cent. Infinite where a value
    is infinite or no number. Raises SpecificationError when the shape is empty.
    """
    inside = _largest((shape._region().propose,), np.array([n // 2]), shape.dim, values, seed, MARGIN)
    around = pieces(shape)
    shares = allocate(np.array([piece.measure for piece in around]), n - n // 2)
    near = _largest([_inside_of(piece, shape) for piece in around], shares, shape.dim - 1, values, seed, MARGIN)
    return max(inside, near)


def boundary_maximum(
    shape: Shape,
    values: Values,
    n: int = SAMPLES // 2,
    on: Selection = None,
    where: Where | None = None,
    seed: int = 0,
) -> float:
    """The same over the boundary, or the part of it that `on` and `where` choose as in `Shape.sample_boundary`."""
    chosen = select(shape, on, where)
    shares = allocate(np.array([piece.measure for piece in chosen]), n)
    return _largest([_points_of(piece) for piece in chosen], shares, shape.dim - 1, values, seed, 0.0)


def _points_of(piece: Piece) -> Proposal:
    def propose(u: np.ndarray) -> tuple[PointArray, MaskArray]:
        points, _, keep = piece.propose(u)
        return points, keep

    return propose


def _inside_of(piece: Piece, shape: Shape) -> Proposal:
    """The piece's points, moved inside the shape."""

    def propose(u: np.ndarray) -> tuple[PointArray, MaskArray]:
        points, normals, keep = piece.propose(u)
        points = points - MARGIN * shape.size * normals
        return points, keep & (shape._distance(points) < 0)

    return propose


def _largest(
    charts: Sequence[Proposal], shares: np.ndarray, dim: int, values: Values, seed: int, margin: float
) -> float:
    stream = Stream("sobol", dim, seed)
    rng = np.random.default_rng(seed)
    found = [_search(c, stream.take(int(n)), values, rng, margin) for c, n in zip(charts, shares, strict=True) if n]
    return max(found, default=-np.inf)


def _search(chart: Proposal, u: np.ndarray, values: Values, rng: np.random.Generator, margin: float) -> float:
    """Largest value in one chart, from its samples u (n, dim) in the unit cube."""
    if not u.shape[1]:
        return float(_sizes(chart, u[:1], values)[0])
    u = np.clip(np.concatenate([_vertices(u.shape[1]), u]), margin, 1 - margin)
    heights = _sizes(chart, u, values)
    reach = 2 * len(u) ** (-1 / u.shape[1])
    best = _best_of_cells(u, heights)
    u, heights = u[best], heights[best]
    for _ in range(ROUNDS):
        tries = u[:, None] + reach * rng.uniform(-1, 1, (len(u), TRIES, u.shape[1]))
        tries = np.concatenate([u[:, None], np.clip(tries, margin, 1 - margin)], 1)
        fresh = _sizes(chart, tries[:, 1:].reshape(-1, u.shape[1]), values).reshape(len(u), TRIES)
        ladder = np.concatenate([heights[:, None], fresh], 1)
        rows, top = np.arange(len(u)), ladder.argmax(1)
        kept = np.argsort(-ladder[rows, top])[: max(FINALISTS, len(u) // 2)]
        u, heights, reach = tries[rows, top][kept], ladder[rows, top][kept], reach / 2
    return float(heights.max(initial=-np.inf))


def _vertices(dim: int) -> np.ndarray:
    """Of the unit cube (2^dim, dim): a chart's corners, which no random sample meets."""
    return np.indices((2,) * dim).reshape(dim, -1).T.astype(np.float64)


def _best_of_cells(u: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Indices of the largest value in every cell of a regular partition of the cube into about STARTS cells."""
    per_axis = max(2, round(STARTS ** (1 / u.shape[1])))
    cells = np.minimum((u * per_axis).astype(int), per_axis - 1) @ per_axis ** np.arange(u.shape[1])
    order = np.lexsort((-heights, cells))
    return order[np.unique(cells[order], return_index=True)[1]]


def _sizes(chart: Proposal, u: np.ndarray, values: Values) -> np.ndarray:
    """Values at the chart's points; -inf off the shape, inf where a value is no number."""
    points, keep = chart(u)
    found = np.full(len(u), -np.inf)
    if keep.any():
        inside = np.asarray(values(points[keep]), dtype=np.float64)
        found[keep] = np.where(np.isnan(inside), np.inf, inside)
    return found
