"""Boundary sampling: which pieces, how many points on each."""

from collections.abc import Callable

import numpy as np

from physolve._typing import PointArray
from physolve.errors import SpecificationError

from ._checks import count
from ._draw import Stream, allocate, check_method, thinned, unit_grid
from ._parts import inner_pieces, interfaces, named_shapes, parts, spatial_faces
from ._pieces import EPSILON, Piece, labelled, pieces, side, trim
from ._samples import Samples
from ._shape import Shape, Where
from ._spacetime import SpaceTime, split_time

Selection = str | Shape | tuple[str | Shape, ...] | None
_LIMIT = 1 << 22  # candidates tried on one piece before giving up


def sample_boundary(
    shape: Shape, n: int, on: Selection, where: Where | None, method: str, seed: int
) -> Samples:
    """See Shape.sample_boundary."""
    check_method(method)
    n = count(n, "number of boundary points")
    chosen = select(shape, on, where)
    measures = np.array([piece.measure for piece in chosen])
    shares = allocate(measures, n)
    stream = Stream(method, shape.dim - 1, seed)
    drawn = [_draw(p, int(k), method, stream) for p, k in zip(chosen, shares, strict=True) if k]
    weights = np.concatenate([np.full(k, m / k) for m, k in zip(measures, shares, strict=True) if k])
    points, normals = (np.concatenate(columns) for columns in zip(*drawn, strict=True))
    return Samples(points, weights * (measures.sum() / weights.sum()), normals)


def select(shape: Shape, on: Selection, where: Where | None) -> tuple[Piece, ...]:
    """The pieces of boundary that a selection means. Raises SpecificationError if there are none."""
    items = tuple(on) if isinstance(on, (tuple, list)) else (on,)
    found = [_select_one(shape, item) for item in items]
    if len(items) == 1 and where is None:
        return found[0]
    faces = [piece for group in found for piece in group]
    chosen = _merged(faces, where, shape)
    if not chosen:
        name = "the boundary" if on is None else f"the part {on!r}"
        raise SpecificationError(f"no point of {name} satisfies the given predicate")
    return chosen


def _select_one(shape: Shape, item: object) -> tuple[Piece, ...]:
    if item is None or item == "boundary":
        return _not_empty(pieces(shape), shape)
    if isinstance(item, Shape):
        return _on_shape(shape, item)
    if isinstance(item, str):
        return _on_label(shape, item)
    raise SpecificationError(f"a boundary part must be a name or a shape, got {item!r}")


def _not_empty(found: tuple[Piece, ...], shape: Shape) -> tuple[Piece, ...]:
    if not found:
        raise SpecificationError(
            f"this shape is empty, it has no boundary: {shape!r}; check positions and sizes"
        )
    return found


def _on_label(shape: Shape, label: str) -> tuple[Piece, ...]:
    found = labelled(shape, label)
    if found:
        return found
    if label in interfaces(shape):
        subs = [sub for name, sub in named_shapes(shape) if name == label]
        return tuple(piece for sub in subs for piece in inner_pieces(shape, sub))
    plain = [p for p in parts(shape) if "." not in p and p != "boundary"] or ["boundary"]
    names = ", ".join(repr(p) for p in (*plain, *interfaces(shape)))
    raise SpecificationError(f"boundary part {label!r} is not a part of this domain; it has {names}")


def _on_shape(shape: Shape, sub: Shape) -> tuple[Piece, ...]:
    """Where the sub-shape's boundary is the domain's boundary; else where it runs inside the domain."""
    sub = _lifted(shape, sub)
    eps = EPSILON * shape.size
    on_domain, on_sub = side(shape, eps), side(sub, eps)

    def state(points: PointArray, normals: PointArray) -> np.ndarray:
        return np.where(on_sub(points, normals) != 0, on_domain(points, normals), 0).astype(np.int8)

    found = trim(spatial_faces(shape, sub), state, shape.size) or inner_pieces(shape, sub)
    if not found:
        raise SpecificationError(
            f"the boundary of {sub!r} neither meets this domain's boundary nor its inside"
        )
    return found


def _lifted(shape: Shape, sub: Shape) -> Shape:
    """A shape in space, seen from a domain in space and time: at all times."""
    time = split_time(shape)[1]
    if time is not None and sub.dim == shape.dim - 1:
        return SpaceTime(sub, time)
    if sub.dim != shape.dim:
        raise SpecificationError(
            f"on= needs a shape of {shape.dim} dimensions as the domain has, got {sub.dim}-D"
        )
    return sub


def _merged(found: list[Piece], where: Where | None, shape: Shape) -> tuple[Piece, ...]:
    """Several selections together, without what they have in common, cut by a predicate."""
    from ._face import Face

    faces = [Face(p.labels, p.propose, p.measure, p.owner, p.measure / p.fraction, p.kink) for p in found]

    def state(points: PointArray, normals: PointArray) -> np.ndarray:
        return np.ones(len(points), np.int8) if where is None else _mask(where, points)

    return trim(_distinct(faces), state, shape.size)


def _distinct(faces: list) -> list:
    """Faces without repetition of the same stretch of the same owner."""
    seen: dict[tuple, object] = {}
    for face in faces:
        u = np.full((1, face.owner.dim - 1), 0.5)
        key = (face.owner, tuple(np.round(face.chart(u)[0][0], 12)), round(face.measure, 12))
        seen.setdefault(key, face)
    return list(seen.values())


def _mask(where: Callable, points: PointArray) -> np.ndarray:
    mask = np.asarray(where(points))
    if mask.dtype != bool or mask.shape != (len(points),):
        raise SpecificationError(
            f"where= must answer with a boolean per point, shape ({len(points)},), got {mask.dtype} {mask.shape}"
        )
    return mask.astype(np.int8)


def _draw(piece: Piece, n: int, method: str, stream: Stream) -> tuple[PointArray, PointArray]:
    return _grid(piece, n) if method == "grid" else _random(piece, n, stream)


def _random(piece: Piece, n: int, stream: Stream) -> tuple[PointArray, PointArray]:
    points, normals, have, tried = [], [], 0, 0
    while have < n:
        m = n - have if piece.fraction == 1 else int((n - have) / piece.fraction * 1.1) + 16
        p, q, keep = piece.propose(stream.take(m))
        points.append(p[keep][: n - have])
        normals.append(q[keep][: n - have])
        have, tried = have + len(points[-1]), tried + m
        if tried > _LIMIT and have == 0:
            raise SpecificationError(f"boundary part {piece.labels} is too small to be sampled")
    return np.concatenate(points), np.concatenate(normals)


def _grid(piece: Piece, n: int) -> tuple[PointArray, PointArray]:
    dim, m = piece.owner.dim - 1, n / piece.fraction
    if dim == 0:
        p, q, _ = piece.propose(np.empty((n, 0)))
        return p, q
    while True:
        p, q, keep = piece.propose(unit_grid([int(np.ceil(m ** (1 / dim) - 1e-9))] * dim))
        if keep.sum() >= n:
            index = np.flatnonzero(keep)[thinned(int(keep.sum()), n)]
            return p[index], q[index]
        m *= 1.2
