"""Ellipse with axes along the coordinates."""

from dataclasses import dataclass

import numpy as np

from physolve._typing import ColumnArray, PointArray

from ._charts import ellipse_chart, ellipse_length
from ._checks import positive, vector
from ._face import Face, Region, box_region
from ._shape import Shape


@dataclass(frozen=True, repr=False)
class Ellipse(Shape):
    """The ellipse about a centre with half axes radii = (rx, ry)."""

    center: tuple[float, float]
    radii: tuple[float, float]

    def __post_init__(self) -> None:
        object.__setattr__(self, "center", vector(self.center, "Ellipse: center", 2))
        radii = vector(self.radii, "Ellipse: radii", 2)
        object.__setattr__(self, "radii", tuple(positive(r, "Ellipse: radius") for r in radii))

    @property
    def dim(self) -> int:
        return 2

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return np.subtract(self.center, self.radii), np.add(self.center, self.radii)

    def _distance(self, points: PointArray) -> ColumnArray:
        x, y = np.abs(points - np.array(self.center)).T
        a, b = self.radii
        if a < b:
            x, y, a, b = y, x, b, a
        return _ellipse_distance(x, y, a, b)

    def _faces(self) -> tuple[Face, ...]:
        return (Face((), ellipse_chart(self.center, self.radii), ellipse_length(*self.radii), self),)

    def _region(self) -> Region:
        return box_region(self)

    def _known_measure(self) -> float:
        return float(np.pi * self.radii[0] * self.radii[1])


def _ellipse_distance(x: ColumnArray, y: ColumnArray, a: float, b: float) -> ColumnArray:
    """Signed distance for x, y >= 0, a >= b.

    The nearest point is (a^2 x / (g + e), b^2 y / g), e = a^2 - b^2, with g > 0 the root of
    s(g) = |(a x / (g + e), b y / g)| = 1. Newton on 1/s, which is nearly linear in g (Hebden), from the left.
    """
    y = np.maximum(y, 1e-13 * b)  # keeps the pole of the second term; an error far below rounding of the distance
    e = a * a - b * b
    g = b * y
    for _ in range(16):
        p, q = a * x / (g + e), b * y / g
        s = np.hypot(p, q)
        g = g + (s - 1) * s * s / (p * p / (g + e) + q * q / g)
    px, py = a * a * x / (g + e), b * b * y / g
    inside = np.hypot(x / a, y / b) < 1
    distance = np.hypot(x - px, y - py)
    return np.where(inside, -distance, distance)
