"""Disk, ball and cylinder."""

from dataclasses import dataclass

import numpy as np

from physolve._typing import ColumnArray, PointArray

from ._charts import circle_chart, cylinder_cap_chart, cylinder_side_chart, sphere_chart
from ._checks import positive, vector
from ._face import Face, Region, box_region
from ._shape import Shape


@dataclass(frozen=True, repr=False)
class Disk(Shape):
    """The disk of a radius about a centre."""

    center: tuple[float, float]
    radius: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "center", vector(self.center, "Disk: center", 2))
        object.__setattr__(self, "radius", positive(self.radius, "Disk: radius"))

    @property
    def dim(self) -> int:
        return 2

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.center) - self.radius, np.array(self.center) + self.radius

    def _distance(self, points: PointArray) -> ColumnArray:
        return np.hypot(points[:, 0] - self.center[0], points[:, 1] - self.center[1]) - self.radius

    def _faces(self) -> tuple[Face, ...]:
        return (Face((), circle_chart(self.center, self.radius), 2 * np.pi * self.radius, self),)

    def _region(self) -> Region:
        return box_region(self)

    def _known_measure(self) -> float:
        return float(np.pi * self.radius**2)


@dataclass(frozen=True, repr=False)
class Ball(Shape):
    """The ball of a radius about a centre."""

    center: tuple[float, float, float]
    radius: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "center", vector(self.center, "Ball: center", 3))
        object.__setattr__(self, "radius", positive(self.radius, "Ball: radius"))

    @property
    def dim(self) -> int:
        return 3

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.center) - self.radius, np.array(self.center) + self.radius

    def _distance(self, points: PointArray) -> ColumnArray:
        x, y, z = points.T
        a, b, c = self.center
        return np.sqrt((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2) - self.radius

    def _faces(self) -> tuple[Face, ...]:
        return (Face((), sphere_chart(self.center, self.radius), 4 * np.pi * self.radius**2, self),)

    def _region(self) -> Region:
        return box_region(self)

    def _known_measure(self) -> float:
        return float(4 / 3 * np.pi * self.radius**3)


@dataclass(frozen=True, repr=False)
class Cylinder(Shape):
    """The cylinder along z that stands on the disk about `base`; parts 'side', 'bottom', 'top'."""

    base: tuple[float, float, float]
    radius: float
    height: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", vector(self.base, "Cylinder: base", 3))
        object.__setattr__(self, "radius", positive(self.radius, "Cylinder: radius"))
        object.__setattr__(self, "height", positive(self.height, "Cylinder: height"))

    @property
    def dim(self) -> int:
        return 3

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        reach, base = np.array([self.radius, self.radius, 0.0]), np.array(self.base)
        return base - reach, base + reach + np.array([0.0, 0.0, self.height])

    def _distance(self, points: PointArray) -> ColumnArray:
        x, y, z = (points - np.array(self.base)).T
        q = np.stack([np.hypot(x, y) - self.radius, np.abs(z - self.height / 2) - self.height / 2])
        return np.minimum(q.max(axis=0), 0.0) + np.hypot(*np.maximum(q, 0.0))

    def _faces(self) -> tuple[Face, ...]:
        base, r, h = self.base, self.radius, self.height
        return (
            Face(("side",), cylinder_side_chart(base, r, h), 2 * np.pi * r * h, self),
            Face(("bottom",), cylinder_cap_chart(base, r, base[2], -1), np.pi * r**2, self),
            Face(("top",), cylinder_cap_chart(base, r, base[2] + h, 1), np.pi * r**2, self),
        )

    def _region(self) -> Region:
        return box_region(self)

    def _known_measure(self) -> float:
        return float(np.pi * self.radius**2 * self.height)
