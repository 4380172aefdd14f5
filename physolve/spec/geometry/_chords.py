"""Where straight lines cross the primitives of a shape, and at which heights that changes its form.

Of lines along the first coordinate everything is known in closed form: a primitive in its place answers with the
crossings, x of a line's points on its boundary.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from physolve._typing import MaskArray, PointArray

from ._csg import Difference, Intersection, Union
from ._ellipse import Ellipse
from ._interval import Interval, TimeInterval
from ._polygon import Polygon, Triangle
from ._rectangle import Box, Rectangle
from ._round import Ball, Cylinder, Disk
from ._shape import Shape
from ._spacetime import SpaceTime
from ._transform import Named, Rotated, Translated

_CHUNK = 1_000_000  # line-edge pairs held at once

_MANY = 400  # vertices, more of which are not tips each

Crossings = np.ndarray
"""(lines, k) values of x, NaN where a line misses"""


@dataclass(frozen=True, eq=False)
class Placed:
    """A primitive in its place: the point p of the primitive is at matrix p + offset."""

    shape: Shape
    matrix: np.ndarray
    offset: np.ndarray

    @cached_property
    def vertices(self) -> PointArray:
        """Of intervals, boxes and polygons, in their place; in the order of the outline or of the bits of a number."""
        match self.shape:
            case Polygon(vertices):
                corners = np.array(vertices)
            case Triangle(a, b, c):
                corners = np.array([a, b, c])
            case _:
                corners = np.array(list(product(*zip(*self.shape.bounds, strict=True))))
        return corners @ self.matrix.T + self.offset

    def crossings(self, lines: PointArray) -> Crossings:
        """Of the lines with these values (m, dim - 1) of the coordinates after the first."""
        start = (np.column_stack([np.zeros(len(lines)), lines]) - self.offset) @ self.matrix
        along = self.matrix[0]
        match self.shape:
            case Disk(center, radius) | Ball(center, radius):
                return _quadric((start - np.array(center)) / radius, along / radius)
            case Ellipse(center, radii):
                return _quadric((start - np.array(center)) / np.array(radii), along / np.array(radii))
            case Cylinder(base, radius, height):
                p = start - np.array(base)
                round_ = _quadric(p[:, :2] / radius, along[:2] / radius)
                return _overlap(round_, _slab(p[:, 2], along[2], 0.0, height))
            case Polygon() | Triangle():
                return self._edge_crossings(lines[:, 0])
        lower, upper = self.shape.bounds
        result = _slab(start[:, 0], along[0], lower[0], upper[0])
        for k in range(1, len(lower)):
            result = _overlap(result, _slab(start[:, k], along[k], lower[k], upper[k]))
        return result

    def _edge_crossings(self, y: np.ndarray) -> Crossings:
        a, b = self.vertices, np.roll(self.vertices, -1, axis=0)
        chunk = max(1, _CHUNK // len(a))
        parts = [_edges(a, b, y[k : k + chunk, None]) for k in range(0, len(y), chunk)]
        most = max((p.shape[1] for p in parts), default=0)
        return np.concatenate([np.pad(p, ((0, 0), (0, most - p.shape[1])), constant_values=np.nan) for p in parts])

    def tips(self) -> tuple[PointArray, bool]:
        """Where the primitive begins, ends or has a corner along the last coordinate, and whether it is round there."""
        e = np.zeros(len(self.offset))
        e[-1] = 1.0
        match self.shape:
            case Disk(center, radius) | Ball(center, radius):
                step = radius * e
            case Ellipse(center, radii):
                step = self.matrix @ (np.array(radii) ** 2 * self.matrix[-1]) / np.linalg.norm(radii * self.matrix[-1])
            case Cylinder(base, radius, height):
                axis = self.matrix[:, 2]
                across = e - axis[-1] * axis
                length = np.linalg.norm(across)
                step = radius * across / length if length > 1e-12 else 0.0 * e
                low = self.matrix @ np.array(base) + self.offset
                high = low + height * axis
                return np.stack([low - step, low + step, high - step, high + step]), True
            case _:
                return self._corners(), False
        middle = self.matrix @ np.array(center) + self.offset
        return np.stack([middle - step, middle + step]), True

    @property
    def is_rough(self) -> bool:
        """Whether some vertices are no tips."""
        return isinstance(self.shape, Polygon) and len(self.shape.vertices) > _MANY

    def _corners(self) -> PointArray:
        """The vertices; of very many each k-th, and those at which the outline turns back."""
        if not self.is_rough:
            return self.vertices
        y = self.vertices[:, 1]
        keep = (np.roll(y, 1) - y) * (np.roll(y, -1) - y) >= 0
        keep[:: -(-len(y) // _MANY)] = True
        return self.vertices[keep]

    def section_tips(self, z: np.ndarray) -> tuple[Crossings, bool]:
        """The same of the sections at heights z (m,) of a solid, along y: (m, k) values, NaN for none."""
        match self.shape:
            case Ball(center, radius):
                _, y, z0 = self.matrix @ np.array(center) + self.offset
                half = _root(radius**2 - (z - z0) ** 2)
                return np.stack([y - half, y + half], 1), True
            case Cylinder():
                return self._cylinder_tips(z), True
        i = np.arange(8)
        pairs = [(a, a | bit) for bit in (1, 2, 4) for a in i if not a & bit]
        a, b = (self.vertices[list(ends)] for ends in zip(*pairs, strict=True))
        return _points_at(a, b - a, z), False

    def _cylinder_tips(self, z: np.ndarray) -> Crossings:
        """The rims' points at the heights, and the lines on the side at which its normal has no x."""
        assert isinstance(self.shape, Cylinder)
        u, v, axis = self.matrix.T
        radius, height = self.shape.radius, self.shape.height
        base = self.matrix @ np.array(self.shape.base) + self.offset
        found = []
        slope = np.hypot(u[2], v[2])
        for middle in (base, base + height * axis):
            if slope > 1e-12:
                cosine = (z - middle[2]) / (radius * slope)
                sine = _root(1 - cosine**2)
                for sign in (-1, 1):
                    c, s = cosine * u[2] - sign * sine * v[2], cosine * v[2] + sign * sine * u[2]
                    found.append((middle[1] + radius * (c * u[1] + s * v[1]) / slope)[:, None])
        normal = np.array([0.0, axis[2], -axis[1]])
        length = np.linalg.norm(normal)
        if length > 1e-12:
            starts = base + radius / length * np.stack([normal, -normal])
            found.append(_points_at(starts, np.tile(height * axis, (2, 1)), z))
        return np.hstack(found)


def placed(shape: Shape) -> tuple[Placed, ...] | None:
    """The primitives of a tree in their places, if lines can be cut with all of them."""
    return _placed(shape, np.eye(shape.dim), np.zeros(shape.dim))


def _placed(shape: Shape, matrix: np.ndarray, offset: np.ndarray) -> tuple[Placed, ...] | None:
    match shape:
        case Named(inner, _):
            return _placed(inner, matrix, offset)
        case Translated(inner, _) | Rotated(inner):
            moved = shape._move(np.vstack([np.zeros(shape.dim), np.eye(shape.dim)]))
            return _placed(inner, matrix @ (moved[1:] - moved[0]).T, matrix @ moved[0] + offset)
        case Union(a, b) | Intersection(a, b) | Difference(a, b):
            first, second = _placed(a, matrix, offset), _placed(b, matrix, offset)
            return None if first is None or second is None else first + second
        case SpaceTime():
            solid = _as_solid(shape)
            return None if solid is None else (Placed(solid, matrix, offset),)
        case Interval() | TimeInterval() | Rectangle() | Polygon() | Triangle() | Disk() | Ellipse():
            return (Placed(shape, matrix, offset),)
        case Box() | Ball() | Cylinder():
            return (Placed(shape, matrix, offset),)
    return None


def _as_solid(shape: SpaceTime) -> Shape | None:
    """The shape in space that a product with time looks like."""
    lower, upper = (tuple(bound) for bound in shape.bounds)
    match shape.space:
        case Interval():
            return Rectangle(lower, upper)
        case Rectangle():
            return Box(lower, upper)
        case Disk((x, y), radius):
            return Cylinder((x, y, lower[-1]), radius, upper[-1] - lower[-1])
    return None


def _root(x: np.ndarray) -> np.ndarray:
    return np.sqrt(np.where(x >= 0, x, np.nan))


def _quadric(p: PointArray, e: np.ndarray) -> Crossings:
    """Roots s of |p + s e| = 1; all s where the line runs inside without an end."""
    a = e @ e
    if a == 0:
        return np.where((np.sum(p * p, 1) <= 1)[:, None], np.array([-np.inf, np.inf]), np.nan)
    nearest = -(p @ e) / a
    half = _root((1 - np.sum((p + nearest[:, None] * e) ** 2, 1)) / a)
    return np.stack([nearest - half, nearest + half], 1)


def _slab(p: np.ndarray, e: float, lower: float, upper: float) -> Crossings:
    """The s with lower <= p + s e <= upper."""
    if e == 0:
        return np.where(((p >= lower) & (p <= upper))[:, None], np.array([-np.inf, np.inf]), np.nan)
    return np.sort(np.stack([(lower - p) / e, (upper - p) / e], 1), axis=1)


def _overlap(a: Crossings, b: Crossings) -> Crossings:
    """What two intervals share, on every line."""
    both = np.stack([np.maximum(a[:, 0], b[:, 0]), np.minimum(a[:, 1], b[:, 1])], 1)
    empty: MaskArray = ~(both[:, 0] < both[:, 1])
    both[empty] = np.nan
    return both


def _edges(a: PointArray, b: PointArray, y: np.ndarray) -> Crossings:
    """Where lines y (m, 1) cross the edges a b, with as many columns as the line with most crossings needs."""
    hit = (a[:, 1] > y) != (b[:, 1] > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = a[:, 0] + (b[:, 0] - a[:, 0]) * (y - a[:, 1]) / (b[:, 1] - a[:, 1])
    return np.sort(np.where(hit, x, np.nan), axis=1)[:, : hit.sum(1).max(initial=0)]


def _points_at(start: PointArray, step: PointArray, z: np.ndarray) -> Crossings:
    """y of the points of segments (k, 3) at heights z: (m, k)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        s = (z[:, None] - start[:, 2]) / step[:, 2]
        return np.where((s >= 0) & (s <= 1), start[:, 1] + s * step[:, 1], np.nan)
