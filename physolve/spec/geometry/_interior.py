"""Interior sampling, plain and refined near corners and holes."""

import numpy as np

from physolve._typing import PointArray
from physolve.errors import SpecificationError

from ._checks import count, number
from ._draw import Stream, cell_counts, check_method, thinned, unit_grid
from ._focus import Focus, focuses
from ._samples import Samples
from ._shape import Shape

_LIMIT = 1 << 24  # candidates tried before giving up


def sample_interior(shape: Shape, n: int, method: str, seed: int, refine: float) -> Samples:
    """See Shape.sample_interior."""
    check_method(method)
    n = count(n, "number of interior points")
    refine = number(refine, "refine")
    if not 0 <= refine < 1:
        raise SpecificationError(f"refine must be at least 0 and below 1, got {refine}")
    measure = shape.measure
    near = focuses(shape) if refine > 0 else ()
    shares = _shares(near, n, refine)
    far = n - sum(shares)
    base = _grid(shape, far) if method == "grid" else _uniform(shape, far, Stream(method, shape.dim, seed))
    stream = Stream("sobol" if method == "grid" else method, shape.dim, seed + 1)
    points = np.concatenate([base, *(_around(shape, f, k, stream) for f, k in zip(near, shares, strict=True))])
    density = np.full(n, far / n / measure)
    for focus, k in zip(near, shares, strict=True):
        density += k / n * focus.density(points)
    weights = 1 / (n * density)
    return Samples(points, weights * (measure / weights.sum()))


def _shares(near: tuple[Focus, ...], n: int, refine: float) -> list[int]:
    """How many points each focus gets."""
    total = sum(focus.weight for focus in near)
    return [int(n * refine * focus.weight / total) for focus in near]


def _uniform(shape: Shape, n: int, stream: Stream) -> PointArray:
    region = shape._region()
    return _accepted(n, shape.measure / region.extent, lambda m: region.propose(stream.take(m)), shape)


def _around(shape: Shape, focus: Focus, n: int, stream: Stream) -> PointArray:
    """n points inside with density ~ 1/distance from the focus."""

    def propose(m: int):
        points = focus.place(stream.take(m))
        return points, shape._distance(points) < 0

    return _accepted(n, focus.fraction, propose, shape) if n else np.empty((0, shape.dim))


def _accepted(n: int, fraction: float, propose, shape: Shape) -> PointArray:
    """The first n accepted points of a sequence."""
    points, have, tried = [], 0, 0
    while have < n:
        m = int(min((n - have) / fraction * 1.05 + 16, _LIMIT))
        candidates, keep = propose(m)
        points.append(candidates[keep][: n - have])
        have, tried = have + len(points[-1]), tried + m
        if tried >= 4 * _LIMIT:
            raise SpecificationError(f"this shape is too thin to be sampled: {shape!r}")
    return np.concatenate(points)


def _grid(shape: Shape, n: int) -> PointArray:
    """A regular grid in the bounding box, just fine enough for n points inside, thinned to n."""
    lower, upper = shape.bounds
    m = n * float(np.prod(upper - lower)) / shape.measure
    while True:
        points = lower + unit_grid(cell_counts(m, upper - lower)) * (upper - lower)
        index = np.flatnonzero(shape._distance(points) < 0)
        if len(index) >= n:
            return points[index[thinned(len(index), n)]]
        m = m * 1.1 + 1
        if m > _LIMIT:
            raise SpecificationError(f"this shape is too thin to be sampled on a grid: {shape!r}")
