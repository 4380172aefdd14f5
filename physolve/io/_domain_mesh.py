"""A simplex mesh of any shape, for pictures and export: a grid cut along the zero of the signed distance.

Each grid cell is split into simplices (Kuhn's triangulation: one per order of the axes); simplices that the boundary
crosses are cut, the crossings found by bisection along their edges. Grid planes go through the corners and bounds of
the shape's members, so that faces along the axes and corners are met exactly; curved faces become chords of one cell.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import SpecificationError, UnsupportedError
from ..spec.geometry import Difference, Intersection, Named, Shape, SpaceTime, Union
from ._mesh_field import MeshField

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Cells along the longest side when no resolution is given, by dimension.
DEFAULT_RESOLUTION: Mapping[int, int] = {1: 400, 2: 160, 3: 40}

_CELL_NAMES = {1: "line", 2: "triangle", 3: "tetra"}
_MOST_CORNERS = 64  # beyond that a polygon is a curve: no grid planes for its corners
_BISECTIONS = 30

# Pieces of a cut simplex by (dimension, nodes inside). An entry is (i,) for the i-th node, inside ones first,
# each kind in order of index, or (i, j) for the crossing on the edge from i to j. Prisms are split along the
# diagonals that start at the lower node, so that neighbours agree on their common face.
_PIECES: Mapping[tuple[int, int], tuple[tuple[tuple[int, ...], ...], ...]] = {
    (1, 1): (((0,), (0, 1)),),
    (2, 1): (((0,), (0, 1), (0, 2)),),
    (2, 2): (((0,), (1,), (1, 2)), ((0,), (0, 2), (1, 2))),
    (3, 1): (((0,), (0, 1), (0, 2), (0, 3)),),
    (3, 2): (
        ((0,), (0, 2), (0, 3), (1, 3)),
        ((0,), (0, 2), (1, 2), (1, 3)),
        ((0,), (1,), (1, 2), (1, 3)),
    ),
    (3, 3): (
        ((0,), (1,), (2,), (2, 3)),
        ((0,), (1,), (1, 3), (2, 3)),
        ((0,), (0, 3), (1, 3), (2, 3)),
    ),
}


def domain_mesh(domain: Shape, resolution: int | Sequence[int] | None = None) -> MeshField:
    """A mesh of lines, triangles or tetrahedra that fills a shape of one, two or three dimensions.

    - `domain`: a shape; the product of a shape with time counts time as one more dimension.
    - `resolution`: grid cells along the longest side, shorter sides get a proportional number but no fewer
      than a quarter; or one number per dimension. The time of a product with time counts as a longest side.

    Holes and parts thinner than a grid cell may be missed. Simplices are positively oriented.

    Raises:
        UnsupportedError: a shape of more than three dimensions.
        SpecificationError: a resolution that is not a positive integer; a shape without any grid point
        inside.
    """
    if domain.dim not in _CELL_NAMES:
        raise UnsupportedError(f"domain mesh: a {domain.dim}-D shape cannot be meshed; give its space part")
    axes = _axes(domain, _resolution(domain, resolution))
    points, simplices, distance = _grid(axes, domain)
    inside = distance <= _tolerance(domain)
    if not inside.any():
        raise SpecificationError("domain mesh: no grid point lies inside the shape; raise the resolution")
    simplices = simplices[inside[simplices].any(axis=1)]
    points, simplices = _cut(points, simplices, inside, domain)
    return _tidy(points, _within(points, simplices, distance, domain))


# --- the grid -----------------------------------------------------------------------------------------------


def _resolution(domain: Shape, given: int | Sequence[int] | None) -> list[int]:
    """Cells along each axis."""
    given = DEFAULT_RESOLUTION[domain.dim] if given is None else given
    each = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    if not all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n >= 1 for n in each):
        raise SpecificationError(f"domain mesh: resolution must be a positive integer, got {given!r}")
    if len(each) == domain.dim > 1:
        return [int(n) for n in each]
    if len(each) != 1:
        raise SpecificationError(
            f"domain mesh: resolution has {len(each)} numbers; expected 1 or {domain.dim}, one per dimension"
        )
    lower, upper = domain.bounds
    lengths = upper - lower
    if isinstance(domain, SpaceTime):
        lengths[-1] = lengths[:-1].max()
    n = int(each[0])
    cells = np.maximum(np.round(n * lengths / lengths.max()), max(n // 4, 1))
    return [int(k) for k in cells]


def _axes(domain: Shape, cells: list[int]) -> list[Floats]:
    """Grid coordinates along each axis, moved to meet the planes where the shape has faces or corners."""
    lower, upper = domain.bounds
    wanted = [list(np.concatenate(column)) for column in zip(*_planes(domain), strict=True)]
    if domain.dim == 2 and 0 < len(domain.corners) <= _MOST_CORNERS:
        for corner in domain.corners:
            for k in range(2):
                wanted[k].append(corner.point[k])
    return [
        _through(np.linspace(lo, hi, n + 1), planes)
        for lo, hi, n, planes in zip(lower, upper, cells, wanted, strict=True)
    ]


def _planes(domain: Shape) -> Iterator[list[Floats]]:
    """For every primitive member the two bounds along each axis."""
    match domain:
        case Union(a, b) | Intersection(a, b) | Difference(a, b):
            yield from _planes(a)
            yield from _planes(b)
        case Named(inner, _):
            yield from _planes(inner)
        case SpaceTime(space, time):
            ends = np.array([time.t0, time.t1])
            yield from ([*planes, ends] for planes in _planes(space))
        case _:
            yield list(np.stack(domain.bounds, axis=1))


def _through(axis: Floats, planes: Sequence[float]) -> Floats:
    """The axis with interior nodes moved to the planes, each node at most once."""
    axis, free = axis.copy(), np.ones(len(axis), dtype=bool)
    free[[0, -1]] = False
    size = axis[-1] - axis[0]
    for plane in sorted(set(planes)):
        if np.abs(axis - plane).min() < 1e-9 * size:  # met already: keep that node there
            free[np.abs(axis - plane).argmin()] = False
            continue
        k = int(np.abs(axis - plane).argmin())
        if axis[0] < plane < axis[-1] and free[k]:
            axis[k], free[k] = plane, False
    return axis


def _grid(axes: list[Floats], domain: Shape) -> tuple[Floats, Integers, Floats]:
    """Points, simplices of all cells, and the signed distance of the points."""
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, domain.dim)
    shape = tuple(len(axis) for axis in axes)
    number = np.arange(len(points)).reshape(shape)
    origin = number[tuple(slice(0, -1) for _ in shape)].ravel()
    strides = np.array([int(np.prod(shape[k + 1 :])) for k in range(len(shape))])
    simplices = np.concatenate(
        [
            origin[:, None] + np.concatenate([[0], np.cumsum(strides[list(order)])])
            for order in itertools.permutations(range(len(shape)))
        ]
    )
    return points, simplices, domain.signed_distance(points)


def _tolerance(domain: Shape) -> float:
    return 1e-9 * domain.size


# --- cutting ------------------------------------------------------------------------------------------------


def _cut(points: Floats, simplices: Integers, inside: NDArray[np.bool_], domain: Shape) -> tuple[Floats, Integers]:
    """The part of the simplices that is inside, with the crossings appended to the points."""
    dim = domain.dim
    rank = np.where(inside[simplices], 0, len(points)) + simplices  # inside first, then by index
    simplices = np.take_along_axis(simplices, np.argsort(rank, axis=1), axis=1)
    count = inside[simplices].sum(axis=1)
    edges, blocks = [], [simplices[count == dim + 1]]
    for (d, k), pieces in _PIECES.items():
        if d == dim:
            block = simplices[count == k]
            blocks += [_piece(block, piece, edges, len(points)) for piece in pieces]
    crossings, index = _crossings(points, edges, domain)
    alias = np.concatenate([np.arange(len(points)), index])
    return np.concatenate([points, crossings]), alias[np.concatenate(blocks)]


def _piece(block: Integers, piece: tuple[tuple[int, ...], ...], edges: list[Integers], first: int) -> Integers:
    """One piece of every simplex of a block; crossings are numbered after the points, in order of `edges`."""
    columns = []
    for entry in piece:
        if len(entry) == 1:
            columns.append(block[:, entry[0]])
        else:
            start = first + sum(map(len, edges))
            edges.append(block[:, list(entry)])
            columns.append(start + np.arange(len(block)))
    return np.stack(columns, axis=1)


def _crossings(points: Floats, edges: list[Integers], domain: Shape) -> tuple[Floats, Integers]:
    """Where edges (inside node, outside node) cross the boundary, and the point number of every edge's crossing.

    A crossing that falls on the inside node gets that node's number.
    """
    if not sum(map(len, edges)):
        return np.empty((0, points.shape[1])), np.empty(0, dtype=np.int64)
    pairs, inverse = np.unique(np.concatenate(edges), axis=0, return_inverse=True)
    start, step = points[pairs[:, 0]], points[pairs[:, 1]] - points[pairs[:, 0]]
    low, high = np.zeros(len(pairs)), np.ones(len(pairs))
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        within = domain.contains(start + middle[:, None] * step)
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    number = np.where(low < 1e-6, pairs[:, 0], len(points) + np.arange(len(pairs)))
    return start + low[:, None] * step, number[inverse.ravel()]


def _within(points: Floats, simplices: Integers, distance: Floats, domain: Shape) -> Integers:
    """Without the simplices that have all nodes on the boundary and yet lie outside, as in a corner of a hole."""
    deep = np.zeros(len(points), dtype=bool)
    deep[: len(distance)] = distance < -_tolerance(domain)
    doubtful = np.flatnonzero(~deep[simplices].any(axis=1))
    if not len(doubtful):
        return simplices
    outside = ~domain.contains(points[simplices[doubtful]].mean(axis=1))
    return np.delete(simplices, doubtful[outside], axis=0)


def _tidy(points: Floats, simplices: Integers) -> MeshField:
    """Without empty simplices and unused points, all oriented positively."""
    ordered = np.sort(simplices, axis=1)
    simplices = simplices[(np.diff(ordered, axis=1) > 0).all(axis=1)]
    edges = points[simplices[:, 1:]] - points[simplices[:, :1]]
    volume = np.linalg.det(edges)
    size = np.prod(np.ptp(points, axis=0)) / max(len(points), 1)
    flipped = simplices.copy()
    flipped[:, -2:] = simplices[:, :-3:-1]
    simplices = np.where((volume < 0)[:, None], flipped, simplices)[np.abs(volume) > 1e-12 * size]
    used, renumbered = np.unique(simplices, return_inverse=True)
    cells = renumbered.reshape(simplices.shape)
    return MeshField(points[used], {_CELL_NAMES[points.shape[1]]: cells})
