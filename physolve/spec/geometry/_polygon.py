"""Polygon and triangle."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from physolve._typing import ColumnArray, PointArray
from physolve.errors import SpecificationError

from ._charts import segment_chart
from ._checks import Vector, text, vector
from ._face import Face, Region, box_region
from ._mesh_distance import FacetDistance
from ._shape import Shape

_CHUNK = 200_000  # point-edge pairs held at once: what fits into the cache
_MANY = 64  # edges from which on a tree is faster than trying them all


@dataclass(frozen=True, repr=False)
class Polygon(Shape):
    """The simple polygon through the vertices, in order; parts 'edge1' (vertex 1 to 2), 'edge2', ...

    Clockwise vertices are reversed (the first one stays). Raises SpecificationError for fewer than three
    vertices, repeated ones and edges that cross.
    """

    vertices: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", _checked(self.vertices, "Polygon"))

    @property
    def dim(self) -> int:
        return 2

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return np.min(self.vertices, axis=0), np.max(self.vertices, axis=0)

    @cached_property
    def _array(self) -> np.ndarray:
        return np.array(self.vertices)

    def _distance(self, points: PointArray) -> ColumnArray:
        return polygon_distance(points, self._array)

    def _faces(self) -> tuple[Face, ...]:
        return _edges(self, self.vertices)

    def _region(self) -> Region:
        return box_region(self)

    def _known_measure(self) -> float:
        return _area(self.vertices)


@dataclass(frozen=True, repr=False)
class Triangle(Shape):
    """The triangle a, b, c; parts 'edge1' (a to b), 'edge2' (b to c), 'edge3' (c to a)."""

    a: tuple[float, float]
    b: tuple[float, float]
    c: tuple[float, float]

    def __post_init__(self) -> None:
        for name, value in zip("abc", _checked((self.a, self.b, self.c), "Triangle"), strict=True):
            object.__setattr__(self, name, value)

    @property
    def _vertices(self) -> tuple[Vector, ...]:
        return self.a, self.b, self.c

    @property
    def dim(self) -> int:
        return 2

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return np.min(self._vertices, axis=0), np.max(self._vertices, axis=0)

    def _distance(self, points: PointArray) -> ColumnArray:
        return polygon_distance(points, np.array(self._vertices))

    def _faces(self) -> tuple[Face, ...]:
        return _edges(self, self._vertices)

    def _region(self) -> Region:
        return box_region(self)

    def _known_measure(self) -> float:
        return _area(self._vertices)


def _edges(shape: Shape, vertices: tuple[Vector, ...]) -> tuple[Face, ...]:
    pairs = zip(vertices, vertices[1:] + vertices[:1], strict=True)
    return tuple(
        Face((f"edge{k}",), segment_chart(a, b), float(np.hypot(b[0] - a[0], b[1] - a[1])), shape)
        for k, (a, b) in enumerate(pairs, start=1)
    )


def _area(vertices: Iterable[Vector]) -> float:
    """Signed area, positive for counter-clockwise vertices."""
    v = np.array(list(vertices))
    v = v - v[0]
    w = np.roll(v, -1, axis=0)
    return float(np.sum(v[:, 0] * w[:, 1] - v[:, 1] * w[:, 0]) / 2)


def polygon_distance(points: PointArray, vertices: np.ndarray) -> ColumnArray:
    """Signed distance to a closed polygon: nearest edge, sign by the parity of a ray's crossings."""
    if len(vertices) > _MANY:
        return _by_tree(vertices.tobytes())(points)
    chunk = max(1, _CHUNK // len(vertices))
    parts = [_distance_chunk(points[k : k + chunk], vertices) for k in range(0, len(points), chunk)]
    return np.concatenate(parts) if parts else np.empty(0)


@lru_cache(maxsize=32)
def _by_tree(vertices: bytes) -> FacetDistance:
    points = np.frombuffer(vertices).reshape(-1, 2)
    index = np.arange(len(points))
    return FacetDistance(points, np.column_stack([index, np.roll(index, -1)]))


def _distance_chunk(points: PointArray, vertices: np.ndarray) -> ColumnArray:
    edges = np.roll(vertices, -1, axis=0) - vertices
    rx, ry = points[:, 0:1] - vertices[:, 0], points[:, 1:2] - vertices[:, 1]
    ex, ey = edges[:, 0], edges[:, 1]
    along = np.clip((rx * ex + ry * ey) / (ex**2 + ey**2), 0, 1)
    squared = np.min((rx - along * ex) ** 2 + (ry - along * ey) ** 2, axis=1)
    spans = (ry >= 0) != (ry - ey >= 0)
    crossings = spans & ((rx * ey < ry * ex) == (ey > 0))
    return np.where(crossings.sum(axis=1) % 2 == 1, -1.0, 1.0) * np.sqrt(squared)


def _checked(vertices: object, name: str) -> tuple[Vector, ...]:
    """The vertices as tuples of floats, counter-clockwise."""
    if isinstance(vertices, str) or not isinstance(vertices, Iterable):
        raise SpecificationError(f"{name}: vertices must be a sequence of (x, y) pairs, got {vertices!r}")
    result = tuple(vector(v, f"{name}: vertex {k}", 2) for k, v in enumerate(vertices, start=1))
    if len(result) < 3:
        raise SpecificationError(f"{name}: at least 3 vertices are needed, got {len(result)}")
    _check_repeated(result, name)
    _check_simple(result, name)
    return result if _area(result) > 0 else (result[0], *result[:0:-1])


def _check_repeated(vertices: tuple[Vector, ...], name: str) -> None:
    seen: dict[Vector, int] = {}
    for k, v in enumerate(vertices, start=1):
        if v in seen:
            raise SpecificationError(
                f"{name}: vertices {seen[v]} and {k} are the same point {text(v)}; "
                "list each vertex once, the first one too"
            )
        seen[v] = k


def _check_simple(vertices: tuple[Vector, ...], name: str) -> None:
    """Refuses zero area, edges that cross or touch, and edges that fold back on their neighbour."""
    v = np.array(vertices)
    size = np.ptp(v, axis=0).max()
    if abs(_area(vertices)) < 1e-14 * size**2:
        raise SpecificationError(f"{name}: the vertices enclose no area; they lie on one line or cross themselves")
    w = np.roll(v, -1, axis=0)
    touch = _segments_meet(v, w)
    first, second = np.nonzero(np.triu(touch, k=1))
    if len(first):
        raise SpecificationError(
            f"{name}: edges {first[0] + 1} and {second[0] + 1} cross or touch; "
            "order the vertices so that the outline is simple"
        )


def _segments_meet(v: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Which pairs of the closed outline's edges v[i] -> w[i] meet where they should not: (m, m) mask."""
    m, scale = len(v), np.ptp(v, axis=0).max() ** 2 * 1e-13

    def side(p: np.ndarray) -> np.ndarray:  # of point p[j] seen from edge i
        d = w - v
        cross = d[:, None, 0] * (p[None, :, 1] - v[:, None, 1]) - d[:, None, 1] * (p[None, :, 0] - v[:, None, 0])
        return np.where(np.abs(cross) < scale, 0, np.sign(cross))

    apart = np.maximum(np.minimum(v, w)[:, None] - np.maximum(v, w)[None], 0).max(axis=2) > 0
    apart |= apart.T
    straddle = side(v) * side(w) <= 0
    meet = straddle & straddle.T & ~apart
    index = np.arange(m)
    neighbours = (np.abs(index[:, None] - index[None]) % (m - 1) <= 1) if m > 2 else np.ones((m, m), bool)
    return np.where(neighbours, _folds_back(v, w), meet)


def _folds_back(v: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Which edges run back along the edge before them: (m, m) mask."""
    m = len(v)
    d = (w - v) / np.linalg.norm(w - v, axis=1, keepdims=True)
    following = np.roll(d, -1, axis=0)
    cross = d[:, 0] * following[:, 1] - d[:, 1] * following[:, 0]
    folded = (np.abs(cross) < 1e-12) & (np.sum(d * following, axis=1) < 0)
    mask = np.zeros((m, m), dtype=bool)
    index = np.arange(m)
    mask[index, (index + 1) % m] = folded
    return mask | mask.T
