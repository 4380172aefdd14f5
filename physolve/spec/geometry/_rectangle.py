"""Boxes with sides along the axes, in two and three dimensions."""

from dataclasses import dataclass

import numpy as np

from physolve._typing import ColumnArray, PointArray

from ._charts import box_face_chart, segment_chart
from ._checks import Vector, ordered, vector
from ._face import Face, Region, box_region
from ._shape import Shape


def _box_distance(points: PointArray, lower: Vector, upper: Vector) -> ColumnArray:
    deepest, outside = np.full(len(points), -np.inf), np.zeros(len(points))
    for x, lo, hi in zip(points.T, lower, upper, strict=True):  # by columns: reductions of short rows are slow
        q = np.maximum(lo - x, x - hi)
        deepest = np.maximum(deepest, q)
        outside += np.square(np.maximum(q, 0.0))
    return np.minimum(deepest, 0.0) + np.sqrt(outside)


@dataclass(frozen=True, repr=False)
class Rectangle(Shape):
    """The rectangle between two opposite corners; parts 'left', 'right', 'bottom', 'top'."""

    lower: tuple[float, float]
    upper: tuple[float, float]

    def __post_init__(self) -> None:
        for name in ("lower", "upper"):
            object.__setattr__(self, name, vector(getattr(self, name), f"Rectangle: {name}", 2))
        ordered(self.lower, self.upper, "Rectangle")

    @property
    def dim(self) -> int:
        return 2

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.lower), np.array(self.upper)

    def _distance(self, points: PointArray) -> ColumnArray:
        return _box_distance(points, self.lower, self.upper)

    def _faces(self) -> tuple[Face, ...]:
        (x0, y0), (x1, y1) = self.lower, self.upper
        edges = (
            ("left", (x0, y1), (x0, y0)),
            ("right", (x1, y0), (x1, y1)),
            ("bottom", (x0, y0), (x1, y0)),
            ("top", (x1, y1), (x0, y1)),
        )
        return tuple(
            Face((name,), segment_chart(a, b), abs(b[0] - a[0]) + abs(b[1] - a[1]), self) for name, a, b in edges
        )

    def _region(self) -> Region:
        return box_region(self)

    def _known_measure(self) -> float:
        return float(np.prod(np.subtract(self.upper, self.lower)))


@dataclass(frozen=True, repr=False)
class Box(Shape):
    """The box between two opposite corners.

    Parts: 'left', 'right' (lower and upper x), 'bottom', 'top' (y), 'back', 'front' (z).
    """

    lower: tuple[float, float, float]
    upper: tuple[float, float, float]

    def __post_init__(self) -> None:
        for name in ("lower", "upper"):
            object.__setattr__(self, name, vector(getattr(self, name), f"Box: {name}", 3))
        ordered(self.lower, self.upper, "Box")

    @property
    def dim(self) -> int:
        return 3

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.lower), np.array(self.upper)

    def _distance(self, points: PointArray) -> ColumnArray:
        return _box_distance(points, self.lower, self.upper)

    def _faces(self) -> tuple[Face, ...]:
        names = (("left", "right"), ("bottom", "top"), ("back", "front"))
        extents = np.subtract(self.upper, self.lower)
        return tuple(
            Face(
                (names[axis][k],),
                box_face_chart(self.lower, self.upper, axis, side),
                float(np.prod(np.delete(extents, axis))),
                self,
            )
            for axis in range(3)
            for k, side in enumerate((-1, 1))
        )

    def _region(self) -> Region:
        return box_region(self)

    def _known_measure(self) -> float:
        return float(np.prod(np.subtract(self.upper, self.lower)))
