"""One dimension: an interval of space, and one of time."""

from dataclasses import dataclass

import numpy as np

from physolve._typing import ColumnArray, PointArray
from physolve.errors import SpecificationError

from ._charts import point_chart
from ._checks import number, text
from ._face import Face, Region, box_region
from ._shape import Shape


def _check_ends(name: str, a: object, b: object) -> tuple[float, float]:
    lo, hi = number(a, f"{name}: start"), number(b, f"{name}: end")
    if hi <= lo:
        raise SpecificationError(f"{name}: end {text(hi)} must exceed start {text(lo)}")
    return lo, hi


def _distance(points: PointArray, a: float, b: float) -> ColumnArray:
    return np.abs(points[:, 0] - (a + b) / 2) - (b - a) / 2


@dataclass(frozen=True, repr=False)
class Interval(Shape):
    """The interval a <= x <= b; parts 'left' and 'right'."""

    a: float
    b: float

    def __post_init__(self) -> None:
        for name, value in zip("ab", _check_ends("Interval", self.a, self.b), strict=True):
            object.__setattr__(self, name, value)

    @property
    def dim(self) -> int:
        return 1

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array([self.a]), np.array([self.b])

    def _distance(self, points: PointArray) -> ColumnArray:
        return _distance(points, self.a, self.b)

    def _faces(self) -> tuple[Face, ...]:
        return (
            Face(("left",), point_chart(self.a, -1.0), 1.0, self),
            Face(("right",), point_chart(self.b, 1.0), 1.0, self),
        )

    def _region(self) -> Region:
        return box_region(self)

    def _known_measure(self) -> float:
        return self.b - self.a


@dataclass(frozen=True, repr=False)
class TimeInterval(Shape):
    """The interval t0 <= t <= t1 of time; parts 'initial' and 'final'. Multiplies a shape to space-time."""

    t0: float
    t1: float

    def __post_init__(self) -> None:
        for name, value in zip(("t0", "t1"), _check_ends("TimeInterval", self.t0, self.t1), strict=True):
            object.__setattr__(self, name, value)

    @property
    def dim(self) -> int:
        return 1

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array([self.t0]), np.array([self.t1])

    def _distance(self, points: PointArray) -> ColumnArray:
        return _distance(points, self.t0, self.t1)

    def _faces(self) -> tuple[Face, ...]:
        return (
            Face(("initial",), point_chart(self.t0, -1.0), 1.0, self),
            Face(("final",), point_chart(self.t1, 1.0), 1.0, self),
        )

    def _region(self) -> Region:
        return box_region(self)

    def _known_measure(self) -> float:
        return self.t1 - self.t0
