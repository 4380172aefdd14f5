"""Names of the parts of a boundary."""

from functools import lru_cache

import numpy as np

from ._csg import Difference, Intersection, Union
from ._face import Face
from ._pieces import EPSILON, Piece, both_inside, labelled, pieces, trim
from ._shape import Shape
from ._spacetime import SpaceTime
from ._transform import Named, Rotated, Translated


@lru_cache(maxsize=256)
def parts(shape: Shape) -> tuple[str, ...]:
    """All names with a piece of the boundary, in order of appearance; 'boundary' last."""
    names = {label: None for piece in pieces(shape) for label in piece.labels}
    hidden = {label: None for face in shape._faces() for label in face.labels if label not in names}
    coincident = [label for label in hidden if labelled(shape, (label,))]  # hidden only behind an equal face
    return (*names, *coincident, "boundary")


@lru_cache(maxsize=256)
def interfaces(shape: Shape) -> tuple[str, ...]:
    """Names of sub-shapes with a boundary inside the shape and none on its boundary."""
    taken = parts(shape)
    names = dict.fromkeys(name for name, _ in named_shapes(shape) if name not in taken)
    return tuple(name for name in names if any(inner_pieces(shape, s) for n, s in named_shapes(shape) if n == name))


def inner_pieces(shape: Shape, sub: Shape) -> tuple[Piece, ...]:
    """The part of a sub-shape's boundary that lies inside the shape; normals out of the sub-shape."""
    eps = EPSILON * shape.size
    inside = both_inside(shape, eps)

    def state(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        inner = sub._distance(points - eps * normals) < 0
        outer = sub._distance(points + eps * normals) < 0
        sign = inner.astype(np.int8) - outer.astype(np.int8)
        return np.where(inside(points, normals), sign, 0).astype(np.int8)

    return trim(spatial_faces(sub), state, shape.size)


def spatial_faces(sub: Shape) -> list[Face]:
    """Faces of a sub-shape; of a lifted one (space times time) without 'initial' and 'final'."""
    faces = sub._faces()
    lifted = isinstance(sub, SpaceTime)
    return [f for f in faces if not (lifted and f.labels in (("initial",), ("final",)))]


def named_shapes(shape: Shape) -> list[tuple[str, Shape]]:
    """All named shapes of a tree, in their places."""
    match shape:
        case Named(inner, name):
            return [(name, shape), *named_shapes(inner)]
        case Union(a, b) | Intersection(a, b) | Difference(a, b):
            return [*named_shapes(a), *named_shapes(b)]
        case Translated(inner, vector):
            return [(name, Translated(s, vector)) for name, s in named_shapes(inner)]
        case Rotated(inner, angle, about, axis):
            return [(name, Rotated(s, angle, about, axis)) for name, s in named_shapes(inner)]
        case SpaceTime(space, time):
            return [(name, SpaceTime(s, time)) for name, s in named_shapes(space)]
    return []


def describe(shape: Shape) -> str:
    """The parts for messages, without 'name.part' and 'boundary' where there are others."""
    plain = [p for p in parts(shape) if "." not in p and p != "boundary"] or ["boundary"]
    return ", ".join(repr(p) for p in (*plain, *interfaces(shape)))
