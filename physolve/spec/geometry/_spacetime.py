"""Product of a shape in space with an interval of time."""

from dataclasses import dataclass

import numpy as np

from physolve._typing import ColumnArray, MaskArray, PointArray
from physolve.errors import SpecificationError

from ._csg import Difference, Intersection, Union
from ._face import Chart, Face, Region
from ._interval import TimeInterval
from ._shape import Shape
from ._transform import Named, Rotated, Translated


@dataclass(frozen=True, repr=False)
class SpaceTime(Shape):
    """The points (x, t) with x in `space` and t in `time`.

    Parts: those of `space`, which mean their walls over all times, with normals (n, 0), all of them together
    'walls'; 'initial' and 'final' with normals (0, -1) and (0, 1). For corners and holes ask `space`.
    """

    space: Shape
    time: TimeInterval

    def __post_init__(self) -> None:
        if not isinstance(self.time, TimeInterval):
            raise SpecificationError(f"SpaceTime: time must be a TimeInterval, got {self.time!r}")
        if has_time(self.space):
            raise SpecificationError("SpaceTime: the space shape has a time already; multiply with time once")

    @property
    def dim(self) -> int:
        return self.space.dim + 1

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        lower, upper = self.space.bounds
        return np.append(lower, self.time.t0), np.append(upper, self.time.t1)

    def _distance(self, points: PointArray) -> ColumnArray:
        q = np.stack([self.space._distance(points[:, :-1]), self.time._distance(points[:, -1:])])
        return np.minimum(q.max(axis=0), 0.0) + np.hypot(*np.maximum(q, 0.0))

    def _faces(self) -> tuple[Face, ...]:
        from ._pieces import Piece, pieces

        t0, duration = self.time.t0, self.time.t1 - self.time.t0

        def wall(piece: Piece) -> Chart:
            def chart(u: np.ndarray) -> tuple[PointArray, PointArray, MaskArray]:
                points, normals, keep = piece.propose(u[:, :-1])
                t = t0 + duration * u[:, -1:]
                return np.hstack([points, t]), np.hstack([normals, np.zeros_like(t)]), keep

            return chart

        walls = tuple(
            Face(
                (*p.labels, "walls"),
                wall(p),
                p.measure * duration,
                self,
                p.measure / p.fraction * duration,
                p.kink,
            )
            for p in pieces(self.space)
        )
        return (*walls, self._end("initial", t0, -1.0), self._end("final", self.time.t1, 1.0))

    def _end(self, name: str, t: float, normal: float) -> Face:
        region = self.space._region()

        def chart(u: np.ndarray) -> tuple[PointArray, PointArray, MaskArray]:
            points, keep = region.propose(u)
            points = np.hstack([points, np.full((len(u), 1), t)])
            normals = np.zeros_like(points)
            normals[:, -1] = normal
            return points, normals, keep

        return Face((name,), chart, self.space.measure, self, region.extent)

    def _region(self) -> Region:
        region, t0, duration = self.space._region(), self.time.t0, self.time.t1 - self.time.t0

        def propose(u: np.ndarray) -> tuple[PointArray, MaskArray]:
            points, keep = region.propose(u[:, :-1])
            return np.hstack([points, t0 + duration * u[:, -1:]]), keep

        return Region(region.extent * duration, propose)

    def _known_measure(self) -> float:
        return self.space.measure * (self.time.t1 - self.time.t0)


def product(a: Shape, b: Shape) -> SpaceTime:
    """shape * TimeInterval, in either order."""
    if isinstance(b, TimeInterval):
        return SpaceTime(a, b)
    if isinstance(a, TimeInterval):
        return SpaceTime(b, a)
    raise SpecificationError(
        f"a product needs a TimeInterval, got {type(a).__name__} * {type(b).__name__}; "
        "write shape * TimeInterval(t0, t1), and Rectangle or Box for products in space"
    )


def split_time(shape: Shape) -> tuple[Shape | None, TimeInterval | None]:
    """The space and the time of a shape: (shape, None) without time, (None, time) for a TimeInterval alone.

    Looks through names only; in unions of products time is not a factor: (shape, None).
    """
    match shape:
        case TimeInterval():
            return None, shape
        case SpaceTime(space, time):
            return space, time
        case Named(inner, _):
            space, time = split_time(inner)
            return (shape, None) if time is None else (space, time)
    return shape, None


def has_time(shape: Shape) -> bool:
    """Whether time occurs anywhere in the tree."""
    match shape:
        case TimeInterval() | SpaceTime():
            return True
        case Named(inner, _) | Translated(inner, _):
            return has_time(inner)
        case Rotated():
            return False
        case Union(a, b) | Intersection(a, b) | Difference(a, b):
            return has_time(a) or has_time(b)
    return False
