"""Where refined sampling gathers: balls around corners and holes, with density ~ 1/distance."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from physolve._typing import ColumnArray, PointArray

from ._draw import Stream
from ._samples import Corner
from ._shape import Shape
from ._spacetime import split_time

_SHARP = 0.15  # radians; a corner that turns less is no place to gather points
_MOST = 40  # corners, the most reentrant first
_SPHERE = {2: 2 * np.pi, 3: 4 * np.pi}


@dataclass(frozen=True)
class Focus:
    """A ball of space (a cylinder along time, where there is time) with density ~ 1/r.

    lower, duration  start and length of the time axis; duration 0 where there is none
    weight           relative number of points;  fraction: share of candidates that fall inside the shape
    """

    center: tuple[float, ...]
    reach: float
    weight: float
    lower: float = 0.0
    duration: float = 0.0
    fraction: float = 1.0

    def place(self, u: np.ndarray) -> PointArray:
        """Unit cube -> candidates; the radius is that of density r^(d-1) / r, the direction uniform."""
        d = len(self.center)
        r = self.reach * u[:, 0:1] ** (1 / (d - 1))
        phi = 2 * np.pi * u[:, 1]
        direction = np.column_stack([np.cos(phi), np.sin(phi)])
        if d == 3:
            z = 2 * u[:, 2:3] - 1
            direction = np.hstack([np.sqrt(1 - z**2) * direction, z])
        points = np.array(self.center) + r * direction
        return np.hstack([points, self.lower + self.duration * u[:, d:]]) if self.duration else points

    def density(self, points: PointArray) -> ColumnArray:
        """Probability density of accepted candidates."""
        d = len(self.center)
        r = np.linalg.norm(points[:, :d] - np.array(self.center), axis=1)
        total = _SPHERE[d] * self.reach ** (d - 1) / (d - 1) * (self.duration or 1.0) * self.fraction
        return np.where(r < self.reach, 1 / np.maximum(r, 1e-300), 0.0) / total


@lru_cache(maxsize=128)
def focuses(shape: Shape) -> tuple[Focus, ...]:
    """One focus per sharp corner and hole; reentrant corners and holes count eight times a convex corner."""
    space, time = split_time(shape)
    if space is None:
        return ()
    when = (time.t0, time.t1 - time.t0) if time else (0.0, 0.0)
    sharp = sorted((c for c in space.corners if abs(c.angle - np.pi) > _SHARP), key=lambda c: -c.angle)
    found = [_at_corner(c, 0.15 * space.size, when) for c in sharp[:_MOST]]
    found += [Focus(h.center, 2 * h.radius, 4.0, *when) for h in space.holes]
    u = Stream("sobol", shape.dim, 1).take(1 << 12)
    return tuple(f for f in (_with_fraction(f, shape, u) for f in found) if f.fraction > 0.01)


def _at_corner(corner: Corner, reach: float, when: tuple[float, float]) -> Focus:
    return Focus(corner.point, reach, 4.0 if corner.angle > np.pi else 0.5, *when)


def _with_fraction(focus: Focus, shape: Shape, u: np.ndarray) -> Focus:
    return replace(focus, fraction=float(np.mean(shape._distance(focus.place(u)) < 0)))
