"""Boundary sampling: which pieces, how many points on each."""

from collections.abc import Sequence

import numpy as np

from physolve._typing import MaskArray, PointArray
from physolve.errors import SpecificationError

from ._checks import count
from ._draw import Stream, allocate, check_method, thinned, unit_grid
from ._parts import describe, inner_pieces, interfaces, named_shapes, spatial_faces
from ._pieces import EPSILON, MEETING, Piece, labelled, pieces, restrict, side, trim
from ._samples import Corner, Samples
from ._shape import Shape, Where
from ._spacetime import SpaceTime, split_time

Selection = str | Shape | tuple[str | Shape, ...] | None
_LIMIT = 1 << 22  # candidates tried on one piece before giving up


def sample_boundary(
    shape: Shape, n: int, on: Selection, where: Where | None, method: str, seed: int, inside: bool = False
) -> Samples:
    """See Shape.sample_boundary."""
    check_method(method)
    n = count(n, "number of boundary points")
    chosen = select(shape, on, where, inside)
    measures = np.array([piece.measure for piece in chosen])
    shares = allocate(measures, n)
    stream = Stream(method, shape.dim - 1, seed)
    drawn = [_draw(p, int(k), method, stream) for p, k in zip(chosen, shares, strict=True) if k]
    weights = np.concatenate([np.full(k, m / k) for m, k in zip(measures, shares, strict=True) if k])
    points, normals = (np.concatenate(columns) for columns in zip(*drawn, strict=True))
    return Samples(points, weights * (measures.sum() / weights.sum()), normals)


def sample_corners(
    shape: Shape, corners: Sequence[Corner], n: int, on: Selection, where: Where | None, seed: int
) -> Samples:
    """See Shape.sample_corners."""
    tops = np.array([corner.point for corner in corners]).reshape(-1, 2)
    random = np.random.default_rng(seed)
    points, normals = [np.empty((0, 2))], [np.empty((0, 2))]
    for piece in select(shape, on, where):
        for end in (0.0, 1.0):
            away = np.linalg.norm(tops - piece.propose(np.array([[end]]))[0], axis=1)
            if not (away < MEETING * shape.size).any():
                continue
            decades = 1 + 6 * (np.arange(n) + random.random(n)) / n
            p, q, keep = piece.propose(np.abs(end - 10**-decades)[:, None])
            points.append(p[keep])
            normals.append(q[keep])
    drawn = np.concatenate(points)
    return Samples(drawn, np.ones(len(drawn)), np.concatenate(normals))


def select(shape: Shape, on: Selection, where: Where | None, inside: bool = False) -> tuple[Piece, ...]:
    """The pieces of boundary that a selection means. Raises SpecificationError if there are none."""
    found = _selected(shape, tuple(on) if isinstance(on, (tuple, list)) else (on,), inside)
    if where is None:
        return found
    cut = restrict(found, lambda points: _mask(where, points), shape.size)
    if not cut:
        name = "the boundary" if on is None else f"the part {on!r}"
        raise SpecificationError(f"no point of {name} satisfies the given predicate")
    return cut


def _selected(shape: Shape, items: tuple[object, ...], inside: bool) -> tuple[Piece, ...]:
    for item in items:
        if not (item is None or isinstance(item, (str, Shape))):
            raise SpecificationError(f"a boundary part must be a name or a shape, got {item!r}")
    if not items:
        raise SpecificationError(f"no boundary part is named; this domain has {describe(shape)}")
    if None in items or "boundary" in items:
        return _not_empty(pieces(shape), shape)
    groups = [_on_labels(shape, tuple(item for item in items if isinstance(item, str)), inside)]
    groups += [_on_shape(shape, item, inside) for item in items if isinstance(item, Shape)]
    groups = [group for group in groups if group]
    return groups[0] if len(groups) == 1 else _merged(groups, shape)


def _not_empty(found: tuple[Piece, ...], shape: Shape) -> tuple[Piece, ...]:
    if not found:
        raise SpecificationError(f"this shape is empty, it has no boundary: {shape!r}; check positions and sizes")
    return found


def _on_labels(shape: Shape, labels: tuple[str, ...], inside: bool) -> tuple[Piece, ...]:
    for label in labels:
        if not shape.has_part(label):
            raise SpecificationError(f"boundary part {label!r} is not a part of this domain; it has {describe(shape)}")
    if inside:
        named = [sub for name, sub in named_shapes(shape) if name in labels]
        if found := tuple(piece for sub in named for piece in inner_pieces(shape, sub)):
            return found
    inner = [sub for name, sub in named_shapes(shape) if name in labels and name in interfaces(shape)]
    return (*labelled(shape, labels), *(piece for sub in inner for piece in inner_pieces(shape, sub)))


def _on_shape(shape: Shape, sub: Shape, inside: bool) -> tuple[Piece, ...]:
    """Where the sub-shape's boundary is the domain's boundary; else, or at once, where it runs inside the domain."""
    sub = _lifted(shape, sub)
    if inside and (inner := inner_pieces(shape, sub)):
        return inner
    eps = EPSILON * shape.size
    on_domain, on_sub = side(shape, eps), side(sub, eps)

    def state(points: PointArray, normals: PointArray) -> np.ndarray:
        return np.where(on_sub(points, normals) != 0, on_domain(points, normals), 0).astype(np.int8)

    found = trim(spatial_faces(sub), state, shape.size) or inner_pieces(shape, sub)
    if not found:
        raise SpecificationError(f"the boundary of {sub!r} neither meets this domain's boundary nor its inside")
    return found


def _lifted(shape: Shape, sub: Shape) -> Shape:
    """A shape in space, seen from a domain in space and time: at all times."""
    time = split_time(shape)[1]
    if time is not None and sub.dim == shape.dim - 1:
        return SpaceTime(sub, time)
    if sub.dim != shape.dim:
        raise SpecificationError(f"on= needs a shape of {shape.dim} dimensions as the domain has, got {sub.dim}-D")
    return sub


def _merged(groups: list[tuple[Piece, ...]], shape: Shape) -> tuple[Piece, ...]:
    """Several selections together; what two have in common counts once."""
    result: list[Piece] = []
    for group in groups:
        earlier = tuple(dict.fromkeys(piece.owner for piece in result))
        result += _without(group, earlier, shape)
    return tuple(result)


def _without(group: tuple[Piece, ...], owners: tuple[Shape, ...], shape: Shape) -> tuple[Piece, ...]:
    """The pieces without what lies on the boundary of one of the owners."""
    slack = EPSILON * shape.size

    def away(points: PointArray) -> MaskArray:
        return np.all([np.abs(owner._distance(points)) > slack for owner in owners], axis=0)

    return restrict(group, away, shape.size) if owners else group


def _mask(where: Where, points: PointArray) -> MaskArray:
    mask = np.asarray(where(points))
    if mask.dtype != bool or mask.shape != (len(points),):
        got = f"{mask.dtype} {mask.shape}"
        raise SpecificationError(f"where= must answer with booleans of shape ({len(points)},), got {got}")
    return mask


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
