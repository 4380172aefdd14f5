"""Bodies removed from the inside of a shape."""

from functools import lru_cache

import numpy as np

from physolve._typing import PointArray

from ._csg import Difference, Intersection, Union
from ._draw import Stream
from ._ellipse import Ellipse
from ._measure import centroid
from ._pieces import pieces
from ._rectangle import Box, Rectangle
from ._round import Ball, Cylinder, Disk
from ._samples import Hole
from ._shape import Shape
from ._spacetime import split_time
from ._transform import Named, Rotated, Translated


@lru_cache(maxsize=256)
def holes(shape: Shape) -> tuple[Hole, ...]:
    """Removed bodies whose outline is inside what they are removed from and bounds the result."""
    if shape.dim not in (2, 3) or split_time(shape)[1] is not None:
        return ()
    return tuple(_hole(body) for body in _removed(shape) if _bounds_result(body, shape))


def _removed(shape: Shape) -> list[Shape]:
    """Bodies cut out somewhere in the tree, in their places."""
    match shape:
        case Named(inner, _):
            return _removed(inner)
        case Translated(inner, vector):
            return [Translated(body, vector) for body in _removed(inner)]
        case Rotated(inner, angle, about, axis):
            return [Rotated(body, angle, about, axis) for body in _removed(inner)]
        case Union(a, b) | Intersection(a, b):
            return [*_removed(a), *_removed(b)]
        case Difference(a, b):
            return [*_removed(a), *(body for body in _bodies(b) if np.all(a._distance(_outline(body)) < 0))]
    return []


def _bodies(shape: Shape) -> list[Shape]:
    """A union's members."""
    match shape:
        case Named(inner, _):
            return _bodies(inner)
        case Union(a, b):
            return [*_bodies(a), *_bodies(b)]
        case Translated(inner, vector):
            return [Translated(body, vector) for body in _bodies(inner)]
        case Rotated(inner, angle, about, axis):
            return [Rotated(body, angle, about, axis) for body in _bodies(inner)]
    return [shape]


def _outline(body: Shape) -> PointArray:
    """Points of the boundary of a body."""
    points = [p[keep] for p, _, keep in (piece.propose(_unit(body.dim - 1)) for piece in pieces(body))]
    return np.concatenate(points)


def _unit(dim: int) -> np.ndarray:
    return Stream("sobol", dim, 1).take(256)


def _bounds_result(body: Shape, shape: Shape) -> bool:
    """Whether some of the body's outline is on the boundary of the whole."""
    step = 1e-6 * shape.size
    return bool(np.any(np.abs(shape._distance(_outline(body))) < step))


def _hole(body: Shape) -> Hole:
    d, measure = body.dim, body.measure
    radius = np.sqrt(measure / np.pi) if d == 2 else np.cbrt(measure * 3 / (4 * np.pi))
    return Hole(tuple(float(c) for c in _center(body)), float(radius))


def _center(body: Shape) -> np.ndarray:
    """Centre of gravity (dim,); of symmetric primitives to the last bit."""
    match body:
        case Named(inner, _):
            return _center(inner)
        case Translated(inner, _) | Rotated(inner):
            return body._move(_center(inner))
        case Disk() | Ball() | Ellipse() | Rectangle() | Box() | Cylinder():
            lower, upper = body.bounds
            return (lower + upper) / 2
    return centroid(body)
