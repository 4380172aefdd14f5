"""Corners of two-dimensional shapes, from the ends of their boundary curves."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ._pieces import MEETING, Piece, pieces
from ._samples import Corner
from ._shape import Shape
from ._spacetime import split_time

_TURN = 2 * np.pi


@dataclass(frozen=True)
class _End:
    """An end of a boundary curve: the point, the direction away from it, is the interior on its left."""

    point: np.ndarray
    direction: float
    left: bool
    kink: float


@lru_cache(maxsize=256)
def corners(shape: Shape) -> tuple[Corner, ...]:
    """Corners in the order of the boundary's pieces; none for products with time and in other dimensions."""
    if shape.dim != 2 or split_time(shape)[1] is not None:
        return ()
    ends = [end for piece in pieces(shape) for end in _ends(piece)]
    found = []
    for cluster in _clusters(ends, MEETING * shape.size):
        found += _sectors(cluster, shape)
    return tuple(found)


def ends(shape: Shape, found: Sequence[Piece]) -> tuple[Corner, ...]:
    """Where a selection of the boundary ends and the boundary goes on smoothly: corners of opening pi."""
    tolerance = MEETING * shape.size
    tops = np.array([corner.point for corner in corners(shape)]).reshape(-1, 2)
    result = []
    for cluster in _clusters([end for piece in found for end in _ends(piece)], tolerance):
        end = cluster[0]
        if len(cluster) == 1 and not (np.linalg.norm(tops - end.point, axis=1) < tolerance).any():
            point = (float(end.point[0]), float(end.point[1]))
            result.append(Corner(point, np.pi, (end.direction if end.left else end.direction + np.pi) % _TURN))
    return tuple(result)


def _ends(piece: Piece) -> tuple[_End, _End]:
    h = 1e-6
    p, n, _ = piece.propose(np.array([[0.0], [h], [1 - h], [1.0]]))
    return _end(p[0], p[1] - p[0], n[0], piece), _end(p[3], p[2] - p[3], n[3], piece)


def _end(point: np.ndarray, step: np.ndarray, normal: np.ndarray, piece: Piece) -> _End:
    """The tangent is exact: the normal turned; the step along the curve only gives its sense."""
    tangent = np.array([-normal[1], normal[0]])  # interior on its left
    left = float(tangent @ step) > 0
    direction = tangent if left else -tangent
    return _End(point, float(np.arctan2(direction[1], direction[0])), left, piece.kink)


def _clusters(ends: list[_End], tolerance: float) -> list[list[_End]]:
    """Ends that meet in one point, in order of appearance."""
    if not ends:
        return []
    pairs = cKDTree([end.point for end in ends]).query_pairs(tolerance, output_type="ndarray")
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(ends), len(ends)))
    result: dict[int, list[_End]] = {}
    for end, label in zip(ends, connected_components(graph, directed=False)[1], strict=True):
        result.setdefault(int(label), []).append(end)
    return list(result.values())


def _sectors(cluster: list[_End], shape: Shape) -> list[Corner]:
    """Interior sectors at a vertex: from an edge with the interior on its left to the next one."""
    found = []
    closing = [end for end in cluster if not end.left]
    for start in (end for end in cluster if end.left):
        if not closing:
            continue
        last = min(closing, key=lambda end: _opening(start, end, shape))
        angle = _opening(start, last, shape)
        if abs(angle - np.pi) > max(start.kink, last.kink):
            point = (float(start.point[0]), float(start.point[1]))
            found.append(Corner(point, angle, start.direction % _TURN))
    return found


def _opening(start: _End, end: _End, shape: Shape) -> float:
    angle = (end.direction - start.direction) % _TURN
    if min(angle, _TURN - angle) > 1e-7:
        return float(angle)
    away = start.point - 1e-3 * shape.size * np.array([np.cos(start.direction), np.sin(start.direction)])
    return _TURN if shape._distance(away[None])[0] < 0 else 0.0  # a cusp, outward or inward
