"""The boundary of a shape as pieces: faces of its primitives, cut down to what is really boundary.

A point p of a face with normal n belongs to the boundary iff exactly one of p - eps n, p + eps n is inside.
Curves are cut exactly, where that answer changes; surfaces keep the test and reject points by it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np

from physolve._typing import MaskArray, PointArray

from ._csg import Difference, Intersection, Union
from ._cut import Ends, cut_curve
from ._draw import Stream
from ._face import Chart, Face
from ._shape import Shape
from ._transform import Named, Rotated, Translated

EPSILON = 1e-6  # half the distance between the two test points, in units of the shape's size
MEETING = 20 * EPSILON  # ends of curves that lie nearer together meet, in the same units

State = Callable[[PointArray, PointArray], np.ndarray]
"""points, normals -> +1: on the boundary, normal outward; -1: on it, normal inward; 0: not on it."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A piece of boundary: like a Face, but with all normals outward and nothing that is not boundary.

    fraction  share of the chart's points that are kept
    """

    labels: tuple[str, ...]
    propose: Chart
    measure: float
    owner: Shape
    fraction: float = 1.0
    kink: float = 1e-5


def side(shape: Shape, eps: float) -> State:
    """The boundary test of the module's heading for one shape."""

    def state(points: PointArray, normals: PointArray) -> np.ndarray:
        inner = shape._distance(points - eps * normals) < 0
        outer = shape._distance(points + eps * normals) < 0
        return inner.astype(np.int8) - outer.astype(np.int8)

    return state


def both_inside(shape: Shape, eps: float) -> Callable[[PointArray, PointArray], MaskArray]:
    """Whether a point has the shape on both sides."""

    def inside(points: PointArray, normals: PointArray) -> MaskArray:
        return (shape._distance(points - eps * normals) < 0) & (shape._distance(points + eps * normals) < 0)

    return inside


def is_composite(shape: Shape) -> bool:
    """Whether some of the faces may not be boundary."""
    while isinstance(shape, (Named, Translated, Rotated)):
        shape = shape.shape
    return isinstance(shape, (Union, Intersection, Difference))


@lru_cache(maxsize=128)
def pieces(shape: Shape) -> tuple[Piece, ...]:
    """The whole boundary of a shape."""
    return labelled(shape, None)


@lru_cache(maxsize=256)
def labelled(shape: Shape, labels: tuple[str, ...] | None) -> tuple[Piece, ...]:
    """The boundary pieces that carry one of the labels; all for None. Coincident faces count once."""
    faces = [face for face in shape._faces() if labels is None or not set(labels).isdisjoint(face.labels)]
    if not is_composite(shape):
        return tuple(map(whole, faces))
    return trim(faces, side(shape, EPSILON * shape.size), shape.size)


def whole(face: Face) -> Piece:
    """A face of which everything is boundary."""
    return Piece(face.labels, face.chart, face.measure, face.owner, face.fraction, face.kink)


def trim(faces: Sequence[Face], state: State, size: float) -> tuple[Piece, ...]:
    """What the boundary test leaves of the faces; where two owners' faces coincide the first one stays."""
    faces = _distinct(faces)
    owners = list(dict.fromkeys(face.owner for face in faces))
    vertices = _vertices(faces)
    result: list[Piece] = []
    for owner, group in groupby(faces, key=lambda face: face.owner):
        k = owners.index(owner)
        test = _first_only(state, tuple(owners[:k]), EPSILON * size)
        ends = Ends((*owners[:k], *owners[k + 1 :]), vertices, size, EPSILON)
        result += [piece for face in group for piece in _trim_one(face, test, ends)]
    return tuple(result)


def restrict(found: Sequence[Piece], where: Callable[[PointArray], MaskArray], size: float) -> tuple[Piece, ...]:
    """The pieces, cut by a predicate."""

    def state(points: PointArray, normals: PointArray) -> np.ndarray:
        return where(points).astype(np.int8)

    ends = Ends((), np.empty((0, 2)), size, 0.0)
    return tuple(part for piece in found for part in _trim_one(as_face(piece), state, ends))


def as_face(piece: Piece) -> Face:
    """A piece as a candidate for further cutting."""
    return Face(piece.labels, piece.propose, piece.measure, piece.owner, piece.measure / piece.fraction, piece.kink)


def _distinct(faces: Sequence[Face]) -> list[Face]:
    """Faces without those of a primitive that occurs more than once in a tree."""
    first: dict[tuple, Face] = {}
    for face in faces:
        middle = face.chart(np.full((1, face.owner.dim - 1), 0.5))[0][0]
        first.setdefault((face.owner, tuple(middle.round(12)), face.measure), face)
    return list(first.values())


def _vertices(faces: Sequence[Face]) -> PointArray:
    """End points of the faces that are curves."""
    if not faces or faces[0].owner.dim != 2:
        return np.empty((0, 2))
    return np.concatenate([face.chart(np.array([[0.0], [1.0]]))[0] for face in faces])


def _first_only(state: State, earlier: tuple[Shape, ...], eps: float) -> State:
    """The state, zero where the point lies on the boundary of an earlier owner, with the same tangent."""

    def test(points: PointArray, normals: PointArray) -> np.ndarray:
        result = state(points, normals)
        for owner in earlier:
            open_ = np.flatnonzero(result)
            p, n = points[open_], normals[open_]
            before, behind = owner._distance(p - eps * n), owner._distance(p + eps * n)
            same = (before * behind < 0) & (np.abs(before) > eps / 2) & (np.abs(behind) > eps / 2)
            result[open_[same]] = 0
        return result

    return test


def _trim_one(face: Face, state: State, ends: Ends) -> list[Piece]:
    match face.owner.dim:
        case 1:
            return _trim_point(face, state)
        case 2:
            return _trim_curve(face, state, ends)
        case _:
            return _trim_surface(face, state)


def _trim_point(face: Face, state: State) -> list[Piece]:
    points, normals, _ = face.chart(np.empty((1, 0)))
    sign = int(state(points, normals)[0])
    return [Piece(face.labels, _signed(face.chart, sign), 1.0, face.owner)] if sign else []


def _signed(chart: Chart, sign: int, start: float = 0.0, width: float = 1.0) -> Chart:
    """A part of a chart, with normals turned to the outside."""

    def propose(u: np.ndarray) -> tuple[PointArray, PointArray, MaskArray]:
        points, normals, keep = chart(start + width * u)
        return points, sign * normals, keep

    return propose


def _trim_curve(face: Face, state: State, ends: Ends) -> list[Piece]:
    return [
        Piece(face.labels, _signed(face.chart, k, a, b - a), face.measure * (b - a), face.owner, kink=face.kink)
        for a, b, k in cut_curve(face, state, ends)
    ]


def _trim_surface(face: Face, state: State) -> list[Piece]:
    def propose(u: np.ndarray) -> tuple[PointArray, PointArray, MaskArray]:
        points, normals, keep = face.chart(u)
        sign = state(points, normals)
        return points, sign[:, None] * normals, keep & (sign != 0)

    extent = face.extent or face.measure
    fraction = face.fraction * _kept(face.chart, propose, face.owner.dim - 1)
    if fraction == 0:
        return []
    return [Piece(face.labels, propose, extent * fraction, face.owner, fraction, face.kink)]


def _kept(before: Chart, after: Chart, dim: int) -> float:
    """Share of the points that a chart keeps after a cut, by quasi-Monte Carlo; exact if all or nothing."""
    for m in (1 << 13, 1 << 15):
        u = Stream("sobol", dim, 1).take(m)
        old, new = before(u)[2], after(u)[2]
        if not new.any() or new.sum() == old.sum():
            return float(new.any())
    return float(new.sum() / old.sum())
