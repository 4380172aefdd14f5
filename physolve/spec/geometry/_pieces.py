"""The boundary of a shape as pieces: faces of its primitives, cut down to what is really boundary.

A point p of a face with normal n belongs to the boundary iff exactly one of p - eps n, p + eps n is inside. Curves are
cut exactly, at the parameters where that answer changes; surfaces keep the test and reject points by it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from physolve._typing import MaskArray, PointArray

from ._csg import Difference, Intersection, Union
from ._cut import cut_curve
from ._draw import Stream
from ._face import Chart, Face
from ._shape import Shape
from ._transform import Named, Rotated, Translated

EPSILON = 1e-6  # half the distance between the two test points, in units of the shape's size

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
def labelled(shape: Shape, label: str | None) -> tuple[Piece, ...]:
    """The boundary pieces that carry a label; all for None. Where two faces coincide, one of them counts."""
    faces = [face for face in shape._faces() if label is None or label in face.labels]
    if not is_composite(shape):
        return tuple(map(whole, faces))
    return trim(faces, side(shape, EPSILON * shape.size), shape.size)


def whole(face: Face) -> Piece:
    """A face of which everything is boundary."""
    return Piece(face.labels, face.chart, face.measure, face.owner, face.fraction, face.kink)


def trim(faces: Sequence[Face], state: State, size: float) -> tuple[Piece, ...]:
    """What the boundary test leaves of the faces; where two of different owners coincide the first one stays."""
    result: list[Piece] = []
    owners: list[Shape] = []
    vertices = _vertices(faces)
    for face in faces:
        earlier = tuple(o for o in owners if o != face.owner)
        test = _first_only(state, earlier, EPSILON * size)
        others = tuple({f.owner: None for f in faces if f.owner != face.owner})
        result += _trim_one(face, test, others, vertices, size)
        if face.owner not in owners:
            owners.append(face.owner)
    return tuple(result)


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


def _trim_one(
    face: Face, state: State, others: tuple[Shape, ...], vertices: PointArray, size: float
) -> list[Piece]:
    match face.owner.dim:
        case 1:
            return _trim_point(face, state)
        case 2:
            return _trim_curve(face, state, others, vertices, size)
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


def _trim_curve(
    face: Face, state: State, others: tuple[Shape, ...], vertices: PointArray, size: float
) -> list[Piece]:
    spans = cut_curve(face, state, others, vertices, size, EPSILON)
    return [
        Piece(
            face.labels,
            _signed(face.chart, sign, a, b - a),
            face.measure * (b - a),
            face.owner,
            kink=face.kink,
        )
        for a, b, sign in spans
    ]


def _trim_surface(face: Face, state: State) -> list[Piece]:
    def propose(u: np.ndarray) -> tuple[PointArray, PointArray, MaskArray]:
        points, normals, keep = face.chart(u)
        sign = state(points, normals)
        return points, sign[:, None] * normals, keep & (sign != 0)

    extent = face.extent or face.measure
    fraction = _kept(propose, face.owner.dim - 1, face.fraction)
    if fraction == 0:
        return []
    return [Piece(face.labels, propose, extent * fraction, face.owner, fraction, face.kink)]


def _kept(propose: Chart, dim: int, most: float) -> float:
    """Share of the chart's points that are kept, by quasi-Monte Carlo; `most` is known to bound it."""
    stream = Stream("sobol", dim, 1)
    keep = propose(stream.take(1 << 13))[2]
    if keep.all() or not keep.any():
        return float(keep[0])
    keep = np.concatenate([keep, propose(stream.take((1 << 16) - (1 << 13)))[2]])
    return min(float(keep.mean()), most)
